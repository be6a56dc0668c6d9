//! Facts: what happened, past tense, immutable, numbered, chained by hash.
//!
//! Serialized means for ever: old logs must always read. New fields are optional, no
//! variant is ever renamed, and [`FORMAT`] grows when a reader needs to know. The chain
//! is BLAKE3 over (hash before, sequence number, instant, format, body), so that any
//! later change of any stored byte shows.

use serde::{Deserialize, Serialize};

use crate::json::RawJson;
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
        /// The version of the prices that the hold was computed with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prices: Option<String>,
        /// Whether the model may not call tools: the last answer before the turn cap.
        #[serde(default, skip_serializing_if = "is_false")]
        tools_off: bool,
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
    },
    /// The owner died during the call; nobody knows whether it was made. Settled at its hold.
    ModelLost {
        /// The hold that was settled.
        #[serde(default, skip_serializing_if = "is_nothing")]
        cost: Money,
    },
    /// A call that must not happen twice is about to be made.
    ToolBegun {
        /// Who makes it.
        epoch: Epoch,
        /// The id of the call within its turn.
        call: String,
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
            Fact::ModelBegun { .. } => "model_begun",
            Fact::ModelReplied { .. } => "model_replied",
            Fact::ModelFailed { .. } => "model_failed",
            Fact::ModelLost { .. } => "model_lost",
            Fact::ToolBegun { .. } => "tool_begun",
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
    /// The frozen agent definition.
    pub agent: ContentHash,
    /// The agent's name, for people.
    pub agent_id: String,
    /// The folder that its file tools work in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workdir: Option<String>,
    /// The session and event that it continues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<ForkPoint>,
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

/// Words of the harness to the model. They are stored as facts about what was said, and
/// rendered by [`Notice::text`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// The turn cap comes near.
    TurnsLeft(u32),
    /// The next answer is the last one, without tools.
    LastTurn,
    /// An answer came without tool calls and without the done signal.
    DoneSignalMissing,
    /// An answer was cut at `max_tokens`.
    AnswerCut,
    /// The run was resumed after its turn cap.
    TurnsGranted(u32),
    /// The conversation goes on after a pause.
    GoOn,
}

impl Notice {
    /// The words, as the model reads them. They are part of what was sent: once a
    /// version is released they never change, or cached prefixes and replays break.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Notice::TurnsLeft(1) => "[harness] One more turn with tools is left before the \
                 turn limit; after it comes one last answer without tools. Finish the most \
                 important work now."
                .to_owned(),
            Notice::TurnsLeft(left) => format!(
                "[harness] {left} more turns with tools are left before the turn limit. \
                 Finish the most important work first."
            ),
            Notice::LastTurn => "[harness] The turn limit is reached and tools are off. Give \
                 your last answer now: what is done, what was found, and what is left to do."
                .to_owned(),
            Notice::DoneSignalMissing => "[harness] Your answer called no tool and did not \
                 end the task. If the task is done, call `end_task` with the result; \
                 otherwise go on."
                .to_owned(),
            Notice::AnswerCut => "[harness] Your answer was cut at the length limit. Go on \
                 where it stopped."
                .to_owned(),
            Notice::TurnsGranted(turns) => {
                format!("[harness] {turns} more turns were granted and tools are on again. Go on.")
            }
            Notice::GoOn => "[harness] Go on.".to_owned(),
        }
    }
}

/// How a model call failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFault {
    /// The class, which says what to do next.
    pub class: FaultClass,
    /// The provider's words, shortened.
    pub message: String,
    /// How long the provider asked us to wait, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The provider's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// The classes of model failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultClass {
    /// Too many requests or tokens for now.
    RateLimited,
    /// The provider has no room for anybody now.
    Overloaded,
    /// The provider broke.
    Server,
    /// No connection, or it broke before anything came.
    Network,
    /// No answer within the deadline.
    Timeout,
    /// The stream ended before the answer did.
    Cut,
    /// What came is not what the protocol says.
    Malformed,
    /// The key is missing, wrong or not entitled.
    Auth,
    /// The account has no money or a spend limit is reached.
    Billing,
    /// There is no such model.
    UnknownModel,
    /// The request is wrong; the same request will be wrong again.
    InvalidRequest,
    /// The request is larger than the provider takes.
    TooLarge,
    /// Our side stopped the call.
    Interrupted,
}

/// What the caller of a failed model call does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Wait and try the same again.
    Retry,
    /// A person must mend the account, the key or the configuration; then try again.
    Mend,
    /// Never the same again.
    GiveUp,
}

impl FaultClass {
    /// What the caller does next.
    #[must_use]
    pub fn next_step(self) -> NextStep {
        match self {
            FaultClass::RateLimited
            | FaultClass::Overloaded
            | FaultClass::Server
            | FaultClass::Network
            | FaultClass::Timeout
            | FaultClass::Cut
            | FaultClass::Malformed
            | FaultClass::Interrupted => NextStep::Retry,
            FaultClass::Auth | FaultClass::Billing | FaultClass::UnknownModel => NextStep::Mend,
            FaultClass::InvalidRequest | FaultClass::TooLarge => NextStep::GiveUp,
        }
    }

