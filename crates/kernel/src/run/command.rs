//! What somebody wants, and the lawful noes.
//!
//! A command comes from a person, from the engine with an answer from outside, or from
//! the clock. A refusal has a stable code, and words that say what to do next.

use super::approval::Given;
use crate::event::{Answer, Done, ModelFault, Opening, Returned};
use crate::ledger::CapReached;
use crate::message::{Block, Reply};
use crate::price::Spent;
use crate::units::{Money, SessionId, UnixMs};

/// What somebody wants.
#[derive(Clone, Debug)]
pub enum Command {
    /// Open the session.
    Open(Opening),
    /// Give it a task.
    Start {
        /// The task.
        input: Vec<Block>,
        /// What ends the run.
        done: Done,
        /// The most that it may cost; the agent's own cap where absent.
        cap: Option<Money>,
        /// Model responses that it may take; the agent's own number where absent.
        turns_max: Option<u32>,
    },
    /// Carry on from where the log stands.
    Advance,
    /// The model answered.
    Replied(Reply),
    /// The model call failed for good.
    Failed {
        /// How.
        fault: ModelFault,
        /// What it cost.
        spent: Spent,
        /// The fallback that this was spent on; `None`: the agent's own model.
        fallback: Option<String>,
    },
    /// The model call of a former owner is lost.
    Lost,
    /// A tool call came to an end.
    Returned(Returned),
    /// Somebody entitled answers what was asked about a call.
    Answer(Given),
    /// A former owner's effect certainly did not happen.
    NotDone {
        /// The id of the call.
        call: String,
    },
    /// Wait in the store: the program stops.
    Park,
    /// Wait in the store until a sleeping child wakes.
    AwaitChild {
        /// The child.
        child: SessionId,
        /// When it wakes.
        until: UnixMs,
    },
    /// Go on with a parked run.
    Wake(Wake),
    /// End the run.
    Cancel {
        /// Who wants it, for people.
        by: String,
    },
}

/// Who wakes a parked run, with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Its time has come.
    Due,
    /// The cap that it waits on has room again: somebody raised it, or others settled.
    Room,
    /// One of the children that it waits for is over.
    Child(SessionId),
    /// A person entitled to it.
    Person {
        /// Who, for people.
        by: String,
        /// Turns to add; after a turn cap the agent's own number where absent.
        turns_more: Option<u32>,
        /// A new cap for the run.
        cap: Option<Money>,
    },
}

/// A lawful no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The session is open already, or not open yet.
    #[error("the session is not in a state to be opened or used like this")]
    NotOpen,
    /// A task without words.
    #[error("the task is empty\nsay in words what is to be done")]
    EmptyTask,
    /// A run is under way.
    #[error("run {run} of this session is still under way\nwait for its end, or cancel it")]
    RunActive {
        /// Its number.
        run: u32,
    },
    /// A run waits in the store.
    #[error("run {run} of this session is parked ({why})\nresume it, or cancel it first")]
    RunParked {
        /// Its number.
        run: u32,
        /// The code of its reason.
        why: &'static str,
    },
    /// There is nothing to resume.
    #[error("this session has no parked run")]
    NotParked,
    /// It sleeps until later.
    #[error("the run does not wake before its time")]
    NotDue,
    /// There is nothing to cancel.
    #[error("this session has no run to cancel")]
    NothingToCancel,
    /// A money cap on a model whose price nobody knows.
    #[error(
        "model `{model}` has no price, and the run has a money cap\n\
         give its price in the configuration, or take the cap away"
    )]
    NoPrice {
        /// The model.
        model: String,
    },
    /// The run is at its cap, and nobody raised it.
    #[error(
        "the run has spent {} of its cap {} and needs {} more for the next call\n\
         raise the cap to go on",
        Money(_0.settled), Money(_0.cap), Money(_0.needed)
    )]
    CostCapExceeded(CapReached),
    /// An answer for something that nobody waits for.
    #[error("nobody waits for this answer any more")]
    NotAwaited,
    /// The session works for another one, which alone gives it tasks, turns and money.
    #[error(
        "this session is a child of session {parent}, which alone gives it tasks and budget\n\
         fork it to go on with it by yourself"
    )]
    Delegated {
        /// The session that it works for.
        parent: SessionId,
    },
    /// A cap for a run with a living child that has none: what the child spends would pass it.
    #[error(
        "the run cannot be given a cap while its child {child} works without one\n\
         resume it without a cap, and give one after the child's end; or cancel the run"
    )]
    UncappedChild {
        /// The child.
        child: SessionId,
    },
    /// The run waits for somebody's consent, not for a push.
    #[error(
        "the run waits until somebody says whether `{tools}` may run\n\
         approve or deny the calls; it goes on by itself then"
    )]
    AwaitsApproval {
        /// The tools that were asked for.
        tools: String,
    },
    /// Nobody asked about this call, or it has other arguments.
    #[error(
        "nothing is asked about call `{call}` with these arguments\n\
         list what is asked now; other arguments are another call"
    )]
    NotAsked {
        /// The call.
        call: String,
    },
    /// Somebody gave the other answer before, or the time to answer is over.
    #[error("{}", standing_answer(call, *answer, by))]
    Answered {
        /// The call.
        call: String,
        /// The answer that stands.
        answer: Answer,
        /// Whose it is.
        by: String,
    },
    /// The run cannot stop here.
    #[error("the run is in the middle of an act and cannot be parked")]
    MidAct,
}

fn standing_answer(call: &str, answer: Answer, by: &str) -> String {
    match answer {
        Answer::Approved | Answer::Denied => {
            format!("call `{call}` was {} by {by} before", answer.name())
        }
        Answer::Expired => {
            format!("the time to answer about call `{call}` is over, which means no")
        }
    }
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::NotOpen => "not_open",
            Refusal::EmptyTask => "empty_task",
            Refusal::RunActive { .. } => "run_active",
            Refusal::RunParked { .. } => "run_parked",
            Refusal::NotParked => "not_parked",
            Refusal::NotDue => "not_due",
            Refusal::NothingToCancel => "nothing_to_cancel",
            Refusal::NoPrice { .. } => "no_price",
            Refusal::CostCapExceeded(_) => "cost_cap_exceeded",
            Refusal::NotAwaited => "not_awaited",
            Refusal::Delegated { .. } => "delegated",
            Refusal::UncappedChild { .. } => "uncapped_child",
            Refusal::AwaitsApproval { .. } => "awaits_approval",
            Refusal::NotAsked { .. } => "not_asked",
            Refusal::Answered { .. } => "already_answered",
            Refusal::MidAct => "mid_act",
        }
    }
}
