//! The words that matter, by the idea that they stand for, in many languages.
//!
//! A phrase ends in `*` where any ending may follow. A longer phrase hides the shorter ones
//! inside it: `do not ignore` is no `ignore`. Ideas that only add to others hide nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::Deserialize;

use super::glyphs;
use super::readings::Reading;
use super::words::Words;

/// Phrases shorter than this are not looked for where word borders are lost.
const BORDERLESS_BYTES_MIN: usize = 3;

/// Languages whose words stand next to each other.
const WITHOUT_BLANKS: [&str; 2] = ["ja", "zh"];

/// The number of an idea.
pub(super) type Concept = usize;

/// An idea in the file: its phrases by language.
#[derive(Deserialize)]
struct Idea {
    concept: String,
    /// Whether its phrases hide shorter ones inside them.
    #[serde(default = "yes")]
    hides: bool,
    /// Phrases put together from parts, by language: one word of each list, in order.
    #[serde(default)]
    made_of: BTreeMap<String, Vec<Vec<Vec<String>>>>,
    words: BTreeMap<String, Vec<String>>,
}

impl Idea {
    /// All its phrases, those put together too.
    fn phrases(&self) -> Vec<String> {
        let mut all = self.words.values().flatten().cloned().collect::<BTreeSet<_>>();
        for (language, makings) in &self.made_of {
            let blank = if WITHOUT_BLANKS.contains(&language.as_str()) { "" } else { " " };
            all.extend(makings.iter().flat_map(|parts| put_together(parts, blank)));
        }
        all.into_iter().collect()
    }
}

fn put_together(parts: &[Vec<String>], blank: &str) -> Vec<String> {
    let longer = |begun: Vec<String>, part: &Vec<String>| {
        let with = |one: &String| part.iter().map(|next| [one, blank, next].concat()).collect();
        begun.iter().flat_map(|one| -> Vec<String> { with(one) }).collect()
    };
    match parts.split_first() {
        Some((first, rest)) => rest.iter().fold(first.clone(), longer),
        None => Vec::new(),
    }
}

fn yes() -> bool {
    true
}

struct Phrase {
    concept: Concept,
    hides: bool,
    open_start: bool,
    open_end: bool,
}

/// One phrase found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    /// The idea that it stands for.
    pub(super) concept: Concept,
    /// The number of the phrase, to tell one from another.
    pub(super) phrase: usize,
    /// Where it begins in the words, in bytes.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// It stands where an order would begin.
    pub(super) leads: bool,
}

/// All phrases and the automaton that finds them.
pub(super) struct Lexicon {
    concepts: Vec<String>,
    phrases: Vec<Phrase>,
    automaton: AhoCorasick,
}

/// The lexicon of the program.
pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let ideas: Vec<Idea> = serde_json::from_str(include_str!("../../data/injection_words.json"))
        .expect("INVARIANT: the lexicon is part of the program and read by every test");
    Lexicon::new(&ideas)
});

impl Lexicon {
    fn new(ideas: &[Idea]) -> Self {
        let mut phrases = Vec::new();
        let mut spelled = Vec::new();
        for (concept, idea) in ideas.iter().enumerate() {
            for written in &idea.phrases() {
                let open_start = written.starts_with('*');
                let open_end = written.ends_with('*');
                phrases.push(Phrase { concept, hides: idea.hides, open_start, open_end });
                spelled.push(Words::new(&glyphs::read(written, 0)).text);
            }
        }
        let automaton = AhoCorasick::new(&spelled)
            .expect("INVARIANT: a few thousand short phrases fit into an automaton");
        let concepts = ideas.iter().map(|idea| idea.concept.clone()).collect();
        Lexicon { concepts, phrases, automaton }
    }

    /// The name of an idea.
    pub(super) fn name(&self, concept: Concept) -> &str {
        &self.concepts[concept]
    }

    /// The number of an idea by its name.
    pub(super) fn concept(&self, name: &str) -> Option<Concept> {
        self.concepts.iter().position(|concept| concept == name)
    }

    /// Of each idea, by its number, whether a phrase of it is among the hits.
    pub(super) fn there(&self, hits: &[Hit]) -> Vec<bool> {
        let mut there = vec![false; self.concepts.len()];
        hits.iter().for_each(|hit| there[hit.concept] = true);
        there
    }

    /// The phrases in a text, in order, without those inside a longer one.
    pub(super) fn find(&self, words: &Words, reading: Reading) -> Vec<Hit> {
        let mut hits = Vec::new();
        for found in self.automaton.find_overlapping_iter(&words.text) {
            let number = found.pattern().as_usize();
            let phrase = &self.phrases[number];
            let (start, end) = (found.start(), found.end());
            let whole = (phrase.open_start || words.begins_at(start))
                && (phrase.open_end || words.ends_at(end));
            let borderless = reading.is_borderless() && found.len() >= BORDERLESS_BYTES_MIN;
            if whole || borderless {
                let concept = phrase.concept;
                hits.push(Hit { concept, phrase: number, start, end, leads: false });
            }
        }
        let mut hits = self.outermost(hits);
        for hit in &mut hits {
            hit.leads = leads(words, hit.start);
        }
        hits
    }

    /// Of phrases inside a longer one only the longer. A phrase that begins inside another hides
    /// nothing: in `do not tell the user` the words `tell the user` leave `the user` alone.
    fn outermost(&self, mut hits: Vec<Hit>) -> Vec<Hit> {
        hits.sort_by_key(|hit| (hit.start, usize::MAX - hit.end));
        let mut cover = 0..0;
        hits.retain(|hit| {
            if hit.start >= cover.end && self.phrases[hit.phrase].hides {
                cover = hit.start..hit.end;
            }
            hit.end > cover.end || (hit.start, hit.end) == (cover.start, cover.end)
        });
        hits
    }
}

/// Whether an order may begin here: at the start of a sentence or clause, or after a word that
/// opens one. Outside the Latin script verbs stand elsewhere, and any place will do.
fn leads(words: &Words, start: usize) -> bool {
    const OPENERS: [&str; 28] = [
        "please",
        "then",
        "now",
        "first",
        "must",
        "should",
        "instead",
        "also",
        "just",
        "kindly",
        "and",
        "you",
        "immediately",
        "next",
        "always",
        "simply",
        "finally",
        "silently",
        "afterwards",
        "bitte",
        "quietly",
        "secretly",
        "directly",
        "ll",
        "hey",
        "dear",
        "hi",
        "hello",
    ];
    !words.text.as_bytes()[start].is_ascii()
        || words.opens_clause(start)
        || OPENERS.contains(&words.word_before(start))
}
