//! Which turn of a script answers a conversation, and how.

use std::sync::Arc;

use kernel::agent::END_TASK;
use kernel::json::{Extra, RawJson};
use kernel::message::{Arguments, Block, Message, Reply, Request, Role, Stop, ToolUse};
use serde_json::json;

use super::{Call, Script, Turn};
use crate::simulated::long::{answers_left_out, asks_for_summary};

/// The answer to a conversation.
pub(super) fn reply(script: &Script, request: &Request) -> Reply {
    let heard = heard(&request.messages);
    let gone = answers_left_out(request);
    let now = gone + heard.len() - 1;
    if asks_for_summary(request) {
        return answer(vec![Block::text(summary(now))], Stop::EndTurn);
    }
    // A deviation stays one: the turns after it would only hide where the run went astray.
    for (said, at) in heard.iter().zip(gone..) {
        // What was said before the first answer that is left went with the ones before.
        if at == gone && gone > 0 && at < now {
            continue;
        }
        match chosen(script, at, said) {
            Choice::Turn(turn) => {
                if let Some(missing) =
                    turn.expect.iter().find(|words| !said.results().any(holding(words)))
                {
                    return deviated(
                        at,
                        &format!("expects the tool results to hold `{missing}`"),
                        said,
                    );
                }
                if at == now {
                    return played(turn, at);
                }
            }
            Choice::NoWay => return deviated(at, "has no turn whose `when` holds", said),
            Choice::End => break,
        }
    }
    ended(script, request, now)
}

fn summary(turns: usize) -> String {
    format!("This is a script, and {turns} of its turns were played.")
}

/// What was said to the model since its last answer.
#[derive(Debug, Default)]
struct Said<'r> {
    blocks: Vec<&'r Block>,
}

impl<'r> Said<'r> {
    /// The texts of tool results.
    fn results(&self) -> impl Iterator<Item = &'r str> {
        self.blocks.iter().filter_map(|block| match block {
            Block::ToolResult(result) => Some(result.content.as_str()),
            Block::Text { .. }
            | Block::Thinking { .. }
            | Block::ToolUse(_)
            | Block::Opaque { .. } => None,
        })
    }

    /// The words of the person and the harness, and the texts of tool results.
    fn all(&self) -> impl Iterator<Item = &'r str> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Text { text, .. } => Some(text.as_str()),
            Block::ToolResult(result) => Some(result.content.as_str()),
            Block::Thinking { .. } | Block::ToolUse(_) | Block::Opaque { .. } => None,
        })
    }
}

fn holding(words: &str) -> impl Fn(&str) -> bool {
    move |text| text.contains(words)
}

/// What was said before each answer of the model, and before the one that is due now.
fn heard(messages: &[Arc<Message>]) -> Vec<Said<'_>> {
    let mut heard = Vec::new();
    let mut open = Said::default();
    for message in messages {
        match message.role {
            Role::Assistant => heard.push(std::mem::take(&mut open)),
            Role::User => open.blocks.extend(&message.content),
        }
    }
    heard.push(open);
    heard
}

enum Choice<'s> {
    Turn(&'s Turn),
    /// None of the ways fits.
    NoWay,
    /// The script is over.
    End,
}

fn chosen<'s>(script: &'s Script, at: usize, said: &Said<'_>) -> Choice<'s> {
    let mut left = at as u64;
    for entry in &script.entries {
        if left < entry.repeat {
            let holds = |turn: &&Turn| {
                turn.when.as_ref().is_none_or(|words| said.all().any(holding(words)))
            };
            return entry.ways.iter().find(holds).map_or(Choice::NoWay, Choice::Turn);
        }
        left -= entry.repeat;
    }
    Choice::End
}

fn played(turn: &Turn, at: usize) -> Reply {
    let thinking = turn.thinking.as_deref().map(thinking);
    let text = turn.text.as_deref().map(Block::text);
    let calls = turn.tools.iter().enumerate().map(|(number, call)| tool_use(call, at, number));
    let content = thinking.into_iter().chain(text).chain(calls).collect();
    Reply { usage: turn.usage, ..answer(content, turn.stop.clone()) }
}

/// Thinking in the shape of the one vendor that shows it. The signature is no vendor's:
/// it only says that nobody thought this.
fn thinking(words: &str) -> Block {
    Block::Thinking {
        raw: RawJson::of(&json!({"type": "thinking", "thinking": words, "signature": "script"})),
    }
}

fn tool_use(call: &Call, at: usize, number: usize) -> Block {
    let id = call.id.clone().unwrap_or_else(|| format!("script_{}_{}", at + 1, number + 1));
    Block::ToolUse(ToolUse {
        id,
        name: call.name.clone(),
        arguments: call.input.clone(),
        extra: Extra::new(),
    })
}

/// Longest part of what was said that a deviation repeats, in bytes.
const QUOTED_BYTES_MAX: usize = 400;

fn deviated(at: usize, expectation: &str, said: &Said<'_>) -> Reply {
    let said = said.all().collect::<Vec<_>>().join("\n");
    let shown = &said[..said.floor_char_boundary(QUOTED_BYTES_MAX)];
    let words =
        format!("The run left the script: turn {} {expectation}, but was told:\n{shown}", at + 1);
    answer(vec![Block::text(words)], Stop::EndTurn)
}

fn ended(script: &Script, request: &Request, now: usize) -> Reply {
    let words = format!(
        "The script has ended: it has {} turns, and this is turn {}.",
        script.turns(),
        now + 1
    );
    let offered = request.tools.iter().any(|tool| tool.name == END_TASK);
    if !offered {
        return answer(vec![Block::text(words)], Stop::EndTurn);
    }
    let end = ToolUse {
        id: format!("script_{}_end", now + 1),
        name: END_TASK.to_owned(),
        arguments: Arguments::Json(RawJson::of(&json!({ "result": words }))),
        extra: Extra::new(),
    };
    answer(vec![Block::text(words), Block::ToolUse(end)], Stop::ToolUse)
}

fn answer(content: Vec<Block>, stop: Stop) -> Reply {
    Reply { content, stop, usage: None, model: None, fallback: None, id: None, extra: Extra::new() }
}
