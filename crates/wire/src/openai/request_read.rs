//! A request as a client sends it to `POST /v1/chat/completions`.
//!
//! Leading system and developer messages become the system prompt; one in the midst of
//! the conversation becomes a user's words to any other vendor, so that it loses trust
//! and never gains it. What we do not model is kept.

use std::sync::Arc;

use kernel::json::{Extra, RawJson};
use kernel::message::{Block, Message, Request, Role, ToolChoice, ToolDecl, ToolResult};
use serde_json::Value;

use super::assistant::read_assistant;
use super::content::{read_content, text_of};
use crate::Incoming;
use crate::fault::WireError;
use crate::json::{Fields, Wrong};
use crate::turns::is_result;
use crate::vendor::{Sealed, Vendor, seal_fields};

/// The longest answer where a client names no limit, in tokens. A call always has one.
pub const MAX_TOKENS_DEFAULT: u32 = 4096;

/// Reads a request's body.
///
/// # Errors
/// `InvalidRequest`, with the field that is wrong.
pub fn read_request(body: &[u8]) -> Result<Incoming, WireError> {
    read(body).map_err(Wrong::in_request)
}

fn read(body: &[u8]) -> Result<Incoming, Wrong> {
    let mut fields = Fields::parse(body)?;
    one_answer_only(fields.take_as("n")?)?;
    let raw: Vec<RawJson> = fields.need("messages")?;
    let (leading, raw) = raw.split_at(count_leading(&raw)?);
    let leading: Vec<Value> = leading.iter().map(RawJson::value).collect();
    let tools: Vec<RawJson> = fields.take_as("tools")?.unwrap_or_default();
    let choice: Option<Value> = fields.take_as("tool_choice")?;
    let stream = fields.take_as("stream")?.unwrap_or(false);
    let mut options: Extra = fields.take_as("stream_options")?.unwrap_or_default();
    let include_usage = options.shift_remove("include_usage") == Some(Value::Bool(true));
    let mut request = Request {
        model: fields.need("model")?,
        system: system_text(&leading).into(),
        tools: tools.iter().map(read_tool).collect::<Result<_, _>>()?,
        tool_choice: choice.as_ref().map_or(Ok(ToolChoice::Auto), read_tool_choice)?,
        messages: read_messages(raw, leading.len())?,
        max_tokens: read_max_tokens(&mut fields)?,
        temperature: fields.take_as("temperature")?,
        stop_sequences: read_stop_sequences(fields.take_as("stop")?)?,
        extra: Extra::new(),
    };
    let mut rest = fields.rest();
    if !is_plain_system(&leading) {
        rest.insert("system".to_owned(), Value::Array(leading));
    }
    if let Some(choice) = choice.filter(|choice| !is_plain_choice(choice)) {
        rest.insert("tool_choice".to_owned(), choice);
    }
    if !options.is_empty() {
        rest.insert("stream_options".to_owned(), Value::Object(options));
    }
    request.extra = Vendor::OpenAi.keep(rest);
    Ok(Incoming { request, stream, include_usage })
}

fn one_answer_only(n: Option<u64>) -> Result<(), Wrong> {
    match n {
        None | Some(1) => Ok(()),
        Some(n) => Err(Wrong(format!(
            "field `n`: {n} answers were asked for\nask for one, several times if need be"
        ))),
    }
}

fn read_max_tokens(fields: &mut Fields) -> Result<u32, Wrong> {
    let new: Option<u32> = fields.take_as("max_completion_tokens")?;
    let old: Option<u32> = fields.take_as("max_tokens")?;
    Ok(new.or(old).unwrap_or(MAX_TOKENS_DEFAULT))
}

fn read_stop_sequences(stop: Option<Value>) -> Result<Vec<String>, Wrong> {
    match stop {
        None => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one]),
        Some(many) => serde_json::from_value(many)
            .map_err(|why| Wrong(format!("field `stop`: neither text nor texts: {why}"))),
    }
}

fn count_leading(messages: &[RawJson]) -> Result<usize, Wrong> {
    for (at, raw) in messages.iter().enumerate() {
        let place = |why: Wrong| why.within(&format!("messages[{at}]"));
        let role: String = Fields::of(raw).and_then(|mut f| f.need("role")).map_err(place)?;
        if !matches!(role.as_str(), "system" | "developer") {
            return Ok(at);
        }
    }
    Ok(messages.len())
}

/// The system prompt of leading messages: their texts, joined by blank lines.
pub(super) fn system_text(messages: &[Value]) -> String {
    let texts: Vec<String> = messages.iter().map(|m| text_of(&m["content"])).collect();
    texts.join("\n\n")
}

/// Whether the leading messages are what we write by ourselves.
fn is_plain_system(messages: &[Value]) -> bool {
    match messages {
        [] => true,
        [Value::Object(one)] => {
            one.len() == 2
                && one.get("role").is_some_and(|role| role == "system")
                && one.get("content").is_some_and(Value::is_string)
        }
        _ => false,
    }
}

