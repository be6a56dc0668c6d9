//! Redaction of text that comes in pieces, with a bounded part of it held back.
//!
//! What is released was judged with everything around it that could belong to it: the last
//! words, an open quote, an unfinished key stay here until more comes. Nothing that was
//! released is part of a secret that fits within the bound. Text without any break flows
//! too, in blocks.

use crate::Redactor;
use crate::look::Found;
use crate::words::{floor, is_ideograph};
use crate::write::redacted;

/// The most that is held back before text flows on, in bytes: the longest secret that is
/// usual, a key of RSA with 8192 bits in text form (6.4 KB) or a token that fills a header
/// of a request (8 KiB with the usual servers).
pub const HOLD_BYTES_MAX: usize = 8192;

/// What was released and still explains what comes, in bytes.
const CONTEXT_BYTES_MAX: usize = 2048;

/// Weight of the text at the end that is always held: twelve words, which is more than any
/// address, number or phrase in the rules has.
const TAIL_WEIGHT: usize = 48;

/// Weight of a word. A sign of a script without spaces has the weight 1.
const WORD_WEIGHT: usize = 4;

/// Lines of base64 that belong together are this long or longer, in bytes.
const LINE_BYTES_MIN: usize = 60;

/// A stream that is being redacted.
#[derive(Clone, Debug)]
pub struct Stream {
    redactor: Redactor,
    /// Text that was released, as it came, and then text that is held.
    kept: String,
    /// Where the held text begins.
    held: usize,
    /// What still belongs to a secret that was longer than the bound.
    swallows: Swallows,
}

/// What is dropped from the text that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Swallows {
    Nothing,
    /// Up to the end of the word.
    Word,
    /// Up to the end of the key.
    Key,
}

impl Stream {
    pub(crate) fn new(redactor: Redactor) -> Stream {
        Stream { redactor, kept: String::new(), held: 0, swallows: Swallows::Nothing }
    }

    /// Takes the next piece and gives what may be released now; often nothing.
    #[must_use = "what is released is not kept"]
    pub fn push(&mut self, chunk: &str) -> String {
        self.kept.push_str(chunk);
        self.swallow();
        let full = self.kept.len() - self.held >= 2 * HOLD_BYTES_MAX;
        let breaks = chunk.contains(|c: char| c.is_whitespace() || is_ideograph(c));
        if full || (breaks && self.settled() > self.held) {
            self.release(full)
        } else {
            String::new()
        }
    }

    /// Gives the rest: nothing more will come.
    #[must_use = "what is released is not kept"]
    pub fn finish(mut self) -> String {
        self.swallow();
        let kept = self.kept.len();
        let redactor = self.redactor.clone();
        let found = redactor.look(&self.kept);
        self.write(&found, kept)
    }

