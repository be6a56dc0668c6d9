//! Forgiving slips of the pen, in clauses that are not understood otherwise.
//!
//! A word is taken for a known one where one letter was missed, doubled, wrong or
//! swapped with its neighbour. Short words must be swaps: too many of them are near to
//! each other. The person is told what was read as what.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::lexer::{Kind, Token};
use super::{grammar, reference};

/// Words of everyday language that are near to a known word and mean something else.
const NO_SLIPS: &[&str] = &[
    "there", "these", "those", "three", "where", "other", "while", "mode", "form", "fine", "nodes",
    "whether",
];

/// Words of arithmetic. Its other words are too short to be told apart.
const ARITHMETIC: &[&str] = &[
    "calculate",
    "compute",
    "convert",
    "divided",
    "divide",
    "multiplied",
    "multiply",
    "minus",
    "times",
    "percent",
    "square",
    "subtract",
    "double",
    "average",
    "product",
    "difference",
    "percentage",
];

static KNOWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let grammar = grammar::rules().iter().flat_map(|rule| rule.phrase.words());
    let words = grammar.chain(ARITHMETIC.iter().copied()).chain(reference::words());
    words.filter(|word| word.len() > 2 && word.bytes().all(is_letter)).map(str::to_owned).collect()
});

/// Longest clause that is corrected, in tokens.
const CLAUSE_TOKENS_MAX: usize = 40;

/// A word as it was written, and as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slip {
    /// As it was written.
    pub(super) written: String,
    /// As it was read.
    pub(super) read: String,
}

/// The clause with its slips mended, if it has any. Only what rules compare is changed:
/// names, places and texts stay as they were written.
pub(super) fn corrected<'a>(clause: &[Token<'a>]) -> Option<(Vec<Token<'a>>, Vec<Slip>)> {
    if clause.len() > CLAUSE_TOKENS_MAX {
        return None;
    }
    let mut slips = Vec::new();
    let mut mend = |token: &Token<'a>| {
        let mut token = token.clone();
        if let Some(read) = meant(&token) {
            slips.push(Slip { written: token.text.to_owned(), read: read.to_owned() });
            read.clone_into(&mut token.word);
        }
        token
    };
    let mended: Vec<Token<'a>> = clause.iter().map(&mut mend).collect();
    (!slips.is_empty()).then_some((mended, slips))
}

fn meant(token: &Token<'_>) -> Option<&'static str> {
    let word = token.word.as_str();
    let unknown = token.kind == Kind::Word
        && (3..=14).contains(&word.len())
        && word.bytes().all(is_letter)
        && !KNOWN.contains(word)
        && !NO_SLIPS.contains(&word);
    unknown.then(|| KNOWN.iter().find(|known| is_slip(word, known))).flatten().map(String::as_str)
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte == b'\''
}

/// Whether `word` is one slip away from `known`.
fn is_slip(word: &str, known: &str) -> bool {
    if word.len().abs_diff(known.len()) > 1 {
        return false;
    }
    let swapped = || sorted(word) == sorted(known);
    let long = word.len() >= 5 && known.len() >= 5;
    (long || swapped()) && strsim::osa_distance(word, known) == 1
}

fn sorted(word: &str) -> Vec<u8> {
    let mut letters = word.as_bytes().to_vec();
    letters.sort_unstable();
    letters
}
