//! When a conversation grows too long for its model, and what is done then.
//!
//! In this order: old tool results give way to short texts; a summary by the model
//! stands for the first turns; long results are cut, the newest ones too; the first
//! turns are left out without a summary. Between two answers each step is taken once,
//! and what breaks the cached prefix is done in large steps only: so nothing loops, and
//! a summary that fails wedges nothing.

mod record;

pub use record::Compaction;

use super::size;
use super::state::State;
use super::task::{Calling, Closing, Run};
use crate::event::{
    Cleared, FaultClass, ModelFault, NextStep, Purpose, STANDIN_BYTES_MAX, SUMMARY_REQUEST,
};
use crate::message::Stop;
use crate::price::Quote;

/// Results up to this length stay: what would stand for them is hardly shorter. In bytes.
const RESULT_BYTES_MIN: u64 = 2 * STANDIN_BYTES_MAX;

/// What is kept of a result that is cut is so many bytes, or a multiple of them.
const CUT_BYTES_MIN: u64 = 256;

/// The shortest summary worth asking for, in tokens.
const SUMMARY_TOKENS_MIN: u64 = 256;

/// Summaries in a row that come to nothing before it is done without one.
const FAILURES_MAX: u32 = 2;

/// What is done next about a conversation that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Results are shown shorter.
    Clear(Cleared),
    /// The model is asked for a summary.
    Ask,
    /// The summary that it gave stands for all but the last turns.
    Summarise {
        /// How many stay.
        turns_kept: u32,
    },
    /// All but the last turns are left out.
    Drop {
        /// How many stay.
        turns_kept: u32,
    },
}

/// How short a conversation must become, in tokens.
#[derive(Clone, Copy, Debug)]
struct Need {
    /// Nothing is done up to here.
    goal: u64,
    /// Beyond this something must be done, whatever it costs.
    limit: u64,
    /// A step that frees less is not worth the broken prefix.
    worth: u64,
    /// The whole window, where it is known.
    window: Option<u64>,
    /// What asking for a summary adds, its answer included.
    summary: u64,
    /// Whether the provider said that it is too long.
    refused: bool,
}

/// The next step; `None`: the conversation may be sent as it is.
pub(super) fn next(state: &State, run: &Run, quote: Option<&Quote>) -> Option<Step> {
    plan(state, &run.compaction, quote)
}

fn plan(state: &State, done: &Compaction, quote: Option<&Quote>) -> Option<Step> {
    if !state.agent.limits.window.compact {
        return None;
    }
    if done.summary.is_some() {
        return turns_to_keep(state, 1).map(|turns_kept| Step::Summarise { turns_kept });
    }
    let need = need(state, done, quote)?;
    let size = state.talk.size();
    let old = old_results(state).filter(|_| !done.cleared);
    let frees = |one: &Cleared| size.tokens_of(state.talk.bytes_cleared_by(one));
    let old = old.filter(|old| frees(old) >= need.worth);
    let enough = |old: &Cleared| size.tokens_likely().saturating_sub(frees(old)) <= need.goal;
    if let Some(old) = old.filter(|old| need.refused || enough(old)) {
        return Some(Step::Clear(old));
    }
    // It is asked before the results go, so that it can tell what they said.
    if !need.refused && may_ask(state, done, &need, need.worth) {
        return Some(Step::Ask);
    }
    if let Some(old) = old {
        return Some(Step::Clear(old));
    }
    if size.tokens_likely() <= need.limit {
        return None;
    }
    let long = long_results(state, &need).filter(|_| !done.cut);
    if let Some(long) = long.filter(|long| frees(long) > 0) {
        return Some(Step::Clear(long));
    }
    if may_ask(state, done, &need, SUMMARY_TOKENS_MIN) {
        return Some(Step::Ask);
    }
    let dropped = turns_to_keep(state, 0).filter(|_| !done.dropped);
    dropped.map(|turns_kept| Step::Drop { turns_kept })
}

/// What is asked of the conversation's length; `None`: it is short enough, or nobody
/// knows what would be.
fn need(state: &State, done: &Compaction, quote: Option<&Quote>) -> Option<Need> {
    let rules = &state.agent.limits.window;
    let window = window(state, quote);
    let percent = |of: u64, percent: u32| {
        u64::try_from(u128::from(of) * u128::from(percent.min(100)) / 100).unwrap_or(of)
    };
    let room = window.map(|window| window.saturating_sub(answer_tokens(state, quote)));
    let goal = room.map(|room| percent(room, rules.trigger_percent));
    let (summary, request) = asked(state, quote, Purpose::Summary);
    let summary = u64::from(summary) + size::likely_tokens(request);
    let need = match (done.target, room, goal) {
        (Some(target), _, goal) => {
            let goal = goal.map_or(target, |goal| goal.min(target));
            Need { goal, limit: goal, worth: 1, window, summary, refused: true }
        }
        (None, Some(room), Some(goal)) => {
            let worth = percent(room, rules.clear_percent_min).max(1);
            Need { goal, limit: room, worth, window, summary, refused: false }
        }
        (None, _, _) => return None,
    };
    (state.talk.size().tokens_likely() > need.goal).then_some(need)
}

