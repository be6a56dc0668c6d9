//! Tool calls of an assistant message. The arguments are a text that holds JSON.

use kernel::json::RawJson;
use kernel::message::{Arguments, Block, ToolUse};
use serde_json::Value;

use crate::anthropic::{input_of, read_input};
use crate::ids::fitting;
use crate::json::{Fields, Object, Wrong};
use crate::vendor::{Sealed, Vendor, seal};

/// The field of a call that we model, and its unknown fields among the call's.
const FUNCTION: &str = "function";

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

/// Reads one call.
pub(super) fn read_call(raw: &RawJson) -> Result<Block, Wrong> {
    let mut fields = Fields::of(raw)?;
    let Some(mut function) = fields.take_as::<Fields>(FUNCTION)? else {
        return Ok(seal(Sealed::OpenAiCall, raw));
    };
    let id = fields.take_as("id")?.unwrap_or_default();
    let name = function.take_as("name")?.unwrap_or_default();
    let arguments = arguments_of(function.take("arguments"));
    let _ = (fields.take("type"), fields.take("index"));
    let mut rest = fields.rest();
    let inner = function.rest();
    if !inner.is_empty() {
        rest.insert(FUNCTION.to_owned(), Value::Object(inner));
    }
    Ok(Block::ToolUse(ToolUse { id, name, arguments, extra: Vendor::OpenAi.keep(rest) }))
}

/// Arguments are told as a text; some servers tell the object itself.
fn arguments_of(raw: Option<RawJson>) -> Arguments {
    let text = arguments_text(raw);
    read_arguments(&text)
}

/// The text of arguments that came as a text or as an object.
pub(super) fn arguments_text(raw: Option<RawJson>) -> String {
    let Some(raw) = raw else {
        return String::new();
    };
    raw.read().unwrap_or_else(|_| raw.text().to_owned())
}

/// Sorts a model's text, and finds our own spelling of broken arguments again.
pub(super) fn read_arguments(text: &str) -> Arguments {
    match Arguments::from_text(text) {
        Arguments::Json(raw) => read_input(raw),
        broken @ Arguments::Malformed(_) => broken,
    }
}

/// Writes one call.
pub(super) fn put_call(out: &mut Vec<u8>, call: &ToolUse, reader: Reader) {
    let ToolUse { id, name, extra, .. } = call;
    let mut object = Object::open(out);
    object.put("id", id);
    object.put("type", FUNCTION);
    let mut function = Object::open(object.name(FUNCTION));
    match reader {
        Reader::Vendor => {
            function.put("name", &fitting(name, NAME_CHARS_MAX));
            function.put("arguments", input_of(&call.arguments).text());
        }
        Reader::Client => {
            function.put("name", name);
            function.put("arguments", call.arguments.text());
        }
    }
    let inner = Vendor::OpenAi.field(extra, FUNCTION).and_then(Value::as_object);
    for (name, value) in inner.into_iter().flatten() {
        function.put(name, value);
    }
    function.close();
    Vendor::OpenAi.put(&mut object, extra, &[FUNCTION]);
    object.close();
}
