//! The chunks of a streamed completion, read frame by frame into one answer.
//!
//! Made for OpenAI and for servers that take liberties: no `[DONE]`, no usage, usage in
//! every chunk, calls without index or id or with one index for all, arguments as an
//! object, `content: null`. An `error` object after HTTP 200 becomes an error with its
//! class. An answer is whole when its finish reason came.

use kernel::json::{Extra, RawJson};
use kernel::message::{Block, Delta, Reply, Usage};
use serde_json::Value;

use super::content::read_part;
use super::error::fault_of_object;
use super::reply::{Parts, no_answer};
use super::stream_calls::GrowingCalls;
use super::usage::read_usage;
use crate::REPLY_BYTES_MAX;
use crate::fault::WireError;
use crate::ids::make_distinct;
use crate::json::{Fields, Wrong, grow, prune};
use crate::sse::Frame;
use crate::vendor::{Sealed, seal_fields};

/// The data of the last frame.
pub(super) const DONE: &str = "[DONE]";

/// Reads one answer's stream.
#[derive(Debug, Default)]
pub struct StreamReader {
    id: Option<String>,
    model: Option<String>,
    text: String,
    /// Parts of content that are no text.
    parts: Vec<Block>,
    calls: GrowingCalls,
    /// The message's unknown fields.
    message: Extra,
    choice: Extra,
    rest: Extra,
    finish: Option<String>,
    usage: Extra,
    began: bool,
    ended: bool,
    bytes: u64,
    output_bytes: u64,
}

impl StreamReader {
    /// A reader at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        StreamReader::default()
    }

    /// Takes the next frame and gives what people who watch may see of it.
    ///
    /// # Errors
    /// The vendor told an error (its class), the answer is longer than
    /// [`REPLY_BYTES_MAX`] or the frame is not what the protocol says (`Malformed`), or
    /// the frame ends within its data (`Cut`).
    pub fn push(&mut self, frame: &Frame) -> Result<Vec<Delta>, WireError> {
        self.bytes = self.bytes.saturating_add(frame.data.len() as u64);
        if self.bytes > REPLY_BYTES_MAX {
            return Err(WireError::malformed(format!(
                "the answer is longer than {REPLY_BYTES_MAX} bytes"
            )));
        }
        let data = frame.data.trim();
        if self.ended || data.is_empty() {
            return Ok(Vec::new());
        }
        if DONE.starts_with(data) {
            // An end mark that is cut says nothing.
            self.ended = data == DONE;
            return Ok(Vec::new());
        }
        let mut fields = Fields::of_frame(data)?;
        if let Some(error) = fields.take("error") {
            return Err(fault_of_object(&error.value()));
        }
        if frame.event.as_deref() == Some("error") {
            return Err(fault_of_object(&Value::Object(fields.rest())));
        }
        self.take_chunk(fields).map_err(Wrong::in_reply)
    }

    fn take_chunk(&mut self, mut fields: Fields) -> Result<Vec<Delta>, Wrong> {
        let choices: Vec<Fields> = fields.take_as("choices")?.unwrap_or_default();
        self.id = self.id.take().or(fields.take_as("id")?);
        self.model = self.model.take().or(fields.take_as("model")?);
        if let Some(usage) = fields.take_as("usage")? {
            self.usage = usage;
        }
        // The obfuscation is random padding against listeners.
        let _ = (fields.take("object"), fields.take("created"), fields.take("obfuscation"));
        self.rest.extend(fields.rest());
        let mut seen = Vec::new();
        for mut choice in choices {
            if choice.take_as("index")?.unwrap_or(0u64) == 0 {
                self.take_choice(choice, &mut seen)?;
            }
        }
        Ok(seen)
    }

    fn take_choice(&mut self, mut choice: Fields, seen: &mut Vec<Delta>) -> Result<(), Wrong> {
        self.began = true;
        let delta: Option<Fields> = choice.take_as("delta")?;
        let finish: Option<String> = choice.take_as("finish_reason")?;
        self.finish = finish.filter(|word| !word.is_empty()).or(self.finish.take());
        for (name, piece) in choice.rest() {
            if piece.is_string() {
                self.choice.insert(name, piece);
            } else {
                grow(&mut self.choice, name, piece);
            }
        }
        match delta {
            Some(delta) => self.take_delta(delta, seen),
            None => Ok(()),
        }
    }

    fn take_delta(&mut self, mut delta: Fields, seen: &mut Vec<Delta>) -> Result<(), Wrong> {
        let _ = delta.take("role");
        if let Some(content) = delta.take("content") {
            self.take_content(&content, seen)?;
        }
        let calls: Vec<Fields> = delta.take_as("tool_calls")?.unwrap_or_default();
        for call in calls {
            self.output_bytes += self.calls.take(call, seen)?;
        }
        for (name, piece) in delta.rest() {
            if let Value::String(text) = &piece {
                self.output_bytes += text.len() as u64;
                if matches!(name.as_str(), "reasoning_content" | "reasoning") && !text.is_empty() {
                    seen.push(Delta::Thinking(text.clone()));
                }
            }
            grow(&mut self.message, name, piece);
        }
        Ok(())
    }

    /// Content is a text; a few servers stream lists of parts.
    fn take_content(&mut self, content: &RawJson, seen: &mut Vec<Delta>) -> Result<(), Wrong> {
        if let Ok(text) = content.read::<String>() {
            self.take_text(&text, seen);
            return Ok(());
        }
        let parts: Vec<RawJson> = content
            .read()
            .map_err(|why| Wrong(format!("field `content`: neither text nor parts: {why}")))?;
        for part in &parts {
            let block = read_part(part)?;
            match &block {
                Block::Text { text, .. } => self.take_text(text, seen),
                Block::Thinking { .. }
                | Block::ToolUse(_)
                | Block::ToolResult(_)
                | Block::Opaque { .. } => self.parts.push(block),
            }
        }
        Ok(())
    }

    fn take_text(&mut self, text: &str, seen: &mut Vec<Delta>) {
        if !text.is_empty() {
            self.output_bytes += text.len() as u64;
            self.text.push_str(text);
            seen.push(Delta::Text(text.to_owned()));
        }
    }

    /// Whether the stream's end mark came: nothing after it matters. Read on until then,
    /// because usage comes after the finish reason.
    #[must_use]
    pub fn done(&self) -> bool {
        self.ended
    }

    /// What the vendor told about the call's usage, which may never come.
    #[must_use]
    pub fn usage_so_far(&self) -> Option<Usage> {
        read_usage(self.usage.clone()).0
    }

    /// Bytes of text, reasoning and arguments that came, for an estimate where the usage
    /// did not.
    #[must_use]
    pub fn output_bytes(&self) -> u64 {
        self.output_bytes
    }

    /// The whole answer.
    ///
    /// # Errors
    /// `Cut`: the end never came.
    pub fn finish(self) -> Result<Reply, WireError> {
        if !self.began {
            return Err(no_answer());
        }
        if self.finish.is_none() && !self.ended {
            return Err(WireError::cut());
        }
        let mut content = Vec::new();
        if !self.text.is_empty() {
            content.push(Block::text(self.text));
        }
        content.extend(self.parts);
        content.extend(self.calls.into_blocks());
        make_distinct(&mut content);
        content.extend(seal_fields(Sealed::OpenAiMessage, &prune(self.message)));
        let parts = Parts {
            id: self.id,
            model: self.model,
            content,
            finish: self.finish,
            usage: self.usage,
            choice: self.choice,
            rest: self.rest,
        };
        Ok(parts.into_reply())
    }
}
