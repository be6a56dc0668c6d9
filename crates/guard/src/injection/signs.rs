//! From a text to its signs: every reading of it searched by every rule.

use super::combos::COMBOS;
use super::glyphs::{self, Glyph};
use super::lexicon::{Hit, LEXICON};
use super::readings::{self, Reading};
use super::regions::{self, Region};
use super::shapes::SHAPES;
use super::wording::{self, Stretch};
use super::words::Words;
use super::{encoded, smuggled};

/// Codes inside codes are opened this often.
const DECODE_DEPTH_MAX: u32 = 2;
/// No more signs are kept of one window. No honest text has one every few words, so reaching
/// this is a sign itself: a flood must not hide what comes after it.
const SIGNS_MAX: usize = 4000;
/// Where plain text reads as nonsense, weaker rules are not heard.
const SCRAMBLED_WEIGHT_PERMILLE_MIN: u32 = 400;

/// A rule that matched somewhere.
#[derive(Clone, Debug)]
pub(super) struct Sign {
    /// The rule.
    pub(super) rule: &'static str,
    /// What it is a sign of.
    pub(super) family: &'static str,
    /// How far it alone speaks for an attack.
    pub(super) weight_permille: u32,
    /// Where it begins in the original, in bytes.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// How the text was read.
    pub(super) reading: Reading,
    /// Characters in it were disguised.
    pub(super) odd: bool,
    /// The sentence of the plain reading.
    pub(super) sentence: Option<u32>,
}

/// A word about the text's own kind: teaching, documentation, letters among people.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clue {
    /// The idea.
    pub(super) concept: usize,
    /// The phrase.
    pub(super) phrase: usize,
    /// Where it begins in the original.
    pub(super) start: usize,
    /// The sentence of the plain reading.
    pub(super) sentence: u32,
}

/// All that was found in one window.
#[derive(Default)]
pub(super) struct Found {
    /// What speaks for an attack.
    pub(super) signs: Vec<Sign>,
    /// Words about the kind of text.
    pub(super) clues: Vec<Clue>,
    /// Places in the document.
    pub(super) regions: Vec<Region>,
    /// What the text is worded like, piece by piece.
    pub(super) stretches: Vec<Stretch>,
}

/// Searches one window of the original that begins at byte `base`.
pub(super) fn search(text: &str, base: usize) -> Found {
    let glyphs = glyphs::read(text, base);
    let mut found = Found::default();
    shapes_and_regions(&glyphs, Reading::Plain, &mut found);
    let words = Words::new(&glyphs);
    let hits = LEXICON.find(&words, Reading::Plain);
    found.clues = clues(&hits, &words, &glyphs);
    found.stretches = wording::read(&words, &hits, &glyphs);
    combine(&hits, &words, &glyphs, Reading::Plain, &mut found.signs);
    read_otherwise(&glyphs, &mut found.signs);
    for hidden in smuggled::find(text) {
        let (start, end) = (base + hidden.start, base + hidden.end);
        found.signs.push(own_sign(hidden.rule, start, end));
        search_decoded(&hidden.says, (start, end), 1, &mut found);
    }
    for decoded in encoded::find(text) {
        let span = (base + decoded.start, base + decoded.end);
        search_decoded(&decoded.says, span, 1, &mut found);
    }
    if found.signs.len() >= SIGNS_MAX {
        found.signs.push(own_sign("flood", base, base + text.len()));
    }
    found
}

/// A sign that no rule of the files stands for: a message that was hidden, or a flood.
fn own_sign(rule: &'static str, start: usize, end: usize) -> Sign {
    let reading = Reading::Decoded;
    let (family, weight_permille) = ("smuggling", 700);
    Sign { rule, family, weight_permille, start, end, reading, odd: true, sentence: None }
}

