//! A line as it reads when its escapes are decoded, and the way back to where things stand.
//!
//! Escapes of strings (`\"`, `\n`, `\u0040`, `\x40`) and of URLs (`%40`, `+` in a query) are
//! decoded together, one level at a time. The line need not be JSON or a URL: what is found
//! in a view is found in addition to what is found in the line.

use memchr::{memchr, memchr3, memrchr};

/// How far before a `+` the sign of a query is looked for, in bytes.
const QUERY_BYTES_MAX: usize = 128;

/// Where a piece of a view comes from.
#[derive(Clone, Copy, Debug)]
struct Piece {
    view: usize,
    source: usize,
    /// Whether it was copied byte by byte, or decoded from one sequence.
    copied: bool,
}

/// A line, decoded as often as `decode` was called.
#[derive(Debug)]
pub(crate) struct View {
    text: String,
    /// For each level, the first decoded first: how it read before, and where its pieces went.
    levels: Vec<(String, Vec<Piece>)>,
}

impl View {
    /// The line itself.
    pub(crate) fn of(line: &str) -> View {
        View { text: line.to_owned(), levels: Vec::new() }
    }

    /// How it reads now.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Decodes one level. `false`: there was nothing to decode.
    pub(crate) fn decode(&mut self) -> bool {
        let Some((text, pieces)) = decode(&self.text) else { return false };
        self.levels.push((std::mem::replace(&mut self.text, text), pieces));
        true
    }

    /// The span of the line that a span of the view comes from.
    pub(crate) fn source(&self, start: usize, end: usize) -> (usize, usize) {
        self.levels.iter().rev().fold((start, end), |(start, end), (text, pieces)| {
            let (start, end) = (first(pieces, start), past(pieces, end));
            (start, within_string(text.as_bytes(), start, end))
        })
    }
}

/// The end of a span that goes no further than the string it begins in: what reads on in a
/// view may be two strings before a backslash was taken off.
fn within_string(bytes: &[u8], start: usize, end: usize) -> usize {
    let mut escaped = false;
    for (at, byte) in (start..end).zip(&bytes[start..end]) {
        if *byte == b'"' && !escaped && at > start {
            return at;
        }
        escaped = *byte == b'\\' && !escaped;
    }
    end
}

fn piece(pieces: &[Piece], at: usize) -> usize {
    pieces.partition_point(|piece| piece.view <= at).saturating_sub(1)
}

/// Where the byte at a place of the view begins.
fn first(pieces: &[Piece], at: usize) -> usize {
    let piece = pieces[piece(pieces, at)];
    piece.source + if piece.copied { at - piece.view } else { 0 }
}

/// Where the byte before a place of the view ends.
fn past(pieces: &[Piece], at: usize) -> usize {
    let number = piece(pieces, at);
    let found = pieces[number];
    match pieces.get(number + 1) {
        _ if found.copied || found.view == at => found.source + at - found.view,
        Some(next) => next.source,
        None => found.source,
    }
}

/// The lines of a text that have something to decode, with where they begin.
pub(crate) fn lines_with_escapes(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.as_bytes().get(at..)?;
            let hit = at + memchr3(b'\\', b'%', b'+', rest)?;
            let start =
                memrchr(b'\n', &text.as_bytes()[at..hit]).map_or(at, |found| at + found + 1);
            let end =
                memchr(b'\n', &text.as_bytes()[hit..]).map_or(text.len(), |found| hit + found);
            at = end + 1;
            let line = &text[start..end];
            if is_escape(line.as_bytes(), hit - start) || decode(line).is_some() {
                return Some((start, line));
            }
        }
    })
}

fn is_escape(bytes: &[u8], at: usize) -> bool {
    bytes[at] == b'\\' && bytes.get(at + 1).is_some_and(|next| b"\"\\/nrtu".contains(next))
}

