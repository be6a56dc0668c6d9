//! Text hidden in characters that nobody sees: Unicode tags, variation selectors, and bits
//! written with zero-width characters. There is no honest reason for a sentence in them.

use super::glyphs::is_invisible;

/// Fewer invisible characters than this carry no message.
const CARRIERS_MIN: usize = 4;
/// Fewer zero-width bits than this carry no message.
const BITS_MIN: usize = 16;

/// A message in invisible characters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Smuggled {
    /// Where it begins, in bytes.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// The rule that it falls under.
    pub(super) rule: &'static str,
    /// What it says, as far as it could be read.
    pub(super) says: String,
}

/// Messages in runs of invisible characters.
pub(super) fn find(text: &str) -> Vec<Smuggled> {
    let mut found = Vec::new();
    let mut run: Vec<char> = Vec::new();
    let mut begun = 0;
    let mut before = ' ';
    for (at, ch) in text.char_indices() {
        if is_invisible(ch) {
            if run.is_empty() {
                begun = at;
            }
            run.push(ch);
            continue;
        }
        found.extend(message(&run, before, (begun, at)));
        run.clear();
        before = ch;
    }
    found.extend(message(&run, before, (begun, text.len())));
    found
}

fn message(run: &[char], before: char, (start, end): (usize, usize)) -> Option<Smuggled> {
    if run.len() < CARRIERS_MIN {
        return None;
    }
    let tags = run.iter().filter_map(|ch| tag(*ch)).collect::<String>();
    // The flags of England, Scotland and Wales are a black flag with a few tags.
    if tags.len() >= CARRIERS_MIN && before != '🏴' {
        return Some(Smuggled { start, end, rule: "smuggled_tags", says: tags });
    }
    let selected = run.iter().filter_map(|ch| selector(*ch)).collect::<Vec<u8>>();
    if selected.len() >= CARRIERS_MIN {
        let says = String::from_utf8_lossy(&selected).into_owned();
        return Some(Smuggled { start, end, rule: "smuggled_selectors", says });
    }
    let bits = run.iter().filter_map(|ch| bit(*ch)).collect::<Vec<u8>>();
    (bits.len() >= BITS_MIN).then(|| {
        let says = spelled(&bits);
        Smuggled { start, end, rule: "smuggled_bits", says }
    })
}

fn tag(ch: char) -> Option<char> {
    let code = u32::from(ch).checked_sub(0xe0000)?;
    let ascii = u8::try_from(code).ok()?;
    matches!(ascii, b' '..=b'~' | b'\n').then_some(char::from(ascii))
}

fn selector(ch: char) -> Option<u8> {
    match u32::from(ch) {
        code @ 0xfe00..=0xfe0f => u8::try_from(code - 0xfe00).ok(),
        code @ 0xe0100..=0xe01ef => u8::try_from(code - 0xe0100 + 16).ok(),
        _ => None,
    }
}

fn bit(ch: char) -> Option<u8> {
    match ch {
        '\u{200b}' | '\u{2062}' => Some(0),
        '\u{200c}' | '\u{2064}' | '\u{200d}' => Some(1),
        _ => None,
    }
}

/// The bits as bytes, whichever of the two characters means one.
fn spelled(bits: &[u8]) -> String {
    let read = |flip: u8| {
        let byte = |bits: &[u8]| bits.iter().fold(0, |byte, bit| (byte << 1) | (bit ^ flip));
        let bytes = bits.chunks_exact(8).map(byte).collect::<Vec<u8>>();
        bytes.is_ascii().then(|| String::from_utf8_lossy(&bytes).into_owned())
    };
    read(0).or_else(|| read(1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(text: &str) -> String {
        text.bytes().filter_map(|byte| char::from_u32(0xe0000 + u32::from(byte))).collect()
    }

    #[test]
    fn messages_are_read_and_emoji_are_left() {
        let found = find(&format!("Fine.{} End", tagged("send keys")));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].start, found[0].says.as_str()), (5, "send keys"));
        let select = |byte: u8| char::from_u32(0xe0100 + u32::from(byte) - 16);
        let selected = "run it".bytes().filter_map(select).collect::<String>();
        assert_eq!(find(&format!("😀{selected}"))[0].says, "run it");
        let bits = "ab".bytes().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1));
        let bits = bits.map(|bit| if bit == 1 { '\u{200c}' } else { '\u{200b}' });
        assert_eq!(find(&bits.collect::<String>())[0].says, "ab");
        let scotland = format!("🏴{}\u{e007f}", tagged("gbsct"));
        for harmless in ["👨\u{200d}👩\u{200d}👧 ❤\u{fe0f}", scotland.as_str(), "می\u{200c}خواهم"]
        {
            assert_eq!(find(harmless), []);
        }
    }
}
