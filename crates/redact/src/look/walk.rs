//! Goes through a page run by run: letters and digits without a break. What has no word
//! that announces it (numbers, encoded text) is recognised by what its run is made of.

use super::Search;
use crate::rules::Trigger;

/// Shortest run that is tried as encoded text, in bytes: 18 bytes of content, less than the
/// shortest secret that is known by its form.
pub(super) const ENCODED_BYTES_MIN: usize = 24;

/// Shortest run that rules without keywords look at, in bytes.
const RUN_BYTES_MIN: usize = 32;

const DIGIT: u8 = 1;
const UPPER: u8 = 2;
const LOWER: u8 = 4;
/// Signs that base64 has besides letters and digits.
const WIDE: u8 = 8;

/// What each byte is.
const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        class[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'A'..=b'Z' => UPPER,
            b'a'..=b'z' => LOWER,
            b'+' | b'/' | b'-' | b'_' => WIDE,
            _ => 0,
        };
        byte += 1;
    }
    class
};

impl Search<'_> {
    /// Walks through a page.
    pub(super) fn walk(&mut self, text: &str, depth: u8) {
        let bytes = text.as_bytes();
        let (mut at, mut wide, mut number_end) = (0, 0, 0);
        while at < bytes.len() {
            match CLASS[usize::from(bytes[at])] {
                0 => {
                    at = self.wide(text, wide, at, depth).max(at + 1);
                    wide = at;
                }
                WIDE => at += 1,
                _ => {
                    let (end, kinds) = run(bytes, at);
                    number_end = self.run(text, (at, end), kinds, number_end);
                    at = end;
                }
            }
        }
        self.wide(text, wide, at, depth);
    }

    /// Looks at a run of the letters of base64; answers where its text ends.
    fn wide(&mut self, text: &str, start: usize, end: usize, depth: u8) -> usize {
        if end - start < ENCODED_BYTES_MIN {
            if end - start >= 17 && text.as_bytes().get(end) == Some(&b'.') {
                self.set_off(text, Trigger::Wide, start);
            }
            return end;
        }
        self.set_off(text, Trigger::Wide, start);
        self.encoded(text, start, end, depth)
    }

    /// Looks at a run of letters and digits; answers up to where numbers were looked at.
    fn run(&mut self, text: &str, (at, end): (usize, usize), kinds: u8, done: usize) -> usize {
        let long = end - at >= RUN_BYTES_MIN;
        match kinds {
            DIGIT if at >= done => return self.number(text, at, end),
            DIGIT | LOWER => {}
            UPPER => self.lettered_number(text, at, end),
            _ => {
                if kinds & DIGIT != 0 {
                    self.iban(text, at);
                    if kinds & LOWER == 0 {
                        self.lettered_number(text, at, end);
                    }
                    if long {
                        self.set_off(text, Trigger::Run, at);
                    }
                    if bytes_begin_with_digit(text, at) && end - at <= 6 {
                        self.house(text, at, end);
                    }
                }
            }
        }
        done
    }

    fn set_off(&mut self, text: &str, trigger: Trigger, at: usize) {
        let rules = self.rules;
        for form in rules.set_off_by(trigger) {
            if let (_, Some(span)) = form.find(&rules.words, text, at) {
                self.add_form(form, span);
            }
        }
    }
}

fn bytes_begin_with_digit(text: &str, at: usize) -> bool {
    text.as_bytes()[at].is_ascii_digit()
}

/// Where the run that begins at a place ends, and what it is made of.
fn run(bytes: &[u8], start: usize) -> (usize, u8) {
    let (mut at, mut kinds) = (start, 0);
    while at < bytes.len() {
        let kind = CLASS[usize::from(bytes[at])];
        if kind & (DIGIT | UPPER | LOWER) == 0 {
            break;
        }
        kinds |= kind;
        at += 1;
    }
    (at, kinds)
}