/// The text with one level of escapes decoded, if it has any.
fn decode(text: &str) -> Option<(String, Vec<Piece>)> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut pieces = vec![Piece { view: 0, source: 0, copied: true }];
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = memchr3(b'\\', b'%', b'+', &bytes[at..]) {
        at += found;
        let unit = match bytes[at] {
            b'\\' => string_escape(text, at),
            b'%' => percent(bytes, at),
            _ => plus(bytes, at),
        };
        let Some((decoded, length)) = unit else {
            at += 1;
            continue;
        };
        out.push_str(&text[copied..at]);
        pieces.push(Piece { view: out.len(), source: at, copied: false });
        out.push(decoded);
        at += length;
        copied = at;
        pieces.push(Piece { view: out.len(), source: at, copied: true });
    }
    out.push_str(&text[copied..]);
    (pieces.len() > 1).then_some((out, pieces))
}

/// A `+` between words is a space after the `=` of a query.
fn plus(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let next = *bytes.get(at + 1)?;
    let before = bytes[at.saturating_sub(QUERY_BYTES_MAX)..at].iter().rev();
    let sign = before.copied().find(|b| b"= \"'\n\t<>".contains(b));
    let joins = next.is_ascii_alphanumeric() || next == b'%';
    (joins && sign == Some(b'=')).then_some((' ', 1))
}

fn string_escape(text: &str, at: usize) -> Option<(char, usize)> {
    let decoded = match *text.as_bytes().get(at + 1)? {
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        sign @ (b'"' | b'\'' | b'/' | b'\\') => char::from(sign),
        b'x' => return code(text, at + 2, 2).map(|c| (c, 4)),
        b'u' => return code(text, at + 2, 4).map(|c| (c, 6)),
        _ => return None,
    };
    Some((decoded, 2))
}

fn code(text: &str, at: usize, digits: usize) -> Option<char> {
    let hex = text.get(at..at + digits)?;
    let is_hex = hex.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then(|| u32::from_str_radix(hex, 16).ok().and_then(char::from_u32)).flatten()
}

/// One character, which may be several bytes, each with its sign.
fn percent(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let byte = |number: usize| -> Option<u8> {
        let [b'%', high, low] = *bytes.get(at + number * 3..at + number * 3 + 3)? else {
            return None;
        };
        let digit = |b: u8| char::from(b).to_digit(16);
        u8::try_from(digit(high)? * 16 + digit(low)?).ok()
    };
    let length = match byte(0)? {
        0x00..=0x7F => 1,
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let mut decoded = [0; 4];
    for (number, place) in decoded.iter_mut().enumerate().take(length) {
        *place = byte(number)?;
    }
    let text = std::str::from_utf8(&decoded[..length]).ok()?;
    text.chars().next().map(|c| (c, length * 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes as often as it goes, and brings a word of the result back to the line.
    fn check(line: &str, word: &str, source: &str) {
        let mut view = View::of(line);
        while view.decode() {}
        let start = view.text().find(word).unwrap();
        let (from, to) = view.source(start, start + word.len());
        assert_eq!(&line[from..to], source, "{line}");
    }

    #[test]
    fn what_is_read_in_a_view_is_found_in_the_line() {
        check(r#"{\"a\":\"x@y.z\"}"#, "x@y.z", "x@y.z");
        check(r"mail x\u0040y.z now", "x@y.z", r"x\u0040y.z");
        check("q=x%40y.z&r=1", "x@y.z", "x%40y.z");
        check("q=x%2540y.z", "x@y.z", "x%2540y.z");
        check(r#"\\\"k\\\":\\\"\\u0040\\\""#, "@", r"\\u0040");
        check("a=12+Main%20Street", "12 Main Street", "12+Main%20Street");
        check("%C3%A9t%C3%A9", "été", "%C3%A9t%C3%A9");
    }

    #[test]
    fn lines_without_escapes_are_not_decoded() {
        let text = "one\n50% of two\n\\\"three\\\"\nC:\\dir\nx%41";
        let lines = lines_with_escapes(text).collect::<Vec<_>>();
        assert_eq!(lines, [(15, "\\\"three\\\""), (32, "x%41")]);
    }
}
