//! Reads what follows a name: the sign between them, and where the value begins and ends.
//! Knows the ways of configuration, code, logs, command lines, tables and sentences.

use crate::words::{Words, floor};

/// Longest value, in bytes: what a header of a request may hold with the usual servers.
const VALUE_BYTES_MAX: usize = 8192;

/// Spaces on one side of the sign.
const SPACES_MAX: usize = 16;

/// Most bytes between a noun and the verb that follows what it is for.
const PURPOSE_BYTES_MAX: usize = 48;

/// Most words of a verb.
const VERBS_MAX: usize = 4;

/// How a value is tied to its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// `=`, `:=`, `=>`.
    Equals,
    /// `:`.
    Colon,
    /// The verb of a sentence.
    Is,
    /// A space, after an option of a command or in a file of logins.
    Flag,
    /// A comma between two quoted words.
    Pair,
    /// The borders of a table, or tags.
    Cell,
}

/// A value and how it stands there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) link: Link,
    pub(super) quoted: bool,
    /// Spaces around the sign, as code has them.
    pub(super) spaced: bool,
    /// Ends with a sign that ends statements.
    pub(super) statement: bool,
    /// An opening parenthesis or bracket follows.
    pub(super) calls: bool,
    /// A word follows, as in a sentence.
    pub(super) word_follows: bool,
    /// `Bearer` or the like stood before it.
    pub(super) after_scheme: bool,
}

/// Calls that only wrap a literal.
const WRAPPERS: [&str; 9] = [
    "String::from(",
    "SecretString::from(",
    "SecretString::new(",
    "Secret::new(",
    "SecretStr(",
    "Secret(",
    "new String(",
    "std::string(",
    "b64decode(",
];

/// Words that name the way to authenticate, before the value.
const SCHEMES: [&str; 9] = [
    "bearer ", "basic ", "token ", "apikey ", "api-key ", "key ", "splunk ", "digest ", "sso-key ",
];

/// The value of the name between two places, if a value follows it.
pub(super) fn read(words: &Words, text: &str, start: usize, name_end: usize) -> Option<Value> {
    let bytes = text.as_bytes();
    let (mut at, key_quoted) = closing_quote(bytes, name_end);
    let before = at;
    at = spaces(bytes, at);
    let (link, next) = link(words, text, (start, name_end), at, key_quoted)?;
    let mut value_at = spaces(bytes, next);
    let spaced = at > before || value_at > next;
    let equals_spaced = at > before && value_at > next;
    if link == Link::Colon {
        value_at = after_type(text, value_at).unwrap_or(value_at);
    }
    if link == Link::Pair {
        value_at = after_value_key(text, value_at);
    }
    let (mut value_at, mut after_scheme) = after_scheme(text, value_at);
    let lead = &text[value_at..];
    value_at += WRAPPERS.iter().find(|call| lead.starts_with(**call)).map_or(0, |call| call.len());
    let value = match opening_quote(bytes, value_at) {
        Some((quote, slashes, from)) => {
            let (from, scheme) = self::after_scheme(text, from);
            after_scheme |= scheme;
            quoted(text, from, quote, slashes)?
        }
        None if link == Link::Pair => return None,
        None => unquoted(text, value_at, link, is_environment(text, start, name_end, link))?,
    };
    let spaced = if link == Link::Equals { equals_spaced } else { spaced };
    Some(Value { link, spaced, after_scheme, ..value }).filter(|value| value.start < value.end)
}

fn spaces(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take(SPACES_MAX).take_while(|b| matches!(b, b' ' | b'\t')).count()
}

/// Past the quote and bracket that close a name: `"key"`, `env["key"]`, `\"key\"`.
fn closing_quote(bytes: &[u8], at: usize) -> (usize, bool) {
    let slashes = bytes[at..].iter().take_while(|b| **b == b'\\').count();
    match bytes.get(at + slashes) {
        Some(b'"' | b'\'' | b'`') => {
            let after = at + slashes + 1;
            (after + usize::from(bytes.get(after) == Some(&b']')), true)
        }
        Some(b'*') if bytes[at..].starts_with(b"**") => (at + 2, false),
        _ => (at, false),
    }
}

