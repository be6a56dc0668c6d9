//! How much a model call may use at the worst, and how long its answer may be for that.
//!
//! The bound is honest: every new byte may be a token, every token may be written to
//! the cache, the answer may use all of `max_tokens`, the dearest of the fallback chain
//! may give it, and what one model counted says nothing about how another one counts. Where a cap cannot cover that, the answer is shortened, down to a
//! floor; below it the cap has tripped.

use super::Context;
use super::compact::asked;
use super::state::State;
use super::task::Run;
use crate::event::Purpose;
use crate::ledger::{Amount, CapReached, Measure, Scope};
use crate::price::{Prompt, Quote};
use crate::units::Money;

/// Tokens that a provider adds for its own tool prompts and message marks.
const HIDDEN_TOKENS_MAX: u64 = 2_048;

/// A reservation for one model call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reservation {
    pub(super) max_tokens: u32,
    pub(super) clamped: bool,
    pub(super) amount: Amount,
}

/// Reserves for the next call, or says which cap forbids it.
pub(super) fn reserve(
    state: &State,
    run: &Run,
    purpose: Purpose,
    context: &Context<'_>,
) -> Result<Reservation, CapReached> {
    let (wanted, bytes_beside) = asked(state, context.quote, purpose);
    let beside = bytes_beside.saturating_add(HIDDEN_TOKENS_MAX);
    let call = Call { prompt: state.talk.prompt(beside), quote: context.quote };
    let floor = state.agent.limits.answer_tokens_min.min(wanted);
    let mut longest = u64::from(wanted);
    for limit in own(state, run).iter().chain(context.full) {
        match call.output_tokens_for(limit.measure, limit.free()) {
            Some(tokens) if tokens >= u64::from(floor) => longest = longest.min(tokens),
            Some(_) | None => return Err(call.refused(limit, floor, context)),
        }
    }
    let max_tokens = u32::try_from(longest).unwrap_or(wanted);
    let amount = call.worst(max_tokens);
    Ok(Reservation { max_tokens, clamped: max_tokens < wanted, amount })
}

/// The run's own cap on money, as its log tells it.
fn own(state: &State, run: &Run) -> Option<CapReached> {
    let scope = Scope::Task { session: state.session, run: run.number };
    run.cap.map(|cap| CapReached {
        scope,
        measure: Measure::Money,
        cap: cap.0,
        settled: run.settled.0,
        held: run.carved().0,
        needed: 0,
        turns: None,
    })
}

/// What is known of a call before it is made.
struct Call<'a> {
    prompt: Prompt<'a>,
    quote: Option<&'a Quote>,
}

impl Call<'_> {
    fn worst(&self, max_tokens: u32) -> Amount {
        let output = u64::from(max_tokens);
        let money = self.quote.map_or(Money::ZERO, |quote| quote.worst(&self.prompt, output));
        Amount { money, tokens: self.input_tokens_max().saturating_add(output), requests: 1 }
    }

    fn input_tokens_max(&self) -> u64 {
        let by_all = self.quote.map(|quote| quote.prompt_tokens_max(&self.prompt));
        by_all.unwrap_or_else(|| self.prompt.tokens_max(self.prompt.by))
    }

    /// The longest answer that so much can cover; `None` where not even the input fits.
    fn output_tokens_for(&self, measure: Measure, free: u64) -> Option<u64> {
        match measure {
            Measure::Money => match self.quote {
                Some(quote) => quote.output_tokens_for(Money(free), &self.prompt),
                None => Some(u64::MAX),
            },
            Measure::Tokens => free.checked_sub(self.input_tokens_max()),
            Measure::Requests => (free > 0).then_some(u64::MAX),
        }
    }

    /// The refusal, with the least that the call would need.
    fn refused(&self, limit: &CapReached, floor: u32, context: &Context<'_>) -> CapReached {
        let needed = self.worst(floor).get(limit.measure);
        let share = context.shares.iter().find(|share| share.scope == limit.scope);
        let turns = share.and_then(|share| share.turns);
        CapReached { needed, turns, ..limit.clone() }
    }
}
