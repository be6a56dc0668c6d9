//! A child as its parent sees it: at work, asleep, stuck, or over with a result.
//!
//! The parent always gets a final result. What only a person or a raised cap could mend
//! in a child is the child's end: it is cancelled, and its parent decides what to do.

use serde_json::Value;

use super::state::State;
use super::task::{Ended, Phase, Run};
use crate::event::{ChildEnd, Outcome, Parked};
use crate::json::RawJson;
use crate::units::UnixMs;

/// How a child stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It is over; this is what its parent is told.
    Over(Report),
    /// Something is owed for it.
    Works,
    /// It waits, and wakes by itself at this instant.
    Sleeps(UnixMs),
    /// It waits because a program was stopped; its parent wakes it.
    Paused,
    /// It waits for what a child does not get; why, in words.
    Stuck(String),
}

/// The end of a child, for its parent.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How the parent's call ended.
    pub outcome: Outcome,
    /// What the parent's model reads.
    pub content: String,
    /// What it used.
    pub end: ChildEnd,
}

/// How the session of a child stands.
#[must_use]
pub fn standing(child: &State) -> Standing {
    let Some(run) = &child.run else {
        return Standing::Works;
    };
    match (&run.parked, &run.phase) {
        (Some((why, wake)), _) => waiting(why, *wake),
        (None, Phase::Over(ended)) => Standing::Over(report(child, run, ended)),
        (None, Phase::Ready | Phase::Calling(_) | Phase::Tooling(_) | Phase::Closing(_)) => {
            Standing::Works
        }
    }
}

/// What a child's waiting means. Only what mends itself is waited for.
fn waiting(why: &Parked, wake: Option<UnixMs>) -> Standing {
    match (why, wake) {
        (Parked::Interrupted | Parked::HandedOver, _) => Standing::Paused,
        (_, Some(wake)) => Standing::Sleeps(wake),
        (why, None) => Standing::Stuck(match details(why) {
            Some(details) => format!("{} ({details})", why.code()),
            None => why.code().to_owned(),
        }),
    }
}

/// What the code alone does not say.
fn details(why: &Parked) -> Option<String> {
    match why {
        Parked::TurnCap { turns_max } => Some(format!("it had {turns_max} turns")),
        Parked::CostCapExceeded(reached) => Some(reached.to_string()),
        Parked::Outage(fault) | Parked::NeedsMending(fault) => Some(fault.message.clone()),
        Parked::Faulted { message } => Some(message.clone()),
        Parked::LoopDetected { reason, .. } => Some(reason.clone()),
        Parked::NoDoneSignal
        | Parked::Interrupted
        | Parked::Forked
        | Parked::HandedOver
        | Parked::CrashLoop { .. }
        | Parked::WaitsForChild { .. } => None,
        Parked::AwaitsApproval { tools } => Some(tools.join(", ")),
    }
}

fn report(child: &State, run: &Run, ended: &Ended) -> Report {
    let end = ChildEnd {
        session: child.session,
        spent: run.settled,
        turns: run.turns.saturating_add(run.turns_lent),
        children: run.children,
        tainted: child.tainted,
    };
    let (outcome, content) = match ended {
        Ended::Finished(result) => (Outcome::Ok, plain(result)),
        Ended::Failed(code, message) => {
            (Outcome::Error, unfinished(run, &end, &format!("{}: {message}", code.code())))
        }
        Ended::Cancelled => {
            let by = run.cancelled_by.as_deref().unwrap_or("somebody");
            (Outcome::Error, unfinished(run, &end, &format!("it was cancelled by {by}")))
        }
    };
    Report { outcome, content, end }
}

/// A text as it is, anything else as JSON.
fn plain(result: &RawJson) -> String {
    match result.value() {
        Value::String(text) => text,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            result.text().to_owned()
        }
    }
}

fn unfinished(run: &Run, end: &ChildEnd, why: &str) -> String {
    let said = run.last_text.trim();
    let said = if said.is_empty() { String::new() } else { format!("\nIts last words: {said}") };
    let (turns, spent, session) = (end.turns, end.spent, end.session);
    format!(
        "The child ended without a result: {why}. It took {turns} turns and cost {spent}; its \
         log is session {session}.{said}"
    )
}
