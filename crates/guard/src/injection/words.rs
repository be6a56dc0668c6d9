//! A reading cut into words and sentences: letters and digits only, one blank between words,
//! so that a phrase is found however it is spaced or punctuated.

use super::glyphs::Glyph;

/// Lines shorter than this are not taken for wrapped prose.
const WRAPPED_LINE_GLYPHS_MIN: usize = 30;

/// The words of a reading. The lists have one entry per byte of `text`.
pub(super) struct Words {
    /// The words with one blank between them.
    pub(super) text: String,
    /// The index of the glyph.
    glyph: Vec<u32>,
    /// The number of the word, in half words: a character of a script without blanks is half
    /// a word.
    half: Vec<u32>,
    /// The number of the sentence.
    sentence: Vec<u32>,
    /// The number of the part of a sentence, between commas and the like.
    clause: Vec<u32>,
}

/// How far the cutting has come.
#[derive(Clone, Copy, Default)]
struct Place {
    half: u32,
    sentence: u32,
    clause: u32,
}

impl Words {
    pub(super) fn new(glyphs: &[Glyph]) -> Self {
        let mut words = Words {
            text: String::with_capacity(glyphs.len()),
            glyph: vec![],
            half: vec![],
            sentence: vec![],
            clause: vec![],
        };
        let mut place = Place::default();
        let (mut line_start, mut apart) = (0, false);
        for (index, glyph) in glyphs.iter().enumerate() {
            if is_letter(glyph.ch) && !is_handle(glyphs, index) {
                place.half += if is_dense(glyph.ch) { 1 } else { 2 * u32::from(apart) };
                if apart && !words.text.is_empty() {
                    words.push(' ', index, place);
                }
                words.push(glyph.ch, index, place);
                apart = false;
                continue;
            }
            apart = true;
            if glyph.ch == '\n' {
                let ends = line_ends(&glyphs[line_start..index], &glyphs[index + 1..]);
                place.sentence += u32::from(ends);
                line_start = index + 1;
            } else if ends_sentence(glyph.ch, glyphs.get(index + 1).map(|next| next.ch))
                || ends_value(&glyphs[index..])
            {
                place.sentence += 1;
            }
            place.clause += u32::from(!matches!(glyph.ch, ' ' | '\'' | '-' | '_' | '/' | '.'));
        }
        words
    }

    fn push(&mut self, ch: char, glyph: usize, place: Place) {
        self.text.push(ch);
        self.glyph.resize(self.text.len(), u32::try_from(glyph).unwrap_or(u32::MAX));
        self.half.resize(self.text.len(), place.half);
        self.sentence.resize(self.text.len(), place.sentence);
        self.clause.resize(self.text.len(), place.clause);
    }

    /// The first and the last glyph of a range of bytes.
    pub(super) fn glyphs(&self, start: usize, end: usize) -> (usize, usize) {
        (self.glyph[start] as usize, self.glyph[end - 1] as usize)
    }

    /// The number of the half word at a byte.
    pub(super) fn half(&self, at: usize) -> u32 {
        self.half[at]
    }

    /// The number of the sentence at a byte.
    pub(super) fn sentence(&self, at: usize) -> u32 {
        self.sentence[at]
    }

    /// Whether a word may begin here: after a blank, or at the border of a script without them.
    pub(super) fn begins_at(&self, at: usize) -> bool {
        let before = self.text[..at].chars().next_back();
        before.is_none_or(|before| before == ' ' || is_dense(before))
            || self.text[at..].chars().next().is_some_and(is_dense)
    }

    /// Whether a word may end here.
    pub(super) fn ends_at(&self, at: usize) -> bool {
        let after = self.text[at..].chars().next();
        after.is_none_or(|after| after == ' ' || is_dense(after))
            || self.text[..at].chars().next_back().is_some_and(is_dense)
    }

    /// Whether the word at a byte opens its sentence, or its part of one.
    pub(super) fn opens_clause(&self, at: usize) -> bool {
        at < 2
            || self.sentence[at - 2] != self.sentence[at]
            || self.clause[at - 2] != self.clause[at]
    }

