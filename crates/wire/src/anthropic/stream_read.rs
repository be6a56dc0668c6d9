//! The Messages stream, read frame by frame into one answer.
//!
//! Unknown events are skipped, unknown fields kept, pings may come anywhere, and an
//! `error` event after HTTP 200 becomes an error with its class. An answer is whole when
//! its stop reason came and no block is open; the end mark itself may be missing.

use std::collections::BTreeMap;

use kernel::json::Extra;
use kernel::message::{Delta, Reply, Usage};

use super::error::fault_of_event;
use super::reply::{Head, assemble};
use super::usage::Told;
use crate::REPLY_BYTES_MAX;
use crate::anthropic::stream_block::Growing;
use crate::fault::WireError;
use crate::json::{Fields, Wrong};
use crate::sse::Frame;

/// Reads one answer's stream.
#[derive(Debug, Default)]
pub struct StreamReader {
    head: Option<Head>,
    blocks: BTreeMap<u64, Growing>,
    told: Told,
    stop: Option<String>,
    rest: Extra,
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
        if self.ended || frame.data.trim().is_empty() {
            return Ok(Vec::new());
        }
        let mut fields = Fields::of_frame(frame.data.trim())?;
        let kind: Option<String> = fields.take_as("type").map_err(Wrong::in_reply)?;
        let kind = kind.or_else(|| frame.event.clone()).unwrap_or_default();
        if kind == "error" {
            return Err(fault_of_event(frame.data.as_bytes()));
        }
        self.take_event(&kind, fields).map_err(Wrong::in_reply)
    }

    fn take_event(&mut self, kind: &str, mut fields: Fields) -> Result<Vec<Delta>, Wrong> {
        match kind {
            "message_start" => self.begin(fields.need("message")?)?,
            "content_block_start" => return self.begin_block(fields),
            "content_block_delta" => return self.grow_block(fields),
            "content_block_stop" => self.block(&mut fields)?.close(),
            "message_delta" => self.take_delta(fields)?,
            "message_stop" => self.ended = true,
            // Pings, and events that came after us.
            _ => {}
        }
        Ok(Vec::new())
    }

    fn begin(&mut self, mut message: Fields) -> Result<(), Wrong> {
        let (id, model) = (message.take_as("id")?, message.take_as("model")?);
        self.head = Some(Head { id, model });
        self.told.merge(message.take_as("usage")?.unwrap_or_default());
        self.stop = message.take_as("stop_reason")?;
        let _ = (message.take("type"), message.take("role"), message.take("content"));
        self.rest = message.rest();
        Ok(())
    }

    fn begin_block(&mut self, mut fields: Fields) -> Result<Vec<Delta>, Wrong> {
        if self.head.is_none() {
            return Err(Wrong("a block came before `message_start`".to_owned()));
        }
        let index = fields.need("index")?;
        let (block, seen) = Growing::begin(fields.need("content_block")?)?;
        if self.blocks.insert(index, block).is_some() {
            return Err(Wrong(format!("block {index} began twice")));
        }
        Ok(self.count(seen))
    }

    fn grow_block(&mut self, mut fields: Fields) -> Result<Vec<Delta>, Wrong> {
        let delta = fields.need("delta")?;
        let block = self.block(&mut fields)?;
        let (seen, bytes) = block.grow(delta)?;
        self.output_bytes += bytes;
        Ok(seen)
    }

    fn block(&mut self, fields: &mut Fields) -> Result<&mut Growing, Wrong> {
        let index: u64 = fields.need("index")?;
        let block = self.blocks.get_mut(&index);
        block.ok_or_else(|| Wrong(format!("block {index} never began")))
    }

    fn take_delta(&mut self, mut fields: Fields) -> Result<(), Wrong> {
        let delta: Option<Fields> = fields.take_as("delta")?;
        if let Some(mut delta) = delta {
            self.stop = delta.take_as("stop_reason")?.or(self.stop.take());
            self.rest.extend(delta.rest());
        }
        self.told.merge(fields.take_as("usage")?.unwrap_or_default());
        self.rest.extend(fields.rest());
        Ok(())
    }

    fn count(&mut self, seen: Vec<Delta>) -> Vec<Delta> {
        let text_bytes = seen.iter().map(|delta| match delta {
            Delta::Text(text) | Delta::Thinking(text) => text.len() as u64,
            Delta::ToolUse(_) => 0,
        });
        self.output_bytes += text_bytes.sum::<u64>();
        seen
    }

    /// Whether the stream's end mark came: nothing after it matters.
    #[must_use]
    pub fn done(&self) -> bool {
        self.ended
    }

    /// What the vendor told so far about the call's usage. The output of a stream that
    /// was cut is only a placeholder: see [`StreamReader::output_bytes`].
    #[must_use]
    pub fn usage_so_far(&self) -> Option<Usage> {
        self.told.usage()
    }

    /// Bytes of text, thinking and arguments that came, for an estimate after a cut.
    #[must_use]
    pub fn output_bytes(&self) -> u64 {
        self.output_bytes
    }

    /// The whole answer.
    ///
    /// # Errors
    /// `Cut`: the end never came. `Malformed`: a block is not what the protocol says.
    pub fn finish(self) -> Result<Reply, WireError> {
        let whole = self.ended || self.blocks.values().all(Growing::is_closed);
        let (Some(head), Some(stop), true) = (self.head, self.stop, whole) else {
            return Err(WireError::cut());
        };
        let blocks = self.blocks.into_values().map(Growing::into_block);
        let content = blocks.collect::<Result<_, _>>().map_err(Wrong::in_reply)?;
        Ok(assemble(head, content, &stop, self.told, self.rest))
    }
}
