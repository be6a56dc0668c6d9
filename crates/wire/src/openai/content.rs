//! The `content` of a message: a text, or a list of parts.
//!
//! Parts that are no text are kept whole and sealed, so that they go back to this
//! vendor only.

use kernel::json::{Extra, RawJson};
use kernel::message::Block;
use serde_json::Value;

use crate::json::{Fields, Object, Wrong, put, put_array};
use crate::vendor::{Sealed, Vendor, open, seal};

/// Reads a content. An empty text is no block.
pub(super) fn read_content(raw: Option<RawJson>) -> Result<Vec<Block>, Wrong> {
    let Some(raw) = raw else {
        return Ok(Vec::new());
    };
    let wrong = |why| Wrong(format!("field `content`: neither text nor parts: {why}"));
    if raw.text().starts_with('[') {
        let parts: Vec<RawJson> = raw.read().map_err(wrong)?;
        return parts.iter().map(read_part).collect();
    }
    let text: String = raw.read().map_err(wrong)?;
    Ok(match text.is_empty() {
        true => Vec::new(),
        false => vec![Block::text(text)],
    })
}

/// Reads one part.
pub(super) fn read_part(raw: &RawJson) -> Result<Block, Wrong> {
    let mut fields = Fields::of(raw)?;
    let kind: Option<String> = fields.take_as("type")?;
    match kind.as_deref() {
        Some("text") => Ok(Block::Text {
            text: fields.need("text")?,
            extra: Vendor::OpenAi.keep(fields.rest()),
        }),
        Some(_) | None => Ok(seal(Sealed::OpenAiPart, raw)),
    }
}

/// The text of a content: its parts' texts, joined by blank lines.
pub(super) fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(|p| p["text"].as_str()).collect();
            texts.join("\n\n")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    }
}

/// A block as content can hold it.
pub(super) enum Part<'a> {
    Text(&'a str, &'a Extra),
    Raw(RawJson),
}

/// The parts of content among these blocks, each with whether it follows the part before
/// without anything between them, as where a vendor splits a sentence for its citations.
pub(super) fn parts<'a>(blocks: &[&'a Block]) -> Vec<(Part<'a>, bool)> {
    let mut parts = Vec::new();
    let mut glued = false;
    for block in blocks {
        let part = match block {
            Block::Text { text, .. } if text.is_empty() => continue,
            Block::Text { text, extra } => Some(Part::Text(text, extra)),
            Block::Opaque { raw } => match open(raw) {
                Some((Sealed::OpenAiPart, body)) => Some(Part::Raw(body)),
                Some((Sealed::OpenAiMessage | Sealed::AnthropicMessage, _)) => continue,
                None => None,
            },
            Block::Thinking { .. } | Block::ToolUse(_) | Block::ToolResult(_) => None,
        };
        let is_part = part.is_some();
        parts.extend(part.map(|part| (part, glued)));
        glued = is_part;
    }
    parts
}

/// The parts as one text, where they are texts and nothing else. `None`: they are not.
/// `glue` joins parts that follow each other at once; others are joined by a blank line.
pub(super) fn plain_text(parts: &[(Part<'_>, bool)], glue: &str) -> Option<String> {
    let mut whole = String::new();
    for (part, glued) in parts {
        match part {
            Part::Text(text, extra) if Vendor::OpenAi.fields(extra).next().is_none() => {
                if !whole.is_empty() {
                    whole.push_str(if *glued { glue } else { "\n\n" });
                }
                whole.push_str(text);
            }
            Part::Text(..) | Part::Raw(_) => return None,
        }
    }
    Some(whole)
}

/// Writes the parts as a list.
pub(super) fn put_parts(out: &mut Vec<u8>, parts: &[(Part<'_>, bool)]) {
    put_array(out, parts, |out, (part, _)| match part {
        Part::Raw(raw) => put(out, raw),
        Part::Text(text, extra) => {
            let mut object = Object::open(out);
            object.put("type", "text");
            object.put("text", text);
            Vendor::OpenAi.put(&mut object, extra, &[]);
            object.close();
        }
    });
}

/// The unknown fields of the messages that these blocks came from.
pub(super) fn message_fields(blocks: &[&Block]) -> Extra {
    let mut all = Extra::new();
    for block in blocks {
        if let Block::Opaque { raw } = block
            && let Some((Sealed::OpenAiMessage, body)) = open(raw)
            && let Value::Object(fields) = body.value()
        {
            all.extend(fields);
        }
    }
    all
}
