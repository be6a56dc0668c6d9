//! Content blocks of the Messages API, each way.
//!
//! Our blocks resemble these, so a block that is not modelled is kept bare and goes back
//! byte for byte. Content given as a list where we keep a text survives beside the text.

use kernel::json::{Extra, RawJson};
use kernel::message::{Arguments, Block, ToolResult, ToolUse};
use serde_json::Value;

use super::cache::MARK;
use crate::json::{Fields, Object, Wrong, raw_object};
use crate::vendor::{self, Vendor};

/// The field that holds what a model wrote instead of a JSON object, because the API
/// takes nothing but objects.
const MALFORMED: &str = "malformed_arguments";

/// Reads one block.
pub(super) fn read_block(raw: &RawJson) -> Result<Block, Wrong> {
    let mut fields = Fields::of(raw)?;
    let kind: String = fields.need("type")?;
    match kind.as_str() {
        "text" => Ok(Block::Text {
            text: fields.need("text")?,
            extra: Vendor::Anthropic.keep(fields.rest()),
        }),
        "thinking" | "redacted_thinking" => Ok(Block::Thinking { raw: raw.clone() }),
        "tool_use" => read_tool_use(fields).map(Block::ToolUse),
        "tool_result" => read_tool_result(fields).map(Block::ToolResult),
        _ => Ok(Block::Opaque { raw: raw.clone() }),
    }
}

fn read_tool_use(mut fields: Fields) -> Result<ToolUse, Wrong> {
    Ok(ToolUse {
        id: fields.need("id")?,
        name: fields.need("name")?,
        arguments: fields.take("input").map_or_else(no_input, read_input),
        extra: Vendor::Anthropic.keep(fields.rest()),
    })
}

fn no_input() -> Arguments {
    Arguments::from_text("")
}

/// Reads an input: an object, our own spelling of broken arguments, or broken arguments.
pub(crate) fn read_input(raw: RawJson) -> Arguments {
    if !raw.text().starts_with('{') {
        return Arguments::Malformed(raw.text().to_owned());
    }
    match broken_text(&raw) {
        Some(text) => Arguments::Malformed(text),
        None => Arguments::Json(raw),
    }
}

fn broken_text(raw: &RawJson) -> Option<String> {
    if !raw.text().contains(MALFORMED) {
        return None;
    }
    let mut fields = Fields::of(raw).ok()?;
    let text = fields.take_as(MALFORMED).ok()??;
    fields.rest().is_empty().then_some(text)
}

/// The arguments as an object: what could not be read stands in a field of its own.
pub(crate) fn input_of(arguments: &Arguments) -> RawJson {
    match arguments {
        Arguments::Json(raw) => raw.clone(),
        Arguments::Malformed(text) => raw_object(|object| object.put(MALFORMED, text)),
    }
}

fn read_tool_result(mut fields: Fields) -> Result<ToolResult, Wrong> {
    let id = fields.need("tool_use_id")?;
    let is_error = fields.take_as("is_error")?.unwrap_or(false);
    let content = fields.take_as::<Value>("content")?.unwrap_or_default();
    let mut rest = fields.rest();
    let text = text_of(&content);
    if !is_plain(&content) {
        rest.insert("content".to_owned(), content);
    }
    Ok(ToolResult { id, content: text, is_error, extra: Vendor::Anthropic.keep(rest) })
}

/// The text in a field that takes a text or a list of blocks: the blocks' texts, joined
/// by blank lines.
pub(super) fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => {
            let texts: Vec<&str> = blocks.iter().filter_map(|b| b["text"].as_str()).collect();
            texts.join("\n\n")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    }
}

/// Whether a content is no more than its text: absent, a text, or one bare text block.
pub(super) fn is_plain(content: &Value) -> bool {
    match content {
        Value::Null | Value::String(_) => true,
        Value::Array(blocks) => match blocks.as_slice() {
            [] => true,
            [Value::Object(block)] => {
                block.len() == 2 && block.get("type").is_some_and(|kind| kind == "text")
            }
            _ => false,
        },
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// The vendor's own spelling of a text, where it was kept and still says the same.
pub(super) fn kept_list<'a>(extra: &'a Extra, field: &str, text: &str) -> Option<&'a Value> {
    let kept = Vendor::Anthropic.field(extra, field)?;
    (kept.is_array() && text_of(kept) == text).then_some(kept)
}

/// Whether the API takes the block. It refuses texts of nothing but white space.
pub(super) fn is_sent(block: &Block) -> bool {
    match block {
        Block::Text { text, .. } => !text.trim().is_empty(),
        Block::Thinking { .. } | Block::ToolUse(_) | Block::ToolResult(_) => true,
        Block::Opaque { raw } => vendor::open(raw).is_none(),
    }
}

/// Writes a text block.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str, extra: &Extra, marked: bool) {
    let mut object = Object::open(out);
    object.put("type", "text");
    object.put("text", text);
    Vendor::Anthropic.put(&mut object, extra, &[]);
    close(object, marked);
}

/// Writes a tool call under this id and name.
pub(super) fn put_tool_use(out: &mut Vec<u8>, call: &ToolUse, id: &str, name: &str) {
    let mut object = Object::open(out);
    object.put("type", "tool_use");
    object.put("id", id);
    object.put("name", name);
    object.put("input", &input_of(&call.arguments));
    Vendor::Anthropic.put(&mut object, &call.extra, &[]);
    object.close();
}

/// What an error without words says: the API refuses one that says nothing.
const NO_WORDS: &str = "the tool failed without a message";

/// Writes a tool result for this id.
pub(super) fn put_tool_result(out: &mut Vec<u8>, result: &ToolResult, id: &str, marked: bool) {
    let mut object = Object::open(out);
    object.put("type", "tool_result");
    object.put("tool_use_id", id);
    match kept_list(&result.extra, "content", &result.content) {
        Some(kept) => object.put("content", kept),
        None if result.is_error && result.content.trim().is_empty() => {
            object.put("content", NO_WORDS);
        }
        None => object.put("content", &result.content),
    }
    if result.is_error {
        object.put("is_error", &true);
    }
    Vendor::Anthropic.put(&mut object, &result.extra, &["content"]);
    close(object, marked);
}

/// Ends an object, with a cache mark as its last field or without.
pub(super) fn close(mut object: Object<'_>, marked: bool) {
    if marked {
        object.put("cache_control", &MARK);
    }
    object.close();
}
