//! Commands in, facts or a refusal out.
//!
//! Only what the command itself means is decided here; what follows from it by itself
//! is `super::advance`'s. A refusal changes nothing.

use super::Context;
use super::approval;
use super::call::{Call, CallStatus, Leave};
use super::command::{Command, Refusal, Wake};
use super::compact::goes_on_after;
use super::presentable::{askable, presentable};
use super::state::State;
use super::task::{Calling, Phase, Run};
use crate::agent::Effect;
use crate::backoff::Backoff;
use crate::event::{
    Done, Fact, FailureCode, FaultClass, ModelFault, NextStep, Opening, Outcome, Parked, Returned,
};
use crate::ledger::{CapReached, Measure, Scope};
use crate::message::{Block, Reply, Usage, text_of};
use crate::price::{Quote, Spent};
use crate::units::{Epoch, Money, SessionId, UnixMs};

/// Waits between tries of a provider that is out, while the run is parked.
const OUTAGE_WAITS: Backoff = Backoff { base_ms: 5_000, window_ms_max: 600_000 };

/// The longest wait that a provider is granted, in milliseconds: one day.
const RETRY_AFTER_MS_MAX: u64 = 86_400_000;

pub(super) fn decide(
    state: &State,
    command: Command,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    match command {
        Command::Open(opening) => open(state, opening),
        Command::Start { input, done, cap, turns_max } => {
            start(state, input, done, cap, turns_max, context)
        }
        Command::Advance => Ok(Vec::new()),
        Command::Replied(reply) => replied(state, reply, context.quote),
        Command::Failed { fault, spent, fallback } => {
            failed(state, fault, spent, fallback, context)
        }
        Command::Lost => lost(state),
        Command::Returned(returned) => {
            let (_, call) = open_call(state, &returned.call)?;
            let child = returned.child.map(|end| end.session);
            if call.child().map(|child| child.session) != child {
                return Err(Refusal::NotAwaited);
            }
            if call.leave != Leave::Given {
                return Err(Refusal::NotAwaited);
            }
            // Begun before done: only a read may end without having begun.
            if call.status == CallStatus::Waiting && call.effect != Effect::Read {
                return Err(Refusal::NotAwaited);
            }
            Ok(vec![Fact::ToolReturned(returned)])
        }
        Command::Answer(answer) => approval::answer(state, answer, context),
        Command::NotDone { call } => not_done(state, &call, context),
        Command::Park => park(state, context),
        Command::AwaitChild { child, until } => await_child(state, child, until),
        Command::Wake(wake) => awaken(state, wake, context),
        Command::Cancel { by } => cancel(state, by),
    }
}

fn open(state: &State, opening: Opening) -> Result<Vec<Fact>, Refusal> {
    match state.opening {
        None if opening.agent == state.agent_hash => Ok(vec![Fact::SessionOpened(opening)]),
        None | Some(_) => Err(Refusal::NotOpen),
    }
}

fn start(
    state: &State,
    input: Vec<Block>,
    done: Done,
    cap: Option<Money>,
    turns_max: Option<u32>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    if state.opening.is_none() {
        return Err(Refusal::NotOpen);
    }
    let parent = state.opening.as_ref().and_then(|opening| opening.parent.as_ref());
    // A child's one task comes with its opening.
    if let Some(parent) = parent.filter(|_| state.seq > 1) {
        return Err(Refusal::Delegated { parent: parent.session });
    }
    if let Some(run) = &state.run {
        free_for_another(run)?;
    }
    let input = askable(input);
    if text_of(&input).is_empty() {
        return Err(Refusal::EmptyTask);
    }
    let cap = cap.or(state.agent.task_cap);
    let unpriced = context.quote.is_none() && (cap.is_some() || context.caps_money());
    // A child's parent would wait for a session that never came into being; it parks at
    // its first call instead.
    if unpriced && parent.is_none() {
        return Err(Refusal::NoPrice { model: state.agent.model.clone() });
    }
    let run = state.run.as_ref().map_or(0, |run| run.number) + 1;
    let turns_max = turns_max.unwrap_or(state.agent.limits.turns_max).max(1);
    Ok(vec![Fact::RunStarted { run, input, done, cap, turns_max }])
}

fn free_for_another(run: &Run) -> Result<(), Refusal> {
    match (&run.phase, &run.parked) {
        (Phase::Over(_), _) => Ok(()),
        (_, Some((why, _))) => Err(Refusal::RunParked { run: run.number, why: why.code() }),
        (_, None) => Err(Refusal::RunActive { run: run.number }),
    }
}