fn link(
    words: &Words,
    text: &str,
    (start, end): (usize, usize),
    at: usize,
    key_quoted: bool,
) -> Option<(Link, usize)> {
    let bytes = text.as_bytes();
    let rest = &bytes[at..];
    match rest {
        [b'=', b'=' | b'~', ..] => None,
        [b'=', b'>', ..] | [b':', b'=', ..] | [b'-', b'>', ..] => Some((Link::Equals, at + 2)),
        [b'=', ..] => Some((Link::Equals, at + 1)),
        [b':', ..] if text[..start].ends_with("://") => None,
        [b':', b':', ..] => None,
        [b':', b'*', b'*', ..] => Some((Link::Colon, at + 3)),
        [b':', ..] => Some((Link::Colon, at + 1)),
        _ if begins_with_colon(&text[at..]) => Some((Link::Colon, at + 3)),
        [b'>', ..] if text[..start].ends_with('<') => Some((Link::Cell, at + 1)),
        [b'v', ..] if key_quoted => value_attribute(text, at).map(|at| (Link::Equals, at)),
        [b'\n' | b'\r', ..] => value_line(text, at).map(|at| (Link::Colon, at)),
        [b'(', b'"' | b'\'', ..] if sets(&text[start..end]) => Some((Link::Pair, at + 1)),
        [b'\'', b's', b' ', ..] => Some((Link::Is, at + 3)),
        [b',', ..] if key_quoted => Some((Link::Pair, at + 1)),
        [b'|', ..] if text[..start].trim_end_matches([' ', '`', '*']).ends_with('|') => {
            Some((Link::Cell, at + 1))
        }
        _ if at == end => None,
        _ if text[..start].ends_with("--") || is_login(text, start) => Some((Link::Flag, at)),
        _ if text[..start].ends_with("set ") => Some((Link::Is, at)),
        _ => verb(words, text, at).or_else(|| purpose(text, at)).map(|at| (Link::Is, at)),
    }
}

/// Past `value=` after the name in another attribute.
fn value_attribute(text: &str, at: usize) -> Option<usize> {
    Some(after_value_key(text, at)).filter(|after| *after > at)
}

/// Past `value:` in the line after a name, as lists of variables have it.
fn value_line(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..floor(text, at + 48)];
    let line = rest.trim_start().trim_start_matches("- ");
    let value = line.strip_prefix("value:")?;
    Some(at + rest.len() - value.len())
}

/// The full-width colon, and what says `is` where no spaces stand between words.
fn begins_with_colon(rest: &str) -> bool {
    ["：", "は", "是", "为", "為"].iter().any(|sign| rest.starts_with(sign))
}

/// A file of logins or a sentence of one: `machine host login user password …`.
fn is_login(text: &str, start: usize) -> bool {
    let before = &text[floor(text, start.saturating_sub(96))..start];
    before.contains("login ") || before.contains("machine ")
}

/// Past the verb between a noun and its value: `is`, `was changed to`, `is now:`.
fn verb(words: &Words, text: &str, at: usize) -> Option<usize> {
    let mut next = at;
    for _ in 0..VERBS_MAX {
        let rest = &text[next..floor(text, next + 16)];
        let word = rest.split([' ', ':']).next()?;
        let known = words.is_words.contains(&word.to_lowercase());
        if !(known || next > at && words.verb_words.contains(word)) {
            break;
        }
        let after = next + word.len();
        let value = text[after..].trim_start_matches([':', ' ']);
        if value.len() == text.len() - after {
            break;
        }
        next = text.len() - value.len();
    }
    (next > at).then_some(next)
}

/// Past `for the server is`: what the noun is for, and then the verb.
fn purpose(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..floor(text, at + PURPOSE_BYTES_MAX)];
    let rest = rest.split(['\n', ';', '.', '"']).next().unwrap_or_default();
    let starts = ["for ", "of ", "to ", "für ", "von ", "pour ", "para "];
    if !starts.iter().any(|word| rest.starts_with(word)) {
        return None;
    }
    let ends = [" is: ", " is ", ": ", " ist: ", " ist ", " = ", " est ", " es "];
    ends.iter().find_map(|verb| rest.find(verb).map(|found| at + found + verb.len()))
}

/// Whether a function of this name takes the secret itself.
fn sets(name: &str) -> bool {
    ["set", "Set", "with"].iter().any(|verb| name.starts_with(verb))
}

/// Past a type between a colon and an equals sign: `password: &str = "…"`.
fn after_type(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..floor(text, at + 48)];
    let sign = rest.find('=')?;
    let name = rest[..sign].trim_end();
    let is_type = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '&')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_<>&'[]:.|? ".contains(c))
        && name.len() < sign;
    let next = text.as_bytes().get(at + sign + 1).copied()?;
    (is_type && next != b'=').then(|| spaces(text.as_bytes(), at + sign + 1))
}

/// Past `"value":` in a pair of a name and its value.
fn after_value_key(text: &str, at: usize) -> usize {
    let rest = &text[at..floor(text, at + 48)];
    let bare = rest.trim_start().trim_start_matches(['\\', '"', '\'']);
    let lower = bare.to_ascii_lowercase();
    let Some(after) = lower.strip_prefix("value") else { return at };
    let after = after.trim_start_matches(['\\', '"', '\'']).trim_start();
    match after.strip_prefix([':', '=']) {
        Some(value) => at + rest.len() - value.trim_start().len(),
        None => at,
    }
}

fn after_scheme(text: &str, at: usize) -> (usize, bool) {
    let head = text[at..floor(text, at + 12)].to_ascii_lowercase();
    match SCHEMES.iter().find(|scheme| head.starts_with(**scheme)) {
        Some(scheme) => (at + scheme.len(), true),
        None => (at, false),
    }
}

