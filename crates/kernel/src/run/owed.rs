//! What must still be done in the world.
//!
//! A begun fact belongs to the epoch that wrote it. The owner with that epoch performs
//! it once; every later owner sees an act that began and never ended, and treats it by
//! its class. An owner that finds an act of a later one was fenced and does nothing
//! more. This one rule is what makes a crash the same as a pause.

use std::cmp::Ordering;

use super::call::{Call, CallStatus, Leave};
use super::child::next_child;
use super::state::State;
use super::task::{Calling, Phase, Run};
use crate::agent::{Agent, DELEGATE, END_TASK, Effect};
use crate::ledger::CapReached;
use crate::units::{Epoch, UnixMs};

/// What must be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Owed {
    /// Nothing, until somebody commands something.
    Nothing,
    /// Nothing before this instant.
    Wait(UnixMs),
    /// Nothing until a shared cap has room again, or its window turns at this instant.
    Room(CapReached, Option<UnixMs>),
    /// The kernel itself must go on: [`super::step`] with [`super::Command::Advance`].
    Decision,
    /// Make this model call.
    Model(Calling),
    /// A former owner began a model call; nobody knows its end. It is settled at its hold.
    LostModel,
    /// Run these calls, at the same time if there are several. They change nothing, or
    /// there is one and it was begun by this owner.
    Tools(Vec<Call>),
    /// See to these children, each under its call: open those that are not there, and let
    /// them work until one of them is over.
    Children(Vec<Call>),
    /// A former owner began this effect; find out whether it happened.
    Reconcile(Box<Call>),
}

/// What must be done next by the owner with this epoch.
#[must_use]
pub fn owed(state: &State, epoch: Epoch) -> Owed {
    let Some(run) = &state.run else {
        return Owed::Nothing;
    };
    if let Some((why, wake)) = &run.parked {
        return match why.waits_for_room() {
            Some(reached) => Owed::Room(reached.clone(), *wake),
            None => wake.map_or(Owed::Nothing, Owed::Wait),
        };
    }
    match &run.phase {
        Phase::Over(_) => Owed::Nothing,
        Phase::Ready | Phase::Closing(_) => Owed::Decision,
        Phase::Calling(calling) => match calling.epoch.cmp(&epoch) {
            Ordering::Equal => Owed::Model(*calling),
            Ordering::Less => Owed::LostModel,
            Ordering::Greater => Owed::Nothing,
        },
        Phase::Tooling(calls) => owed_calls(&state.agent, run, calls, epoch),
    }
}

fn owed_calls(agent: &Agent, run: &Run, calls: &[Call], epoch: Epoch) -> Owed {
    match next_call(agent, run, calls, epoch) {
        NextCall::Answer(..) | NextCall::Judge | NextCall::Ask | NextCall::Begin(_) => {
            Owed::Decision
        }
        NextCall::Run(calls) => Owed::Tools(calls.into_iter().cloned().collect()),
        NextCall::Children(calls) => Owed::Children(calls.into_iter().cloned().collect()),
        NextCall::Reconcile(call) => Owed::Reconcile(Box::new(call.clone())),
        NextCall::Fenced => Owed::Nothing,
    }
}

/// What comes next among the calls of a turn.
pub(super) enum NextCall<'a> {
    /// This call is answered without running it.
    Answer(&'a Call, Bar<'a>),
    /// It must be decided which calls may run.
    Judge,
    /// Somebody must answer before any of them runs.
    Ask,
    /// This call must be begun before it is run.
    Begin(&'a Call),
    /// Run these.
    Run(Vec<&'a Call>),
    /// Children work on these.
    Children(Vec<&'a Call>),
    /// A former owner began this one.
    Reconcile(&'a Call),
    /// A later owner is at work.
    Fenced,
}

/// Why a call is answered without running.
pub(super) enum Bar<'a> {
    /// The kernel's words for the model.
    Words(&'a str),
    /// The run is being cancelled.
    Cancelled,
    /// The run is being cancelled, and a former owner had begun the call.
    Abandoned,
}

/// Calls run in the order they were asked for, reads beside each other, children beside
/// each other, anything else alone; the done signal comes last.
///
/// INVARIANT: at least one call has not returned, or the phase would be over.
pub(super) fn next_call<'a>(
    agent: &Agent,
    run: &Run,
    calls: &'a [Call],
    epoch: Epoch,
) -> NextCall<'a> {
    let open = |call: &&Call| !matches!(call.status, CallStatus::Returned(..));
    let work = calls.iter().filter(|call| call.name != END_TASK);
    let signals = calls.iter().filter(|call| call.name == END_TASK);
    let queue: Vec<&Call> = work.chain(signals).filter(open).collect();
    let waiting = |call: &&&Call| call.status == CallStatus::Waiting;
    if let Some(call) = queue.iter().filter(waiting).find(|call| call.barred.is_some()) {
        return NextCall::Answer(call, Bar::Words(call.barred.as_deref().unwrap_or_default()));
    }
    if run.cancel_asked
        && let Some(call) = queue.iter().find(waiting)
    {
        return NextCall::Answer(call, Bar::Cancelled);
    }
    let first = queue.first().expect("INVARIANT: a turn in this phase has an open call");
    // What is under way comes to its end first.
    if queue.iter().all(|call| call.status == CallStatus::Waiting) {
        if queue.iter().any(|call| call.leave == Leave::Unjudged) {
            return NextCall::Judge;
        }
        if queue.iter().any(|call| matches!(call.leave, Leave::Asked(_))) {
            return NextCall::Ask;
        }
    }
    if first.name == DELEGATE {
        return next_child(agent, &queue);
    }
    match (&first.status, first.effect) {
        (CallStatus::Begun(begun), _) if *begun == epoch => NextCall::Run(vec![first]),
        (CallStatus::Begun(begun), _) if *begun > epoch => NextCall::Fenced,
        (CallStatus::Begun(_), Effect::Effect) => NextCall::Reconcile(first),
        (CallStatus::Begun(_), Effect::Idempotent | Effect::Read) if run.cancel_asked => {
            NextCall::Answer(first, Bar::Abandoned)
        }
        (CallStatus::Begun(_), Effect::Idempotent | Effect::Read) => NextCall::Begin(first),
        (_, Effect::Read) => NextCall::Run(leading_reads(&queue)),
        (_, Effect::Idempotent | Effect::Effect) => NextCall::Begin(first),
    }
}

fn leading_reads<'a>(queue: &[&'a Call]) -> Vec<&'a Call> {
    let ends_task = queue.first().is_some_and(|call| call.name == END_TASK);
    queue
        .iter()
        .take_while(|call| call.effect == Effect::Read && (call.name == END_TASK) == ends_task)
        .copied()
        .collect()
}
