//! What is kept of words from outside, so that every provider takes them back.
//!
//! A provider rejects a conversation with an empty text, a doubled id or half a thought,
//! and would reject it for ever, because it is sent again each turn. So such things
//! never enter the log. Nothing here changes words; it drops, cuts, and names anew.

use std::collections::BTreeSet;

use serde_json::Value;

use super::state::State;
use crate::json::Extra;
use crate::message::{Block, Reply, Stop};

/// Calls that a session keeps of one answer; what comes after them is cut off. One
/// fewer are run, so that the model reads an answer that says so.
const CALLS_KEPT_MAX: usize = 256;

/// Calls of one answer that are run, whatever an agent's own limit says.
pub(super) const CALLS_RUN_MAX: usize = CALLS_KEPT_MAX - 1;

/// Levels of a vendor's field that we do not know. Events nest it deeper than a response
/// does, and JSON is read to 128 levels only.
const FIELD_DEPTH_MAX: usize = 64;

/// What of a task can be said by a user: words, and blocks that we do not model.
pub(super) fn askable(mut input: Vec<Block>) -> Vec<Block> {
    input.retain(|block| match block {
        Block::Text { text, .. } => !text.trim().is_empty(),
        Block::Opaque { .. } => true,
        Block::Thinking { .. } | Block::ToolUse(_) | Block::ToolResult(_) => false,
    });
    input.iter_mut().for_each(drop_deep_fields);
    input
}

/// A model's answer, without what no provider takes back, cut after the most calls that
/// are kept, and with a fresh id for each call whose own is empty or was used before
/// (some servers number from zero each time).
pub(super) fn presentable(state: &State, mut reply: Reply) -> Reply {
    drop_cut_thought(&mut reply);
    reply.content.retain(|block| match block {
        Block::Text { text, .. } => !text.trim().is_empty(),
        Block::ToolResult(_) => false,
        Block::Thinking { .. } | Block::ToolUse(_) | Block::Opaque { .. } => true,
    });
    reply.content.iter_mut().for_each(drop_deep_fields);
    keep_readable(&mut reply.extra);
    cut_calls(&mut reply.content);
    name_calls(state, &mut reply.content);
    reply
}

fn drop_deep_fields(block: &mut Block) {
    match block {
        Block::Text { extra, .. } => keep_readable(extra),
        Block::ToolUse(call) => keep_readable(&mut call.extra),
        Block::ToolResult(result) => keep_readable(&mut result.extra),
        Block::Thinking { .. } | Block::Opaque { .. } => {}
    }
}

fn keep_readable(extra: &mut Extra) {
    extra.retain(|_name, value| is_shallow(value, FIELD_DEPTH_MAX));
}

fn is_shallow(value: &Value, depth_max: usize) -> bool {
    let inside = |part: &Value| depth_max > 0 && is_shallow(part, depth_max - 1);
    match value {
        Value::Array(parts) => parts.iter().all(inside),
        Value::Object(fields) => fields.values().all(inside),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// A thought that was cut at the length limit has no signature, and says nothing.
fn drop_cut_thought(reply: &mut Reply) {
    if reply.stop == Stop::MaxTokens && matches!(reply.content.last(), Some(Block::Thinking { .. }))
    {
        reply.content.pop();
    }
}

fn cut_calls(content: &mut Vec<Block>) {
    let is_call = |(_, block): &(usize, &Block)| matches!(block, Block::ToolUse(_));
    let beyond = content.iter().enumerate().filter(is_call).nth(CALLS_KEPT_MAX);
    if let Some((place, _)) = beyond {
        content.truncate(place);
    }
}

fn name_calls(state: &State, content: &mut [Block]) {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut place = 0;
    for block in content {
        if let Block::ToolUse(call) = block {
            let free =
                |id: &str| !id.is_empty() && !taken.contains(id) && !state.talk.knows_call(id);
            if !free(&call.id) {
                call.id = fresh_id(state.turns + 1, place, free);
            }
            taken.insert(call.id.clone());
            place += 1;
        }
    }
}

/// `call_3_0` for the first call of the third turn, or the like where a model used that
/// very id before.
fn fresh_id(turn: u32, place: usize, free: impl Fn(&str) -> bool) -> String {
    let usual = format!("call_{turn}_{place}");
    if free(&usual) {
        return usual;
    }
    (1_u64..)
        .map(|again| format!("{usual}_{again}"))
        .find(|id| free(id))
        .expect("INVARIANT: finitely many ids are taken")
}
