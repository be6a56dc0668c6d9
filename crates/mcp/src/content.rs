//! Results of calls as text for a model.
//!
//! What is text is shown; what is not is named in brackets, with its kind and size. The
//! structured form comes along only where no text block says the same.

use engine::ports::ToolOutput;
use serde_json::Value;

use crate::words::{line, start};

/// The longest foreign label inside brackets, in characters.
const LABEL_CHARS_MAX: usize = 200;

/// The longest text made of one result, in bytes. What a message may hold is bounded
/// before; this bounds what markers and joining add to it.
const TEXT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Blocks that are shown of one result.
const BLOCKS_MAX: usize = 1_000;

/// The text for the model.
pub(crate) fn output(server: &str, result: &Value) -> ToolOutput {
    match result.get("resultType").and_then(Value::as_str) {
        None | Some("complete") => {}
        Some("input_required") => {
            return ToolOutput::error(format!(
                "the server `{server}` wants to ask somebody before it goes on, which is refused\n\
                 give it everything in the arguments"
            ));
        }
        Some(kind) => {
            let kind = label(kind);
            return ToolOutput::error(format!(
                "the server `{server}` answered with a result of the kind `{kind}`, which is not \
                 supported"
            ));
        }
    }
    let text = text(result);
    let is_error = result.get("isError").and_then(Value::as_bool).unwrap_or(false);
    if is_error { ToolOutput::error(text) } else { ToolOutput::ok(text) }
}

fn text(result: &Value) -> String {
    let none = Vec::new();
    let blocks = result.get("content").and_then(Value::as_array).unwrap_or(&none);
    let mut parts: Vec<String> = blocks.iter().take(BLOCKS_MAX).map(block).collect();
    if blocks.len() > BLOCKS_MAX {
        parts.push(format!("[{} more blocks, not shown]", blocks.len() - BLOCKS_MAX));
    }
    if let Some(structured) = result.get("structuredContent").filter(|value| !value.is_null())
        && !blocks.iter().any(|block| prints(block, structured))
        && !repeats(structured, blocks)
    {
        let marker = if parts.is_empty() { "" } else { "[structured form of the result]\n" };
        parts.push(format!("{marker}{structured}"));
    }
    if parts.is_empty() {
        return "(no content)".to_owned();
    }
    let whole = parts.join("\n\n");
    let shown = start(&whole, TEXT_BYTES_MAX);
    if shown.len() < whole.len() {
        return format!("{shown}\n[{} more bytes, not shown]", whole.len() - shown.len());
    }
    whole
}

/// Whether a text block is the structured form, printed.
fn prints(block: &Value, structured: &Value) -> bool {
    let text = block.get("text").and_then(Value::as_str).unwrap_or_default();
    serde_json::from_str::<Value>(text).is_ok_and(|value| value == *structured)
}

/// Whether the structured form only wraps what text blocks say: each of its values is the
/// text of one.
fn repeats(structured: &Value, blocks: &[Value]) -> bool {
    match structured {
        Value::Object(fields) => fields.values().all(|value| repeats(value, blocks)),
        Value::Array(items) => items.iter().all(|value| repeats(value, blocks)),
        Value::String(text) => blocks.iter().any(|block| field(block, "text") == text),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn block(block: &Value) -> String {
    match field(block, "type") {
        "text" => field(block, "text").to_owned(),
        "image" => media("image", block),
        "audio" => media("audio", block),
        "resource_link" => link(block),
        "resource" => resource(block.get("resource").unwrap_or(&Value::Null)),
        kind => format!("[content of the unknown kind `{}`, not shown]", label(kind)),
    }
}

fn media(what: &str, block: &Value) -> String {
    let (kind, bytes) = (label(field(block, "mimeType")), decoded_bytes(field(block, "data")));
    format!("[{what}, {kind}, {bytes} bytes, not shown]")
}

fn link(block: &Value) -> String {
    let (name, uri) = (label(field(block, "name")), label(field(block, "uri")));
    let mut text = format!("[link to the resource `{name}`: {uri}");
    let kind = field(block, "mimeType");
    if !kind.is_empty() {
        text.push_str(&format!(", {}", label(kind)));
    }
    if let Some(bytes) = block.get("size").and_then(Value::as_u64) {
        text.push_str(&format!(", {bytes} bytes"));
    }
    text.push(']');
    let description = field(block, "description");
    if !description.is_empty() {
        text.push_str(&format!("\n{}", line(description, 4 * LABEL_CHARS_MAX)));
    }
    text
}

fn resource(resource: &Value) -> String {
    let (uri, kind) = (label(field(resource, "uri")), label(field(resource, "mimeType")));
    match resource.get("text").and_then(Value::as_str) {
        Some(text) => format!("[resource {uri}, {kind}]\n{text}\n[end of the resource]"),
        None => {
            let bytes = decoded_bytes(field(resource, "blob"));
            format!("[resource {uri}, {kind}, {bytes} bytes, not shown]")
        }
    }
}

fn field<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A foreign word that cannot leave its brackets.
fn label(text: &str) -> String {
    let plain = line(text, LABEL_CHARS_MAX).replace(['[', ']', '`'], "'");
    if plain.is_empty() { "unknown".to_owned() } else { plain }
}

/// How many bytes a base64 text stands for.
fn decoded_bytes(base64: &str) -> usize {
    let digits = base64.trim_end_matches('=').len();
    digits / 4 * 3 + (digits % 4).saturating_sub(1)
}

#[cfg(test)]
mod tests;
