//! Bank account numbers: the country's length and a remainder leave no doubt.

use super::Search;
use crate::check::iban::{CHARACTERS_MAX, is_iban, length};
use crate::class::Class;
use crate::words::PLACEHOLDER_HEAD;

impl Search<'_> {
    /// Looks for an IBAN that begins with a run.
    pub(super) fn iban(&mut self, text: &str, at: usize) {
        let bytes = text.as_bytes();
        let is_head = bytes.len() > at + 4
            && bytes[at..at + 2].iter().all(u8::is_ascii_alphabetic)
            && bytes[at + 2..at + 4].iter().all(u8::is_ascii_digit);
        if !is_head || !self.classes.contains(Class::Iban) {
            return;
        }
        let Some(wanted) = length(&text[at..at + 2]) else { return };
        let Some((compact, end)) = gather(bytes, at, wanted) else { return };
        let plain = !compact.bytes().any(|b| b.is_ascii_lowercase()) || is_written_small(&compact);
        if plain && is_iban(&compact.to_ascii_uppercase()) {
            self.add(Class::Iban, "iban", (at, end));
        }
    }
}

/// In small letters only a bank's code may follow the country's: anything else is a hash.
fn is_written_small(compact: &str) -> bool {
    compact.bytes().skip(8).all(|b| b.is_ascii_digit())
}

/// Letters and digits up to a number of them, with single separators between; none may
/// follow.
fn gather(bytes: &[u8], start: usize, wanted: usize) -> Option<(String, usize)> {
    let mut compact = String::with_capacity(CHARACTERS_MAX);
    let mut at = start;
    while compact.len() < wanted {
        let byte = *bytes.get(at)?;
        if byte.is_ascii_alphanumeric() {
            compact.push(char::from(byte));
            at += 1;
        } else {
            at += gap(&bytes[at..])?;
        }
    }
    let glued = bytes[at..].starts_with(PLACEHOLDER_HEAD);
    let ends = !glued && !bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    ends.then_some((compact, at))
}

/// Bytes of one separator before a letter or digit.
fn gap(bytes: &[u8]) -> Option<usize> {
    let length = match bytes {
        [b' ' | b'-' | b'.', ..] => 1,
        [0xC2, 0xA0, ..] => 2,
        [0xE2, 0x80, 0xAF, ..] => 3,
        _ => return None,
    };
    bytes.get(length).is_some_and(u8::is_ascii_alphanumeric).then_some(length)
}