fn replied(state: &State, reply: Reply, quote: Option<&Quote>) -> Result<Vec<Fact>, Refusal> {
    let (_, calling) = calling(state)?;
    let told = reply.usage.filter(Usage::is_believable);
    let by = reply.fallback.as_deref();
    let cost = told.and_then(|usage| price(calling, quote, by, usage));
    let (cost, estimated) = cost.map_or((calling.hold, true), |cost| (cost, false));
    let estimated = estimated && cost > Money::ZERO;
    Ok(vec![Fact::ModelReplied { reply: presentable(state, reply), cost, estimated }])
}

fn failed(
    state: &State,
    fault: ModelFault,
    spent: Spent,
    fallback: Option<String>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let (run, calling) = calling(state)?;
    let (cost, estimated) = cost_of(spent, fallback.as_deref(), calling, context.quote);
    let (tokens, fault_told) = (tokens_of(spent, calling), fault.clone());
    let mut facts =
        vec![Fact::ModelFailed { fault: fault_told, cost, estimated, tokens, fallback }];
    if !run.cancel_asked && !goes_on_after(state, run, calling, &fault, context.quote) {
        facts.push(after_fault(state, run, fault, context));
    }
    Ok(facts)
}

fn cost_of(
    spent: Spent,
    fallback: Option<&str>,
    calling: &Calling,
    quote: Option<&Quote>,
) -> (Money, bool) {
    let (cost, guessed) = match spent {
        Spent::Nothing => (Some(Money::ZERO), false),
        Spent::Told(usage) | Spent::Estimated(usage) if !usage.is_believable() => (None, true),
        Spent::Told(usage) => (price(calling, quote, fallback, usage), false),
        Spent::Estimated(usage) => (price(calling, quote, fallback, usage), true),
        Spent::Unknown => (None, true),
    };
    let guessed = guessed || cost.is_none();
    let cost = cost.unwrap_or(calling.hold);
    (cost, guessed && cost > Money::ZERO)
}

/// The tokens that a failed call used; all that were held where nobody knows.
fn tokens_of(spent: Spent, calling: &Calling) -> u64 {
    match spent {
        Spent::Nothing => 0,
        Spent::Told(usage) | Spent::Estimated(usage) if usage.is_believable() => usage.total(),
        Spent::Told(_) | Spent::Estimated(_) | Spent::Unknown => calling.tokens,
    }
}

/// What a call with this usage costs; `None` where it was held at a price that nobody
/// knows any more. A call that was begun without a price is free.
fn price(
    calling: &Calling,
    quote: Option<&Quote>,
    fallback: Option<&str>,
    usage: Usage,
) -> Option<Money> {
    match quote {
        Some(quote) => quote.rule_of(fallback).map(|rule| rule.cost(&usage)),
        None if calling.hold == Money::ZERO => Some(Money::ZERO),
        None => None,
    }
}

/// Short waits were the shell's; a run that still has no answer waits in the store.
fn after_fault(state: &State, run: &Run, fault: ModelFault, context: &Context<'_>) -> Fact {
    if fault.class == FaultClass::Interrupted {
        return interrupted(context);
    }
    match fault.class.next_step() {
        NextStep::GiveUp => {
            Fact::RunFailed { code: FailureCode::ModelRejected, message: fault.message }
        }
        NextStep::Mend => Fact::RunParked { why: Parked::NeedsMending(fault), wake: None },
        NextStep::Retry => {
            let patient = run.outages < state.agent.limits.outage_parks_max;
            let wake = patient.then(|| outage_end(run, &fault, context));
            Fact::RunParked { why: Parked::Outage(fault), wake }
        }
    }
}

/// The run waits because the program stops, for the reason that the program gave.
fn interrupted(context: &Context<'_>) -> Fact {
    let why = context.barrier.cloned().unwrap_or(Parked::Interrupted);
    parked(why, context)
}

pub(super) fn parked(why: Parked, context: &Context<'_>) -> Fact {
    let wake = why.usual_wake(context.now);
    Fact::RunParked { why, wake }
}

fn lost(state: &State) -> Result<Vec<Fact>, Refusal> {
    let (run, calling) = calling(state)?;
    let mut facts = vec![Fact::ModelLost { cost: calling.hold }];
    if !run.cancel_asked {
        facts.extend(run.crash_loop().map(|why| Fact::RunParked { why, wake: None }));
    }
    Ok(facts)
}

fn outage_end(run: &Run, fault: &ModelFault, context: &Context<'_>) -> UnixMs {
    let wait_ms = OUTAGE_WAITS.wait_ms(run.outages + 1, context.chance);
    let asked_ms = fault.retry_after_ms.unwrap_or(0).min(RETRY_AFTER_MS_MAX);
    context.now.plus_ms(wait_ms.max(asked_ms))
}