/// The most that a prompt and its answer may hold together, in tokens.
fn window(state: &State, quote: Option<&Quote>) -> Option<u64> {
    let known = quote.and_then(|quote| quote.context_tokens);
    [known, state.agent.limits.window.tokens_max].into_iter().flatten().min()
}

/// The longest answer that is asked for: at most half of the window, so that a prompt
/// finds room beside it.
fn answer_tokens(state: &State, quote: Option<&Quote>) -> u64 {
    let half = window(state, quote).map_or(u64::MAX, |window| window / 2);
    u64::from(state.agent.max_tokens).min(half).max(1)
}

/// The longest summary that is asked for.
fn summary_tokens(state: &State, quote: Option<&Quote>) -> u64 {
    let part = window(state, quote).map_or(u64::MAX, |window| window / 8);
    let rules = &state.agent.limits.window;
    let most = u64::from(rules.summary_tokens_max).min(part).max(SUMMARY_TOKENS_MIN);
    most.min(answer_tokens(state, quote))
}

/// What a call asks for: the longest answer, and bytes that are sent beside the
/// conversation.
pub(super) fn asked(state: &State, quote: Option<&Quote>, purpose: Purpose) -> (u32, u64) {
    let (tokens, bytes) = match purpose {
        Purpose::Answer => (answer_tokens(state, quote), 0),
        Purpose::Summary => (summary_tokens(state, quote), SUMMARY_REQUEST.len() as u64),
    };
    (u32::try_from(tokens).unwrap_or(u32::MAX), bytes)
}

/// The results of all turns but the last ones.
fn old_results(state: &State) -> Option<Cleared> {
    let keep = state.agent.limits.window.keep_turns;
    let upto_turn = state.turns.checked_sub(keep)?;
    Some(Cleared { upto_turn, bytes_over: RESULT_BYTES_MIN, bytes_kept: 0 })
}

/// The long results, each cut to its share of what they may take together: they leave a
/// quarter of what is wanted for the turns to come.
fn long_results(state: &State, need: &Need) -> Option<Cleared> {
    let (results, bytes) = state.talk.results_over(CUT_BYTES_MIN + RESULT_BYTES_MIN);
    let size = state.talk.size();
    let beside = size.tokens_likely().saturating_sub(size::likely_tokens(bytes));
    let wanted = need.goal - need.goal / 4;
    let share = size::likely_bytes(wanted.saturating_sub(beside)).checked_div(results)?;
    let share = share.saturating_sub(STANDIN_BYTES_MAX);
    let bytes_kept = (share - share % CUT_BYTES_MIN).max(CUT_BYTES_MIN);
    let bytes_over = bytes_kept.saturating_add(STANDIN_BYTES_MAX);
    Some(Cleared { upto_turn: state.turns, bytes_over, bytes_kept })
}

fn turns_to_keep(state: &State, least: u32) -> Option<u32> {
    if state.talk.is_paused() {
        return None;
    }
    state.talk.turns_to_keep(least, state.agent.limits.window.keep_turns)
}

/// Whether a summary would free so many tokens, and the model has room to give one.
fn may_ask(state: &State, done: &Compaction, need: &Need, worth: u64) -> bool {
    if done.summarised || done.dropped || done.failures >= FAILURES_MAX {
        return false;
    }
    let Some(turns_kept) = turns_to_keep(state, 1) else { return false };
    let size = state.talk.size();
    let frees = size.tokens_of(state.talk.bytes_before(turns_kept));
    let takes = size.tokens_likely().saturating_add(need.summary);
    frees >= worth && need.window.is_none_or(|window| takes <= window)
}

/// Whether a run goes on after its model call failed like this: a summary can be done
/// without, and a conversation that is too long can be made shorter, once.
pub(super) fn goes_on_after(
    state: &State,
    run: &Run,
    calling: &Calling,
    fault: &ModelFault,
    quote: Option<&Quote>,
) -> bool {
    match calling.purpose {
        Purpose::Summary => fault.class.next_step() == NextStep::GiveUp,
        Purpose::Answer if fault.class == FaultClass::TooLarge => {
            let done = run.compaction.refused(state.talk.size().tokens_likely());
            done.refusals == 1 && plan(state, &done, quote).is_some()
        }
        Purpose::Answer => false,
    }
}

/// Whether the turn that ended because the window was full is tried again, shorter.
pub(super) fn rescues(state: &State, run: &Run, closing: &Closing, quote: Option<&Quote>) -> bool {
    let done = &run.compaction;
    let full = closing.stop == Stop::ContextWindow && done.refusals == 1;
    full && (done.has_begun() || plan(state, done, quote).is_some())
}
