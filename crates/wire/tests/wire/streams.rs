//! Streams as vendors send them, read to the end: one file of bytes, one of what came out.

use kernel::message::{Delta, Reply, Usage};
use serde_json::{Value, json};
use wire::sse::{Frame, Frames};
use wire::{WireError, anthropic, openai};

use crate::golden;

const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// The face that both readers share.
trait Reader {
    fn push(&mut self, frame: &Frame) -> Result<Vec<Delta>, WireError>;
    fn done(&self) -> bool;
    fn usage_so_far(&self) -> Option<Usage>;
    fn output_bytes(&self) -> u64;
    fn finish(self: Box<Self>) -> Result<Reply, WireError>;
}

macro_rules! reader {
    ($vendor:ident) => {
        impl Reader for $vendor::StreamReader {
            fn push(&mut self, frame: &Frame) -> Result<Vec<Delta>, WireError> {
                self.push(frame)
            }
            fn done(&self) -> bool {
                self.done()
            }
            fn usage_so_far(&self) -> Option<Usage> {
                self.usage_so_far()
            }
            fn output_bytes(&self) -> u64 {
                self.output_bytes()
            }
            fn finish(self: Box<Self>) -> Result<Reply, WireError> {
                (*self).finish()
            }
        }
    };
}

reader!(anthropic);
reader!(openai);

fn reader(vendor: &str) -> Box<dyn Reader> {
    match vendor {
        "anthropic" => Box::new(anthropic::StreamReader::new()),
        _ => Box::new(openai::StreamReader::new()),
    }
}

pub(crate) fn frames_of(chunks: &[&[u8]]) -> Vec<Frame> {
    let mut frames = Frames::new(EVENT_BYTES_MAX);
    let mut read = Vec::new();
    for chunk in chunks {
        read.extend(frames.push(chunk).unwrap());
    }
    read.extend(frames.finish());
    read
}

/// Everything that can be seen of a stream.
fn read(vendor: &str, frames: &[Frame]) -> Value {
    let mut reader = reader(vendor);
    let mut deltas = Vec::new();
    let mut error = None;
    for frame in frames {
        match reader.push(frame) {
            Ok(seen) => deltas.extend(seen.iter().map(told)),
            Err(why) => {
                error = Some(why);
                break;
            }
        }
    }
    let mut seen = json!({
        "deltas": deltas,
        "usage_so_far": reader.usage_so_far(),
        "output_bytes": reader.output_bytes(),
        "done": reader.done(),
    });
    let end = match error {
        Some(why) => Err(why),
        None => reader.finish(),
    };
    match end {
        Ok(reply) => seen["reply"] = json!(reply),
        Err(why) => seen["error"] = json!(why.into_fault()),
    }
    seen
}

fn told(delta: &Delta) -> Value {
    match delta {
        Delta::Text(text) => json!({"text": text}),
        Delta::Thinking(text) => json!({"thinking": text}),
        Delta::ToolUse(name) => json!({"tool_use": name}),
    }
}

fn check(vendor: &str) {
    let folder = format!("streams/{vendor}");
    for (name, bytes) in golden::inputs(&folder, ".sse") {
        let frames = frames_of(&[&bytes]);
        golden::check(&format!("{folder}/{name}.out.json"), &read(vendor, &frames));
        // However the bytes are cut, the frames are the same.
        for at in 0..bytes.len() {
            let (before, after) = bytes.split_at(at);
            assert_eq!(frames_of(&[before, after]), frames, "{name} cut at {at}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(frames_of(&single), frames, "{name} byte by byte");
    }
}

#[test]
fn anthropic_streams_are_read_as_expected() {
    check("anthropic");
}

#[test]
fn openai_streams_are_read_as_expected() {
    check("openai");
}

/// A stream that breaks anywhere is never taken for a whole answer with less in it.
#[test]
fn a_stream_cut_at_any_byte_is_cut_or_whole() {
    for vendor in ["anthropic", "openai"] {
        for (name, bytes) in golden::inputs(&format!("streams/{vendor}"), ".sse") {
            let whole = read(vendor, &frames_of(&[&bytes]));
            for end in 0..bytes.len() {
                let part = read(vendor, &frames_of(&[&bytes[..end]]));
                let cut = part["error"]["class"] == "cut";
                let same = match part.get("reply") {
                    Some(reply) => reply["content"] == whole["reply"]["content"],
                    None => part["error"]["class"] == whole["error"]["class"],
                };
                assert!(cut || same, "{vendor} {name} cut at byte {end}: {part}");
            }
        }
    }
}
