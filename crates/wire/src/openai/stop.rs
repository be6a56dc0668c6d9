//! Why a model stopped, in the vendor's words.

use kernel::message::{Block, Stop};

/// Reads a `finish_reason` in the light of what was said: compatible servers tell `stop`
/// for an answer that asks for tools, or nothing at all, and a refusal is a field of the
/// message.
pub(super) fn read_stop(word: Option<&str>, content: &[Block], refused: bool) -> Stop {
    let calls = content.iter().any(|block| match block {
        Block::ToolUse(_) => true,
        Block::Text { .. }
        | Block::Thinking { .. }
        | Block::ToolResult(_)
        | Block::Opaque { .. } => false,
    });
    match word {
        Some("stop") | None if calls => Stop::ToolUse,
        Some("stop") | None if refused => Stop::Refusal,
        Some("stop") | None => Stop::EndTurn,
        Some("tool_calls" | "function_call") => Stop::ToolUse,
        Some("length") => Stop::MaxTokens,
        Some("content_filter") => Stop::Refusal,
        Some(other) => Stop::Other(other.to_owned()),
    }
}

/// Writes a `finish_reason`. The vendor has fewer words than we do.
pub(super) fn write_stop(stop: &Stop) -> &str {
    match stop {
        Stop::EndTurn | Stop::StopSequence | Stop::PauseTurn => "stop",
        Stop::MaxTokens | Stop::ContextWindow => "length",
        Stop::ToolUse => "tool_calls",
        Stop::Refusal => "content_filter",
        Stop::Other(word) => word,
    }
}
