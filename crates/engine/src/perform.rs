//! Doing what is owed: one function per kind, each with a deadline and a size limit.
//!
//! Nothing is decided or stored here. What happened comes back as a command for the
//! kernel, together with the payloads that it names.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kernel::agent::{Effect, MORE};
use kernel::event::{FaultClass, Outcome, PayloadRef, Purpose, Returned};
use kernel::frame;
use kernel::message::{Arguments, Delta};
use kernel::price::{Quote, Spent};
use kernel::run::{Call, Calling, Command, Report, State};
use kernel::units::{ContentHash, SessionId, Tenant};

use crate::Engine;
use crate::ports::{
    ModelCall, ModelError, Payload, Reconciled, ToolCall, ToolError, ToolOutput, Toolbox,
};
use crate::tap::Seen;

mod more;
pub(crate) mod tools;

use tools::{Ended, Sign};

/// The largest output kept for `more`, in bytes. Beyond it the output is cut for good,
/// and says so.
const OUTPUT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What an act brought back.
pub(crate) struct Performed {
    /// For the kernel.
    pub(crate) command: Command,
    /// What the command's fact names.
    pub(crate) payloads: Vec<Payload>,
}

impl From<Command> for Performed {
    fn from(command: Command) -> Self {
        Performed { command, payloads: Vec::new() }
    }
}

/// Makes a model call.
pub(crate) async fn model(
    engine: &Engine,
    state: &State,
    calling: &Calling,
    quote: Option<Arc<Quote>>,
) -> Performed {
    let session = state.session;
    let run = state.run.as_ref().map_or(0, |run| run.number);
    let limits = &state.agent.limits;
    let call = ModelCall {
        request: Arc::new(state.request(calling)),
        deadline_ms: limits.model_deadline_ms,
        tries_max: limits.model_tries_max,
        label: label(session, run, calling),
        hold: calling.hold,
        quote,
    };
    let watch = |delta: Delta| engine.tap.show(|| Seen::Coming(session, delta));
    let answer = AssertUnwindSafe(engine.model.call(&call, &watch)).catch_unwind();
    // A model that does not keep its own deadline is stopped a little after it.
    let patience = Duration::from_millis(limits.model_deadline_ms.saturating_add(5_000));
    let command = match tokio::time::timeout(patience, answer).await {
        Ok(Ok(Ok(reply))) => Command::Replied(reply),
        Ok(Ok(Err(ModelError { fault, spent, fallback }))) => {
            Command::Failed { fault, spent, fallback }
        }
        Ok(Err(_panic)) => unknown_end(FaultClass::Malformed, "the model client crashed"),
        Err(_late) => unknown_end(FaultClass::Timeout, "no answer within the deadline"),
    };
    command.into()
}

fn label(session: SessionId, run: u32, calling: &Calling) -> String {
    let turn = calling.turn;
    match calling.purpose {
        Purpose::Answer => format!("{session}/{run}/{turn}"),
        Purpose::Summary => format!("{session}/{run}/{turn}/summary"),
    }
}

fn unknown_end(class: FaultClass, words: &str) -> Command {
    let fault = ModelError::free(class, words).fault;
    Command::Failed { fault, spent: Spent::Unknown, fallback: None }
}

/// Runs one call of a tool.
pub(crate) async fn tool(
    engine: &Engine,
    tenant: &Tenant,
    state: &State,
    call: &Call,
) -> Performed {
    let begun = engine.world.now();
    let Some(tool_call) = tool_call(tenant, state, call) else {
        let words = "the call cannot be run: its tool or arguments are unusable";
        return returned(call, Outcome::Error, ToolOutput::error(words), 0, u64::MAX);
    };
    let (outcome, output) = if tool_call.spec.name == MORE {
        let output = more::read(engine, tenant, state, &tool_call.arguments).await;
        (outcome_of(&output), output)
    } else {
        tools::run(engine, &tool_call).await
    };
    let took_ms = engine.world.now().0.saturating_sub(begun.0);
    returned(call, outcome, output, took_ms, tool_call.spec.output_bytes_max)
}

