//! Facts: what happened, past tense, immutable, numbered, chained by hash.
//!
//! Serialized means for ever: old logs must always read. New fields are optional, no
//! variant is ever renamed, and [`FORMAT`] grows when a reader needs to know.

mod chain;
mod child;
mod ending;
mod fault;
mod notice;
mod purpose;
mod returned;
mod ruling;
mod scope;
mod signs;
mod standin;

pub use chain::{Broken, Sealed, Stored, chain_root, seal, unseal};
pub use child::{Carve, ChildEnd, Parent};
pub use ending::{FailureCode, Parked};
pub use fault::{FaultClass, ModelFault, NextStep};
pub use notice::Notice;
pub use purpose::Purpose;
pub use returned::{HANDLE_DIGITS, Outcome, PayloadRef, Returned, event_handle, event_of_handle};
pub use ruling::{Answer, Ask, Ruling};
pub use scope::{Dropped, SessionScope};
pub use signs::{SPANS_MAX, Sign, Signs};
pub use standin::{
    Again, Cleared, LEFT_OUT, STANDIN_BYTES_MAX, SUMMARY_REQUEST, left_out, standin,
};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::json::RawJson;
use crate::ledger::Scope;
use crate::message::{Block, Reply};
use crate::units::{ContentHash, Epoch, Money, SessionId, Tenant, UnixMs};

/// The version of the event format that this code writes.
pub const FORMAT: u8 = 1;

/// A fact with its place and time.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its number in the session: 1 for the first.
    pub seq: u64,
    /// When it was committed, by the writer's clock. Told, never decided upon.
    pub at: UnixMs,
    /// What happened.
    pub fact: Fact,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// The session came into being. Always the first fact, and only there.
    SessionOpened(Opening),
    /// A task was given.
    RunStarted {
        /// The run's number in its session: 1 for the first.
        run: u32,
        /// What was asked.
        input: Vec<Block>,
        /// What ends the run.
        done: Done,
        /// The most that it may cost.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cap: Option<Money>,
        /// Model responses that it may take.
        turns_max: u32,
    },
    /// The harness told the model something.
    Notified(Notice),
    /// From now on the session's calls are held in these scopes too, beside its own run.
    Budgeted {
        /// The scopes, in their order.
        to: Vec<Scope>,
    },
    /// A model call is about to be made, and its worst case is held.
    ModelBegun {
        /// Who makes it.
        epoch: Epoch,
        /// The turn it belongs to: 1 for the run's first.
        turn: u32,
        /// The longest answer it asks for, in tokens.
        max_tokens: u32,
        /// Whether `max_tokens` was lowered to what the cap could still pay.
        #[serde(default, skip_serializing_if = "is_false")]
        clamped: bool,
        /// The money held for it.
        #[serde(default, skip_serializing_if = "is_nothing")]
        hold: Money,
        /// The tokens held for it, in and out.
        #[serde(default, skip_serializing_if = "is_zero")]
        tokens: u64,
        /// The version of the prices that the hold was computed with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prices: Option<String>,
        /// Whether the model may not call tools: the last answer before the turn cap.
        #[serde(default, skip_serializing_if = "is_false")]
        tools_off: bool,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Purpose::is_answer")]
        purpose: Purpose,
    },
    /// The model answered, and the hold was settled.
    ModelReplied {
        /// The answer.
        reply: Reply,
        /// What it cost.
        #[serde(default, skip_serializing_if = "is_nothing")]
        cost: Money,
        /// Whether the cost is our estimate, because the vendor told no usage.
        #[serde(default, skip_serializing_if = "is_false")]
        estimated: bool,
    },
    /// The model call failed for good, after the short retries.
    ModelFailed {
        /// How.
        fault: ModelFault,
        /// What it cost nevertheless.
        #[serde(default, skip_serializing_if = "is_nothing")]
        cost: Money,
        /// Whether the cost is our estimate.
        #[serde(default, skip_serializing_if = "is_false")]
        estimated: bool,
        /// The tokens that it used nevertheless.
        #[serde(default, skip_serializing_if = "is_zero")]
        tokens: u64,
        /// The fallback that this was spent on; none: the agent's own model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fallback: Option<String>,
    },
    /// The owner died during the call; nobody knows whether it was made. Settled at its hold.
    ModelLost {
        /// The hold that was settled.
        #[serde(default, skip_serializing_if = "is_nothing")]
        cost: Money,
    },
    /// Old or long tool results are shown as short texts from here on.
    ResultsCleared(Cleared),
    /// The model's last summary stands for all but the last turns from here on.
    Summarised {
        /// The turns that stay word for word.
        turns_kept: u32,
    },
    /// All but the last turns are left out from here on, without a summary.
    TurnsDropped {
        /// The turns that stay word for word.
        turns_kept: u32,
    },
    /// It was decided which calls of the turn may run.
    ToolsJudged {
        /// The verdicts, in the order of the calls.
        rulings: Vec<Ruling>,
    },
    /// What was asked about a call is answered.
    ApprovalDecided {
        /// The id of the call.
        call: String,
        /// The answer.
        answer: Answer,
        /// Who answered, for people.
        by: String,
        /// What they said to the model.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        words: String,
    },
    /// A call that must not happen twice is about to be made.
    ToolBegun {
        /// Who makes it.
        epoch: Epoch,
        /// The id of the call within its turn.
        call: String,
    },
    /// A child session is about to be opened for a call, and what it gets is carved out
    /// of this run.
    ChildBegun {
        /// Who begins it.
        epoch: Epoch,
        /// The id of the call within its turn.
        call: String,
        /// The child's session.
        child: SessionId,
        /// What it gets.
        carve: Carve,
    },
    /// A tool call came to an end.
    ToolReturned(Returned),
    /// Somebody asked for the run to be cancelled; the owner ends it at the next step.
    CancelAsked {
        /// Who, for people.
        by: String,
    },
    /// The run waits in the store. It holds no money.
    RunParked {
        /// Why.
        why: Parked,
        /// When it wakes by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wake: Option<UnixMs>,
    },
    /// A parked run goes on.
    RunWoken {
        /// By whom or what, for people.
        by: String,
        /// Turns added to its allowance.
        #[serde(default, skip_serializing_if = "no_turns")]
        turns_more: u32,
        /// Its new cap, where it was raised.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cap: Option<Money>,
    },
    /// The run reached its end.
    RunFinished {
        /// The result given to `end_task`, or the last answer's text as a JSON string.
        result: RawJson,
    },
    /// The run cannot go on.
    RunFailed {
        /// A stable code.
        code: FailureCode,
        /// What happened, for people.
        message: String,
    },
    /// The run was cancelled.
    RunCancelled {},
}

