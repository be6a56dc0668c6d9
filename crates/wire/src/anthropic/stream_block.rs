//! One block of a Messages stream while it grows.
//!
//! A block begins as an object and grows by deltas, each named for the field that it
//! adds to. So a kind of block or delta that nobody here knows still comes out whole:
//! texts are appended, everything else is set.

use kernel::json::{Extra, RawJson};
use kernel::message::{Arguments, Block, Delta, ToolUse};
use serde_json::{Value, json};

use super::blocks::{input_of, read_block};
use crate::json::{Wrong, raw_object};
use crate::vendor::Vendor;

/// A block on its way.
#[derive(Debug)]
pub(super) struct Growing {
    /// As it began, byte for byte.
    start: RawJson,
    fields: Extra,
    /// The input's text, where it came in pieces.
    input: String,
    grew: bool,
    closed: bool,
}

impl Growing {
    /// Begins a block.
    pub(super) fn begin(start: RawJson) -> Result<(Self, Vec<Delta>), Wrong> {
        let fields: Extra =
            start.read().map_err(|why| Wrong(format!("field `content_block`: {why}")))?;
        let seen = match (kind_of(&fields), fields.get("text"), fields.get("name")) {
            ("text", Some(Value::String(text)), _) if !text.is_empty() => {
                vec![Delta::Text(text.clone())]
            }
            ("tool_use", _, Some(Value::String(name))) => vec![Delta::ToolUse(name.clone())],
            _ => Vec::new(),
        };
        let block = Growing { start, fields, input: String::new(), grew: false, closed: false };
        Ok((block, seen))
    }

    /// Takes a delta in. Gives what may be seen of it, and its size in bytes.
    pub(super) fn grow(&mut self, mut delta: Extra) -> Result<(Vec<Delta>, u64), Wrong> {
        let Some(Value::String(kind)) = delta.remove("type") else {
            return Err(Wrong("a delta has no `type`".to_owned()));
        };
        self.grew = true;
        let words = ["text", "thinking", "partial_json"];
        let bytes: usize =
            words.iter().filter_map(|name| delta.get(*name)?.as_str()).map(str::len).sum();
        let seen = match kind.as_str() {
            "text_delta" => text_in(&delta, "text").map(Delta::Text),
            "thinking_delta" => text_in(&delta, "thinking").map(Delta::Thinking),
            _ => None,
        };
        match kind.as_str() {
            "input_json_delta" => {
                self.input.push_str(&text_in(&delta, "partial_json").unwrap_or_default());
            }
            "citations_delta" => self.add_citation(delta.remove("citation")),
            _ => self.add_fields(delta),
        }
        Ok((seen.into_iter().collect(), bytes as u64))
    }

    fn add_citation(&mut self, citation: Option<Value>) {
        let citations = self.fields.entry("citations").or_insert(json!([]));
        if !citations.is_array() {
            *citations = json!([]);
        }
        if let (Value::Array(citations), Some(citation)) = (citations, citation) {
            citations.push(citation);
        }
    }

    fn add_fields(&mut self, delta: Extra) {
        for (name, piece) in delta {
            match (self.fields.get_mut(&name), piece) {
                (Some(Value::String(text)), Value::String(more)) => text.push_str(&more),
                (_, piece) => {
                    self.fields.insert(name, piece);
                }
            }
        }
    }

    /// Marks the block as whole.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Whether the block is whole.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// The block.
    pub(super) fn into_block(self) -> Result<Block, Wrong> {
        if !self.grew {
            return read_block(&self.start);
        }
        if self.input.is_empty() {
            return read_block(&RawJson::of(&self.fields));
        }
        let arguments = Arguments::from_text(&self.input);
        match kind_of(&self.fields) {
            "tool_use" => tool_use(self.fields, arguments).map(Block::ToolUse),
            _ => read_block(&with_input(&self.fields, &input_of(&arguments))),
        }
    }
}

fn kind_of(fields: &Extra) -> &str {
    fields.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn text_in(delta: &Extra, name: &str) -> Option<String> {
    delta.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn tool_use(mut fields: Extra, arguments: Arguments) -> Result<ToolUse, Wrong> {
    let mut take = |name: &str| match fields.remove(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) | None => Err(Wrong(format!("a `tool_use` block has no `{name}`"))),
    };
    let (id, name) = (take("id")?, take("name")?);
    fields.retain(|name, value| name != "type" && name != "input" && !value.is_null());
    Ok(ToolUse { id, name, arguments, extra: Vendor::Anthropic.keep(fields) })
}

/// The block with the input's text put in as it came.
fn with_input(fields: &Extra, input: &RawJson) -> RawJson {
    raw_object(|object| {
        for (name, value) in fields {
            match name.as_str() {
                "input" => object.put(name, input),
                _ => object.put(name, value),
            }
        }
        if !fields.contains_key("input") {
            object.put("input", input);
        }
    })
}
