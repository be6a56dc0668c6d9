//! What the kernel does by itself, one fact at a time, until something outside is
//! needed: answer calls that no tool can answer, tell the model what it must know,
//! begin the next act, or end the run.

use super::Context;
use super::approval;
use super::call::{Call, CallStatus};
use super::child::{carve, child_session};
use super::compact::{self, Step, rescues};
use super::decide::parked;
use super::hold::reserve;
use super::owed::{Bar, NextCall, next_call};
use super::state::State;
use super::task::{Closing, Phase, Run};
use crate::agent::DELEGATE;
use crate::event::{
    Done, Fact, FailureCode, FaultClass, ModelFault, Notice, Outcome, Parked, Purpose, Returned,
};
use crate::json::RawJson;
use crate::message::Stop;
use crate::units::Epoch;

/// Turns before the last one at which the model is told.
const WARN_TURNS_LEFT: u32 = 3;

/// Runs with fewer turns than this are told only at the last one.
const WARN_TURNS_MIN: u32 = 6;

/// Answers in a row without tool calls and without the done signal that a run survives.
const SILENCES_MAX: u32 = 3;

/// The next fact, or `None` where the world (or a person) must act first.
pub(super) fn advance(state: &State, epoch: Epoch, context: &Context<'_>) -> Option<Fact> {
    let run = state.run.as_ref().filter(|run| run.parked.is_none())?;
    match &run.phase {
        Phase::Over(_) | Phase::Calling(_) => None,
        Phase::Tooling(calls) => advance_call(state, run, calls, epoch, context),
        Phase::Ready | Phase::Closing(_) if run.cancel_asked => Some(Fact::RunCancelled {}),
        Phase::Ready => begin(state, run, false, epoch, context),
        Phase::Closing(closing) => close(state, run, closing, epoch, context),
    }
}

fn advance_call(
    state: &State,
    run: &Run,
    calls: &[Call],
    epoch: Epoch,
    context: &Context<'_>,
) -> Option<Fact> {
    match next_call(&state.agent, run, calls, epoch) {
        NextCall::Judge => Some(approval::judge(state, calls, context)),
        NextCall::Ask => Some(approval::await_answers(calls)),
        NextCall::Begin(call) if call.name == DELEGATE => {
            begin_child(state, run, call, epoch, context)
        }
        NextCall::Begin(call) => Some(begin_call(run, call, epoch, context)),
        NextCall::Answer(call, Bar::Words(words)) => {
            Some(answer(call, Outcome::Error, words.to_owned()))
        }
        NextCall::Answer(call, Bar::Cancelled) => {
            Some(answer(call, Outcome::Cancelled, "the run was cancelled".to_owned()))
        }
        NextCall::Answer(call, Bar::Abandoned) => {
            let words = "outcome unknown: the run was cancelled while this was under way";
            Some(answer(call, Outcome::OutcomeUnknown, words.to_owned()))
        }
        NextCall::Run(_) | NextCall::Children(_) | NextCall::Reconcile(_) | NextCall::Fenced => {
            None
        }
    }
}

fn begin_call(run: &Run, call: &Call, epoch: Epoch, context: &Context<'_>) -> Fact {
    let lost = matches!(call.status, CallStatus::Begun(_));
    let why = context.barrier.cloned().or_else(|| run.crash_loop().filter(|_| lost));
    match why {
        Some(why) => parked(why, context),
        None => Fact::ToolBegun { epoch, call: call.id.clone() },
    }
}

/// Begins a child with what is carved out for it, or says why there is none.
fn begin_child(
    state: &State,
    run: &Run,
    call: &Call,
    epoch: Epoch,
    context: &Context<'_>,
) -> Option<Fact> {
    if let Some(why) = context.barrier {
        return Some(parked(why.clone(), context));
    }
    if context.held_back {
        return None;
    }
    let carved = match context.full.iter().find(|reached| !reached.scope.is_shared()) {
        Some(reached) => Err(reached.to_string()),
        None => carve(state, run, call, context.quote.is_some()),
    };
    Some(match carved {
        Ok(carve) => {
            let child = child_session(state.session, run.number, state.turns, &call.id);
            Fact::ChildBegun { epoch, call: call.id.clone(), child, carve }
        }
        Err(words) => answer(call, Outcome::Error, words),
    })
}

