//! A conversation as strict turns: speakers alternate, and results come first.
//!
//! Vendors want every tool call answered in the very next user message, before any
//! other block. Our messages may share a role with their neighbours; here they are
//! joined, and a message with nothing that can be sent is left out first, so that no
//! two neighbours speak alike. Appending a message never changes the order of what
//! stood before, except that a late result overtakes the words said since its call.

use std::sync::Arc;

use kernel::message::{Block, Message, Role};

/// Neighbouring messages of one speaker, each with the blocks that are sent.
pub(crate) struct Turn<'a> {
    pub(crate) role: Role,
    pub(crate) messages: Vec<Vec<&'a Block>>,
}

/// Joins neighbours of one role. `sent` says which blocks of a message a vendor takes.
pub(crate) fn turns<'a>(
    messages: &'a [Arc<Message>],
    sent: impl Fn(&'a Message) -> Vec<&'a Block>,
) -> Vec<Turn<'a>> {
    let mut turns: Vec<Turn<'a>> = Vec::with_capacity(messages.len());
    for message in messages {
        let blocks = sent(message);
        match turns.last_mut() {
            _ if blocks.is_empty() => {}
            Some(turn) if turn.role == message.role => turn.messages.push(blocks),
            Some(_) | None => turns.push(Turn { role: message.role, messages: vec![blocks] }),
        }
    }
    turns
}

impl<'a> Turn<'a> {
    /// All blocks in the order they are sent: a user's results first.
    pub(crate) fn blocks(&self) -> Vec<&'a Block> {
        let mut blocks = self.messages.concat();
        if self.role == Role::User {
            // A stable sort: results keep their order, and so does everything else.
            blocks.sort_by_key(|block| !is_result(block));
        }
        blocks
    }
}

/// Whether the block answers a tool call.
pub(crate) fn is_result(block: &Block) -> bool {
    match block {
        Block::ToolResult(_) => true,
        Block::Text { .. } | Block::Thinking { .. } | Block::ToolUse(_) | Block::Opaque { .. } => {
            false
        }
    }
}
