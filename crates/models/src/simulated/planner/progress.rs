//! How far a plan is, read from the calls that were made and answered.
//!
//! A step is known by its number in the call's id, so the state of a run is in its
//! messages and nowhere else. Steps that can go at once are asked for in one answer.

use std::borrow::Cow;

use kernel::json::RawJson;
use kernel::message::{Arguments, Request, ToolChoice, ToolUse};
use serde_json::{Map, Value as Json};

use super::conversation::{Asked, Conversation};
use super::plan::{Deed, Piece, Plan, Step, Value, operand};

/// Where a step stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum State<'r> {
    /// The tool answered.
    Done(&'r str),
    /// The tool said what went wrong.
    Failed(&'r str),
    /// This agent has no such tool.
    NoTool,
    /// A step that it needs came to nothing.
    Blocked,
    /// It can be asked for now.
    Ready,
    /// It waits for other steps.
    Waiting,
}

/// A plan with the state of each of its steps.
pub(super) struct Progress<'p, 'r> {
    pub(super) plan: &'p Plan,
    pub(super) states: Vec<State<'r>>,
    task: usize,
}

/// Most calls that one answer asks for.
const CALLS_MAX: usize = 8;

impl<'p, 'r> Progress<'p, 'r> {
    /// Reads the states from the conversation.
    pub(super) fn read(plan: &'p Plan, conversation: &Conversation<'r>, request: &Request) -> Self {
        let mut states: Vec<State<'r>> = Vec::new();
        for (number, step) in plan.steps.iter().enumerate() {
            let state =
                answered(number, conversation).unwrap_or_else(|| unasked(step, &states, request));
            states.push(state);
        }
        Progress { plan, states, task: conversation.past.len() + 1 }
    }

    /// The steps to ask for now.
    pub(super) fn ready(&self) -> Vec<usize> {
        let ready = |step: &usize| self.states[*step] == State::Ready;
        (0..self.states.len()).filter(ready).take(CALLS_MAX).collect()
    }

    /// The call that a step is. Its text may still miss answers that did not come yet.
    pub(super) fn call(&self, number: usize) -> ToolUse {
        let step = &self.plan.steps[number];
        let mut input = Map::new();
        for (name, value) in &step.input {
            let value = match value {
                Value::Text(pieces) => Json::String(self.filled(pieces)),
                Value::Number(number) => Json::from(*number),
                Value::Yes => Json::Bool(true),
            };
            input.insert((*name).to_owned(), value);
        }
        ToolUse {
            id: call_id(self.task, number),
            name: step.deed.tool().to_owned(),
            arguments: Arguments::Json(RawJson::of(&input)),
            extra: kernel::json::Extra::new(),
        }
    }

    /// The id of a call that ends the task, for the given try.
    pub(super) fn end_id(&self, tries: usize) -> String {
        format!("plan_{}_end{}", self.task, tries + 1)
    }

    /// A text field of a step, put together.
    pub(super) fn field(&self, number: usize, name: &str) -> Option<String> {
        let (_, value) = self.plan.steps[number].input.iter().find(|(field, _)| *field == name)?;
        match value {
            Value::Text(pieces) => Some(self.filled(pieces)),
            Value::Number(number) => Some(number.to_string()),
            Value::Yes => None,
        }
    }

    /// What a step's tool answered.
    pub(super) fn answer(&self, number: usize) -> Option<&'r str> {
        match &self.states[number] {
            State::Done(answer) => Some(answer),
            State::Failed(_) | State::NoTool | State::Blocked | State::Ready | State::Waiting => {
                None
            }
        }
    }

    fn filled(&self, pieces: &[Piece]) -> String {
        let lone = |step: usize| Cow::from(self.answer(step).unwrap_or("…"));
        let fill = |piece: &Piece| match piece {
            Piece::Words(words) => words.clone(),
            Piece::Answer(step) => lone(*step).into_owned(),
            Piece::Operand(step) => self.answer(*step).map_or_else(|| "that".to_owned(), operand),
            Piece::Told(step) => self.told(*step),
        };
        pieces.iter().map(fill).collect()
    }

    /// An answer with what was asked: `12 * 7 = 84`.
    fn told(&self, step: usize) -> String {
        let answer = self.answer(step).unwrap_or("…");
        match (self.plan.steps[step].deed, self.field(step, "expression")) {
            (Deed::Calculate, Some(expression)) => format!("{expression} = {answer}"),
            (_, _) => answer.to_owned(),
        }
    }
}

fn call_id(task: usize, step: usize) -> String {
    format!("plan_{task}_{}", step + 1)
}

/// The state of a step that was asked for and answered. Only the step's own number in
/// the id counts: a shortened history numbers its tasks anew.
fn answered<'r>(number: usize, conversation: &Conversation<'r>) -> Option<State<'r>> {
    let ending = format!("_{}", number + 1);
    let is_this =
        |asked: &&Asked<'r>| asked.call.id.starts_with("plan_") && asked.call.id.ends_with(&ending);
    let asked = conversation.task.calls.iter().rev().find(is_this)?;
    let result = asked.result?;
    Some(if result.is_error {
        State::Failed(&result.content)
    } else {
        State::Done(&result.content)
    })
}

fn unasked<'r>(step: &Step, states: &[State<'r>], request: &Request) -> State<'r> {
    if !offers(request, step.deed.tool()) {
        return State::NoTool;
    }
    let open = |state: &State<'_>| matches!(state, State::Ready | State::Waiting);
    let done = |state: &State<'_>| matches!(state, State::Done(_));
    if step.needs().any(|needed| !open(&states[needed]) && !done(&states[needed])) {
        return State::Blocked;
    }
    let held_up =
        states[..step.after].iter().any(open) || step.needs().any(|needed| open(&states[needed]));
    if held_up { State::Waiting } else { State::Ready }
}

/// Whether the model may call this tool at all.
pub(super) fn offers(request: &Request, tool: &str) -> bool {
    let chosen = match &request.tool_choice {
        ToolChoice::Auto | ToolChoice::Any | ToolChoice::Off => true,
        ToolChoice::Named(name) => name == tool,
    };
    chosen && request.tools.iter().any(|offered| offered.name == tool)
}