fn answer(call: &Call, outcome: Outcome, content: String) -> Fact {
    Fact::ToolReturned(Returned::plain(&call.id, outcome, content))
}

/// What a complete turn means.
fn close(
    state: &State,
    run: &Run,
    closing: &Closing,
    epoch: Epoch,
    context: &Context<'_>,
) -> Option<Fact> {
    if let Some(result) = &closing.result {
        return Some(Fact::RunFinished { result: result.clone() });
    }
    let rescued = rescues(state, run, closing, context.quote);
    if let Some((code, message)) = dead_end(&closing.stop).filter(|_| !rescued) {
        return Some(Fact::RunFailed { code, message: message.to_owned() });
    }
    if run.turns_left() == 0 {
        return Some(park(Parked::TurnCap { turns_max: run.turns_max }));
    }
    if let Some(fact) = run.looping.answer().filter(|_| closing.called) {
        return Some(fact);
    }
    if closing.called || closing.stop == Stop::PauseTurn || run.granted > 0 || rescued {
        return begin(state, run, false, epoch, context);
    }
    match closing.stop {
        Stop::MaxTokens if !run.told.contains(&Notice::AnswerCut) => {
            Some(Fact::Notified(Notice::AnswerCut))
        }
        Stop::MaxTokens => begin(state, run, false, epoch, context),
        Stop::EndTurn
        | Stop::StopSequence
        | Stop::ToolUse
        | Stop::PauseTurn
        | Stop::Refusal
        | Stop::ContextWindow
        | Stop::Other(_) => answered(state, run, epoch, context),
    }
}

/// Reasons to stop after which the same conversation leads nowhere.
fn dead_end(stop: &Stop) -> Option<(FailureCode, &'static str)> {
    match stop {
        Stop::Refusal => Some((FailureCode::ModelRefused, "the model refused the task")),
        Stop::ContextWindow => Some((
            FailureCode::ContextWindowExceeded,
            "the conversation no longer fits the model's context window",
        )),
        Stop::EndTurn
        | Stop::MaxTokens
        | Stop::StopSequence
        | Stop::ToolUse
        | Stop::PauseTurn
        | Stop::Other(_) => None,
    }
}

/// The model answered in words only.
fn answered(state: &State, run: &Run, epoch: Epoch, context: &Context<'_>) -> Option<Fact> {
    match run.done {
        Done::Answer => Some(Fact::RunFinished { result: RawJson::of(&run.last_text) }),
        Done::EndTask if run.silences >= SILENCES_MAX => Some(park(Parked::NoDoneSignal)),
        Done::EndTask => begin(state, run, true, epoch, context),
    }
}

fn park(why: Parked) -> Fact {
    Fact::RunParked { why, wake: None }
}

/// Begins a model call, after telling the model what it must know before it.
fn begin(
    state: &State,
    run: &Run,
    signal_missing: bool,
    epoch: Epoch,
    context: &Context<'_>,
) -> Option<Fact> {
    if let Some(why) = context.barrier {
        return Some(parked(why.clone(), context));
    }
    let left = run.turns_left();
    if left == 0 {
        return Some(park(Parked::TurnCap { turns_max: run.turns_max }));
    }
    let purpose = match compact::next(state, run, context.quote) {
        Some(Step::Clear(cleared)) => return Some(Fact::ResultsCleared(cleared)),
        Some(Step::Summarise { turns_kept }) => return Some(Fact::Summarised { turns_kept }),
        Some(Step::Drop { turns_kept }) => return Some(Fact::TurnsDropped { turns_kept }),
        Some(Step::Ask) => Purpose::Summary,
        None => Purpose::Answer,
    };
    let notice = untold(state, run, signal_missing, left, context);
    if let Some(notice) = notice.filter(|_| purpose == Purpose::Answer) {
        return Some(Fact::Notified(notice));
    }
    (!context.held_back).then(|| call(state, run, purpose, epoch, context))
}

