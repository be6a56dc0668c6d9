//! One call for a tool, from the model's wish to its result.

use std::collections::BTreeSet;

use serde_json::Value;

use super::child::Child;
use super::presentable::CALLS_RUN_MAX;
use super::talk::uses;
use crate::agent::{Agent, END_TASK, Effect};
use crate::event::{Ask, Outcome};
use crate::json::RawJson;
use crate::message::{Arguments, Block, Reply, Stop, ToolResult, ToolUse};
use crate::units::Epoch;
use crate::verdict::Judgement;

/// One call for a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its id, unique in the session.
    pub id: String,
    /// The tool's name as the model wrote it.
    pub name: String,
    /// The arguments.
    pub arguments: Arguments,
    /// What running it twice would mean.
    pub effect: Effect,
    /// Why it is answered without running, if it is.
    pub barred: Option<String>,
    /// Whether it may run.
    pub leave: Leave,
    /// The verdict on it.
    pub judgement: Option<Judgement>,
    /// How far it is.
    pub status: CallStatus,
}

/// Whether a call may run. One that may not is barred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Nobody said yet.
    Unjudged,
    /// It may.
    Given,
    /// Somebody was asked.
    Asked(Ask),
}

/// How far a call is.
#[derive(Clone, Debug, PartialEq)]
pub enum CallStatus {
    /// Nothing happened yet.
    Waiting,
    /// It was begun by the owner with this epoch.
    Begun(Epoch),
    /// A child works on it.
    Delegated(Child),
    /// It came to an end.
    Returned(Outcome, ToolResult),
}

/// The calls for tools in an answer, each with its class, in the order they were asked
/// for. `super::owed` says in which order they run.
pub(super) fn calls_of(
    agent: &Agent,
    reply: &Reply,
    tools_off: bool,
    withdrawn: &BTreeSet<String>,
) -> Vec<Call> {
    let calls = uses(&reply.content).enumerate().map(|(place, call)| Call {
        id: call.id.clone(),
        name: call.name.clone(),
        arguments: call.arguments.clone(),
        effect: agent.effect_of(&call.name, &call.arguments),
        barred: bar_of_answer(agent, reply, call, place, tools_off)
            .or_else(|| bar_of_call(agent, &call.name, &call.arguments))
            .or_else(|| bar_of_tool(withdrawn, &call.name)),
        leave: Leave::Unjudged,
        judgement: None,
        status: CallStatus::Waiting,
    });
    calls.collect()
}

/// Why a call is answered without running because of the answer that it stands in, in
/// words for the model.
fn bar_of_answer(
    agent: &Agent,
    reply: &Reply,
    call: &ToolUse,
    place: usize,
    tools_off: bool,
) -> Option<String> {
    if tools_off {
        return Some("tools are off for this answer".to_owned());
    }
    let limit = CALLS_RUN_MAX.min(agent.limits.calls_per_turn_max as usize);
    if place >= limit {
        return Some(format!("only the first {limit} tool calls of an answer are run"));
    }
    match &reply.stop {
        Stop::Refusal | Stop::ContextWindow => {
            Some("the answer broke off; its calls are not run".to_owned())
        }
        // The cut may go through the arguments and leave JSON that looks whole.
        Stop::MaxTokens if ends_with(reply, call) => {
            Some("the answer was cut in this call; send the call again".to_owned())
        }
        Stop::MaxTokens
        | Stop::EndTurn
        | Stop::StopSequence
        | Stop::ToolUse
        | Stop::PauseTurn
        | Stop::Other(_) => None,
    }
}

fn ends_with(reply: &Reply, call: &ToolUse) -> bool {
    matches!(reply.content.last(), Some(Block::ToolUse(last)) if last.id == call.id)
}

/// Why a call is answered without running because of what it is itself, in words for
/// the model.
fn bar_of_call(agent: &Agent, name: &str, arguments: &Arguments) -> Option<String> {
    if agent.tool(name).is_none() {
        let names: Vec<&str> = agent.tools.iter().map(|tool| tool.name.as_str()).collect();
        return Some(format!("there is no tool `{name}`; there are: {}", names.join(", ")));
    }
    match arguments {
        Arguments::Json(raw) if raw.text().starts_with('{') => None,
        Arguments::Json(_) | Arguments::Malformed(_) => Some(
            "the arguments are not one JSON object; send the call again with valid JSON".to_owned(),
        ),
    }
}

/// Why a call is answered without running because its tool is withdrawn.
fn bar_of_tool(withdrawn: &BTreeSet<String>, name: &str) -> Option<String> {
    let words = "does not work at the moment and is withdrawn; go on without it";
    withdrawn.contains(name).then(|| format!("the tool `{name}` {words}"))
}

impl Call {
    /// The result as the model reads it, or words that there is none yet.
    pub(super) fn result_so_far(&self) -> ToolResult {
        match &self.status {
            CallStatus::Returned(_, result) => result.clone(),
            CallStatus::Waiting | CallStatus::Begun(_) | CallStatus::Delegated(_) => ToolResult {
                id: self.id.clone(),
                content: "no result: the call was not finished".to_owned(),
                is_error: true,
                extra: Default::default(),
            },
        }
    }

    /// The result given with the done signal, if this call is one and succeeded.
    pub(super) fn done_signal(&self) -> Option<RawJson> {
        let succeeded = matches!(self.status, CallStatus::Returned(Outcome::Ok, _));
        match &self.arguments {
            Arguments::Json(raw) if succeeded && self.name == END_TASK => {
                let result = raw.value().get("result").cloned().unwrap_or(Value::Null);
                Some(RawJson::of(&result))
            }
            Arguments::Json(_) | Arguments::Malformed(_) => None,
        }
    }
}
