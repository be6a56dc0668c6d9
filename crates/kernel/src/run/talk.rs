//! The conversation as a model reads it.
//!
//! Messages only grow at the end: what was once sent is sent again byte for byte, so
//! that prompt caches hit. Only a fact that says so shortens them (`shorten`), once, and
//! from there on they grow again. Cut the log anywhere and the talk still answers every call
//! for a tool, because providers refuse a history in which one is left open.

mod shorten;

pub(super) use shorten::Shown;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::size::Size;
use crate::json::{Extra, RawJson};
use crate::message::{Block, Message, Reply, Role, Stop, ToolResult, ToolUse, Usage};
use crate::price::Prompt;
use crate::units::ContentHash;

/// The conversation, and what is known about its length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Talk {
    messages: Vec<Arc<Message>>,
    /// What the next user message will hold.
    open: Vec<Block>,
    /// Ids of all calls so far, hashed, so that a repeated one can be told.
    call_ids: BTreeSet<[u8; 8]>,
    size: Size,
    /// The fallback that counted it last; `None`: the agent's own model.
    counted_by: Option<String>,
    /// Whether the last reply was a pause: the same messages go back as they are.
    paused: bool,
    /// The present task.
    task: Vec<Block>,
    /// The message that it stands in, or will stand in.
    task_at: usize,
    /// Results that can be shown shorter.
    results: Vec<Shown>,
    /// Answers that are no longer shown.
    left_out: u32,
}

/// Bytes that a block costs beside its words: role marks, ids, structure.
const BLOCK_OVERHEAD_BYTES: u64 = 64;

/// Tokens that a block of a kind that we do not model counts for at the least: a picture
/// named by its address is short, and is read as thousands of tokens.
const OPAQUE_TOKENS_MIN: usize = 8_192;

impl Talk {
    /// A talk that begins with this many bytes of system prompt and tool schemas.
    pub(super) fn new(preamble_bytes: u64) -> Self {
        let mut talk = Talk::default();
        talk.size.add(preamble_bytes);
        talk
    }

    /// Adds a new task.
    pub(super) fn hear_task(&mut self, input: &[Block]) {
        (self.task, self.task_at) = (input.to_vec(), self.messages.len());
        for block in input {
            self.hear(block.clone());
        }
    }

    /// Adds to what the user side says next.
    pub(super) fn hear(&mut self, block: Block) {
        self.size.add(block_bytes(&block));
        self.open.push(block);
    }

    /// Closes the user's message: a model call sends it now.
    pub(super) fn send(&mut self) {
        if !self.open.is_empty() {
            let content = std::mem::take(&mut self.open);
            self.messages.push(Arc::new(Message::of(Role::User, content)));
            self.paused = false;
        }
    }

    /// Adds a model's answer.
    pub(super) fn speak(&mut self, reply: &Reply) {
        self.paused = reply.stop == Stop::PauseTurn;
        self.call_ids.extend(uses(&reply.content).map(|call| id_key(&call.id)));
        self.size.add(bytes_of(&reply.content));
        if let Some(usage) = reply.usage.filter(Usage::is_believable) {
            self.size.count(usage.total());
            self.counted_by.clone_from(&reply.fallback);
        }
        if !reply.content.is_empty() {
            let content = reply.content.clone();
            let fallback = reply.fallback.clone();
            self.messages.push(Arc::new(Message { role: Role::Assistant, content, fallback }));
        }
    }

    /// Whether a call of this id was made before.
    pub(super) fn knows_call(&self, id: &str) -> bool {
        self.call_ids.contains(&id_key(id))
    }

    /// Whether the model has something new to answer: the user side said something
    /// since, or the last answer was a pause.
    pub(super) fn has_question(&self) -> bool {
        let last_is_user = self.messages.last().is_some_and(|last| last.role == Role::User);
        !self.open.is_empty() || last_is_user || self.paused
    }

    /// Whether the last answer was a pause of the vendor's own tools.
    pub(super) fn is_paused(&self) -> bool {
        self.paused && self.open.is_empty()
    }

    /// How long a request with this talk and so many bytes beside it may be.
    pub(super) fn prompt(&self, bytes_beside: u64) -> Prompt<'_> {
        Prompt {
            counted: self.size.tokens_max().saturating_add(bytes_beside),
            by: self.counted_by.as_deref(),
            bytes: self.size.bytes().saturating_add(bytes_beside),
        }
    }

    /// How long it is.
    pub(super) fn size(&self) -> &Size {
        &self.size
    }

    /// Everything said so far. `unanswered` are the calls of the last answer that have
    /// no result yet, with what to say for each.
    pub(super) fn rendered(&self, unanswered: Vec<ToolResult>) -> Vec<Arc<Message>> {
        let mut messages = self.messages.clone();
        let results = unanswered.into_iter().map(Block::ToolResult);
        let content: Vec<Block> = results.chain(self.open.iter().cloned()).collect();
        if !content.is_empty() {
            messages.push(Arc::new(Message::of(Role::User, content)));
        }
        messages
    }
}

/// The calls for tools in an answer, in order.
pub(super) fn uses(content: &[Block]) -> impl Iterator<Item = &ToolUse> {
    content.iter().filter_map(|block| match block {
        Block::ToolUse(call) => Some(call),
        Block::Text { .. }
        | Block::Thinking { .. }
        | Block::ToolResult(_)
        | Block::Opaque { .. } => None,
    })
}

fn id_key(id: &str) -> [u8; 8] {
    let hash = ContentHash::of(id.as_bytes()).0;
    [hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]]
}

/// A bound on the tokens of these blocks.
fn bytes_of(content: &[Block]) -> u64 {
    content.iter().map(block_bytes).fold(0, u64::saturating_add)
}

/// A bound on the tokens of a block: its bytes, and what stands around them.
fn block_bytes(block: &Block) -> u64 {
    let bytes = match block {
        Block::Text { text, extra } => text.len() + extra_bytes(extra),
        Block::Thinking { raw } => raw.text().len(),
        Block::Opaque { raw } => raw.text().len().max(OPAQUE_TOKENS_MIN),
        Block::ToolUse(call) => {
            let arguments = call.arguments.text().len();
            call.id.len() + call.name.len() + arguments + extra_bytes(&call.extra)
        }
        Block::ToolResult(result) => {
            result.id.len() + result.content.len() + extra_bytes(&result.extra)
        }
    };
    bytes as u64 + BLOCK_OVERHEAD_BYTES
}

fn extra_bytes(extra: &Extra) -> usize {
    if extra.is_empty() { 0 } else { RawJson::of(extra).text().len() }
}
