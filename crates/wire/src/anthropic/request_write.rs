//! A request as `POST /v1/messages` takes it.
//!
//! Field order: model, tools, system, messages, then what may change from turn to turn.
//! The same beginning of a conversation is always the same beginning of the bytes.

use std::sync::Arc;

use kernel::message::{Block, Message, Request, Role, ToolChoice, ToolDecl};
use serde_json::{Value, json};

use super::blocks::{close, is_sent, kept_list, put_text, put_tool_result, put_tool_use};
use super::cache::{has_own_marks, marked_block, marked_turns};
use super::request_read::read_tool_choice;
use crate::ids::{Ids, fitting};
use crate::json::{Object, object, put, put_array};
use crate::turns::{Turn, turns};
use crate::vendor::{Sealed, Vendor, open};

/// Longest name of a tool, in characters.
const NAME_CHARS_MAX: usize = 128;

/// Writes the request.
#[must_use]
pub fn write_request(request: &Request, stream: bool) -> String {
    let placing = !has_own_marks(request);
    let taken = |tool: &&ToolDecl| Vendor::Anthropic.takes(tool);
    let tools: Vec<&ToolDecl> = request.tools.iter().filter(taken).collect();
    object(|out| {
        out.put("model", &request.model);
        if !tools.is_empty() {
            let marked = placing && request.system.trim().is_empty();
            put_tools(out.name("tools"), &tools, marked);
        }
        put_system(out, request, placing);
        put_messages(out.name("messages"), &request.messages, placing);
        put_settings(out, request, !tools.is_empty());
        if stream {
            out.put("stream", &true);
        }
    })
}

fn put_tools(out: &mut Vec<u8>, tools: &[&ToolDecl], marked: bool) {
    let last = tools.len().saturating_sub(1);
    put_array(out, tools.iter().enumerate(), |out, (at, tool)| {
        put_tool(out, tool, marked && at == last);
    });
}

fn put_tool(out: &mut Vec<u8>, tool: &ToolDecl, marked: bool) {
    let mut object = Object::open(out);
    // The vendor's own tools have a type and no schema, sets of tools have no name.
    let is_ours = Vendor::Anthropic.field(&tool.extra, "type").is_none();
    if !tool.name.is_empty() {
        object.put("name", &tool.name);
    }
    if !tool.description.is_empty() {
        object.put("description", &tool.description);
    }
    if !tool.input_schema.is_null() {
        object.put("input_schema", &tool.input_schema);
    } else if is_ours {
        object.put("input_schema", &json!({"type": "object"}));
    }
    Vendor::Anthropic.put(&mut object, &tool.extra, &[]);
    close(object, marked);
}

fn put_system(out: &mut Object<'_>, request: &Request, marked: bool) {
    let text = &*request.system;
    if let Some(kept) = kept_list(&request.extra, "system", text) {
        out.put("system", kept);
    } else if text.trim().is_empty() {
        // The API refuses a prompt without words.
    } else if marked {
        put_array(out.name("system"), [text], |out, text| {
            put_text(out, text, &Default::default(), true);
        });
    } else {
        out.put("system", text);
    }
}

fn put_messages(out: &mut Vec<u8>, messages: &[Arc<Message>], placing: bool) {
    let turns = turns(messages, sent_blocks);
    let marked = match placing {
        true => marked_turns(&turns),
        false => Vec::new(),
    };
    let mut ids = Ids::default();
    put_array(out, turns.iter().enumerate(), |out, (at, turn)| {
        put_turn(out, turn, &mut ids, marked.contains(&at));
    });
}

/// What a message sends. An answer may not end in thinking (one that was cut there has
/// no signature either), so that is dropped as a whole.
fn sent_blocks(message: &Message) -> Vec<&Block> {
    let mut blocks: Vec<&Block> = message.content.iter().filter(|b| is_sent(b)).collect();
    while matches!(blocks.last(), Some(Block::Thinking { .. })) {
        blocks.pop();
    }
    if !blocks.is_empty() {
        let seals = message.content.iter().filter(|b| is_message_seal(b));
        blocks.extend(seals);
    }
    blocks
}

fn is_message_seal(block: &Block) -> bool {
    match block {
        Block::Opaque { raw } => {
            matches!(open(raw), Some((Sealed::AnthropicMessage, _)))
        }
        Block::Text { .. } | Block::Thinking { .. } | Block::ToolUse(_) | Block::ToolResult(_) => {
            false
        }
    }
}

fn put_turn(out: &mut Vec<u8>, turn: &Turn<'_>, ids: &mut Ids, marked: bool) {
    let (seals, blocks): (Vec<&Block>, Vec<&Block>) =
        turn.blocks().into_iter().partition(|b| is_message_seal(b));
    let mark = match marked {
        true => marked_block(&blocks),
        false => None,
    };
    let mut object = Object::open(out);
    let role = match turn.role {
        Role::User => "user",
        Role::Assistant => {
            ids.next_answer();
            "assistant"
        }
    };
    object.put("role", role);
    put_array(object.name("content"), blocks.iter().enumerate(), |out, (at, block)| {
        put_block(out, block, ids, mark == Some(at))
    });
    for seal in seals {
        put_sealed_fields(&mut object, seal);
    }
    object.close();
}

fn put_block(out: &mut Vec<u8>, block: &Block, ids: &mut Ids, marked: bool) {
    match block {
        Block::Text { text, extra } => put_text(out, text, extra, marked),
        Block::Thinking { raw } | Block::Opaque { raw } => put(out, raw),
        Block::ToolUse(call) => {
            let id = ids.of_call(&call.id);
            put_tool_use(out, call, &id, &fitting(&call.name, NAME_CHARS_MAX));
        }
        Block::ToolResult(result) => {
            put_tool_result(out, result, &ids.of_result(&result.id), marked);
        }
    }
}

fn put_sealed_fields(object: &mut Object<'_>, seal: &Block) {
    let Block::Opaque { raw } = seal else { return };
    let fields = open(raw).map(|(_, body)| body.value());
    for (name, value) in fields.iter().filter_map(Value::as_object).flatten() {
        object.put(name, value);
    }
}

fn put_settings(out: &mut Object<'_>, request: &Request, has_tools: bool) {
    out.put("max_tokens", &request.max_tokens);
    // Other vendors' scales go to 2, this one's ends at 1.
    out.put_some("temperature", request.temperature.map(|t| t.min(1.0)).as_ref());
    if !request.stop_sequences.is_empty() {
        out.put("stop_sequences", &request.stop_sequences);
    }
    if has_tools {
        put_tool_choice(out, request);
    }
    let written = [
        "model",
        "tools",
        "system",
        "messages",
        "max_tokens",
        "temperature",
        "stop_sequences",
        "tool_choice",
        "stream",
    ];
    Vendor::Anthropic.put(out, &request.extra, &written);
}

fn put_tool_choice(out: &mut Object<'_>, request: &Request) {
    let kept = Vendor::Anthropic.field(&request.extra, "tool_choice");
    let kept =
        kept.filter(|kept| read_tool_choice(kept).ok().as_ref() == Some(&request.tool_choice));
    match (kept, &request.tool_choice) {
        (Some(kept), _) => out.put("tool_choice", kept),
        // The vendor's default.
        (None, ToolChoice::Auto) => {}
        (None, ToolChoice::Any) => out.put("tool_choice", &json!({"type": "any"})),
        (None, ToolChoice::Named(name)) => {
            out.put("tool_choice", &json!({"type": "tool", "name": name}));
        }
        (None, ToolChoice::Off) => out.put("tool_choice", &json!({"type": "none"})),
    }
}
