//! A request's texts → what was heard in them, in order.

use super::intent::{self, Intent};
use super::lexer::Token;
use super::spelling::{self, Slip};
use super::{clauses, lexer};

/// Something heard in a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Heard {
    /// A wish.
    Wish(Intent),
    /// A wish that was understood once these slips were mended.
    Mended(Intent, Vec<Slip>),
    /// Words that were not understood.
    Strange(String),
    /// More clauses than are read at once: how many were left.
    TooMany(usize),
}

/// Most clauses of one request that are read.
const CLAUSES_MAX: usize = 64;

/// Most clauses of one request whose spelling is mended.
const MENDED_MAX: usize = 16;

/// What the texts say.
pub(super) fn read(texts: &[&str]) -> Vec<Heard> {
    texts.iter().flat_map(|text| read_one(text)).collect()
}

fn read_one(text: &str) -> Vec<Heard> {
    let clauses = clauses::split(lexer::tokens(text), text);
    let mut heard = Vec::new();
    let mut tries_left = MENDED_MAX;
    for clause in clauses.iter().take(CLAUSES_MAX) {
        match intent::read(clause, text) {
            Some(intent) => heard.push(Heard::Wish(intent)),
            None if tries_left > 0 => {
                tries_left -= 1;
                heard.extend(mended(clause, text).unwrap_or_else(|| vec![strange(clause, text)]));
            }
            None => heard.push(strange(clause, text)),
        }
    }
    if clauses.len() > CLAUSES_MAX {
        heard.push(Heard::TooMany(clauses.len() - CLAUSES_MAX));
    }
    heard
}

/// The clause read once more with its slips mended. A mended word may also part it.
fn mended(clause: &[Token<'_>], text: &str) -> Option<Vec<Heard>> {
    let (tokens, mut slips) = spelling::corrected(clause)?;
    let wishes = clauses::split(tokens, text);
    let intents: Option<Vec<Intent>> = wishes.iter().map(|wish| intent::read(wish, text)).collect();
    let told = |intent| Heard::Mended(intent, std::mem::take(&mut slips));
    Some(intents.filter(|intents| !intents.is_empty())?.into_iter().map(told).collect())
}

fn strange(clause: &[Token<'_>], text: &str) -> Heard {
    let start = clause.first().map_or(0, |token| token.start);
    let end = clause.last().map_or(start, |token| token.end);
    Heard::Strange(text[start..end].to_owned())
}
