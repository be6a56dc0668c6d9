//! Ids and names that fit the vendors' patterns.
//!
//! A model may call a tool by any name, some servers number the calls of each answer
//! from zero, and some give no id at all. Vendors refuse a history with such ids, so
//! they are mended: always in the same way, so that what we send keeps its prefix.

use std::collections::{BTreeMap, BTreeSet};

use kernel::message::{Block, ToolUse};

/// The text with every character outside of `[a-zA-Z0-9_-]` replaced by `_`, cut to
/// `chars_max` characters; `_` where nothing is left.
pub(crate) fn fitting(text: &str, chars_max: usize) -> String {
    let fit = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => c,
        _ => '_',
    };
    let fitted: String = text.chars().take(chars_max).map(fit).collect();
    match fitted.is_empty() {
        true => "_".to_owned(),
        false => fitted,
    }
}

/// The ids of a whole conversation, each used for one call only.
#[derive(Default)]
pub(crate) struct Ids {
    taken: BTreeSet<String>,
    /// From the ids of the last answer to the ids that were written for them.
    answer: BTreeMap<String, String>,
}

impl Ids {
    /// Another answer of the model begins: its ids have nothing to do with the last one's.
    pub(crate) fn next_answer(&mut self) {
        self.answer.clear();
    }

    /// The id to write for a call.
    pub(crate) fn of_call(&mut self, id: &str) -> String {
        let written = free(fitting(id, 128), |id| self.taken.contains(id));
        self.taken.insert(written.clone());
        self.answer.insert(id.to_owned(), written.clone());
        written
    }

    /// The id to write for a result.
    pub(crate) fn of_result(&self, id: &str) -> String {
        let written = self.answer.get(id);
        written.cloned().unwrap_or_else(|| fitting(id, 128))
    }
}

/// The id, or the first of `id_2`, `id_3`, … that is not taken.
fn free(id: String, taken: impl Fn(&str) -> bool) -> String {
    if !taken(&id) {
        return id;
    }
    (2u64..)
        .map(|n| format!("{id}_{n}"))
        .find(|id| !taken(id))
        .expect("INVARIANT: a finite set does not hold every number")
}

/// Gives each call of one answer an id of its own.
pub(crate) fn make_distinct(content: &mut [Block]) {
    let mut taken = BTreeSet::new();
    let calls = content.iter_mut().filter_map(|block| match block {
        Block::ToolUse(call) => Some(call),
        Block::Text { .. }
        | Block::Thinking { .. }
        | Block::ToolResult(_)
        | Block::Opaque { .. } => None,
    });
    for (at, call) in calls.enumerate() {
        let ToolUse { id, .. } = call;
        if id.is_empty() {
            *id = format!("call_{at}");
        }
        *id = free(std::mem::take(id), |id| taken.contains(id));
        taken.insert(id.clone());
    }
}
