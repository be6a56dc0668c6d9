//! A request as a client sends it to `POST /v1/messages`.
//!
//! What we do not model is kept: unknown fields everywhere, unknown blocks whole, and
//! the vendor's longer spellings (a system prompt in blocks, a tool choice with switches)
//! beside our shorter ones.

use std::sync::Arc;

use kernel::json::{Extra, RawJson};
use kernel::message::{Block, Message, Request, Role, ToolChoice, ToolDecl};
use serde_json::Value;

use super::blocks::{is_plain, read_block, text_of};
use crate::Incoming;
use crate::fault::WireError;
use crate::json::{Fields, Wrong};
use crate::vendor::{Sealed, Vendor, seal_fields};

/// Reads a request's body.
///
/// # Errors
/// `InvalidRequest`, with the field that is wrong.
pub fn read_request(body: &[u8]) -> Result<Incoming, WireError> {
    read(body).map_err(Wrong::in_request)
}

fn read(body: &[u8]) -> Result<Incoming, Wrong> {
    let mut fields = Fields::parse(body)?;
    let system: Value = fields.take_as("system")?.unwrap_or_default();
    let choice: Option<Value> = fields.take_as("tool_choice")?;
    let messages: Vec<RawJson> = fields.need("messages")?;
    let tools: Vec<RawJson> = fields.take_as("tools")?.unwrap_or_default();
    let stream = fields.take_as("stream")?.unwrap_or(false);
    let mut request = Request {
        model: fields.need("model")?,
        system: text_of(&system).into(),
        tools: tools.iter().map(read_tool).collect::<Result<_, _>>()?,
        tool_choice: choice.as_ref().map_or(Ok(ToolChoice::Auto), read_tool_choice)?,
        messages: read_messages(&messages)?,
        max_tokens: fields.need("max_tokens")?,
        temperature: fields.take_as("temperature")?,
        stop_sequences: fields.take_as("stop_sequences")?.unwrap_or_default(),
        extra: Extra::new(),
    };
    let mut rest = fields.rest();
    if !is_plain(&system) {
        rest.insert("system".to_owned(), system);
    }
    if let Some(choice) = choice.filter(has_switches) {
        rest.insert("tool_choice".to_owned(), choice);
    }
    request.extra = Vendor::Anthropic.keep(rest);
    Ok(Incoming { request, stream, include_usage: true })
}

/// Whether a tool choice says more than ours can.
fn has_switches(choice: &Value) -> bool {
    let fields = choice.as_object();
    fields.is_some_and(|fields| fields.keys().any(|name| name != "type" && name != "name"))
}

pub(super) fn read_tool_choice(choice: &Value) -> Result<ToolChoice, Wrong> {
    match (choice["type"].as_str(), choice["name"].as_str()) {
        (Some("auto"), _) => Ok(ToolChoice::Auto),
        (Some("any"), _) => Ok(ToolChoice::Any),
        (Some("none"), _) => Ok(ToolChoice::Off),
        (Some("tool"), Some(name)) => Ok(ToolChoice::Named(name.to_owned())),
        (Some(_) | None, _) => Err(Wrong(format!(
            "field `tool_choice`: `{choice}` is not a choice\n\
             use one of the types `auto`, `any`, `none`, or `tool` with a `name`"
        ))),
    }
}

fn read_tool(raw: &RawJson) -> Result<ToolDecl, Wrong> {
    let mut fields = Fields::of(raw).map_err(|why| why.within("tools"))?;
    Ok(ToolDecl {
        name: fields.take_as("name")?.unwrap_or_default(),
        description: fields.take_as("description")?.unwrap_or_default(),
        input_schema: fields.take_as("input_schema")?.unwrap_or_default(),
        extra: Vendor::Anthropic.keep(fields.rest()),
    })
}

fn read_messages(messages: &[RawJson]) -> Result<Vec<Arc<Message>>, Wrong> {
    let read = |(at, raw)| {
        let message =
            read_message(raw).map_err(|why: Wrong| why.within(&format!("messages[{at}]")));
        message.map(Arc::new)
    };
    messages.iter().enumerate().map(read).collect()
}

fn read_message(raw: &RawJson) -> Result<Message, Wrong> {
    let mut fields = Fields::of(raw)?;
    let role: String = fields.need("role")?;
    let role = match role.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        other => return Err(Wrong(format!("`{other}` is not a role\nuse `user` or `assistant`"))),
    };
    let mut content = read_content(&fields.need("content")?)?;
    content.extend(seal_fields(Sealed::AnthropicMessage, &fields.rest()));
    Ok(Message::of(role, content))
}

fn read_content(raw: &RawJson) -> Result<Vec<Block>, Wrong> {
    if raw.text().starts_with('"') {
        let text: String = raw.read().map_err(|why| Wrong(why.to_string()))?;
        return Ok(vec![Block::text(text)]);
    }
    let blocks: Vec<RawJson> = raw
        .read()
        .map_err(|why| Wrong(format!("field `content`: neither text nor blocks: {why}")))?;
    blocks.iter().map(read_block).collect()
}