/// Searches what a part of the text decodes to; all of it stands for the whole part.
fn search_decoded(says: &str, (start, end): (usize, usize), depth: u32, found: &mut Found) {
    let mut glyphs = glyphs::read(says, 0);
    for glyph in &mut glyphs {
        (glyph.start, glyph.end) = (start, end);
    }
    shapes_and_regions(&glyphs, Reading::Decoded, found);
    let words = Words::new(&glyphs);
    let hits = LEXICON.find(&words, Reading::Decoded);
    found.stretches.extend(wording::read(&words, &hits, &glyphs));
    combine(&hits, &words, &glyphs, Reading::Decoded, &mut found.signs);
    if depth < DECODE_DEPTH_MAX {
        for inner in encoded::find(says) {
            search_decoded(&inner.says, (start, end), depth + 1, found);
        }
        let turned = readings::others(&glyphs);
        for (_, turned) in turned.iter().filter(|(how, _)| how.is_scrambled()) {
            search_words(turned, Reading::Reversed, &mut found.signs);
        }
    }
}

fn read_otherwise(glyphs: &[Glyph], signs: &mut Vec<Sign>) {
    for (reading, glyphs) in readings::others(glyphs) {
        search_words(&glyphs, reading, signs);
    }
}

fn search_words(glyphs: &[Glyph], reading: Reading, signs: &mut Vec<Sign>) {
    let words = Words::new(glyphs);
    let hits = LEXICON.find(&words, reading);
    combine(&hits, &words, glyphs, reading, signs);
}

fn combine(hits: &[Hit], words: &Words, glyphs: &[Glyph], reading: Reading, signs: &mut Vec<Sign>) {
    let there = LEXICON.there(hits);
    for ready in COMBOS.iter().filter(|ready| ready.could_meet(&there)) {
        let combo = &ready.combo;
        let clear = combo.weight_permille >= SCRAMBLED_WEIGHT_PERMILLE_MIN && ready.is_compound();
        if reading.is_scrambled() && !clear {
            continue;
        }
        for (first, last) in ready.find(hits, words) {
            let range = words.glyphs(first, last);
            let sentence = (reading == Reading::Plain).then(|| words.sentence(first));
            let about = (combo.rule.as_str(), combo.family.as_str(), combo.weight_permille);
            note(signs, about, &glyphs[range.0..=range.1], reading, sentence);
        }
    }
}

/// Notes a sign, unless the same rule already stands there.
fn note(
    signs: &mut Vec<Sign>,
    (rule, family, weight_permille): (&'static str, &'static str, u32),
    glyphs: &[Glyph],
    reading: Reading,
    sentence: Option<u32>,
) {
    let start = glyphs.iter().map(|glyph| glyph.start).min().unwrap_or_default();
    let end = glyphs.iter().map(|glyph| glyph.end).max().unwrap_or_default();
    let same = |sign: &Sign| sign.rule == rule && sign.start < end && start < sign.end;
    if signs.len() >= SIGNS_MAX || signs.iter().rev().take(64).any(same) {
        return;
    }
    let odd = glyphs.iter().any(|glyph| glyph.odd);
    signs.push(Sign { rule, family, weight_permille, start, end, reading, odd, sentence });
}

fn shapes_and_regions(glyphs: &[Glyph], reading: Reading, found: &mut Found) {
    let text = glyphs.iter().map(|glyph| glyph.ch).collect::<String>();
    let at = text.char_indices().map(|(byte, _)| byte).collect::<Vec<_>>();
    let index = |byte: usize| at.partition_point(|start| *start <= byte) - 1;
    for (shape, start, end) in SHAPES.find(&text) {
        if end > start {
            let about = (shape.rule.as_str(), shape.family.as_str(), shape.weight_permille);
            let range = index(start)..=index(end - 1);
            note(&mut found.signs, about, &glyphs[range], reading, None);
        }
    }
    if reading == Reading::Plain {
        found.regions = regions::find(&text, &at, glyphs);
    }
}

fn clues(hits: &[Hit], words: &Words, glyphs: &[Glyph]) -> Vec<Clue> {
    let kinds = ["teach", "docs", "people"].map(|name| LEXICON.concept(name));
    let hits = hits.iter().filter(|hit| kinds.contains(&Some(hit.concept)));
    let clue = |hit: &Hit| Clue {
        concept: hit.concept,
        phrase: hit.phrase,
        start: glyphs[words.glyphs(hit.start, hit.end).0].start,
        sentence: words.sentence(hit.start),
    };
    hits.map(clue).collect()
}
