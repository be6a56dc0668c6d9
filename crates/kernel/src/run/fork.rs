//! A session that continues another from one of its events.
//!
//! The fork shares the parent's facts up to that event under the same numbers, sealed
//! into a chain of its own. Money that the parent spent counts against the run's cap
//! but is not charged again. What was in flight at the fork point belongs to the
//! parent: a model call is cut off, an effect or a child ends as unknown, for the fork can
//! never learn what became of it.

use super::Stepped;
use super::call::{Call, CallStatus};
use super::state::{Misfit, State};
use super::task::{Phase, Run};
use crate::agent::Frozen;
use crate::event::{
    ChildEnd, Event, Fact, ForkPoint, Opening, Outcome, Parked, Returned, Sealed, seal,
};
use crate::ledger::{Allowance, Amount, Move, MoveKind, Scope};
use crate::units::{Money, SessionId, UnixMs};

/// Copies `events` (a session's first ones, in order) into a new session, and leaves an
/// unfinished run parked.
///
/// # Errors
/// The events are not the beginning of a session of this agent.
pub fn fork(
    frozen: &Frozen,
    parent: SessionId,
    events: &[Sealed],
    session: SessionId,
    now: UnixMs,
) -> Result<(State, Stepped), Misfit> {
    let shared = without_open_call(events);
    let mut state = State::new(session, frozen);
    let mut stepped = Stepped::default();
    for old in shared {
        let fact = adopted(&old.event.fact, parent, shared);
        append(&mut state, &mut stepped, Event { at: old.event.at, fact, seq: old.event.seq })?;
    }
    for fact in closing_facts(&state) {
        let seq = state.seq + 1;
        append(&mut state, &mut stepped, Event { at: now, fact, seq })?;
    }
    stepped.moves.extend(grant(&state));
    Ok((state, stepped))
}

/// The events up to the model call that was under way at their end, if one was.
fn without_open_call(events: &[Sealed]) -> &[Sealed] {
    let settles = |fact: &Fact| {
        matches!(
            fact,
            Fact::ModelReplied { .. } | Fact::ModelFailed { .. } | Fact::ModelLost { .. }
        )
    };
    let begun = events.iter().rposition(|e| matches!(e.event.fact, Fact::ModelBegun { .. }));
    match begun {
        Some(place) if !events[place..].iter().any(|e| settles(&e.event.fact)) => &events[..place],
        Some(_) | None => events,
    }
}

fn adopted(fact: &Fact, parent: SessionId, shared: &[Sealed]) -> Fact {
    match (fact, shared.last()) {
        (Fact::SessionOpened(opening), Some(last)) => Fact::SessionOpened(Opening {
            forked_from: Some(ForkPoint { session: parent, seq: last.event.seq, hash: last.hash }),
            // It works for whoever forked it.
            parent: None,
            ..opening.clone()
        }),
        (other, _) => other.clone(),
    }
}

fn append(state: &mut State, stepped: &mut Stepped, event: Event) -> Result<(), Misfit> {
    let sealed = seal(state.head, event);
    state.apply(&sealed)?;
    stepped.events.push(sealed);
    Ok(())
}

/// What leaves the copied run waiting for somebody, with nothing in flight.
fn closing_facts(state: &State) -> Vec<Fact> {
    let Some(run) = &state.run else {
        return Vec::new();
    };
    let mut facts = Vec::new();
    match &run.parked {
        Some((_, None)) if !has_foreign(run) => return facts,
        // By itself it would spend without anybody asking this session for it.
        Some(_) => {
            facts.push(Fact::RunWoken { by: "the fork".to_owned(), turns_more: 0, cap: None });
        }
        None => {}
    }
    let unknown = |call: &Call| {
        let words = "outcome unknown: the session was forked while this was under way";
        Fact::ToolReturned(Returned {
            // What its child costs is charged to the parent's run, and not to this one.
            child: call.child().map(|child| ChildEnd {
                session: child.session,
                spent: Money::ZERO,
                turns: 0,
                children: 0,
                tainted: false,
            }),
            ..Returned::plain(&call.id, Outcome::OutcomeUnknown, words)
        })
    };
    // An approval counts in the session that it was given in.
    let approved = |call: &&Call| {
        call.status == CallStatus::Waiting && call.barred.is_none() && call.was_approved()
    };
    let foreign = |call: &Call| {
        let words = "this was approved in the session that this one was forked from, which does \
                     not count here; call again to ask anew";
        Fact::ToolReturned(Returned::plain(&call.id, Outcome::Error, words))
    };
    let begun = |call: &&Call| match call.status {
        CallStatus::Begun(_) => run.parked.is_none(),
        CallStatus::Delegated(_) => true,
        CallStatus::Waiting | CallStatus::Returned(..) => false,
    };
    match &run.phase {
        Phase::Over(_) => return Vec::new(),
        Phase::Ready | Phase::Calling(_) | Phase::Closing(_) => {}
        Phase::Tooling(calls) => {
            facts.extend(calls.iter().filter(begun).map(unknown));
            facts.extend(calls.iter().filter(approved).map(foreign));
        }
    }
    facts.push(Fact::RunParked { why: Parked::Forked, wake: None });
    facts
}

/// Whether something in the run belongs to the session that it was copied from.
fn has_foreign(run: &Run) -> bool {
    run.living().next().is_some() || run.calls().iter().any(Call::was_approved)
}

/// The balance of the fork's own run: the same cap, with the inherited spend counted.
fn grant(state: &State) -> Option<Move> {
    let run = state.run.as_ref().filter(|run| !matches!(run.phase, Phase::Over(_)))?;
    let scope = Scope::Task { session: state.session, run: run.number };
    let kind = MoveKind::Grant { cap: Allowance::of(run.cap), inherited: Amount::of(run.settled) };
    Some(Move { scope, kind })
}