/// Runs one call outside of any session, through the same checks and limits: what a
/// model would have read, and how the call ended.
pub async fn call_alone(toolbox: &dyn Toolbox, call: &ToolCall) -> (Outcome, String) {
    let ended = run_in_limits(toolbox, call).await;
    let (content, _whole) = cut(ended.output.content, call.spec.output_bytes_max);
    (ended.outcome, content)
}

/// Runs a call within its deadline. A crash or a late answer of an effect is looked into.
async fn run_in_limits(toolbox: &dyn Toolbox, call: &ToolCall) -> Ended {
    let limit = Duration::from_millis(call.spec.deadline_ms);
    let work = AssertUnwindSafe(toolbox.run(call)).catch_unwind();
    let ((outcome, output), sign) = match tokio::time::timeout(limit, work).await {
        Ok(Ok(Ok(output))) => {
            let sign = if output.is_error { Sign::Silent } else { Sign::Well };
            ((outcome_of(&output), output), sign)
        }
        Ok(Ok(Err(error))) => unanswered(&error),
        Ok(Err(_panic)) => {
            (interrupted(toolbox, call, "the tool crashed").await, Sign::Ill("it crashed"))
        }
        Err(_late) => {
            let words = format!("no result within {} ms", call.spec.deadline_ms);
            let sign = Sign::Ill("it does not answer in time");
            (interrupted(toolbox, call, &words).await, sign)
        }
    };
    Ended { outcome, output, sign }
}

/// Finds out what became of an effect that a former owner began.
pub(crate) async fn reconcile(
    engine: &Engine,
    tenant: &Tenant,
    state: &State,
    call: &Call,
) -> Performed {
    let Some(tool_call) = tool_call(tenant, state, call) else {
        let words = "the call began before a restart, and its tool cannot be asked";
        return returned(call, Outcome::OutcomeUnknown, unknown(words), 0, u64::MAX);
    };
    let most = tool_call.spec.output_bytes_max;
    match look_back(&*engine.toolbox, &tool_call).await {
        Reconciled::Done(output) => returned(call, outcome_of(&output), output, 0, most),
        Reconciled::NotDone => Command::NotDone { call: call.id.clone() }.into(),
        Reconciled::Unknown(why) => returned(call, Outcome::OutcomeUnknown, unknown(&why), 0, most),
    }
}

/// Asks the tool, within its deadline. No answer is an unknown outcome.
async fn look_back(toolbox: &dyn Toolbox, call: &ToolCall) -> Reconciled {
    let limit = Duration::from_millis(call.spec.deadline_ms);
    let asked = AssertUnwindSafe(toolbox.reconcile(call)).catch_unwind();
    match tokio::time::timeout(limit, asked).await {
        Ok(Ok(found)) => found,
        Ok(Err(_panic)) => Reconciled::Unknown("the tool crashed when asked".to_owned()),
        Err(_late) => Reconciled::Unknown("the tool did not answer when asked".to_owned()),
    }
}

/// The end of a call that was stopped: an effect may have happened all the same.
async fn interrupted(toolbox: &dyn Toolbox, call: &ToolCall, words: &str) -> (Outcome, ToolOutput) {
    let failed = (Outcome::Error, ToolOutput::error(words));
    match call.spec.effect_of(&call.arguments) {
        Effect::Read => failed,
        Effect::Idempotent | Effect::Effect => match look_back(toolbox, call).await {
            Reconciled::Done(output) => (outcome_of(&output), output),
            Reconciled::NotDone => failed,
            Reconciled::Unknown(why) => {
                (Outcome::OutcomeUnknown, unknown(&format!("{words}; {why}")))
            }
        },
    }
}