    /// How many bytes are held now.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.kept.len() - self.held
    }

    fn release(&mut self, full: bool) -> String {
        let redactor = self.redactor.clone();
        let found = redactor.look(&self.kept);
        let mut cut = self.settled();
        if full {
            cut = cut.max(self.forced());
        }
        for found in found.iter().rev() {
            // Nothing is cut in two; what reaches the end may not be over yet.
            let reaches = self.kept[found.end..].trim_start().is_empty();
            if found.start >= cut || !(found.end > cut || reaches) {
                continue;
            }
            if full && self.kept.len() - found.start >= HOLD_BYTES_MAX {
                cut = found.end;
                self.swallows = match (reaches, found.id) {
                    (false, _) => Swallows::Nothing,
                    (true, "private_key") => Swallows::Key,
                    (true, _) => Swallows::Word,
                };
            } else {
                cut = found.start;
            }
        }
        let out = self.write(&found, cut.max(self.held));
        self.forget();
        out
    }

    /// Writes what is held up to a place.
    fn write(&mut self, found: &[Found<'_>], cut: usize) -> String {
        let from = self.held;
        let within = found.iter().filter(|found| found.end > from && found.start < cut);
        let moved = within.map(|found| found.within(from, cut)).collect::<Vec<_>>();
        let mut out = redacted(&self.kept, &moved);
        // What stands before the first placeholder and after the last is as long as it was.
        out.truncate(out.len() - (self.kept.len() - cut));
        self.held = cut;
        out.split_off(from)
    }

    /// Drops released text that is too far back to explain anything.
    fn forget(&mut self) {
        if self.held <= 2 * CONTEXT_BYTES_MAX {
            return;
        }
        let from = floor(&self.kept, self.held - CONTEXT_BYTES_MAX);
        let space = self.kept[from..self.held].find(char::is_whitespace);
        let from = from + space.unwrap_or(0);
        self.kept.drain(..from);
        self.held -= from;
    }

    /// Drops the rest of a secret whose beginning went over the bound.
    fn swallow(&mut self) {
        let rest = &self.kept[self.held..];
        let (length, over) = match self.swallows {
            Swallows::Nothing => return,
            Swallows::Word => past(rest, |c| "+/=_-.\\".contains(c)),
            Swallows::Key => past_key(rest),
        };
        if over {
            self.swallows = Swallows::Nothing;
        }
        self.kept.replace_range(self.held..self.held + length, "");
    }

    /// Up to where nothing can change any more but what is found.
    fn settled(&self) -> usize {
        self.tail().min(self.open())
    }

    /// Where the last words begin.
    fn tail(&self) -> usize {
        let (mut weight, mut in_word) = (0, true);
        for (at, c) in self.kept[self.held..].char_indices().rev() {
            if c.is_whitespace() {
                weight += if in_word { WORD_WEIGHT } else { 0 };
                in_word = false;
            } else if is_ideograph(c) {
                weight += 1;
                in_word = false;
            } else {
                in_word = true;
            }
            if weight >= TAIL_WEIGHT && !in_word {
                return self.held + at;
            }
        }
        self.held
    }

    /// Where something begins that is not over yet, whatever it turns out to be.
    fn open(&self) -> usize {
        let held = &self.kept[self.held..];
        let key = held.rfind("-----BEGIN ").filter(|at| !held[*at..].contains("-----END "));
        let line = self.kept.rfind('\n').map_or(0, |at| at + 1);
        let header =
            find_cookie(&self.kept[line..]).map(|at| (line + at).saturating_sub(self.held));
        let first = [key, header, Some(base64_lines(held)), Some(numbers(held))]
            .into_iter()
            .flatten()
            .min();
        self.held + first.unwrap_or(held.len())
    }

    /// Where text is cut that has no break: before the part that stays within the bound.
    fn forced(&self) -> usize {
        let most = floor(&self.kept, self.kept.len() - HOLD_BYTES_MAX);
        let near = &self.kept[self.held..most];
        let sign = near.rfind(|c: char| c.is_whitespace() || ",;{}[]()<>|".contains(c));
        // A sign far back would hold much more than the bound.
        sign.filter(|at| near.len() - at < HOLD_BYTES_MAX / 4).map_or(most, |at| self.held + at)
    }
}

/// The length of the letters, digits and some signs that a text begins with, and whether
/// something else follows.
fn past(text: &str, is_more: impl Fn(char) -> bool) -> (usize, bool) {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || is_more(c)));
    (end.unwrap_or(text.len()), end.is_some())
}

/// The same for lines of a key, with the line that ends it.
fn past_key(text: &str) -> (usize, bool) {
    let (length, over) = past(text, |c| "+/=\\ \r\n\t".contains(c));
    let rest = &text[length..];
    let end = rest.strip_prefix("-----END ").and_then(|label| label.find("-----"));
    match end {
        Some(end) => (length + "-----END ".len() + end + 5, true),
        // The line that ends it may not be whole yet.
        None if rest.starts_with('-') && rest.len() < 64 => (length, false),
        None => (length, over),
    }
}

fn find_cookie(line: &str) -> Option<usize> {
    ["ookie:", "ookie\":", "OOKIE:"].iter().filter_map(|word| line.find(word)).min()
}

/// Where the lines of base64 begin that the text ends in.
fn base64_lines(text: &str) -> usize {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"+/=\r".contains(&b);
    let mut start = text.rfind('\n').map_or(0, |at| at + 1);
    if !text[start..].bytes().all(is_part) {
        return text.len();
    }
    while start > 0 {
        let before = &text[..start - 1];
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        let tail = before[line..].bytes().rev().take_while(|b| is_part(*b)).count();
        if tail < LINE_BYTES_MIN {
            break;
        }
        start = before.len() - tail;
        if start > line {
            break;
        }
    }
    start
}

/// Where the numbers begin that the text ends in.
fn numbers(text: &str) -> usize {
    let is_part = |c: char| c.is_ascii_digit() || c.is_whitespace() || "-./()+".contains(c);
    let tail = text.char_indices().rev().take_while(|(_, c)| is_part(*c));
    tail.last().map_or(text.len(), |(at, _)| at)
}