    /// The stable code, as in the log.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            FaultClass::RateLimited => "rate_limited",
            FaultClass::Overloaded => "overloaded",
            FaultClass::Server => "server",
            FaultClass::Network => "network",
            FaultClass::Timeout => "timeout",
            FaultClass::Cut => "cut",
            FaultClass::Malformed => "malformed",
            FaultClass::Auth => "auth",
            FaultClass::Billing => "billing",
            FaultClass::UnknownModel => "unknown_model",
            FaultClass::InvalidRequest => "invalid_request",
            FaultClass::TooLarge => "too_large",
            FaultClass::Interrupted => "interrupted",
        }
    }
}

/// The end of a tool call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Returned {
    /// The id of the call within its turn.
    pub call: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What the model reads, already cut to the tool's output limit.
    pub content: String,
    /// Where the whole output is kept, if it was longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<PayloadRef>,
    /// How long the call took, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub took_ms: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// How a tool call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did what it was asked.
    Ok,
    /// It did not; the content says why.
    Error,
    /// It began and nobody knows whether it happened. It is never run again by itself.
    OutcomeUnknown,
    /// It was not run, because the run was cancelled.
    Cancelled,
}

/// A payload kept by content hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadRef {
    /// BLAKE3 of the bytes. Its text form is the handle that `more` takes.
    pub hash: ContentHash,
    /// The length.
    pub bytes: u64,
}

/// Why a run waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parked {
    /// It used all its turns.
    TurnCap {
        /// How many it had.
        turns_max: u32,
    },
    /// The next call could pass a money cap.
    CostCapExceeded {
        /// The scope's ledger key.
        scope: String,
        /// The cap.
        cap: Money,
        /// Spent.
        settled: Money,
        /// Reserved by others at that moment.
        held: Money,
        /// What the next call needs at the least.
        needed: Money,
    },
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
}

impl Parked {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Parked::TurnCap { .. } => "turn_cap_reached",
            Parked::CostCapExceeded { .. } => "cost_cap_exceeded",
            Parked::Outage(_) => "provider_outage",
            Parked::NeedsMending(_) => "provider_needs_mending",
            Parked::NoDoneSignal => "no_done_signal",
            Parked::Interrupted => "interrupted",
            Parked::Forked => "forked",
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

/// An event as it is stored: its body as bytes, and its links in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Sealed {
    /// The event.
    pub event: Event,
    /// The fact as JSON.
    pub body: String,
    /// The hash of the event before.
    pub prev: ContentHash,
    /// The hash of this event.
    pub hash: ContentHash,
}

/// An event's row as a store gives it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub seq: u64,
    /// When it was committed.
    pub at: UnixMs,
    /// The format version that it was written in.
    pub format: u8,
    /// The hash of the event before.
    pub prev: ContentHash,
    /// The fact as JSON.
    pub body: String,
}

/// Why a stored event is not the one that was committed.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A row is missing or doubled.
    #[error("event {expected} is missing (found {found})")]
    Gap {
        /// The number that should come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// The chain does not hold.
    #[error("event {seq} does not continue the chain: it, or one before it, was altered")]
    Chain {
        /// Where.
        seq: u64,
    },
    /// Written by a newer program.
    #[error("event {seq} has format {format}, newer than this program knows")]
    Newer {
        /// Where.
        seq: u64,
        /// Its format.
        format: u8,
    },
    /// The body is not a fact.
    #[error("event {seq} cannot be read: {why}")]
    Unreadable {
        /// Where.
        seq: u64,
        /// The JSON mistake.
        why: serde_json::Error,
    },
}

/// What the first event's `prev` is: it binds the chain to its session.
#[must_use]
pub fn chain_root(session: SessionId) -> ContentHash {
    ContentHash::of(format!("windlass session {session}").as_bytes())
}

fn link(prev: ContentHash, seq: u64, at: UnixMs, format: u8, body: &str) -> ContentHash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&prev.0);
    hasher.update(&seq.to_le_bytes());
    hasher.update(&at.0.to_le_bytes());
    hasher.update(&[format]);
    hasher.update(body.as_bytes());
    ContentHash(*hasher.finalize().as_bytes())
}

/// Writes an event down and chains it to the one before.
#[must_use]
pub fn seal(prev: ContentHash, event: Event) -> Sealed {
    let body = serde_json::to_string(&event.fact)
        .expect("INVARIANT: facts have string keys and always serialize");
    let hash = link(prev, event.seq, event.at, FORMAT, &body);
    Sealed { event, body, prev, hash }
}

/// Reads a stored event and checks that it continues the chain.
///
/// # Errors
/// It is not the event that was committed after `prev`, or not readable.
pub fn unseal(prev: ContentHash, seq: u64, row: Stored) -> Result<Sealed, Broken> {
    if row.seq != seq {
        return Err(Broken::Gap { expected: seq, found: row.seq });
    }
    if row.format > FORMAT {
        return Err(Broken::Newer { seq, format: row.format });
    }
    if row.prev != prev {
        return Err(Broken::Chain { seq });
    }
    let fact = serde_json::from_str(&row.body).map_err(|why| Broken::Unreadable { seq, why })?;
    let hash = link(prev, seq, row.at, row.format, &row.body);
    Ok(Sealed { event: Event { seq, at: row.at, fact }, body: row.body, prev, hash })
}
