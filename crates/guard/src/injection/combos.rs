//! Rules over ideas: an order is the meeting of several ideas in a few words of one sentence,
//! in whatever language and order of words.

use std::sync::LazyLock;

use serde::Deserialize;

use super::lexicon::{Concept, Hit, LEXICON};
use super::words::Words;

/// A rule of the file.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Combo {
    /// Its name in the spans.
    pub(super) rule: String,
    /// What it is a sign of. Signs of one family do not add up.
    pub(super) family: String,
    /// How far it alone speaks for an attack, in per mille.
    pub(super) weight_permille: u32,
    /// The ideas that must meet: alternatives apart by `|`; `!` where it must lead an order.
    slots: Vec<String>,
    /// In how many words.
    within_words: u32,
    /// Over how many sentences.
    #[serde(default = "one")]
    within_sentences: u32,
    /// The slots must come in this order.
    #[serde(default)]
    ordered: bool,
    /// An idea that must not stand among them: `can run` is no order.
    unless: Option<String>,
    /// Must be found. Read by the tests alone.
    #[cfg(test)]
    #[serde(rename = "match")]
    pub(super) matches: Vec<String>,
    /// Must not be found. Read by the tests alone.
    #[cfg(test)]
    pub(super) no_match: Vec<String>,
}

fn one() -> u32 {
    1
}

struct Slot {
    concepts: Vec<(Concept, bool)>,
}

/// A rule with its ideas looked up.
pub(super) struct Ready {
    /// The rule as written.
    pub(super) combo: Combo,
    slots: Vec<Slot>,
    unless: Option<Concept>,
}

/// The rules of the program.
pub(super) static COMBOS: LazyLock<Vec<Ready>> = LazyLock::new(|| {
    let combos: Vec<Combo> = serde_json::from_str(include_str!("../../data/injection_rules.json"))
        .expect("INVARIANT: the rules are part of the program and read by every test");
    combos.into_iter().map(ready).collect()
});

fn ready(combo: Combo) -> Ready {
    let slot = |slot: &String| Slot { concepts: slot.split('|').map(concept).collect() };
    let slots = combo.slots.iter().map(slot).collect();
    let unless = combo.unless.as_deref().map(|name| concept(name).0);
    Ready { combo, slots, unless }
}

fn concept(name: &str) -> (Concept, bool) {
    let (name, leads) = name.strip_prefix('!').map_or((name, false), |name| (name, true));
    let concept = LEXICON
        .concept(name)
        .expect("INVARIANT: a test loads every rule, and a rule names ideas of the lexicon");
    (concept, leads)
}

impl Slot {
    fn takes(&self, hit: &Hit) -> bool {
        self.concepts
            .iter()
            .any(|(concept, leads)| *concept == hit.concept && (hit.leads || !leads))
    }
}

impl Ready {
    /// Whether it asks for more than one idea.
    pub(super) fn is_compound(&self) -> bool {
        self.slots.len() > 1
    }

    /// Whether each of its slots has an idea among those that are there at all.
    pub(super) fn could_meet(&self, there: &[bool]) -> bool {
        let taken = |slot: &Slot| slot.concepts.iter().any(|(concept, _)| there[*concept]);
        self.slots.iter().all(taken)
    }

    /// Where its ideas meet: ranges of bytes in the words.
    pub(super) fn find(&self, hits: &[Hit], words: &Words) -> Vec<(usize, usize)> {
        let mut latest: Vec<Option<Hit>> = vec![None; self.slots.len()];
        let mut chain: Vec<Option<Hit>> = vec![None; self.slots.len()];
        let mut found = Vec::new();
        for hit in hits {
            for index in (0..self.slots.len()).rev() {
                if !self.slots[index].takes(hit) {
                    continue;
                }
                if self.combo.ordered {
                    chain[index] = self.extended(&chain, index, hit, words);
                } else {
                    latest[index] = Some(*hit);
                    found.extend(self.meeting(&latest, hit, words));
                }
            }
            if self.combo.ordered {
                let whole = chain[self.slots.len() - 1].take();
                found.extend(whole.map(|whole| (whole.start, whole.end)));
            }
        }
        found.retain(|(start, end)| !self.is_called_off(*start, *end, hits));
        found
    }

    /// Whether the idea that calls the rule off stands in a range.
    fn is_called_off(&self, start: usize, end: usize, hits: &[Hit]) -> bool {
        self.unless.is_some_and(|unless| {
            let first = hits.partition_point(|hit| hit.start < start);
            let inside = hits[first..].iter().take_while(|hit| hit.start < end);
            inside.into_iter().any(|hit| hit.concept == unless)
        })
    }

    /// The chain of the first slots up to `index`, prolonged by a hit.
    fn extended(
        &self,
        chain: &[Option<Hit>],
        index: usize,
        hit: &Hit,
        words: &Words,
    ) -> Option<Hit> {
        if index == 0 {
            return Some(*hit);
        }
        let before = chain[index - 1]?;
        let fits = before.end <= hit.start && self.near(before.start, hit.start, words);
        fits.then_some(Hit { start: before.start, ..*hit }).or(chain[index])
    }

    /// The range of all slots, if the last of each are near each other and apart.
    fn meeting(&self, latest: &[Option<Hit>], hit: &Hit, words: &Words) -> Option<(usize, usize)> {
        let mut all = latest.iter().copied().collect::<Option<Vec<Hit>>>()?;
        all.sort_by_key(|one| one.start);
        let apart = all.windows(2).all(|two| two[0].end <= two[1].start);
        let start = all[0].start;
        (apart && self.near(start, hit.start, words)).then_some((start, hit.end))
    }

    fn near(&self, first: usize, last: usize, words: &Words) -> bool {
        words.half(last) - words.half(first) <= 2 * self.combo.within_words
            && words.sentence(last) - words.sentence(first) < self.combo.within_sentences
    }
}
