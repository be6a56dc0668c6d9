//! Private keys in text form: RFC 7468 and its older relatives, as a block, on one line
//! with escaped breaks, and cut off.

use super::Search;
use crate::class::Class;
use crate::words::floor;

/// Longest key that is read, in bytes: several times RSA of 16384 bits, with escaped breaks.
const KEY_BYTES_MAX: usize = 65_536;

/// Shortest content that is a key and not an example of one.
const CONTENT_BYTES_MIN: usize = 24;

/// Longest head: `-----BEGIN PGP PRIVATE KEY BLOCK-----`.
const HEAD_BYTES_MAX: usize = 64;

impl Search<'_> {
    /// Looks at `-----BEGIN `.
    pub(super) fn private_key(&mut self, text: &str, at: usize) {
        let rest = &text[at..floor(text, at + KEY_BYTES_MAX)];
        let head = &rest[..floor(rest, HEAD_BYTES_MAX)];
        let Some(label) = head["-----BEGIN ".len()..].split("-----").next() else { return };
        let body_start = "-----BEGIN ".len() + label.len() + 5;
        if !label.to_ascii_uppercase().contains("PRIVATE KEY") || body_start > rest.len() {
            return;
        }
        let body = &rest[body_start..];
        if at < self.read.key || !self.classes.contains(Class::Secrets) {
            return;
        }
        let length = closed(body).unwrap_or_else(|| cut_off(body));
        let end = at + body_start + length;
        if letters(&body[..length]) >= CONTENT_BYTES_MIN || !self.afford(body.len()) {
            self.read.key = end;
            self.add(Class::Secrets, "private_key", (at, end));
        }
    }
}

fn letters(body: &str) -> usize {
    body.split("-----").next().unwrap_or_default().bytes().filter(u8::is_ascii_alphanumeric).count()
}

/// The length up to the end of `-----END …-----`, if nothing but a key stands before it.
fn closed(body: &str) -> Option<usize> {
    let end = body.find("-----END ")?;
    let is_key = |c: char| {
        c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || "+/=\\:,.-_()".contains(c)
    };
    if !body[..end].chars().all(is_key) {
        return None;
    }
    let label = &body[end + "-----END ".len()..];
    let close = label.find("-----")?;
    (close < HEAD_BYTES_MAX).then_some(end + "-----END ".len() + close + 5)
}

/// The length of what still looks like a key: words that are long or belong to headers.
fn cut_off(body: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = &body[at..];
        let word_start = rest.len() - trim_breaks(rest).len();
        let word = &rest[word_start..];
        let length = word.find(|c: char| !(c.is_ascii_alphanumeric() || "+/=:,-".contains(c)));
        let length = length.unwrap_or(word.len());
        let text = &word[..length];
        let belongs =
            length >= 16 || text.ends_with(['=', ':']) || text.contains(',') || header(text);
        let last = length > 0 && at > 0 && word.len() == length;
        if length == 0 || !(belongs || last) {
            return at;
        }
        at += word_start + length;
    }
}

fn header(word: &str) -> bool {
    matches!(word, "Proc-Type:" | "DEK-Info:" | "Version:" | "Comment:" | "GnuPG" | "v2" | "v1")
}

/// The text after spaces, line breaks and their escapes.
fn trim_breaks(text: &str) -> &str {
    let mut rest = text;
    loop {
        let next = rest.trim_start_matches([' ', '\t', '\n', '\r', '\\']);
        let escaped = rest.len() > next.len() && rest[..rest.len() - next.len()].ends_with('\\');
        let next = if escaped { next.strip_prefix(['n', 'r', 't']).unwrap_or(next) } else { next };
        if next.len() == rest.len() {
            return rest;
        }
        rest = next;
    }
}
