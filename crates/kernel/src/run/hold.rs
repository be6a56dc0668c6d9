//! How much a model call may cost at the worst, and how long its answer may be for that.
//!
//! The bound is honest: every new byte may be a token, every token may be written to
//! the dearest cache, the answer may use all of `max_tokens`. Where the cap cannot pay
//! for that, the answer is shortened, down to a floor; below it the run parks.

use super::state::State;
use super::task::Run;
use crate::event::Parked;
use crate::ledger::Scope;
use crate::price::Quote;
use crate::units::Money;

/// Tokens that a provider adds for its own tool prompts and message marks.
const HIDDEN_TOKENS_MAX: u64 = 2_048;

/// The shortest answer worth asking for, in tokens.
const ANSWER_TOKENS_MIN: u64 = 256;

/// A reservation for one model call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reservation {
    pub(super) max_tokens: u32,
    pub(super) clamped: bool,
    pub(super) hold: Money,
}

/// Reserves for the next call, or says why the cap forbids it.
pub(super) fn reserve(
    state: &State,
    run: &Run,
    quote: Option<&Quote>,
) -> Result<Reservation, Parked> {
    let wanted = state.agent.max_tokens;
    let Some(quote) = quote else {
        return Ok(Reservation { max_tokens: wanted, clamped: false, hold: Money::ZERO });
    };
    let input = state.talk.input_tokens_max().saturating_add(HIDDEN_TOKENS_MAX);
    let whole = quote.worst(input, u64::from(wanted));
    let Some(cap) = run.cap else {
        return Ok(Reservation { max_tokens: wanted, clamped: false, hold: whole });
    };
    let free = cap.less(run.settled);
    if whole <= free {
        return Ok(Reservation { max_tokens: wanted, clamped: false, hold: whole });
    }
    let least = quote.worst(input, ANSWER_TOKENS_MIN.min(u64::from(wanted)));
    if least > free {
        let scope = Scope::Task { session: state.session, run: run.number }.to_string();
        let settled = run.settled;
        return Err(Parked::CostCapExceeded {
            scope,
            cap,
            settled,
            held: Money::ZERO,
            needed: least,
        });
    }
    Ok(clamp(quote, input, free))
}

/// The longest answer that `free` can pay for. It is shorter than the wanted one, which
/// did not fit.
fn clamp(quote: &Quote, input: u64, free: Money) -> Reservation {
    let tokens = quote.output_tokens_for(free, input).unwrap_or(0);
    let max_tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
    let hold = quote.worst(input, u64::from(max_tokens));
    Reservation { max_tokens, clamped: true, hold }
}
