//! Looks through a text and through what is nested in it, and says where something lies.
//!
//! A page is looked at as it stands; then its lines with escapes (`\"`, `\u0040`, `%40`),
//! decoded level by level; and each long run of base64 or hexadecimal digits, decoded, is a
//! page of its own. All of it is bounded by depth and by a budget of bytes, so the time is
//! linear in the text. What the budget does not reach is taken for a secret.

mod address;
mod cookie;
mod encoded;
mod house;
mod iban;
mod mail;
mod national;
mod noun;
mod number;
mod pay;
mod phone;
mod plain;
mod private_key;
mod said;
mod value;
mod walk;

use crate::class::{Class, Classes};
use crate::rules::{Form, Rules};
use crate::view::{View, lines_with_escapes};
use crate::words::floor;

/// Pages within pages: base64 in base64 in base64 is looked into, no further.
const PAGE_DEPTH_MAX: u8 = 3;

/// Levels of escapes that are taken off a line.
const ESCAPE_LEVELS_MAX: usize = 5;

/// Bytes that are looked at in all, for each byte of the text.
const WORK_PER_BYTE_MAX: usize = 24;

/// Bytes that are looked at in all for the shortest text.
const WORK_BYTES_MIN: usize = 65_536;

/// Longest placeholder, in bytes.
const PLACEHOLDER_BYTES_MAX: usize = 64;

/// Something that must not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found<'r> {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) id: &'r str,
    pub(crate) class: Class,
    /// How sure the name is: of two that overlap the lower names both.
    rank: u8,
}

impl<'r> Found<'r> {
    /// The part of it between two places.
    pub(crate) fn within(mut self, from: usize, to: usize) -> Self {
        (self.start, self.end) = (self.start.max(from), self.end.min(to));
        self
    }

    #[cfg(test)]
    pub(crate) fn test(start: usize, end: usize, id: &'r str, class: Class) -> Self {
        Found { start, end, id, class, rank: 0 }
    }
}

/// One search through a text.
pub(crate) struct Search<'r> {
    rules: &'r Rules,
    classes: Classes,
    bytes_left: usize,
    found: Vec<Found<'r>>,
    /// Up to where each rule has read the page that is looked at.
    read: Read,
}

/// Up to where a page was read, by those who read far: nothing is read again and again.
#[derive(Default)]
struct Read {
    forms: Vec<usize>,
    noun: usize,
    cookie: usize,
    key: usize,
}

/// Everything in a text that must not leave: in order, without overlaps.
pub(crate) fn look<'r>(rules: &'r Rules, classes: Classes, text: &str) -> Vec<Found<'r>> {
    let bytes_left = text.len() * WORK_PER_BYTE_MAX + WORK_BYTES_MIN;
    let mut search =
        Search { rules, classes, bytes_left, found: Vec::new(), read: Read::default() };
    search.page(text, 0);
    merge(text, search.found)
}

impl<'r> Search<'r> {
    /// Looks at a page and at what its escapes hide.
    fn page(&mut self, text: &str, depth: u8) {
        self.plain(text, depth);
        for (start, line) in lines_with_escapes(text) {
            let mut view = View::of(line);
            for _ in 0..ESCAPE_LEVELS_MAX {
                if !view.decode() || !self.afford(view.text().len()) {
                    break;
                }
                let before = self.found.len();
                self.plain(view.text(), depth);
                for found in &mut self.found[before..] {
                    (found.start, found.end) = view.source(found.start, found.end);
                    found.start += start;
                    found.end += start;
                }
            }
        }
    }

    /// What is found in a text that was encoded as a whole.
    fn nested(&mut self, text: &str, depth: u8) -> Option<Found<'r>> {
        let before = self.found.len();
        self.page(text, depth + 1);
        let first = self.found.get(before).copied();
        self.found.truncate(before);
        first
    }

    /// Takes bytes from the budget, if it has them.
    fn afford(&mut self, bytes: usize) -> bool {
        let left = self.bytes_left.checked_sub(bytes);
        self.bytes_left = left.unwrap_or(self.bytes_left);
        left.is_some()
    }

    /// A thing whose form says exactly what it is.
    fn add(&mut self, class: Class, id: &'r str, span: (usize, usize)) {
        self.put(class, id, span, 0);
    }

    /// A secret whose form says that it is one.
    fn add_form(&mut self, form: &'r Form, span: (usize, usize)) {
        self.put(form.class, &form.id, span, u8::from(!form.is_precise()));
    }

    /// A thing that the words beside it give away.
    fn add_said(&mut self, class: Class, id: &'r str, span: (usize, usize)) {
        self.put(class, id, span, 2);
    }

    fn put(&mut self, class: Class, id: &'r str, (start, end): (usize, usize), rank: u8) {
        if start < end && self.classes.contains(class) {
            self.found.push(Found { start, end, id, class, rank });
        }
    }
}

/// Puts in order what was found, and makes one of what overlaps.
fn merge<'r>(text: &str, mut found: Vec<Found<'r>>) -> Vec<Found<'r>> {
    found.retain_mut(|found| within_escapes(text, found) && !is_placeholder(text, found));
    found.sort_by_key(|found| (found.start, std::cmp::Reverse(found.end)));
    let mut merged: Vec<Found<'r>> = Vec::with_capacity(found.len());
    for next in found {
        match merged.last_mut() {
            Some(last) if next.start < last.end => {
                let (rank, longer) = (next.rank, next.end - next.start > last.end - last.start);
                if rank < last.rank || (rank == last.rank && longer) {
                    (last.id, last.class, last.rank) = (next.id, next.class, rank);
                }
                last.end = last.end.max(next.end);
            }
            Some(_) | None => merged.push(next),
        }
    }
    merged
}

/// Moves the ends of a span out of escape sequences that they would cut in two, so that a
/// string of JSON stays one. `false`: nothing is left.
fn within_escapes(text: &str, found: &mut Found<'_>) -> bool {
    let bytes = text.as_bytes();
    let slashes = bytes[..found.start].iter().rev().take_while(|b| **b == b'\\').count();
    if slashes % 2 == 1 {
        found.start += match bytes[found.start] {
            b'u' if is_hex(bytes.get(found.start + 1..found.start + 5)) => 5,
            b'n' | b'r' | b't' | b'b' | b'f' | b'"' | b'/' | b'\\' => 1,
            _ => 0,
        };
    }
    while found.end > found.start && bytes[found.end - 1] == b'\\' {
        found.end -= 1;
    }
    found.start < found.end
}

/// Whether it lies within a placeholder that stands there already.
fn is_placeholder(text: &str, found: &Found<'_>) -> bool {
    const HEAD: &str = "[redacted:";
    let from = floor(text, found.start.saturating_sub(PLACEHOLDER_BYTES_MAX));
    let to = floor(text, found.start + HEAD.len());
    let Some(open) = text[from..to].rfind(HEAD) else { return false };
    let close = text[from + open..].find(']').map(|at| from + open + at + 1);
    close.is_some_and(|close| found.start >= from + open && found.end <= close)
}

fn is_hex(bytes: Option<&[u8]>) -> bool {
    bytes.is_some_and(|bytes| bytes.iter().all(u8::is_ascii_hexdigit))
}
