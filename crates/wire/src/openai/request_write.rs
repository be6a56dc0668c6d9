//! A request as `POST /v1/chat/completions` takes it.
//!
//! Field order: model, tools, messages, then what may change from turn to turn. Each
//! answer is followed at once by one `tool` message for each result. The same beginning
//! of a conversation is always the same beginning of the bytes.

use kernel::message::{Block, Message, Request, Role, ToolChoice, ToolDecl, ToolResult};
use serde_json::{Value, json};

use super::assistant::{put_assistant, put_fields, says_something};
use super::calls::Reader;
use super::content::{message_fields, parts, plain_text, put_parts, text_of};
use super::request_read::{read_tool_choice, system_text};
use crate::json::{Object, object, put, put_array};
use crate::turns::{Turn, is_result, turns};
use crate::vendor::{Sealed, Vendor, open};

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI's own. Its newer models refuse `max_tokens`, so the limit is
    /// `max_completion_tokens`; neighbouring messages may share a role.
    OpenAi,
    /// Anybody else's. Nearly all know `max_tokens` and many ignore or refuse the newer
    /// name, under which a call would have no limit; many prompt templates want the
    /// speakers to alternate and content to be plain text, so neighbours are joined.
    Compatible,
}

/// Writes the request for OpenAI itself.
#[must_use]
pub fn write_request(request: &Request, stream: bool) -> String {
    write_request_in(Dialect::OpenAi, request, stream)
}

/// Writes the request for a server of this dialect. A stream is always asked for usage.
#[must_use]
pub fn write_request_in(dialect: Dialect, request: &Request, stream: bool) -> String {
    let tools: Vec<&ToolDecl> = request.tools.iter().filter(|t| Vendor::OpenAi.takes(t)).collect();
    object(|out| {
        out.put("model", &request.model);
        if !tools.is_empty() {
            put_array(out.name("tools"), &tools, |out, tool| put_tool(out, tool));
        }
        put_messages(out.name("messages"), request, dialect);
        match dialect {
            Dialect::OpenAi => out.put("max_completion_tokens", &request.max_tokens),
            Dialect::Compatible => out.put("max_tokens", &request.max_tokens),
        }
        out.put_some("temperature", request.temperature.as_ref());
        if !request.stop_sequences.is_empty() {
            out.put("stop", &request.stop_sequences);
        }
        if !tools.is_empty() {
            put_tool_choice(out, request);
        }
        Vendor::OpenAi.put(out, &request.extra, &WRITTEN);
        if stream {
            out.put("stream", &true);
            put_stream_options(out, request);
        }
    })
}

/// Fields that are written from what we model, and kept spellings of them.
const WRITTEN: [&str; 12] = [
    "model",
    "tools",
    "messages",
    "max_completion_tokens",
    "max_tokens",
    "temperature",
    "stop",
    "tool_choice",
    "stream",
    "stream_options",
    "system",
    "n",
];

fn put_stream_options(out: &mut Object<'_>, request: &Request) {
    let mut options = json!({"include_usage": true});
    let kept = Vendor::OpenAi.field(&request.extra, "stream_options");
    for (name, value) in kept.and_then(Value::as_object).into_iter().flatten() {
        options[name] = value.clone();
    }
    out.put("stream_options", &options);
}

fn put_tool(out: &mut Vec<u8>, tool: &ToolDecl) {
    let mut object = Object::open(out);
    let is_function =
        Vendor::OpenAi.field(&tool.extra, "type").is_none() || !tool.input_schema.is_null();
    if is_function {
        object.put("type", "function");
        let mut function = Object::open(object.name("function"));
        function.put("name", &tool.name);
        if !tool.description.is_empty() {
            function.put("description", &tool.description);
        }
        if !tool.input_schema.is_null() {
            function.put("parameters", &tool.input_schema);
        }
        let inner = Vendor::OpenAi.field(&tool.extra, "function");
        for (name, value) in inner.and_then(Value::as_object).into_iter().flatten() {
            function.put(name, value);
        }
        function.close();
        Vendor::OpenAi.put(&mut object, &tool.extra, &["type", "function"]);
    } else {
        Vendor::OpenAi.put(&mut object, &tool.extra, &[]);
    }
    object.close();
}

fn put_messages(out: &mut Vec<u8>, request: &Request, dialect: Dialect) {
    let turns = turns(&request.messages, sent_blocks);
    let mut messages = Vec::new();
    messages.extend(system_messages(request));
    for turn in &turns {
        turn_messages(&mut messages, turn, dialect);
    }
    put_array(out, messages, |out, bytes| out.extend_from_slice(&bytes));
}

