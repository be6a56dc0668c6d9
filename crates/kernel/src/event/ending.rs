//! Why runs wait, and why they cannot go on.

use serde::{Deserialize, Serialize};

use super::ModelFault;
use crate::breaker::loops::Kind;
use crate::ledger::CapReached;
use crate::units::{SessionId, UnixMs};

/// Why a run waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parked {
    /// It used all its turns.
    TurnCap {
        /// How many it had.
        turns_max: u32,
    },
    /// The next call could pass a cap. In a scope whose window turns it wakes then.
    CostCapExceeded(CapReached),
    /// The provider is out; it wakes by itself until its patience ends.
    Outage(ModelFault),
    /// A person must mend something at the provider first.
    NeedsMending(ModelFault),
    /// The model kept answering without the done signal.
    NoDoneSignal,
    /// Somebody stopped the program.
    Interrupted,
    /// The session is a fork; its run goes on when somebody says so.
    Forked,
    /// The program was replaced; the next one goes on with the run by itself.
    HandedOver,
    /// The program met a mistake of its own in this run, and goes on with the others.
    Faulted {
        /// What it said.
        message: String,
    },
    /// Its owners died in the same act again and again.
    CrashLoop {
        /// Acts lost in a row.
        losses: u32,
    },
    /// It went round in circles after it was told so.
    LoopDetected {
        /// The kind of the loop.
        kind: Kind,
        /// What repeats, in words.
        reason: String,
    },
    /// A child sleeps; the run goes on when that wakes or ends.
    WaitsForChild {
        /// The child.
        child: SessionId,
    },
    /// Somebody entitled must say whether calls may run. No answer in time means no.
    AwaitsApproval {
        /// The tools that were asked for.
        tools: Vec<String>,
    },
}

impl Parked {
    /// When a run parked for this at `now` wakes by itself, where nothing else says so.
    pub(crate) fn usual_wake(&self, now: UnixMs) -> Option<UnixMs> {
        match self {
            Parked::HandedOver => Some(now),
            Parked::CostCapExceeded(reached) => reached.turns,
            Parked::TurnCap { .. }
            | Parked::Outage(_)
            | Parked::NeedsMending(_)
            | Parked::NoDoneSignal
            | Parked::Interrupted
            | Parked::Forked
            | Parked::Faulted { .. }
            | Parked::CrashLoop { .. }
            | Parked::LoopDetected { .. }
            | Parked::WaitsForChild { .. }
            | Parked::AwaitsApproval { .. } => None,
        }
    }

    /// The shared cap that a run waits for to have room, if that is what it waits for. Its
    /// own cap is raised together with waking it.
    #[must_use]
    pub fn waits_for_room(&self) -> Option<&CapReached> {
        match self {
            Parked::CostCapExceeded(reached) => reached.scope.is_shared().then_some(reached),
            Parked::TurnCap { .. }
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
            | Parked::AwaitsApproval { .. } => None,
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Parked::TurnCap { .. } => "turn_cap_reached",
            Parked::CostCapExceeded(_) => "cost_cap_exceeded",
            Parked::Outage(_) => "provider_outage",
            Parked::NeedsMending(_) => "provider_needs_mending",
            Parked::NoDoneSignal => "no_done_signal",
            Parked::Interrupted => "interrupted",
            Parked::Forked => "forked",
            Parked::HandedOver => "handed_over",
            Parked::Faulted { .. } => "faulted",
            Parked::CrashLoop { .. } => "crash_loop",
            Parked::LoopDetected { .. } => "loop_detected",
            Parked::WaitsForChild { .. } => "waits_for_child",
            Parked::AwaitsApproval { .. } => "awaits_approval",
        }
    }
}

/// Why a run cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// The provider rejects the request, and would again.
    ModelRejected,
    /// The model refused the task.
    ModelRefused,
    /// The conversation no longer fits the model's window.
    ContextWindowExceeded,
}

impl FailureCode {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            FailureCode::ModelRejected => "model_rejected",
            FailureCode::ModelRefused => "model_refused",
            FailureCode::ContextWindowExceeded => "context_window_exceeded",
        }
    }
}