fn unanswered(error: &ToolError) -> ((Outcome, ToolOutput), Sign) {
    let told = (Outcome::Error, ToolOutput::error(error.to_string()));
    match error {
        ToolError::OutcomeUnknown(why) => {
            ((Outcome::OutcomeUnknown, unknown(why)), Sign::Ill("its calls break off"))
        }
        ToolError::Unavailable(_) => (told, Sign::Ill("what it depends on is out")),
        ToolError::Gone(_) => (told, Sign::Silent),
    }
}

fn unknown(why: &str) -> ToolOutput {
    ToolOutput::error(format!(
        "outcome unknown: {why}. It may have happened or not; it was not run again. Check \
         before repeating it."
    ))
}

fn outcome_of(output: &ToolOutput) -> Outcome {
    if output.is_error { Outcome::Error } else { Outcome::Ok }
}

pub(crate) fn tool_call(tenant: &Tenant, state: &State, call: &Call) -> Option<ToolCall> {
    let spec = state.agent.tool(&call.name)?.clone();
    let arguments = match &call.arguments {
        Arguments::Json(raw) => raw.clone(),
        Arguments::Malformed(_) => return None,
    };
    let workdir = state.opening.as_ref()?.workdir.as_ref().map(PathBuf::from);
    let key = key(state, call);
    let tenant = tenant.clone();
    Some(ToolCall { tenant, session: state.session, spec, arguments, workdir, key })
}

/// The same for this very call whenever it is run, and for no other call.
fn key(state: &State, call: &Call) -> String {
    let run = state.run.as_ref().map_or(0, |run| run.number);
    key_of(state.session, run, state.turns, &call.id)
}

/// The key of a call: 32 hexadecimal digits from its session, run, turn and id.
pub(crate) fn key_of(session: SessionId, run: u32, turns: u32, call: &str) -> String {
    let name = format!("{session}/{run}/{turns}/{call}");
    ContentHash::of(name.as_bytes()).to_string()[..32].to_owned()
}

/// The end of a call that a child answered.
pub(crate) fn child_over(state: &State, call: &Call, report: Report, took_ms: u64) -> Performed {
    let shown_bytes_max = state.agent.tool(&call.name).map_or(0, |spec| spec.output_bytes_max);
    let is_error = report.outcome != Outcome::Ok;
    let output = ToolOutput { content: report.content, is_error, signs: None };
    let (told, payloads) = ended(call, report.outcome, output, took_ms, shown_bytes_max);
    let command = Command::Returned(Returned { child: Some(report.end), ..told });
    Performed { command, payloads }
}

fn returned(
    call: &Call,
    outcome: Outcome,
    output: ToolOutput,
    took_ms: u64,
    shown_bytes_max: u64,
) -> Performed {
    let (told, payloads) = ended(call, outcome, output, took_ms, shown_bytes_max);
    Performed { command: Command::Returned(told), payloads }
}

/// A call's end, its output cut to what the model may read at once.
fn ended(
    call: &Call,
    outcome: Outcome,
    output: ToolOutput,
    took_ms: u64,
    shown_bytes_max: u64,
) -> (Returned, Vec<Payload>) {
    let (content, whole) = cut(output.content, shown_bytes_max);
    let rest = whole
        .as_ref()
        .map(|payload| PayloadRef { hash: payload.hash, bytes: payload.bytes.len() as u64 });
    let returned = Returned {
        rest,
        took_ms,
        signs: output.signs,
        ..Returned::plain(&call.id, outcome, content)
    };
    (returned, whole.into_iter().collect())
}

/// What is shown of an output, and the whole of it where something was cut.
fn cut(content: String, shown_bytes_max: u64) -> (String, Option<Payload>) {
    let shown = usize::try_from(shown_bytes_max).unwrap_or(usize::MAX);
    if content.len() <= shown {
        return (content, None);
    }
    let whole = content[..floor(&content, OUTPUT_BYTES_MAX)].to_owned();
    let lost = content.len() - whole.len();
    let payload = Payload::of(None, whole);
    let end = floor(&content, shown);
    let mut told = frame::part(&content, 0..end);
    told.push_str(&more::trailer(&payload, end, lost));
    (told, Some(payload))
}

/// The largest character border at or below `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests;
