//! What every brain must know of conversations that grew too long: when it is asked for
//! a summary, and how much of the conversation it no longer sees.

use kernel::event::{LEFT_OUT, SUMMARY_REQUEST};
use kernel::message::{Block, Message, Request, Role};

/// Whether the harness asks for a summary.
pub(super) fn asks_for_summary(request: &Request) -> bool {
    let last = request.messages.last().and_then(|message| message.content.last());
    last.and_then(text_in) == Some(SUMMARY_REQUEST)
}

/// How many answers of the model were left out before the first one that is there.
pub(super) fn answers_left_out(request: &Request) -> usize {
    let first = request.messages.first().and_then(|first| notice_in(first));
    let number = first.and_then(|(_, words)| words.split(' ').next()?.parse().ok());
    number.unwrap_or(0)
}

/// The block that stands for what was left out, and its words after the usual beginning.
pub(super) fn notice_in(message: &Message) -> Option<(usize, &str)> {
    if message.role != Role::User {
        return None;
    }
    let mut texts = message.content.iter().enumerate();
    texts.find_map(|(at, block)| Some((at, text_in(block)?.strip_prefix(LEFT_OUT)?)))
}

fn text_in(block: &Block) -> Option<&str> {
    match block {
        Block::Text { text, .. } => Some(text),
        Block::Thinking { .. }
        | Block::ToolUse(_)
        | Block::ToolResult(_)
        | Block::Opaque { .. } => None,
    }
}
