//! An assistant's message, as history in a request and as the answer in a reply.

use kernel::json::Extra;
use kernel::message::Block;
use serde_json::Value;

use super::calls::{Reader, calls, put_call, read_said};
use super::content::{message_fields, parts, plain_text, put_parts, read_content};
use crate::ids::make_distinct;
use crate::json::{Fields, Object, Wrong, prune, put_array};
use crate::vendor::{Sealed, open, seal_fields};

/// Reads a message whose role is known.
pub(super) fn read_assistant(mut fields: Fields) -> Result<Vec<Block>, Wrong> {
    let mut content = read_content(fields.take("content"))?;
    let calls: Vec<Fields> = fields.take_as("tool_calls")?.unwrap_or_default();
    for call in calls {
        let said = read_said(call).map_err(|why| why.within("tool_calls"))?;
        content.push(said.into_block());
    }
    make_distinct(&mut content);
    content.extend(seal_fields(Sealed::OpenAiMessage, &prune(fields.rest())));
    Ok(content)
}

/// Whether an assistant's message has something that the API takes as an answer.
pub(super) fn says_something(content: &[Block]) -> bool {
    content.iter().any(|block| match block {
        Block::Text { text, .. } => !text.is_empty(),
        Block::ToolUse(_) => true,
        Block::Opaque { raw } => match open(raw) {
            Some((Sealed::OpenAiPart, _)) => true,
            Some((Sealed::OpenAiMessage, fields)) => is_answer(&fields.value()),
            Some((Sealed::AnthropicMessage, _)) | None => false,
        },
        Block::Thinking { .. } | Block::ToolResult(_) => false,
    })
}

/// A refusal and an audio stand for the content.
fn is_answer(fields: &Value) -> bool {
    ["refusal", "audio"].iter().any(|name| fields.get(name).is_some())
}

/// Writes a message.
pub(super) fn put_assistant(out: &mut Vec<u8>, blocks: &[&Block], reader: Reader) {
    let mut object = Object::open(out);
    object.put("role", "assistant");
    let content = parts(blocks);
    match plain_text(&content, "") {
        Some(text) if text.is_empty() => object.put("content", &Value::Null),
        Some(text) => object.put("content", &text),
        None => put_parts(object.name("content"), &content),
    }
    let calls = calls(blocks);
    if !calls.is_empty() {
        put_array(object.name("tool_calls"), calls, |out, call| {
            put_call(out, call, reader, None);
        });
    }
    put_fields(&mut object, &message_fields(blocks));
    object.close();
}

/// Writes a message's unknown fields.
pub(super) fn put_fields(object: &mut Object<'_>, fields: &Extra) {
    for (name, value) in fields {
        object.put(name, value);
    }
}
