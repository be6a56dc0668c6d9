//! A whole answer as the Messages stream that would have brought it.

use kernel::json::RawJson;
use kernel::message::{Block, Reply};
use serde_json::{Value, json};

use super::blocks::is_sent;
use super::reply::{put_names, put_reply_block};
use super::stop::write_stop;
use super::usage::{KEPT, usage_value};
use crate::json::{into_text, object, raw_object};
use crate::sse::Frame;
use crate::vendor::Vendor;
use crate::{ReplyHead, pieces};

/// Writes the answer as a stream: start, a ping, each block in several deltas, the stop
/// reason with the whole usage, end. The API always tells usage, so `include_usage`
/// changes nothing; it is there for the face that both vendors share.
#[must_use]
pub fn write_stream(reply: &Reply, head: &ReplyHead, include_usage: bool) -> Vec<Frame> {
    let _ = include_usage;
    let mut frames = vec![start(reply, head), event("ping", |_| {})];
    let blocks = reply.content.iter().filter(|block| is_sent(block));
    for (index, block) in blocks.enumerate() {
        frames.push(event("content_block_start", |out| {
            out.put("index", &index);
            out.put("content_block", &beginning(block));
        }));
        for delta in deltas(block) {
            frames.push(event("content_block_delta", |out| {
                out.put("index", &index);
                out.put("delta", &delta);
            }));
        }
        frames.push(event("content_block_stop", |out| out.put("index", &index)));
    }
    frames.push(end(reply));
    frames.push(event("message_stop", |_| {}));
    frames
}

fn event(name: &str, write: impl FnOnce(&mut crate::json::Object<'_>)) -> Frame {
    Frame {
        event: Some(name.to_owned()),
        data: object(|out| {
            out.put("type", name);
            write(out);
        }),
    }
}

fn start(reply: &Reply, head: &ReplyHead) -> Frame {
    let mut usage = usage_value(reply.usage.as_ref(), &reply.extra);
    // A placeholder: the true number comes with the stop reason.
    usage["output_tokens"] = json!(reply.usage.map_or(0, |usage| usage.output.min(1)));
    let message = raw_object(|out| {
        put_names(out, head);
        out.put("content", &json!([]));
        out.put("stop_reason", &Value::Null);
        out.put("stop_sequence", &Value::Null);
        out.put("usage", &usage);
        Vendor::Anthropic.put(out, &reply.extra, &["stop_sequence", "stop_details", KEPT]);
    });
    event("message_start", |out| out.put("message", &message))
}

fn end(reply: &Reply) -> Frame {
    let field = |name| Vendor::Anthropic.field(&reply.extra, name);
    let delta = raw_object(|out| {
        out.put("stop_reason", write_stop(&reply.stop));
        out.put("stop_sequence", &field("stop_sequence"));
        out.put_some("stop_details", field("stop_details").as_ref());
    });
    let mut usage = usage_value(reply.usage.as_ref(), &reply.extra);
    if let Value::Object(fields) = &mut usage {
        fields.shift_remove("cache_creation");
    }
    event("message_delta", |out| {
        out.put("delta", &delta);
        out.put("usage", &usage);
    })
}

/// A block as it begins: empty where deltas follow, whole where none do.
fn beginning(block: &Block) -> RawJson {
    let mut out = Vec::new();
    put_reply_block(&mut out, block);
    let whole = RawJson::parse(into_text(out)).expect("INVARIANT: a written block is JSON");
    let emptied: &[&str] = match block {
        Block::Text { .. } => &["text"],
        Block::Thinking { .. } => &["thinking", "signature"],
        Block::ToolUse(_) => &["input"],
        Block::ToolResult(_) | Block::Opaque { .. } => return whole,
    };
    let mut value = whole.value();
    for name in emptied {
        match value.get_mut(name) {
            Some(Value::String(text)) => text.clear(),
            Some(Value::Object(input)) => input.clear(),
            Some(_) | None => {}
        }
    }
    RawJson::of(&value)
}

fn deltas(block: &Block) -> Vec<Value> {
    let text = |text: &str| -> Vec<Value> {
        pieces(text).map(|piece| json!({"type": "text_delta", "text": piece})).collect()
    };
    match block {
        Block::Text { text: words, .. } => text(words),
        Block::Thinking { raw } => thinking(&raw.value()),
        Block::ToolUse(call) => pieces(call.arguments.text())
            .map(|piece| json!({"type": "input_json_delta", "partial_json": piece}))
            .collect(),
        Block::ToolResult(_) | Block::Opaque { .. } => Vec::new(),
    }
}

/// Thinking in pieces, then its signature. Redacted thinking has neither.
fn thinking(block: &Value) -> Vec<Value> {
    let words = block["thinking"].as_str().unwrap_or_default();
    let mut deltas: Vec<Value> =
        pieces(words).map(|piece| json!({"type": "thinking_delta", "thinking": piece})).collect();
    if let Some(signature) = block["signature"].as_str() {
        deltas.push(json!({"type": "signature_delta", "signature": signature}));
    }
    deltas
}