fn not_done(state: &State, id: &str, context: &Context<'_>) -> Result<Vec<Fact>, Refusal> {
    let (run, call) = open_call(state, id)?;
    let epoch = context.epoch.ok_or(Refusal::NotAwaited)?;
    if !is_lost(call, epoch) {
        return Err(Refusal::NotAwaited);
    }
    if !run.cancel_asked {
        let why = context.barrier.cloned().or_else(|| run.crash_loop());
        return Ok(vec![match why {
            Some(why) => parked(why, context),
            None => Fact::ToolBegun { epoch, call: call.id.clone() },
        }]);
    }
    let words = "the run was cancelled before this was done";
    Ok(vec![Fact::ToolReturned(Returned::plain(&call.id, Outcome::Cancelled, words))])
}

/// Whether a former owner began this call and never told its end.
fn is_lost(call: &Call, epoch: Epoch) -> bool {
    match call.status {
        CallStatus::Begun(before) => before < epoch,
        CallStatus::Waiting | CallStatus::Delegated(_) | CallStatus::Returned(..) => false,
    }
}

fn park(state: &State, context: &Context<'_>) -> Result<Vec<Fact>, Refusal> {
    let run = state.run.as_ref().ok_or(Refusal::NotAwaited)?;
    let begun = |call: &Call| matches!(call.status, CallStatus::Begun(_));
    match &run.phase {
        _ if run.parked.is_some() => Ok(Vec::new()),
        Phase::Over(_) => Ok(Vec::new()),
        Phase::Calling(_) => Err(Refusal::MidAct),
        Phase::Tooling(calls) if calls.iter().any(begun) => Err(Refusal::MidAct),
        // It is about to end: parked, it would wait for somebody who already said so.
        Phase::Ready | Phase::Tooling(_) | Phase::Closing(_) if run.cancel_asked => Ok(Vec::new()),
        Phase::Ready | Phase::Tooling(_) | Phase::Closing(_) => Ok(vec![interrupted(context)]),
    }
}

fn await_child(state: &State, child: SessionId, until: UnixMs) -> Result<Vec<Fact>, Refusal> {
    let run = state.run.as_ref().filter(|run| run.parked.is_none()).ok_or(Refusal::NotAwaited)?;
    match run.living().any(|living| living.session == child) {
        false => Err(Refusal::NotAwaited),
        true if run.cancel_asked => Ok(Vec::new()),
        true => {
            Ok(vec![Fact::RunParked { why: Parked::WaitsForChild { child }, wake: Some(until) }])
        }
    }
}

fn awaken(state: &State, wake: Wake, context: &Context<'_>) -> Result<Vec<Fact>, Refusal> {
    let run = state.run.as_ref().ok_or(Refusal::NotParked)?;
    let (why, due) = run.parked.as_ref().ok_or(Refusal::NotParked)?;
    let mut facts = Vec::new();
    let (by, turns_more, cap) = match wake {
        Wake::Due if due.is_none_or(|due| due > context.now) => return Err(Refusal::NotDue),
        Wake::Due => {
            facts = approval::expired(run, context.now);
            ("its due time".to_owned(), 0, None)
        }
        Wake::Room => {
            let reached = why.waits_for_room().ok_or(Refusal::NotDue)?;
            (format!("room under {}", reached.scope), 0, None)
        }
        Wake::Child(child) => {
            let waits = matches!(why, Parked::WaitsForChild { .. });
            if !waits || !run.living().any(|living| living.session == child) {
                return Err(Refusal::NotDue);
            }
            (format!("its child {child}"), 0, None)
        }
        Wake::Person { .. } if matches!(why, Parked::AwaitsApproval { .. }) => {
            return Err(approval::unanswered(why));
        }
        Wake::Person { turns_more, cap, .. } if asks_for_more(state, why, turns_more, cap) => {
            let parent = state.opening.as_ref().and_then(|opening| opening.parent.as_ref());
            let parent = parent.map_or(state.session, |parent| parent.session);
            return Err(Refusal::Delegated { parent });
        }
        Wake::Person { by, turns_more, cap } => {
            if cap.is_some() && context.quote.is_none() {
                return Err(Refusal::NoPrice { model: state.agent.model.clone() });
            }
            (by, granted(state, why, turns_more), raised(state, run, why, cap)?)
        }
    };
    facts.push(Fact::RunWoken { by, turns_more, cap });
    Ok(facts)
}

