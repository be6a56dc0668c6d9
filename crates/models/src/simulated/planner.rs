//! A brain of rules: understands plain English requests for the reference agent's tools.
//!
//! It is no language model and says so when it does not understand. It calls the tools
//! that a request offers, uses their answers and makes nothing up. One way through:
//! `conversation` finds the task (`delegation` takes those for children), `lexer` and
//! `clauses` part it, `intent` says what each clause wants, `plan` makes steps of it,
//! `progress` sees which are done, `speak` tells.
//! Everything is worked out anew at each turn from the messages alone.

mod arithmetic;
mod clauses;
mod conversation;
mod delegation;
mod grammar;
mod intent;
mod lexer;
mod numerals;
mod phrase;
mod plan;
mod progress;
mod reference;
mod shape;
mod speak;
mod spelling;
mod summary;
mod understand;

use kernel::agent::END_TASK;
use kernel::json::{Extra, RawJson};
use kernel::message::{Arguments, Block, Reply, Request, Stop, ToolChoice, ToolUse};
use serde_json::{Value as Json, json};

use super::Brain;
use super::long::asks_for_summary;
use conversation::Conversation;
use progress::{Progress, offers};

/// The brain of rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct Planner;

impl Brain for Planner {
    fn name(&self) -> &'static str {
        "planner"
    }

    fn reply(&self, request: &Request) -> Reply {
        let unfolded = summary::unfolded(request);
        let request = unfolded.as_ref().unwrap_or(request);
        if asks_for_summary(request) {
            return says(summary::write(request));
        }
        let conversation = Conversation::read(request);
        let plan = delegation::plan(&conversation.task.texts).unwrap_or_else(|| {
            let heard = understand::read(&conversation.task.texts);
            plan::draft(heard, &conversation)
        });
        let progress = Progress::read(&plan, &conversation, request);
        let ready = progress.ready();
        if request.tool_choice == ToolChoice::Off {
            return says(speak::answer(&progress, request));
        }
        if !ready.is_empty() {
            return asks(
                speak::announcement(&progress, &ready),
                ready.iter().map(|step| progress.call(*step)),
            );
        }
        let answer = speak::answer(&progress, request);
        if offers(request, END_TASK) {
            ends(request, &conversation, &progress, answer)
        } else {
            says(answer)
        }
    }
}

/// Most tries to end a task, if the agent's schema refuses the result.
const END_TRIES_MAX: usize = 1;

/// The end of the task, with the answer as its result. Where the result cannot have the
/// shape that the agent asks for, words say so.
fn ends(
    request: &Request,
    conversation: &Conversation<'_>,
    progress: &Progress<'_, '_>,
    answer: String,
) -> Reply {
    let tries = conversation.refused_ends();
    if tries >= END_TRIES_MAX {
        return says(format!(
            "{answer}\nI could not give this as a result: it does not have the shape that this agent asks for."
        ));
    }
    match shape::result(&result_schema(request), progress, &answer) {
        Ok(result) => {
            let call = ToolUse {
                id: progress.end_id(tries),
                name: END_TASK.to_owned(),
                arguments: Arguments::Json(RawJson::of(&json!({ "result": result }))),
                extra: Extra::new(),
            };
            asks(String::new(), std::iter::once(call))
        }
        Err(missing) => says(format!(
            "{answer}\nI could not give this as a result: the shape that this agent asks for has a field `{missing}`, and I have nothing for it."
        )),
    }
}

fn result_schema(request: &Request) -> Json {
    let end = request.tools.iter().find(|tool| tool.name == END_TASK);
    let schema = end.and_then(|tool| tool.input_schema.pointer("/properties/result"));
    schema.cloned().unwrap_or(Json::Null)
}

fn says(text: String) -> Reply {
    reply(vec![Block::text(text)], Stop::EndTurn)
}

fn asks(text: String, calls: impl Iterator<Item = ToolUse>) -> Reply {
    let words = (!text.is_empty()).then(|| Block::text(text));
    reply(words.into_iter().chain(calls.map(Block::ToolUse)).collect(), Stop::ToolUse)
}

fn reply(content: Vec<Block>, stop: Stop) -> Reply {
    Reply { content, stop, usage: None, model: None, fallback: None, id: None, extra: Extra::new() }
}
