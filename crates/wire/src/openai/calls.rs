//! Tool calls of an assistant message, whole or as pieces of a stream.
//!
//! A function's arguments are a text that holds JSON. A custom tool's input is any text:
//! it is kept as arguments that are no JSON object, and goes back as what it was.

use kernel::json::{Extra, RawJson};
use kernel::message::{Arguments, Block, ToolUse};
use serde_json::Value;

use crate::anthropic::{input_of, read_input};
use crate::ids::fitting;
use crate::json::{Fields, Object, Wrong};
use crate::vendor::Vendor;

/// Longest name of a tool, in characters.
const NAME_CHARS_MAX: usize = 64;

/// Who reads what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// A vendor, who refuses what does not fit its patterns.
    Vendor,
    /// A client, who gets what the model wrote.
    Client,
}

/// What a call says, or a piece of one. Names that are not told are empty.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) index: Option<u64>,
    pub(super) id: String,
    pub(super) name: String,
    /// The arguments' text, or the input's.
    pub(super) text: String,
    /// Whether it calls a custom tool.
    pub(super) custom: bool,
    pub(super) rest: Extra,
}

/// Reads a call or a piece of one.
pub(super) fn read_said(mut fields: Fields) -> Result<Said, Wrong> {
    let custom: Option<Fields> = fields.take_as("custom")?;
    let mut said = Said { custom: custom.is_some(), ..Said::default() };
    let (holder, text) = holder(said.custom);
    let inner = match custom {
        Some(custom) => Some(custom),
        None => fields.take_as(holder)?,
    };
    said.index = fields.take_as("index")?;
    said.id = fields.take_as("id")?.unwrap_or_default();
    let _ = fields.take("type");
    said.rest = fields.rest();
    if let Some(mut inner) = inner {
        said.name = inner.take_as("name")?.unwrap_or_default();
        said.text = text_in(inner.take(text));
        said.index = said.index.or(inner.take_as("index")?);
        let inner = inner.rest();
        if !inner.is_empty() {
            said.rest.insert(holder.to_owned(), Value::Object(inner));
        }
    }
    Ok(said)
}

/// The field that holds a call's name and text, and the field of the text.
fn holder(custom: bool) -> (&'static str, &'static str) {
    match custom {
        true => ("custom", "input"),
        false => ("function", "arguments"),
    }
}

/// Arguments are told as a text; some servers tell the object itself.
fn text_in(raw: Option<RawJson>) -> String {
    let text = raw.map(|raw| raw.read().unwrap_or_else(|_| raw.text().to_owned()));
    text.unwrap_or_default()
}

impl Said {
    /// The whole call.
    pub(super) fn into_block(mut self) -> Block {
        if self.custom {
            self.rest.insert("type".to_owned(), Value::from("custom"));
        }
        Block::ToolUse(ToolUse {
            id: self.id,
            name: self.name,
            arguments: match self.custom {
                true => Arguments::Malformed(self.text),
                false => read_arguments(&self.text),
            },
            extra: Vendor::OpenAi.keep(self.rest),
        })
    }
}

/// Sorts a model's text, and finds our own spelling of broken arguments again.
fn read_arguments(text: &str) -> Arguments {
    match Arguments::from_text(text) {
        Arguments::Json(raw) => read_input(raw),
        broken @ Arguments::Malformed(_) => broken,
    }
}

/// Whether the call is one of a custom tool.
pub(super) fn is_custom(call: &ToolUse) -> bool {
    Vendor::OpenAi.field(&call.extra, "type").is_some_and(|kind| kind == "custom")
}

/// The calls among these blocks.
pub(super) fn calls<'a>(blocks: &[&'a Block]) -> Vec<&'a ToolUse> {
    let call = |block: &&'a Block| match block {
        Block::ToolUse(call) => Some(call),
        Block::Text { .. }
        | Block::Thinking { .. }
        | Block::ToolResult(_)
        | Block::Opaque { .. } => None,
    };
    blocks.iter().filter_map(call).collect()
}

/// Writes a call. In a stream it begins with its `index`, and its text comes later.
pub(super) fn put_call(out: &mut Vec<u8>, call: &ToolUse, reader: Reader, streamed: Option<usize>) {
    let (holder, text_field) = holder(is_custom(call));
    let mut object = Object::open(out);
    object.put_some("index", streamed.as_ref());
    object.put("id", &call.id);
    object.put("type", holder);
    let mut inner = Object::open(object.name(holder));
    match reader {
        Reader::Vendor => inner.put("name", &fitting(&call.name, NAME_CHARS_MAX)),
        Reader::Client => inner.put("name", &call.name),
    }
    let text = match streamed {
        Some(_) => String::new(),
        None => text_of(call, reader),
    };
    inner.put(text_field, &text);
    let kept = Vendor::OpenAi.field(&call.extra, holder).and_then(Value::as_object);
    for (name, value) in kept.into_iter().flatten() {
        inner.put(name, value);
    }
    inner.close();
    Vendor::OpenAi.put(&mut object, &call.extra, &["type", holder]);
    object.close();
}

/// The text of a call's arguments: a vendor gets JSON, a client what the model wrote.
fn text_of(call: &ToolUse, reader: Reader) -> String {
    match (reader, is_custom(call)) {
        (Reader::Vendor, false) => input_of(&call.arguments).text().to_owned(),
        (Reader::Vendor, true) | (Reader::Client, _) => call.arguments.text().to_owned(),
    }
}

/// A later piece of a streamed call.
pub(super) fn piece(call: &ToolUse, index: usize, text: &str) -> Value {
    let (holder, text_field) = holder(is_custom(call));
    let inner = Extra::from_iter([(text_field.to_owned(), Value::from(text))]);
    let fields = [("index", Value::from(index)), (holder, Value::Object(inner))];
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