    /// The word before the one that begins here.
    pub(super) fn word_before(&self, at: usize) -> &str {
        let before = self.text[..at].trim_end();
        before.rsplit(' ').next().unwrap_or_default()
    }
}

/// Letters, digits, the vowel signs that are no letters to Unicode, and the sign that makes
/// an address one word.
pub(super) fn is_letter(ch: char) -> bool {
    ch.is_alphanumeric()
        || ch == '@'
        || matches!(ch, '\u{900}'..='\u{963}' | '\u{966}'..='\u{dff}' | '\u{e00}'..='\u{e7f}' | '\u{3099}' | '\u{309a}')
}

/// A sign that opens a handle, as in `@name`, and is no part of an address.
fn is_handle(glyphs: &[Glyph], index: usize) -> bool {
    let letter = |at: usize| glyphs.get(at).is_some_and(|glyph| is_letter(glyph.ch));
    glyphs[index].ch == '@' && letter(index + 1) && !(index > 0 && letter(index - 1))
}

/// Scripts that are written without blanks, and Korean, whose endings stick to the word.
pub(super) fn is_dense(ch: char) -> bool {
    matches!(ch, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{e00}'..='\u{e7f}' | '\u{20000}'..='\u{3ffff}')
}

fn ends_sentence(ch: char, next: Option<char>) -> bool {
    match ch {
        '!' | '?' | '。' | '؟' | '।' | '｡' => true,
        '.' => next.is_none_or(|next| next.is_whitespace() || matches!(next, '"' | '\'' | ')')),
        _ => false,
    }
}

/// The end of a key or of a value in a list of them, as in `"name":"Ann", role: "cook"`.
fn ends_value(from: &[Glyph]) -> bool {
    let mut rest = from.iter().map(|glyph| glyph.ch);
    if rest.next() != Some('"') {
        return false;
    }
    match rest.next() {
        Some(':') => true,
        Some(',') => {
            let rest =
                rest.skip_while(|ch| *ch == ' ').skip_while(|ch| is_letter(*ch) || *ch == '_');
            rest.take(1).any(|ch| matches!(ch, '"' | ':'))
        }
        _ => false,
    }
}

/// A line ends a sentence unless it is wrapped prose or one word of a column.
fn line_ends(line: &[Glyph], rest: &[Glyph]) -> bool {
    let mut skipped = rest.iter().take_while(|glyph| !is_letter(glyph.ch)).take(12);
    if skipped.any(|glyph| !matches!(glyph.ch, ' ' | '#' | '/' | '*' | '>' | '|' | ';' | '-')) {
        return true;
    }
    let wrapped = line.len() >= WRAPPED_LINE_GLYPHS_MIN || is_one_word(line);
    let next = rest.iter().find(|glyph| is_letter(glyph.ch));
    !(wrapped && next.is_some_and(|next| !next.upper && !next.ch.is_ascii_digit()))
}

fn is_one_word(line: &[Glyph]) -> bool {
    !line.is_empty() && line.iter().all(|glyph| is_letter(glyph.ch))
}

#[cfg(test)]
mod tests {
    use super::super::glyphs::read;
    use super::*;

    #[test]
    fn punctuation_falls_and_sentences_count() {
        let words = Words::new(&read("Ignore-all__previous. Next!Third", 0));
        assert_eq!(words.text, "ignore all previous next third");
        let sentences = [0, 20, 25].map(|at| words.sentence(at));
        assert_eq!(sentences, [0, 1, 2]);
        assert!(words.opens_clause(20) && !words.opens_clause(7));
        assert_eq!(words.word_before(20), "previous");
    }

    #[test]
    fn a_wrapped_line_goes_on_and_a_log_line_does_not() {
        let wrapped = "this line of prose is long enough to be\n# wrapped by somebody";
        let log = "2026-01-01 the line of a log is long too\n2026-01-02 and so on";
        for (text, sentences) in [(wrapped, 0), (log, 1), ("ignore\nall\nrules", 0)] {
            let words = Words::new(&read(text, 0));
            assert_eq!(words.sentence(words.text.len() - 1), sentences, "{text}");
        }
    }
}
