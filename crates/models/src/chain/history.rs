//! What a conversation looks like to a candidate that did not say all of it.
//!
//! Reasoning is signed by its model, and blocks that we do not model are bound to the
//! vendor's state: both go back only to the model that said them, byte for byte, and are
//! dropped as wholes elsewhere (L5). All of an answer's vendor blocks go or stay
//! together, so a pair of the vendor's own tool is never split. Nothing else changes.
//! Each message is judged by itself, so what one candidate is sent keeps its prefix.

use std::sync::Arc;

use kernel::message::{Block, Message, Request, Role};

use super::Candidate;
use super::order::{input_tokens_about, tokens_about};

/// The request as the candidate of this name is sent it. `name` is `None` for the
/// agent's own model.
pub(super) fn request_for(request: &Arc<Request>, model: &str, name: Option<&str>) -> Arc<Request> {
    let foreign = |message: &Arc<Message>| is_foreign(message, name);
    if request.model == model && !request.messages.iter().any(foreign) {
        return Arc::clone(request);
    }
    let messages = request.messages.iter().filter_map(|message| match foreign(message) {
        false => Some(Arc::clone(message)),
        true => without_bound_blocks(message).map(Arc::new),
    });
    let messages = messages.collect();
    Arc::new(Request { model: model.to_owned(), messages, ..(**request).clone() })
}

/// Whether another model said it.
fn is_foreign(message: &Message, name: Option<&str>) -> bool {
    match message.role {
        Role::User => false,
        Role::Assistant => message.fallback.as_deref() != name,
    }
}

/// The message without what only its own model takes back; `None` where nothing is left.
fn without_bound_blocks(message: &Message) -> Option<Message> {
    let stays = |block: &&Block| match block {
        Block::Text { .. } | Block::ToolUse(_) | Block::ToolResult(_) => true,
        Block::Thinking { .. } | Block::Opaque { .. } => false,
    };
    let content: Vec<Block> = message.content.iter().filter(stays).cloned().collect();
    let said_something = !content.is_empty();
    said_something.then(|| Message { content, ..message.clone() })
}

/// Why a fallback cannot take the request, if so. The agent's own model is never judged:
/// the agent was made for it.
pub(super) fn unfit(candidate: &Candidate, request: &Request) -> Option<String> {
    if !candidate.takes_tools && !request.tools.is_empty() {
        return Some("it takes no tools".to_owned());
    }
    let window = candidate.context_tokens?;
    let needed = input_tokens_about(request).saturating_add(u64::from(request.max_tokens));
    (needed > window)
        .then(|| format!("about {needed} tokens do not fit its window of {window} tokens"))
}

/// About how many tokens a message is.
pub(super) fn message_tokens(message: &Message) -> u64 {
    let bytes = message.content.iter().map(|block| match block {
        Block::Text { text, .. } => text.len(),
        Block::Thinking { raw } | Block::Opaque { raw } => raw.text().len(),
        Block::ToolUse(call) => call.name.len() + call.arguments.text().len(),
        Block::ToolResult(result) => result.content.len(),
    });
    tokens_about(bytes.sum())
}
