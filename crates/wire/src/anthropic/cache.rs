//! Where cache marks are placed (`cache_control` breakpoints).
//!
//! A request with marks of its own keeps them and gets no other. All others get: one
//! after the system prompt (after the last tool, where there is no prompt), and one at
//! the end of each of the last two user turns. The last one writes what the next turn
//! will read; the one before is where the last request wrote, because the vendor looks
//! back only 20 blocks by itself and a turn may hold more. That is three of the four
//! marks that the API allows. A mark is always an object's last field, so that a request
//! without its marks is byte for byte the beginning of the next one without its marks.

use kernel::json::Extra;
use kernel::message::{Block, Request, Role};
use serde::Serialize;

use crate::turns::Turn;
use crate::vendor::Vendor;

/// A mark with the vendor's default life, five minutes.
#[derive(Serialize)]
pub(super) struct Mark {
    r#type: &'static str,
}

pub(super) const MARK: Mark = Mark { r#type: "ephemeral" };

const FIELD: &str = "cache_control";

/// Whether the request came with marks, or with the top-level switch that lets the
/// vendor place them.
pub(super) fn has_own_marks(request: &Request) -> bool {
    let in_kept_system = Vendor::Anthropic
        .field(&request.extra, "system")
        .is_some_and(|system| system.to_string().contains(FIELD));
    has_mark(&request.extra)
        || in_kept_system
        || request.tools.iter().any(|tool| has_mark(&tool.extra))
        || request.messages.iter().flat_map(|message| &message.content).any(is_marked)
}

fn has_mark(extra: &Extra) -> bool {
    Vendor::Anthropic.field(extra, FIELD).is_some()
}

fn is_marked(block: &Block) -> bool {
    match block {
        Block::Text { extra, .. } => has_mark(extra),
        Block::ToolUse(call) => has_mark(&call.extra),
        Block::ToolResult(result) => {
            has_mark(&result.extra)
                || Vendor::Anthropic
                    .field(&result.extra, "content")
                    .is_some_and(|content| content.to_string().contains(FIELD))
        }
        Block::Opaque { raw } => raw.text().contains(FIELD),
        Block::Thinking { .. } => false,
    }
}

/// The turns that end in a mark: the last two of the user.
pub(super) fn marked_turns(turns: &[Turn<'_>]) -> Vec<usize> {
    let users = turns.iter().enumerate().rev();
    users.filter(|(_, turn)| turn.role == Role::User).map(|(at, _)| at).take(2).collect()
}

/// The last block of a turn that we may add a field to. Foreign blocks are not touched.
pub(super) fn marked_block(blocks: &[&Block]) -> Option<usize> {
    blocks.iter().rposition(|block| match block {
        Block::Text { .. } | Block::ToolResult(_) => true,
        Block::Thinking { .. } | Block::ToolUse(_) | Block::Opaque { .. } => false,
    })
}