/// A quote, the backslashes before it, and where what it opens begins.
fn opening_quote(bytes: &[u8], at: usize) -> Option<(u8, usize, usize)> {
    let prefixed = matches!(bytes.get(at), Some(b'b' | b'r' | b'f' | b'u' | b'@' | b'$' | b'L'))
        && matches!(bytes.get(at + 1), Some(b'"' | b'\''));
    let at = at + usize::from(prefixed);
    let slashes = bytes.get(at..)?.iter().take_while(|b| **b == b'\\').count();
    let quote = *bytes.get(at + slashes)?;
    let triple = bytes[at + slashes..].starts_with(&[quote; 3]);
    matches!(quote, b'"' | b'\'' | b'`').then_some((
        quote,
        slashes,
        at + slashes + if triple { 3 } else { 1 },
    ))
}

/// Up to the quote that closes it, with as many backslashes as opened it.
fn quoted(text: &str, start: usize, quote: u8, slashes: usize) -> Option<Value> {
    let bytes = text.as_bytes();
    let most = text.len().min(start + VALUE_BYTES_MAX);
    let (mut at, mut run) = (start, 0);
    while at < most {
        match bytes[at] {
            b'\\' => run += 1,
            b'\n' => break,
            byte if byte == quote && closes(run, slashes) => {
                return Some(plain_value(start, at - run.min(slashes), true));
            }
            _ => run = 0,
        }
        at += 1;
    }
    // Cut off before it was closed: up to here.
    let end = floor(text, at);
    (end == text.len()).then(|| plain_value(start, end, true))
}

/// Whether a quote after a run of backslashes closes what a quote after `slashes` opened.
/// With fewer it belongs to a string around; with more it is escaped, unless the content
/// itself ends in backslashes, which come in twos of its level.
fn closes(run: usize, slashes: usize) -> bool {
    run < slashes || (run - slashes).is_multiple_of(2 * (slashes + 1))
}

fn plain_value(start: usize, end: usize, quoted: bool) -> Value {
    Value {
        start,
        end,
        link: Link::Equals,
        quoted,
        spaced: false,
        statement: false,
        calls: false,
        word_follows: false,
        after_scheme: false,
    }
}

/// `NAME=` at the beginning of a line, as in files of environments.
fn is_environment(text: &str, start: usize, end: usize, link: Link) -> bool {
    let head = text[..start].trim_end_matches("export ");
    link == Link::Equals
        && (head.is_empty() || head.ends_with('\n'))
        && !text[start..end].bytes().any(|b| b.is_ascii_lowercase())
}

fn unquoted(text: &str, start: usize, link: Link, environment: bool) -> Option<Value> {
    let rest = text.get(start..floor(text, start + VALUE_BYTES_MAX))?;
    let ends = |c: char| match link {
        Link::Cell => "|<\n\"'\\".contains(c),
        _ if environment => c.is_whitespace() || "\"'`\\".contains(c),
        Link::Equals | Link::Colon | Link::Is | Link::Flag | Link::Pair => {
            c.is_whitespace() || "\"'`\\&;<>|{}[]，。".contains(c)
        }
    };
    let variable = rest.starts_with("${")
        || rest.starts_with("{{")
        || rest.starts_with("<")
        || rest.starts_with("[")
        || rest.starts_with("$(");
    if variable {
        return None;
    }
    let raw = &rest[..rest.find(ends).unwrap_or(rest.len())];
    let cut = if environment { raw } else { &raw[..pair_follows(raw)] };
    let bare = cut.trim_end_matches([' ', '\t', '.', ',', ':', ')', '!', '?', '*']);
    // A password may end in such a sign where nothing of a sentence is around it.
    let signed = bare.len() + 1 == cut.len() && cut.ends_with(['!', '?', '*']);
    let secret = if environment || signed { cut } else { bare };
    let after = &rest[secret.len()..];
    if link == Link::Cell && !after.trim_start_matches(' ').starts_with(['|', '<']) {
        return None;
    }
    let next = after.trim_start_matches([' ', '\t']);
    Some(Value {
        statement: after.starts_with([';', ',', ')', '}']) || next.starts_with('}'),
        calls: after.starts_with(['(', '[', '{']),
        word_follows: next.len() < after.len() && next.starts_with(char::is_alphabetic),
        ..plain_value(start, start + secret.len(), false)
    })
}

/// Where `,name=` or `, ` cuts a value: another pair begins.
fn pair_follows(raw: &str) -> usize {
    let is_pair = |at: usize| {
        let next = &raw[at + 1..];
        let name = next.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
        name.is_some_and(|end| end > 0 && next[end..].starts_with(['=', ':']))
    };
    raw.match_indices(',').map(|(at, _)| at).find(|at| is_pair(*at)).unwrap_or(raw.len())
}
