//! Characters written as escapes: HTML entities, percent signs, and the backslashes of JSON
//! and of program text.

/// An escape is never longer than this.
const ESCAPE_BYTES_MAX: usize = 12;

const ENTITIES: [(&str, char); 10] = [
    ("lt", '<'),
    ("gt", '>'),
    ("amp", '&'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("Tab", ' '),
    ("NewLine", '\n'),
    ("colon", ':'),
    ("period", '.'),
];

/// The character that an escape at the very start of the text stands for, and the length of
/// the escape in bytes.
pub(super) fn at(text: &str) -> Option<(char, usize)> {
    match text.as_bytes().first()? {
        b'&' => entity(text),
        b'%' => percent(text),
        b'\\' => backslash(text),
        _ => None,
    }
}

fn entity(text: &str) -> Option<(char, usize)> {
    let name_end = text.bytes().take(ESCAPE_BYTES_MAX).position(|byte| byte == b';')?;
    let name = text.get(1..name_end)?;
    let ch = if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        char::from_u32(code)?
    } else {
        ENTITIES.iter().find(|(known, _)| *known == name)?.1
    };
    Some((ch, name_end + 1))
}

fn percent(text: &str) -> Option<(char, usize)> {
    let code = u8::from_str_radix(text.get(1..3)?, 16).ok()?;
    (code.is_ascii_graphic() || code == b' ' || code == b'\n').then_some((char::from(code), 3))
}

fn backslash(text: &str) -> Option<(char, usize)> {
    match text.as_bytes().get(1)? {
        b'u' => match text.get(2..6).and_then(hex_char) {
            Some(ch) => Some((ch, 6)),
            None => braced(text),
        },
        b'x' => Some((text.get(2..4).and_then(hex_char)?, 4)),
        b'n' | b'r' => Some(('\n', 2)),
        b't' => Some((' ', 2)),
        b'"' => Some(('"', 2)),
        b'/' => Some(('/', 2)),
        _ => None,
    }
}

fn braced(text: &str) -> Option<(char, usize)> {
    let rest = text.strip_prefix("\\u{")?;
    let digits = rest.bytes().take(6).position(|byte| byte == b'}')?;
    Some((hex_char(&rest[..digits])?, digits + 4))
}

fn hex_char(digits: &str) -> Option<char> {
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}
