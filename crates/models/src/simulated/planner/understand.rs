//! A request's texts → what was heard in them, in order.

use super::intent::{self, Intent, Task};
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

/// Most second looks at what was not understood, for one text.
const TRIES_MAX: usize = 16;

/// Longest clause that gets a second look, in tokens.
const SECOND_LOOK_TOKENS_MAX: usize = 60;

/// What the texts say.
pub(super) fn read(texts: &[&str]) -> Vec<Heard> {
    texts.iter().flat_map(|text| read_one(text)).collect()
}

fn read_one(text: &str) -> Vec<Heard> {
    let clauses = clauses::split(lexer::tokens(text), text);
    let mut hearing = Hearing { text, heard: Vec::new(), tries_left: TRIES_MAX };
    for clause in clauses.iter().take(CLAUSES_MAX) {
        hearing.clause(clause);
    }
    if clauses.len() > CLAUSES_MAX {
        hearing.heard.push(Heard::TooMany(clauses.len() - CLAUSES_MAX));
    }
    hearing.heard
}

struct Hearing<'a> {
    text: &'a str,
    heard: Vec<Heard>,
    /// Second looks that are left.
    tries_left: usize,
}

impl<'a> Hearing<'a> {
    fn clause(&mut self, clause: &[Token<'a>]) {
        if let Some(intent) = intent::read(clause, self.text) {
            self.heard.push(Heard::Wish(intent));
        } else if !self.second_look(clause) {
            let start = clause.first().map_or(0, |token| token.start);
            let end = clause.last().map_or(start, |token| token.end);
            self.heard.push(Heard::Strange(self.text[start..end].to_owned()));
        }
    }

    /// Tries once more: with the spelling mended, or only the part before an "and".
    fn second_look(&mut self, clause: &[Token<'a>]) -> bool {
        if self.tries_left == 0 || clause.len() > SECOND_LOOK_TOKENS_MAX {
            return false;
        }
        self.tries_left -= 1;
        if let Some(mended) = mended(clause, self.text) {
            self.heard.extend(mended);
            return true;
        }
        let joints = (1..clause.len().saturating_sub(1))
            .filter(|at| matches!(clause[*at].word.as_str(), "and" | ","));
        for joint in joints.rev() {
            let (before, after) = (&clause[..joint], &clause[joint + 1..]);
            if let Some(intent) = intent::read(before, self.text) {
                self.joined(intent, after);
                return true;
            }
        }
        false
    }

    /// A wish and the words that were joined to it. Behind a wish for the weather they
    /// may be one more place, and a day at the end holds for both.
    fn joined(&mut self, intent: Intent, after: &[Token<'a>]) {
        match (intent, weather_too(after, self.text)) {
            (Intent::Do(Task::Weather { place, day, again }), Some((too, late))) => {
                let day = day.or_else(|| late.clone());
                let first = Task::Weather { place, day, again };
                let second = Task::Weather { place: Some(too), day: late, again: true };
                self.heard.extend([first, second].map(|task| Heard::Wish(Intent::Do(task))));
            }
            (intent, _) => {
                self.heard.push(Heard::Wish(intent));
                self.clause(after);
            }
        }
    }
}

/// The clause read once more with its slips mended. A mended word may also part it.
fn mended(clause: &[Token<'_>], text: &str) -> Option<Vec<Heard>> {
    let (tokens, mut slips) = spelling::corrected(clause)?;
    let wishes = clauses::split(tokens, text);
    let intents: Option<Vec<Intent>> = wishes.iter().map(|wish| intent::read(wish, text)).collect();
    let told = |intent| Heard::Mended(intent, std::mem::take(&mut slips));
    Some(intents.filter(|intents| !intents.is_empty())?.into_iter().map(told).collect())
}

/// One more place, with its day, behind "the weather in Rome and".
fn weather_too(clause: &[Token<'_>], text: &str) -> Option<(String, Option<String>)> {
    match intent::weather_too(clause, text)? {
        Intent::Do(Task::Weather { place: Some(place), day, .. }) => Some((place, day)),
        Intent::Do(_) | Intent::Say(_) | Intent::Unclear(_) => None,
    }
}