fn is_plain_choice(choice: &Value) -> bool {
    match choice {
        Value::String(_) => true,
        Value::Object(fields) => fields.len() == 2 && choice["type"] == "function",
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
    }
}

pub(super) fn read_tool_choice(choice: &Value) -> Result<ToolChoice, Wrong> {
    let name = |kind: &str| choice[kind]["name"].as_str().map(str::to_owned);
    let read = match (choice.as_str(), choice["type"].as_str()) {
        (Some("auto"), _) => Some(ToolChoice::Auto),
        (Some("required"), _) => Some(ToolChoice::Any),
        (Some("none"), _) => Some(ToolChoice::Off),
        (None, Some(kind @ ("function" | "custom"))) => name(kind).map(ToolChoice::Named),
        (None, Some("allowed_tools")) => match choice["allowed_tools"]["mode"].as_str() {
            Some("required") => Some(ToolChoice::Any),
            Some(_) | None => Some(ToolChoice::Auto),
        },
        (Some(_) | None, _) => None,
    };
    read.ok_or_else(|| {
        Wrong(format!(
            "field `tool_choice`: `{choice}` is not a choice\n\
             use `auto`, `required`, `none`, or a function with its name"
        ))
    })
}

fn read_tool(raw: &RawJson) -> Result<ToolDecl, Wrong> {
    let mut fields = Fields::of(raw).map_err(|why| why.within("tools"))?;
    let Some(mut function) = fields.take_as::<Fields>("function")? else {
        return Ok(foreign_tool(raw));
    };
    let (name, description) = (function.need("name")?, function.take_as("description")?);
    let input_schema = function.take_as("parameters")?.unwrap_or_default();
    let _ = fields.take("type");
    let mut rest = fields.rest();
    let inner = function.rest();
    if !inner.is_empty() {
        rest.insert("function".to_owned(), Value::Object(inner));
    }
    Ok(ToolDecl {
        name,
        description: description.unwrap_or_default(),
        input_schema,
        extra: Vendor::OpenAi.keep(rest),
    })
}

/// A tool that is no function: kept whole, named where it has a name.
fn foreign_tool(raw: &RawJson) -> ToolDecl {
    let whole = raw.value();
    let named = [&whole["name"], &whole["custom"]["name"], &whole["type"]];
    let name = named.iter().find_map(|name| name.as_str());
    ToolDecl {
        name: name.unwrap_or_default().to_owned(),
        description: String::new(),
        input_schema: Value::Null,
        extra: Vendor::OpenAi.keep(whole.as_object().cloned().unwrap_or_default()),
    }
}

fn read_messages(messages: &[RawJson], leading: usize) -> Result<Vec<Arc<Message>>, Wrong> {
    let mut read: Vec<Message> = Vec::with_capacity(messages.len());
    for (at, raw) in messages.iter().enumerate() {
        let place = |why: Wrong| why.within(&format!("messages[{}]", leading + at));
        let message = read_message(raw).map_err(place)?;
        match read.last_mut() {
            Some(last) if is_results(last) && is_results(&message) => {
                last.content.extend(message.content);
            }
            Some(_) | None => read.push(message),
        }
    }
    Ok(read.into_iter().map(Arc::new).collect())
}

/// Results of one answer come as several messages; ours holds them all.
fn is_results(message: &Message) -> bool {
    !message.content.is_empty() && message.content.iter().all(is_result)
}

fn read_message(raw: &RawJson) -> Result<Message, Wrong> {
    let mut fields = Fields::of(raw)?;
    let role: String = fields.need("role")?;
    match role.as_str() {
        "assistant" => Ok(Message::of(Role::Assistant, read_assistant(fields)?)),
        "user" => read_user(fields, None),
        "system" | "developer" => read_user(fields, Some(role)),
        "tool" => read_result(fields),
        other => Err(Wrong(format!(
            "`{other}` is not a role\nuse `system`, `developer`, `user`, `assistant` or `tool`"
        ))),
    }
}

fn read_user(mut fields: Fields, role: Option<String>) -> Result<Message, Wrong> {
    let mut content = read_content(fields.take("content"))?;
    let mut rest = fields.rest();
    if let Some(role) = role {
        rest.insert("role".to_owned(), Value::String(role));
    }
    content.extend(seal_fields(Sealed::OpenAiMessage, &rest));
    Ok(Message::of(Role::User, content))
}

fn read_result(mut fields: Fields) -> Result<Message, Wrong> {
    let id = fields.need("tool_call_id")?;
    let content: Value = fields.take_as("content")?.unwrap_or_default();
    let mut rest = fields.rest();
    let text = text_of(&content);
    if content.is_array() {
        rest.insert("content".to_owned(), content);
    }
    let result =
        ToolResult { id, content: text, is_error: false, extra: Vendor::OpenAi.keep(rest) };
    Ok(Message::of(Role::User, vec![Block::ToolResult(result)]))
}
