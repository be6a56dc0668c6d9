//! Numbers that states give to people: by shape, then by arithmetic, then by the words
//! before them. The rules are data.

use super::Search;
use super::number::{may_begin, may_end};
use crate::class::Class;
use crate::words::{before, phrase_before};

/// Longest shape in the data, in characters.
const SHAPE_MAX: usize = 24;

impl Search<'_> {
    /// Looks for a number that begins with a run with letters in it.
    pub(super) fn lettered_number(&mut self, text: &str, at: usize, end: usize) {
        let bytes = text.as_bytes();
        let length = end - at;
        let alone = bytes[at..end].iter().any(u8::is_ascii_digit) && (7..=18).contains(&length);
        let parted = length <= 8
            && matches!(bytes.get(end), Some(b' ' | b'-' | b'.' | b'('))
            && bytes.get(end + 1).is_some_and(|b| b.is_ascii_digit() || length >= 4);
        if !(alone || parted) || !may_begin(bytes, at) || !self.classes.contains(Class::NationalId)
        {
            return;
        }
        self.shapes(text, at);
    }

    /// Looks for a number of digits that ends in a letter: `12345678-Z`, `131052-308T`.
    pub(super) fn checked_by_letter(&mut self, text: &str, at: usize, end: usize) {
        let rest = &text.as_bytes()[end..];
        let rest = rest.strip_prefix(b"-").unwrap_or(rest);
        let letter = rest.first().is_some_and(u8::is_ascii_uppercase);
        let ends = !rest.get(1).is_some_and(u8::is_ascii_alphanumeric);
        if letter
            && ends
            && may_begin(text.as_bytes(), at)
            && self.classes.contains(Class::NationalId)
        {
            self.shapes(text, at);
        }
    }

    fn shapes(&mut self, text: &str, at: usize) {
        let bytes = text.as_bytes();
        let shape = shape(bytes, at);
        for length in (7..=shape.len()).rev() {
            let ends = at + length;
            if may_end(bytes, ends) && self.of_shape(text, (at, ends), &shape[..length]) {
                return;
            }
        }
    }

    /// Whether a number of digits and separators is a person's.
    pub(super) fn national(&mut self, text: &str, start: usize, end: usize) -> bool {
        if end - start > SHAPE_MAX || !self.classes.contains(Class::NationalId) {
            return false;
        }
        let bytes = text.as_bytes();
        let mut shape = shape(bytes, start);
        // A letter may belong to it that is no digit: the check letter after a hyphen.
        let more = shape.len();
        (end - start..=more).rev().any(|length| {
            let length = length.min(shape.len());
            let fits = length == end - start || may_end(bytes, start + length);
            shape.truncate(length);
            fits && self.of_shape(text, (start, start + length), &shape)
        })
    }

    fn of_shape(&mut self, text: &str, (start, end): (usize, usize), shape: &str) -> bool {
        let rules = self.rules;
        let compact: String = text[start..end].chars().filter(|c| c.is_alphanumeric()).collect();
        let compact = compact.to_uppercase();
        let found = rules.numbers.of_shape(shape).find(|number| {
            (number.check)(&compact)
                && (number.words.is_empty() || phrase_before(text, start, &number.words))
                && !(number.unless && self.is_said_otherwise(text, start))
        });
        if let Some(number) = found {
            self.add_said(Class::NationalId, &number.id, (start, end));
        }
        found.is_some()
    }

    fn is_said_otherwise(&self, text: &str, at: usize) -> bool {
        before(text, at).iter().take(2).any(|word| self.rules.words.not_person_words.contains(word))
    }
}

/// The text from a place on with `9` for digits and `A` for capitals, as far as it has a
/// shape at all.
fn shape(bytes: &[u8], at: usize) -> String {
    let mut shape = String::with_capacity(SHAPE_MAX);
    for byte in bytes[at..].iter().take(SHAPE_MAX) {
        shape.push(match byte {
            b'0'..=b'9' => '9',
            b'A'..=b'Z' => 'A',
            b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'+' => char::from(*byte),
            _ => break,
        });
    }
    shape
}