/// The system prompt: as it came where that was kept, or as one system message.
fn system_messages(request: &Request) -> Vec<Vec<u8>> {
    let kept = Vendor::OpenAi.field(&request.extra, "system").and_then(Value::as_array);
    let kept = kept.filter(|messages| system_text(messages) == *request.system);
    let written = match kept {
        Some(messages) => messages.clone(),
        None if request.system.is_empty() => Vec::new(),
        None => vec![json!({"role": "system", "content": &*request.system})],
    };
    written.iter().map(|message| bytes_of(|out| put(out, message))).collect()
}

fn bytes_of(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

/// A message as a whole, or nothing where it says nothing that this vendor takes.
fn sent_blocks(message: &Message) -> Vec<&Block> {
    let sent = match message.role {
        Role::Assistant => says_something(&message.content),
        Role::User => message.content.iter().any(is_user_content),
    };
    match sent {
        true => message.content.iter().collect(),
        false => Vec::new(),
    }
}

fn is_user_content(block: &Block) -> bool {
    match block {
        Block::Text { text, .. } => !text.is_empty(),
        Block::ToolResult(_) => true,
        Block::Opaque { raw } => matches!(open(raw), Some((Sealed::OpenAiPart, _))),
        Block::Thinking { .. } | Block::ToolUse(_) => false,
    }
}

fn turn_messages(messages: &mut Vec<Vec<u8>>, turn: &Turn<'_>, dialect: Dialect) {
    let blocks = turn.blocks();
    if turn.role == Role::Assistant {
        messages.push(bytes_of(|out| put_assistant(out, &blocks, Reader::Vendor)));
        return;
    }
    for block in &blocks {
        if let Block::ToolResult(result) = block {
            messages.push(bytes_of(|out| put_result(out, result)));
        }
    }
    let said = match dialect {
        Dialect::OpenAi => turn.messages.clone(),
        Dialect::Compatible => joined(&turn.messages),
    };
    for mut blocks in said {
        blocks.retain(|block| !is_result(block));
        if blocks.iter().copied().any(is_user_content) {
            messages.push(bytes_of(|out| put_user(out, &blocks, dialect)));
        }
    }
}

/// The messages of a turn as one, but for those that have fields of their own: a role
/// or a name must never spread to other people's words.
fn joined<'a>(messages: &[Vec<&'a Block>]) -> Vec<Vec<&'a Block>> {
    let mut joined: Vec<Vec<&'a Block>> = Vec::new();
    let mut open = false;
    for blocks in messages {
        let plain = message_fields(blocks).is_empty();
        match joined.last_mut() {
            Some(last) if open && plain => last.extend(blocks),
            Some(_) | None => joined.push(blocks.clone()),
        }
        open = plain;
    }
    joined
}

fn put_result(out: &mut Vec<u8>, result: &ToolResult) {
    let mut object = Object::open(out);
    object.put("role", "tool");
    object.put("tool_call_id", &result.id);
    let kept = Vendor::OpenAi.field(&result.extra, "content");
    match kept.filter(|kept| text_of(kept) == result.content) {
        Some(kept) => object.put("content", kept),
        None => object.put("content", &result.content),
    }
    Vendor::OpenAi.put(&mut object, &result.extra, &["content"]);
    object.close();
}

fn put_user(out: &mut Vec<u8>, blocks: &[&Block], dialect: Dialect) {
    let mut fields = message_fields(blocks);
    let mut object = Object::open(out);
    match fields.shift_remove("role") {
        Some(role) => object.put("role", &role),
        None => object.put("role", "user"),
    }
    let content = parts(blocks);
    let one_text = content.len() == 1 || dialect == Dialect::Compatible;
    match plain_text(&content, "\n\n").filter(|_| one_text) {
        Some(text) => object.put("content", &text),
        None => put_parts(object.name("content"), &content),
    }
    put_fields(&mut object, &fields);
    object.close();
}

fn put_tool_choice(out: &mut Object<'_>, request: &Request) {
    let kept = Vendor::OpenAi.field(&request.extra, "tool_choice");
    let kept =
        kept.filter(|kept| read_tool_choice(kept).ok().as_ref() == Some(&request.tool_choice));
    match (kept, &request.tool_choice) {
        (Some(kept), _) => out.put("tool_choice", kept),
        // The vendor's default.
        (None, ToolChoice::Auto) => {}
        (None, ToolChoice::Any) => out.put("tool_choice", "required"),
        (None, ToolChoice::Off) => out.put("tool_choice", "none"),
        (None, ToolChoice::Named(name)) => {
            let choice = json!({"type": "function", "function": {"name": name}});
            out.put("tool_choice", &choice);
        }
    }
}
