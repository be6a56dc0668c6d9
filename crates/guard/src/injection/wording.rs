//! How likely a stretch of text is worded like an attack, by weights that were fitted to the
//! corpora: see `fit`. The rules say what an order is; this knows how orders are put that no
//! rule foresaw, and how people put what only sounds like one.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::glyphs::Glyph;
use super::lexicon::Hit;
use super::traits::{self, Token};
use super::words::Words;

/// So many tokens are judged together.
const STRETCH_TOKENS: usize = 64;
/// Up to so many tokens a text is one stretch.
const ONE_STRETCH_TOKENS_MAX: usize = 96;
/// Fewer traits than this count like so many: one word alone proves little.
const TRAITS_MIN: usize = 60;

/// The weights in the file, in thousandths.
#[derive(Deserialize)]
struct File {
    bias: i32,
    weights: BTreeMap<String, i32>,
}

/// What a stretch of the original is worded like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    /// Its first byte.
    pub(super) start: usize,
    /// The byte after its last.
    pub(super) end: usize,
    /// The logarithm of the odds that it belongs to an attack.
    pub(super) odds: f64,
}

/// The weights by what they belong to, in an order that can be searched.
struct Weights {
    bias: f64,
    known: Vec<(u64, f64)>,
}

static WEIGHTS: LazyLock<Weights> = LazyLock::new(|| {
    let file: File = serde_json::from_str(include_str!("../../data/injection_weights.json"))
        .expect("INVARIANT: the weights are part of the program and read by every test");
    let known = file.weights.iter().map(|(name, weight)| (hash(name), thousandths(*weight)));
    let mut known = known.collect::<Vec<_>>();
    known.sort_by_key(|(hash, _)| *hash);
    Weights { bias: thousandths(file.bias), known }
});

fn thousandths(weight: i32) -> f64 {
    f64::from(weight) / 1000.0
}

/// FNV-1a over 64 bits.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// The stretches of a text with their odds.
pub(super) fn read(words: &Words, hits: &[Hit], glyphs: &[Glyph]) -> Vec<Stretch> {
    let tokens = traits::tokens(words);
    let mut seen = Vec::new();
    traits::each(words, &tokens, hits, glyphs, &mut |at, name| {
        let hash = hash(name);
        if let Ok(number) = WEIGHTS.known.binary_search_by_key(&hash, |(hash, _)| *hash) {
            seen.push((at, number));
        }
    });
    seen.sort_unstable();
    let judged = stretches(tokens.len()).into_iter().map(|(first, last)| {
        let (start, end) = place(words, glyphs, &tokens[first..last]);
        Stretch { start, end, odds: odds(&seen, first, last) }
    });
    judged.collect()
}

/// The ranges of tokens that are judged together, half of each with the next.
pub(super) fn stretches(tokens: usize) -> Vec<(usize, usize)> {
    if tokens <= ONE_STRETCH_TOKENS_MAX {
        return if tokens == 0 { vec![] } else { vec![(0, tokens)] };
    }
    let step = STRETCH_TOKENS / 2;
    let starts = (0..=tokens - step).step_by(step);
    starts.map(|start| (start, (start + STRETCH_TOKENS).min(tokens))).collect()
}

/// The share of a weight that counts where so many traits have one.
pub(super) fn share(traits: usize) -> f64 {
    let traits = u32::try_from(traits.max(TRAITS_MIN)).unwrap_or(u32::MAX);
    1.0 / f64::from(traits).sqrt()
}

fn odds(seen: &[(usize, usize)], first: usize, last: usize) -> f64 {
    let from = seen.partition_point(|(at, _)| *at < first);
    let to = seen.partition_point(|(at, _)| *at < last);
    let mut numbers = seen[from..to].iter().map(|(_, number)| *number).collect::<Vec<_>>();
    numbers.sort_unstable();
    numbers.dedup();
    let sum = numbers.iter().map(|number| WEIGHTS.known[*number].1).sum::<f64>();
    WEIGHTS.bias + sum * share(numbers.len())
}

fn place(words: &Words, glyphs: &[Glyph], tokens: &[Token]) -> (usize, usize) {
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return (0, 0) };
    let (first, last) = words.glyphs(first.start, last.end);
    (glyphs[first].start, glyphs[last].end)
}

#[cfg(test)]
mod fit;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_cover_a_text_and_overlap() {
        assert_eq!(stretches(0), []);
        assert_eq!(stretches(96), [(0, 96)]);
        assert_eq!(stretches(130), [(0, 64), (32, 96), (64, 128), (96, 130)]);
    }
}
