//! One call for a tool, from the model's wish to its result.

use serde_json::Value;

use super::talk::uses;
use crate::agent::{Agent, END_TASK, Effect};
use crate::event::Outcome;
use crate::json::RawJson;
use crate::message::{Arguments, Reply, ToolResult};
use crate::units::Epoch;

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
    /// How far it is.
    pub status: CallStatus,
}

/// How far a call is.
#[derive(Clone, Debug, PartialEq)]
pub enum CallStatus {
    /// Nothing happened yet.
    Waiting,
    /// It was begun by the owner with this epoch.
    Begun(Epoch),
    /// It came to an end.
    Returned(Outcome, ToolResult),
}

/// The calls for tools in an answer, each with its class, in the order they were asked
/// for. `super::owed` says in which order they run.
pub(super) fn calls_of(agent: &Agent, reply: &Reply, tools_off: bool) -> Vec<Call> {
    let limit = agent.limits.calls_per_turn_max as usize;
    let calls = uses(&reply.content).enumerate().map(|(place, call)| Call {
        id: call.id.clone(),
        name: call.name.clone(),
        arguments: call.arguments.clone(),
        effect: agent.effect_of(&call.name, &call.arguments),
        barred: bar(agent, &call.name, &call.arguments, tools_off, place >= limit),
        status: CallStatus::Waiting,
    });
    calls.collect()
}

/// Why a call is answered without running, in words for the model.
fn bar(
    agent: &Agent,
    name: &str,
    arguments: &Arguments,
    tools_off: bool,
    too_many: bool,
) -> Option<String> {
    if tools_off {
        return Some("tools are off for this answer".to_owned());
    }
    if too_many {
        let limit = agent.limits.calls_per_turn_max;
        return Some(format!("only the first {limit} tool calls of an answer are run"));
    }
    if agent.tool(name).is_none() {
        let names: Vec<&str> = agent.tools.iter().map(|tool| tool.name.as_str()).collect();
        return Some(format!("there is no tool `{name}`; there are: {}", names.join(", ")));
    }
    match arguments {
        Arguments::Json(_) => None,
        Arguments::Malformed(_) => Some(
            "the arguments are not one JSON object; send the call again with valid JSON".to_owned(),
        ),
    }
}

impl Call {
    /// The result as the model reads it, or words that there is none yet.
    pub(super) fn result_so_far(&self) -> ToolResult {
        match &self.status {
            CallStatus::Returned(_, result) => result.clone(),
            CallStatus::Waiting | CallStatus::Begun(_) => ToolResult {
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