impl Fact {
    /// The fact's name, as in the log.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Fact::SessionOpened(_) => "session_opened",
            Fact::RunStarted { .. } => "run_started",
            Fact::Notified(_) => "notified",
            Fact::Budgeted { .. } => "budgeted",
            Fact::ModelBegun { .. } => "model_begun",
            Fact::ModelReplied { .. } => "model_replied",
            Fact::ModelFailed { .. } => "model_failed",
            Fact::ModelLost { .. } => "model_lost",
            Fact::ResultsCleared(_) => "results_cleared",
            Fact::Summarised { .. } => "summarised",
            Fact::TurnsDropped { .. } => "turns_dropped",
            Fact::ToolsJudged { .. } => "tools_judged",
            Fact::ApprovalDecided { .. } => "approval_decided",
            Fact::ToolBegun { .. } => "tool_begun",
            Fact::ChildBegun { .. } => "child_begun",
            Fact::ToolReturned(_) => "tool_returned",
            Fact::CancelAsked { .. } => "cancel_asked",
            Fact::RunParked { .. } => "run_parked",
            Fact::RunWoken { .. } => "run_woken",
            Fact::RunFinished { .. } => "run_finished",
            Fact::RunFailed { .. } => "run_failed",
            Fact::RunCancelled {} => "run_cancelled",
        }
    }
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

fn is_nothing(money: &Money) -> bool {
    *money == Money::ZERO
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

fn no_turns(turns: &u32) -> bool {
    *turns == 0
}

/// How a session came into being.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    /// Whose it is.
    pub tenant: Tenant,
    /// Whose within the tenant.
    pub user: String,
    /// What else its calls are counted under: a team, a key, ….
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The frozen agent definition.
    pub agent: ContentHash,
    /// The agent's name, for people.
    pub agent_id: String,
    /// The folder that its file tools work in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workdir: Option<String>,
    /// What it was composed for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<SessionScope>,
    /// The session and event that it continues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<ForkPoint>,
    /// The session that it works for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
}

/// A place in a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForkPoint {
    /// The session.
    pub session: SessionId,
    /// Its last event that the fork shares.
    pub seq: u64,
    /// That event's hash.
    pub hash: ContentHash,
}

/// What ends a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// A successful call of `end_task`. An answer without one is not an end.
    EndTask,
    /// The first answer that asks for no tool, as in a chat. `end_task` ends it too.
    Answer,
}
