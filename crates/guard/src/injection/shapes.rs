//! Rules over the shape of a text: tokens of chat templates, turns, tags, links that carry
//! data away. Patterns run over the plain reading with its punctuation, in linear time.

use std::sync::LazyLock;

use regex::{Regex, RegexSet, RegexSetBuilder};
use serde::Deserialize;

/// The automaton of all shapes may grow to this while it reads.
const AUTOMATON_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A rule of the file.
#[derive(Debug, Deserialize)]
pub(super) struct Shape {
    /// Its name in the spans.
    pub(super) rule: String,
    /// What it is a sign of.
    pub(super) family: String,
    /// How far it alone speaks for an attack, in per mille.
    pub(super) weight_permille: u32,
    /// The pattern, over lower-case text.
    pattern: String,
    /// Must be found. Read by the tests alone.
    #[cfg(test)]
    #[serde(rename = "match")]
    pub(super) matches: Vec<String>,
    /// Must not be found. Read by the tests alone.
    #[cfg(test)]
    pub(super) no_match: Vec<String>,
}

/// All shapes: a set that tells which can match at all, and each alone for its place.
pub(super) struct Shapes {
    /// The rules as written.
    pub(super) shapes: Vec<Shape>,
    set: RegexSet,
    each: Vec<Regex>,
}

/// The shapes of the program.
pub(super) static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    let shapes: Vec<Shape> = serde_json::from_str(include_str!("../../data/injection_shapes.json"))
        .expect("INVARIANT: the shapes are part of the program and read by every test");
    let patterns = || shapes.iter().map(|shape| with_fast_borders(&shape.pattern));
    let set = RegexSetBuilder::new(patterns()).dfa_size_limit(AUTOMATON_BYTES_MAX).build();
    let set = set.expect("INVARIANT: a test compiles every pattern");
    let each = patterns().map(|one| Regex::new(&one).expect("INVARIANT: the set compiled it"));
    let each = each.collect();
    Shapes { shapes, set, each }
});

/// Borders of words told by ASCII letters alone: told by all of Unicode they keep the automaton
/// from its fast way wherever a text leaves ASCII.
pub(super) fn with_fast_borders(pattern: &str) -> String {
    pattern.replace(r"\b", r"(?-u:\b)")
}

impl Shapes {
    /// Each rule's places in a text, in bytes.
    pub(super) fn find(&self, text: &str) -> Vec<(&Shape, usize, usize)> {
        let mut found = Vec::new();
        for index in &self.set.matches(text) {
            let places = self.each[index].find_iter(text);
            found.extend(places.map(|place| (&self.shapes[index], place.start(), place.end())));
        }
        found
    }
}