/// Whether a wish to go on would give a child more than was carved out for it.
fn asks_for_more(state: &State, why: &Parked, turns_more: Option<u32>, cap: Option<Money>) -> bool {
    let is_child = state.opening.as_ref().is_some_and(|opening| opening.parent.is_some());
    let is_at_turn_cap = matches!(why, Parked::TurnCap { .. });
    is_child && (cap.is_some() || turns_more.unwrap_or(0) > 0 || is_at_turn_cap)
}

fn granted(state: &State, why: &Parked, asked: Option<u32>) -> u32 {
    let usual = match why {
        Parked::TurnCap { .. } => state.agent.limits.turns_max,
        Parked::CostCapExceeded(_)
        | Parked::Outage(_)
        | Parked::NeedsMending(_)
        | Parked::NoDoneSignal
        | Parked::Interrupted
        | Parked::Forked
        | Parked::HandedOver
        | Parked::Faulted { .. }
        | Parked::CrashLoop { .. }
        | Parked::LoopDetected { .. }
        | Parked::WaitsForChild { .. }
        | Parked::AwaitsApproval { .. } => 0,
    };
    asked.unwrap_or(usual)
}

/// The new cap, if it is one that lets the run go on.
fn raised(
    state: &State,
    run: &Run,
    why: &Parked,
    cap: Option<Money>,
) -> Result<Option<Money>, Refusal> {
    let free_child = run.living().find(|child| child.carve.cap.is_none());
    if let Some(child) = free_child.filter(|_| cap.is_some()) {
        return Err(Refusal::UncappedChild { child: child.session });
    }
    let needed = own_need(why);
    let used = run.settled.plus(run.carved());
    match cap.or(run.cap) {
        Some(cap) if cap < used.plus(needed) => Err(Refusal::CostCapExceeded(CapReached {
            scope: Scope::Task { session: state.session, run: run.number },
            measure: Measure::Money,
            cap: cap.0,
            settled: run.settled.0,
            held: run.carved().0,
            needed: needed.0,
            turns: None,
        })),
        Some(_) | None => Ok(cap),
    }
}

/// What a run at its own cap needs for its next call.
fn own_need(why: &Parked) -> Money {
    match why {
        Parked::CostCapExceeded(reached) if !reached.scope.is_shared() => Money(reached.needed),
        Parked::CostCapExceeded(_)
        | Parked::TurnCap { .. }
        | Parked::Outage(_)
        | Parked::NeedsMending(_)
        | Parked::NoDoneSignal
        | Parked::Interrupted
        | Parked::Forked
        | Parked::HandedOver
        | Parked::Faulted { .. }
        | Parked::CrashLoop { .. }
        | Parked::LoopDetected { .. }
        | Parked::WaitsForChild { .. }
        | Parked::AwaitsApproval { .. } => Money::ZERO,
    }
}

fn cancel(state: &State, by: String) -> Result<Vec<Fact>, Refusal> {
    let run = state.run.as_ref().ok_or(Refusal::NothingToCancel)?;
    let asked = Fact::CancelAsked { by: by.clone() };
    match &run.phase {
        Phase::Over(_) => Err(Refusal::NothingToCancel),
        Phase::Ready | Phase::Closing(_) => Ok(vec![asked, Fact::RunCancelled {}]),
        Phase::Calling(_) | Phase::Tooling(_) if run.parked.is_some() => {
            Ok(vec![asked, Fact::RunWoken { by, turns_more: 0, cap: None }])
        }
        Phase::Calling(_) | Phase::Tooling(_) if run.cancel_asked => Ok(Vec::new()),
        Phase::Calling(_) | Phase::Tooling(_) => Ok(vec![asked]),
    }
}

fn calling(state: &State) -> Result<(&Run, &Calling), Refusal> {
    let run = state.run.as_ref().ok_or(Refusal::NotAwaited)?;
    match &run.phase {
        Phase::Calling(calling) => Ok((run, calling)),
        Phase::Ready | Phase::Tooling(_) | Phase::Closing(_) | Phase::Over(_) => {
            Err(Refusal::NotAwaited)
        }
    }
}

fn open_call<'a>(state: &'a State, id: &str) -> Result<(&'a Run, &'a Call), Refusal> {
    let run = state.run.as_ref().filter(|run| run.parked.is_none());
    let run = run.ok_or(Refusal::NotAwaited)?;
    let calls = match &run.phase {
        Phase::Tooling(calls) => calls,
        Phase::Ready | Phase::Calling(_) | Phase::Closing(_) | Phase::Over(_) => {
            return Err(Refusal::NotAwaited);
        }
    };
    calls
        .iter()
        .find(|call| call.id == id && !matches!(call.status, CallStatus::Returned(..)))
        .map(|call| (run, call))
        .ok_or(Refusal::NotAwaited)
}