/// Begins a model call in every scope that it is counted in, or parks where one of them
/// has no room.
fn call(state: &State, run: &Run, purpose: Purpose, epoch: Epoch, context: &Context<'_>) -> Fact {
    if context.quote.is_none() && (run.cap.is_some() || context.caps_money()) {
        return park(Parked::NeedsMending(no_price(&state.agent.model)));
    }
    if !state.is_budgeted_to(context.shares) {
        let to = context.shares.iter().map(|share| share.scope.clone()).collect();
        return Fact::Budgeted { to };
    }
    match reserve(state, run, purpose, context) {
        Err(reached) => parked(Parked::CostCapExceeded(reached), context),
        Ok(reservation) => Fact::ModelBegun {
            epoch,
            turn: run.turns + 1,
            max_tokens: reservation.max_tokens,
            clamped: reservation.clamped,
            hold: reservation.amount.money,
            tokens: reservation.amount.tokens,
            prices: context.quote.map(|quote| quote.version.clone()),
            tools_off: run.turns + 1 >= run.turns_max || purpose == Purpose::Summary,
            purpose,
        },
    }
}

/// The next thing that the model must know and was not told yet.
fn untold(
    state: &State,
    run: &Run,
    signal_missing: bool,
    left: u32,
    context: &Context<'_>,
) -> Option<Notice> {
    if state.talk.is_paused() {
        return None;
    }
    let granted = run.granted.saturating_sub(turns_told(run));
    if granted > 0 {
        return Some(Notice::TurnsGranted(granted));
    }
    let notices = [
        signal_missing.then_some(Notice::DoneSignalMissing),
        (!state.talk.has_question()).then_some(Notice::GoOn),
        (left == WARN_TURNS_LEFT + 1 && run.turns_max >= WARN_TURNS_MIN)
            .then_some(Notice::TurnsLeft(WARN_TURNS_LEFT)),
        (left == 1).then_some(Notice::LastTurn),
    ];
    let notice = notices.into_iter().flatten().find(|notice| !run.told.contains(notice));
    // At the last turn there are no tools.
    notice.or_else(|| changed_tool(state, context).filter(|_| left > 1))
}

/// A tool of the agent that is out and not withdrawn yet, or withdrawn and no longer out.
/// The tools stay declared, so that what was sent keeps its bytes (L32).
fn changed_tool(state: &State, context: &Context<'_>) -> Option<Notice> {
    let out = |name: &str| context.out.iter().find(|out| out.tool == name);
    state.agent.tools.iter().find_map(|spec| {
        let tool = spec.name.clone();
        match (out(&tool), state.withdrawn.contains(&tool)) {
            (Some(out), false) => Some(Notice::ToolWithdrawn { tool, why: out.why.clone() }),
            (None, true) => Some(Notice::ToolBack { tool }),
            (Some(_), true) | (None, false) => None,
        }
    })
}

/// Turns granted since the last answer that the model was told about.
fn turns_told(run: &Run) -> u32 {
    let granted = run.told.iter().map(|notice| match notice {
        Notice::TurnsGranted(turns) => *turns,
        Notice::TurnsLeft(_)
        | Notice::LastTurn
        | Notice::DoneSignalMissing
        | Notice::AnswerCut
        | Notice::GoOn
        | Notice::ToolWithdrawn { .. }
        | Notice::ToolBack { .. }
        | Notice::Looping { .. } => 0,
    });
    granted.fold(0, u32::saturating_add)
}

fn no_price(model: &str) -> ModelFault {
    ModelFault {
        class: FaultClass::UnknownModel,
        message: format!("model `{model}` has no price, and the run has a money cap"),
        retry_after_ms: None,
        request_id: None,
    }
}
