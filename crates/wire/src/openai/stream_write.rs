//! A whole answer as the chunks of the stream that would have brought it.

use kernel::json::Extra;
use kernel::message::{Block, Reply, ToolUse};
use serde_json::{Value, json};

use super::calls::{Reader, calls, piece, put_call};
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
fn call_deltas(index: usize, call: &ToolUse) -> impl Iterator<Item = Value> {
    let mut first = Vec::new();
    put_call(&mut first, call, Reader::Client, Some(index));
    let first = serde_json::from_slice(&first).expect("INVARIANT: a written call is JSON");
    let later = pieces(call.arguments.text()).map(move |text| piece(call, index, text));
    std::iter::once(first).chain(later).map(|call: Value| json!({"tool_calls": [call]}))
}
