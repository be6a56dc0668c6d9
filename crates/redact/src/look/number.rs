//! Numbers that are written in groups: `4111 1111 1111 1111`, `+49 30 123456`.
//!
//! A phrase is a sequence of groups of digits with one separator between two of them. Which
//! part of it is a card, a telephone or the number of a person is asked window by window:
//! a window begins and ends where the phrase does, or at a space.

use super::{PLACEHOLDER_BYTES_MAX, Search};
use crate::words::PLACEHOLDER_HEAD;

/// Groups of one phrase. A longer one is looked at in halves that overlap.
const GROUPS_MAX: usize = 12;

/// Digits of the shortest and of the longest number that is looked for.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=19;

/// A group of digits and what stands after it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The sign between this group and the next; `' '` for any space, `'\0'` for none.
    pub(super) after: u8,
}

impl Group {
    pub(super) fn digits(self) -> usize {
        self.end - self.start
    }
}

/// Some groups of a phrase, with the text that they stand in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window<'t> {
    pub(super) text: &'t str,
    pub(super) groups: &'t [Group],
    /// `+` right before it.
    pub(super) plus: bool,
    /// `(` right before its first digit.
    pub(super) paren: bool,
}

impl<'t> Window<'t> {
    pub(super) fn start(&self) -> usize {
        self.groups[0].start
    }

    /// Where it begins with the signs that belong to it.
    pub(super) fn outer_start(&self) -> usize {
        self.start() - usize::from(self.plus) - usize::from(self.paren)
    }

    pub(super) fn end(&self) -> usize {
        self.groups[self.groups.len() - 1].end
    }

    pub(super) fn digits(&self) -> usize {
        self.groups.iter().map(|group| group.digits()).sum()
    }

    /// The digits of a group as text.
    pub(super) fn group(&self, number: usize) -> &'t str {
        self.groups.get(number).map_or("", |group| &self.text[group.start..group.end])
    }

    /// The one separator that all groups share; `Some(b' ')` too where there is one group.
    pub(super) fn separator(&self) -> Option<u8> {
        let inner = &self.groups[..self.groups.len() - 1];
        let first = inner.first().map_or(b' ', |group| group.after);
        inner.iter().all(|group| group.after == first).then_some(first)
    }

    pub(super) fn lengths(&self) -> impl Iterator<Item = usize> {
        self.groups.iter().map(|group| group.digits())
    }
}

impl Search<'_> {
    /// Looks at the phrase that begins with a run of digits; answers up to where it did.
    pub(super) fn number(&mut self, text: &str, at: usize, end: usize) -> usize {
        if end - at <= 5 {
            self.house(text, at, end);
        }
        let bytes = text.as_bytes();
        if end - at < *DIGITS.start() && !goes_on(bytes, end) {
            return end;
        }
        let mut groups = [Group::default(); GROUPS_MAX];
        let mut count = read(bytes, at, &mut groups);
        let full = count == GROUPS_MAX;
        if !full && !may_end(bytes, groups[count - 1].end) {
            // What is glued to letters is no group of its own; before a space it may be left out.
            self.checked_by_letter(text, at, groups[count - 1].end);
            count -= 1;
            if count == 0 || groups[count - 1].after != b' ' {
                return groups[count].end;
            }
        }
        let groups = &groups[..count];
        let total: usize = groups.iter().map(|group| group.digits()).sum();
        if total >= *DIGITS.start() && may_begin(bytes, at) {
            self.windows(text, groups);
        }
        if full { groups[GROUPS_MAX / 2].start } else { groups[count - 1].end }
    }

    fn windows(&mut self, text: &str, groups: &[Group]) {
        let mut from = 0;
        while from < groups.len() {
            let begins = from == 0 || groups[from - 1].after == b' ';
            let taken = if begins { self.longest(text, groups, from) } else { None };
            from = taken.unwrap_or(from + 1);
        }
    }

    /// Tries windows from one group on, the longest first; answers where the next begins.
    fn longest(&mut self, text: &str, groups: &[Group], from: usize) -> Option<usize> {
        for to in (from..groups.len()).rev() {
            let ends = to + 1 == groups.len() || groups[to].after == b' ';
            let window = window(text, &groups[from..=to]);
            let (digits, count) = (window.digits(), window.groups.len());
            // Tables of small numbers are nobody's.
            let dense = digits * 2 >= count * 3;
            if ends && dense && DIGITS.contains(&digits) && self.one(&window) {
                return Some(to + 1);
            }
        }
        None
    }

    fn one(&mut self, window: &Window<'_>) -> bool {
        self.card(window)
            || (!window.plus && self.national(window.text, window.start(), window.end()))
            || self.phone(window)
    }
}

