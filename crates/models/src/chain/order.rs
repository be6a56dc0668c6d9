//! Whom to ask first: the agent's own model, or the fallback that answered last.
//!
//! A prompt cache belongs to one model. After a fallback has answered, going back to the
//! agent's own model sends the whole conversation into a cold cache; staying reads it
//! from a warm one. So the chain stays while one more answer there is cheaper than going
//! back, by the candidates' own rates, and for at most [`STAYS_MAX`] answers in a row:
//! the agent was made for its own model. Both numbers come from the messages alone, so
//! the same conversation always makes the same choice. That the fallback's cache may
//! have gone cold with time is not seen here; it then costs one dear answer.

use engine::ports::ModelCall;
use kernel::message::{Message, Request, Role, Usage};
use kernel::price::Rule;
use kernel::units::Money;

use super::Chain;
use super::history::message_tokens;

/// Answers of a fallback in a row after which the agent's own model is asked again.
const STAYS_MAX: usize = 8;

/// Bytes to a token, about: what tokenizers average on text and code.
const BYTES_PER_TOKEN: u64 = 4;

/// About how many tokens so many bytes are.
pub(super) fn tokens_about(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(BYTES_PER_TOKEN)
}

/// About how many tokens a request reads.
pub(super) fn input_tokens_about(request: &Request) -> u64 {
    preamble_tokens(request) + request.messages.iter().map(|one| message_tokens(one)).sum::<u64>()
}

fn preamble_tokens(request: &Request) -> u64 {
    let tools = request
        .tools
        .iter()
        .map(|tool| tool.name.len() + tool.description.len() + tool.input_schema.to_string().len());
    tokens_about(request.system.len() + tools.sum::<usize>())
}

/// The candidates' places in the order in which they are asked.
pub(super) fn of(chain: &Chain, call: &ModelCall) -> Vec<usize> {
    let request = &call.request;
    let last = request.messages.iter().rev().find(|message| message.role == Role::Assistant);
    let said_by = last.and_then(|message| place_of(chain, message));
    let all = 0..chain.candidates.len();
    let Some(place) = said_by.filter(|place| *place > 0) else {
        return match (is_paused(request), said_by) {
            (true, Some(own)) => vec![own],
            (_, _) => all.collect(),
        };
    };
    if is_paused(request) {
        return vec![place];
    }
    match stays(chain, call, place) {
        true => std::iter::once(place).chain(all.filter(|other| *other != place)).collect(),
        false => all.collect(),
    }
}

/// Whether the last answer was a pause of the vendor's own tools: nobody but its model
/// can go on in the middle of it.
fn is_paused(request: &Request) -> bool {
    request.messages.last().is_some_and(|message| message.role == Role::Assistant)
}

/// The candidate that said a message. `None`: it is no longer in the chain.
fn place_of(chain: &Chain, message: &Message) -> Option<usize> {
    match &message.fallback {
        None => Some(0),
        Some(name) => {
            let known = chain.candidates.iter().skip(1).position(|one| one.model == *name);
            known.map(|place| place + 1)
        }
    }
}

/// Whether one more answer of this fallback is cheaper than going back.
fn stays(chain: &Chain, call: &ModelCall, place: usize) -> bool {
    let name = &chain.candidates[place].model;
    let answers = call.request.messages.iter().rev().filter(|one| one.role == Role::Assistant);
    let in_a_row = answers.take_while(|one| one.fallback.as_ref() == Some(name)).count();
    let Some(quote) = call.quote.as_deref() else {
        return false;
    };
    let Some(there) = quote.rule_of(Some(name)) else {
        return false;
    };
    let size = Size::of(&call.request);
    in_a_row < STAYS_MAX && size.warm(there) < size.cold(&quote.rule)
}

/// The sizes of a request, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// Up to and with the last answer: what a warm cache holds.
    pub(super) known: u64,
    /// After it.
    pub(super) new: u64,
    /// The answer that is expected: as long as the last one.
    pub(super) answer: u64,
}

impl Size {
    fn of(request: &Request) -> Self {
        let last = request.messages.iter().rposition(|one| one.role == Role::Assistant);
        let (known, new) = request.messages.split_at(last.map_or(0, |at| at + 1));
        let tokens =
            |part: &[_]| part.iter().map(|one: &std::sync::Arc<_>| message_tokens(one)).sum();
        let known_messages: u64 = tokens(known);
        Size {
            known: preamble_tokens(request) + known_messages,
            new: tokens(new),
            answer: known.last().map_or(0, |answer| message_tokens(answer)),
        }
    }

    /// Everything known is read from the cache, and what is new is written to it.
    pub(super) fn warm(self, rule: &Rule) -> Money {
        let (cache_read, cache_write_5m) = (self.known, self.new);
        rule.cost(&Usage { cache_read, cache_write_5m, output: self.answer, ..Usage::default() })
    }

    /// Everything is written to the cache.
    pub(super) fn cold(self, rule: &Rule) -> Money {
        let cache_write_5m = self.known + self.new;
        rule.cost(&Usage { cache_write_5m, output: self.answer, ..Usage::default() })
    }
}
