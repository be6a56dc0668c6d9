//! A whole answer as the chunks of the stream that would have brought it.

use kernel::json::Extra;
use kernel::message::{Block, Reply, ToolUse};
use serde_json::{Value, json};

use super::assistant::{Call, calls};
use super::content::{Part, message_fields, parts, plain_text};
use super::reply::{CHOICE, choice_fields, put_names};
use super::stop::write_stop;
use super::stream_read::DONE;
use super::usage::{KEPT, usage_value};
use crate::json::object;
use crate::sse::Frame;
use crate::vendor::Vendor;
use crate::{ReplyHead, pieces};

/// Writes the answer as a stream: the role, the message in several deltas, the finish
/// reason, the usage where it is asked for, and `[DONE]`. With `include_usage` every
/// other chunk says `usage: null`, as the vendor's do.
#[must_use]
pub fn write_stream(reply: &Reply, head: &ReplyHead, include_usage: bool) -> Vec<Frame> {
    let chunks = Chunks { reply, head, include_usage };
    let mut frames = vec![chunks.delta(json!({"role": "assistant", "content": ""}))];
    let blocks: Vec<&Block> = reply.content.iter().collect();
    frames.extend(content_deltas(&blocks).map(|delta| chunks.delta(delta)));
    for (index, call) in calls(&blocks).into_iter().enumerate() {
        frames.extend(call_deltas(index, call).map(|delta| chunks.delta(delta)));
    }
    let fields = message_fields(&blocks);
    frames.extend(fields.into_iter().map(|(name, value)| chunks.delta(json!({name: value}))));
    frames.push(chunks.end());
    if let Some(usage) = reply.usage.filter(|_| include_usage) {
        frames.push(chunks.write(json!([]), usage_value(&usage, &reply.extra)));
    }
    frames.push(frame(DONE.to_owned()));
    frames
}

fn frame(data: String) -> Frame {
    Frame { event: None, data }
}

struct Chunks<'a> {
    reply: &'a Reply,
    head: &'a ReplyHead,
    include_usage: bool,
}

impl Chunks<'_> {
    fn delta(&self, delta: Value) -> Frame {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": null});
        self.write(json!([choice]), Value::Null)
    }

    fn end(&self) -> Frame {
        let reason = write_stop(&self.reply.stop);
        let mut choice = json!({"index": 0, "delta": {}, "finish_reason": reason});
        let fields: Extra = choice_fields(self.reply);
        for (name, value) in fields {
            choice[name] = value;
        }
        self.write(json!([choice]), Value::Null)
    }

    fn write(&self, choices: Value, usage: Value) -> Frame {
        frame(object(|out| {
            put_names(out, self.head, "chat.completion.chunk");
            out.put("choices", &choices);
            if self.include_usage {
                out.put("usage", &usage);
            }
            Vendor::OpenAi.put(out, &self.reply.extra, &[CHOICE, KEPT]);
        }))
    }
}

/// The text in pieces; parts that are no text as lists of one part.
fn content_deltas(blocks: &[&Block]) -> impl Iterator<Item = Value> {
    let content = parts(blocks);
    let deltas: Vec<Value> = match plain_text(&content, "") {
        Some(text) => pieces(&text).map(|piece| json!({"content": piece})).collect(),
        None => content.iter().map(part_delta).collect(),
    };
    deltas.into_iter()
}

fn part_delta((part, _): &(Part<'_>, bool)) -> Value {
    match part {
        Part::Text(text, _) => json!({"content": text}),
        Part::Raw(raw) => json!({"content": [raw]}),
    }
}

/// A call: its names first, then its arguments in pieces.
fn call_deltas(index: usize, call: Call<'_>) -> impl Iterator<Item = Value> {
    let deltas = match call {
        Call::Function(call) => function_deltas(index, call),
        Call::Raw(raw) => {
            let mut whole = raw.value();
            whole["index"] = json!(index);
            vec![whole]
        }
    };
    deltas.into_iter().map(|call| json!({"tool_calls": [call]}))
}

fn function_deltas(index: usize, call: &ToolUse) -> Vec<Value> {
    let mut first = json!({
        "index": index,
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": ""},
    });
    for (name, value) in Vendor::OpenAi.fields(&call.extra) {
        match (first.get_mut(name), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more.clone()),
            (Some(_) | None, value) => first[name] = value.clone(),
        }
    }
    let arguments = pieces(call.arguments.text())
        .map(|piece| json!({"index": index, "function": {"arguments": piece}}));
    std::iter::once(first).chain(arguments).collect()
}