fn window<'t>(text: &'t str, groups: &'t [Group]) -> Window<'t> {
    let before = &text.as_bytes()[..groups[0].start];
    let paren = before.ends_with(b"(");
    let plus = before.ends_with(b"+") || before.ends_with(b"+(");
    Window { text, groups, plus, paren: paren && (plus || has_close(text, groups)) }
}

fn has_close(text: &str, groups: &[Group]) -> bool {
    text.as_bytes().get(groups[0].end) == Some(&b')')
}

/// Whether digits could go on after one separator.
fn goes_on(bytes: &[u8], end: usize) -> bool {
    separator(bytes, end).is_some()
}

fn read(bytes: &[u8], at: usize, groups: &mut [Group; GROUPS_MAX]) -> usize {
    let (mut at, mut count) = (at, 0);
    loop {
        let end = at + bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        groups[count] = Group { start: at, end, after: 0 };
        count += 1;
        match separator(bytes, end) {
            Some((next, sign)) if count < GROUPS_MAX => {
                groups[count - 1].after = sign;
                at = next;
            }
            Some(_) | None => return count,
        }
    }
}

/// The separator at a place, where a digit follows it: where that is, and its sign.
fn separator(bytes: &[u8], at: usize) -> Option<(usize, u8)> {
    let (mut next, mut sign) = (at, b' ');
    while next < at + 4 {
        match *bytes.get(next)? {
            b' ' => next += 1,
            // No-break space, thin and narrow spaces, hyphens that do not break, dashes.
            0xC2 if bytes.get(next + 1) == Some(&0xA0) => next += 2,
            0xE2 if bytes.get(next + 1) == Some(&0x80) => {
                match *bytes.get(next + 2)? {
                    0x87..=0x8A | 0xAF => {}
                    0x90..=0x94 => sign = b'-',
                    _ => return None,
                }
                next += 3;
            }
            found @ (b'-' | b'.' | b'/' | b'(' | b')') if sign == b' ' || found == b'(' => {
                sign = found;
                next += 1;
            }
            b'0'..=b'9' => return (next > at).then_some((next, sign)),
            _ => return None,
        }
    }
    bytes.get(next).is_some_and(u8::is_ascii_digit).then_some((next, sign))
}

/// Whether a number may begin here: not within a name, a price or a longer number.
pub(super) fn may_begin(bytes: &[u8], at: usize) -> bool {
    if ends_in_placeholder(&bytes[..at]) {
        return false;
    }
    let mut before = bytes[..at].iter().rev().copied();
    match (before.next(), before.next()) {
        (Some(b'(' | b'+'), Some(second)) => !second.is_ascii_alphanumeric() && second != b'+',
        (Some(b',' | b'.'), Some(second)) => !second.is_ascii_digit(),
        (Some(b'/'), Some(second)) => second != b'/' && !second.is_ascii_digit(),
        (Some(b'_' | b'-' | b'@' | b'#' | b'$' | b'%' | b'^' | b'*' | b'~' | b'\\'), _) => false,
        (Some(first), _) => !first.is_ascii_alphanumeric(),
        (None, _) => true,
    }
}

/// Whether a number may end here.
pub(super) fn may_end(bytes: &[u8], end: usize) -> bool {
    match (bytes.get(end), bytes.get(end + 1)) {
        (Some(b'['), _) => !bytes[end..].starts_with(PLACEHOLDER_HEAD),
        (Some(b'_' | b'@' | b'%' | b'#'), _) => false,
        (Some(b'-' | b'/' | b'+' | b'*' | b'='), Some(next)) => !next.is_ascii_alphanumeric(),
        (Some(b'.' | b':' | b','), Some(next)) => {
            !next.is_ascii_digit() || bytes[end] == b',' && !thousands(bytes, end)
        }
        (Some(0xC2), Some(0xB0)) => false,
        (Some(next), _) => !next.is_ascii_alphanumeric(),
        (None, _) => true,
    }
}

fn ends_in_placeholder(bytes: &[u8]) -> bool {
    let outer = bytes.strip_suffix(b"(").unwrap_or(bytes);
    let outer = outer.strip_suffix(b"+").unwrap_or(outer);
    if !outer.ends_with(b"]") {
        return false;
    }
    let near = &bytes[bytes.len().saturating_sub(PLACEHOLDER_BYTES_MAX)..];
    near.windows(PLACEHOLDER_HEAD.len()).any(|window| window == PLACEHOLDER_HEAD)
}

/// `,000` and nothing more: the number goes on.
fn thousands(bytes: &[u8], comma: usize) -> bool {
    bytes[comma + 1..].iter().take_while(|b| b.is_ascii_digit()).count() == 3
}
