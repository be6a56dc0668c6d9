//! Making what is sent shorter, where a fact says so.
//!
//! Two ways. Results give way to a short text each, and their calls stay. Or the first
//! turns give way to one text, whole: a call and its result go or stay together, and
//! signed thinking goes with its turn or stays byte for byte.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Talk, bytes_of, uses};
use crate::event::{Again, Cleared, STANDIN_BYTES_MAX, standin};
use crate::frame;
use crate::message::{Block, Message, Role, ToolResult, Usage};

/// A tool result as it is shown now.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::run) struct Shown {
    /// The id of its call.
    pub(in crate::run) call: String,
    /// The turn that asked for it, counted over the session.
    pub(in crate::run) turn: u32,
    /// The tool that gave it.
    pub(in crate::run) tool: String,
    /// Its whole length, in bytes.
    pub(in crate::run) bytes: u64,
    /// The length of what is shown, in bytes.
    pub(in crate::run) shown: u64,
    /// How the model gets at the rest.
    pub(in crate::run) again: Again,
}

impl Shown {
    fn falls_under(&self, cleared: &Cleared) -> bool {
        self.turn <= cleared.upto_turn && self.shown > cleared.bytes_over
    }

    /// What is shown instead of `content`.
    fn shortened(&self, content: &str, bytes_kept: u64) -> String {
        let kept = usize::try_from(bytes_kept).unwrap_or(usize::MAX);
        let kept = content.floor_char_boundary(kept);
        let words = standin(&self.tool, self.bytes, kept as u64, &self.again);
        frame::part(content, 0..kept) + &words
    }
}

impl Talk {
    /// Notes a result that may be shown shorter one day.
    pub(in crate::run) fn note_result(&mut self, result: Shown) {
        self.results.push(result);
    }

    /// A provider counted all of it, and what it was asked beside.
    pub(in crate::run) fn count(&mut self, usage: Usage) {
        self.size.count(usage.input_total());
    }

    /// Bytes that this would free.
    pub(in crate::run) fn bytes_cleared_by(&self, cleared: &Cleared) -> u64 {
        let left = cleared.bytes_kept.saturating_add(STANDIN_BYTES_MAX);
        let hit = self.results.iter().filter(|result| result.falls_under(cleared));
        hit.map(|result| result.shown.saturating_sub(left)).fold(0, u64::saturating_add)
    }

    /// How many results are longer than this, and their length together, in bytes.
    pub(in crate::run) fn results_over(&self, bytes: u64) -> (u64, u64) {
        let long = self.results.iter().map(|result| result.shown).filter(|shown| *shown > bytes);
        long.fold((0, 0), |(count, sum), shown| (count + 1, sum.saturating_add(shown)))
    }

    /// Shows results shorter from now on. Says whether there were any.
    pub(in crate::run) fn clear(&mut self, cleared: &Cleared) -> bool {
        let hit = self.results.iter_mut().filter(|result| result.falls_under(cleared));
        let mut hit: BTreeMap<String, &mut Shown> =
            hit.map(|result| (result.call.clone(), result)).collect();
        let mut come = 0;
        let mut shorten = |block: &mut Block| {
            let Some(result) = result_in(block) else { return 0 };
            let Some(shown) = hit.get_mut(&result.id) else { return 0 };
            let content = shown.shortened(&result.content, cleared.bytes_kept);
            come += content.len() as u64;
            shown.shown = if cleared.bytes_kept == 0 { 0 } else { content.len() as u64 };
            std::mem::replace(&mut result.content, content).len() as u64
        };
        let mut gone = 0;
        for message in &mut self.messages {
            // Shared messages are copied, so only those with results are touched.
            if message.content.iter().any(is_result) {
                let content = &mut Arc::make_mut(message).content;
                gone += content.iter_mut().map(&mut shorten).sum::<u64>();
            }
        }
        let gone_fresh = self.open.iter_mut().map(shorten).sum::<u64>();
        self.size.replace(gone, gone_fresh, come);
        self.results.retain(|result| result.shown > 0);
        gone + gone_fresh > 0
    }

    /// How many of the last turns stay when the ones before go: as many as make up at
    /// most half of the talk, between these numbers. `None`: there is nothing before.
    pub(in crate::run) fn turns_to_keep(&self, least: u32, most: u32) -> Option<u32> {
        let half = self.size.bytes() / 2;
        let after = |border: usize| bytes_in(&self.messages[border..]) + bytes_of(&self.open);
        let fits = |kept: &u32| self.border(*kept).is_some_and(|border| after(border) <= half);
        let kept = (least..=most.max(least)).rev().find(fits).unwrap_or(least);
        self.answers_before(self.border(kept)?).checked_sub(1).map(|_some| kept)
    }

    /// Bytes that go when only so many turns stay, without the task and what stands for
    /// turns that went before.
    pub(in crate::run) fn bytes_before(&self, turns_kept: u32) -> u64 {
        let end = self.border(turns_kept).unwrap_or(0);
        let head = usize::from(self.left_out > 0).min(end);
        let stays = if (head..end).contains(&self.task_at) { bytes_of(&self.task) } else { 0 };
        bytes_in(&self.messages[head..end]).saturating_sub(stays)
    }

    /// Puts words in the place of all but the last turns; they are told how many answers
    /// they stand for. Says whether there were any.
    pub(in crate::run) fn condense(
        &mut self,
        turns_kept: u32,
        words: impl FnOnce(u32) -> String,
    ) -> bool {
        let Some(border) = self.border(turns_kept) else { return false };
        let answers = self.answers_before(border);
        let gone: Vec<Arc<Message>> = self.messages.drain(..border).collect();
        self.left_out = self.left_out.saturating_add(answers);
        let mut head = Vec::new();
        if self.task_at < border {
            self.task_at = 0;
            head.extend(self.task.iter().cloned());
        } else {
            self.task_at = self.task_at - border + 1;
        }
        head.push(Block::text(words(self.left_out)));
        let come = bytes_of(&head);
        self.messages.insert(0, Arc::new(Message::of(Role::User, head)));
        let orphans = self.drop_orphans(&gone);
        self.size.replace(bytes_in(&gone), orphans, come);
        answers > 0
    }

    /// Takes away the results whose calls are gone, and gives their length.
    fn drop_orphans(&mut self, gone: &[Arc<Message>]) -> u64 {
        let mut ids: Vec<&str> =
            gone.iter().flat_map(|one| uses(&one.content)).map(|call| call.id.as_str()).collect();
        ids.sort_unstable();
        let is_gone = |id: &str| ids.binary_search(&id).is_ok();
        self.results.retain(|result| !is_gone(&result.call));
        let before = bytes_of(&self.open);
        self.open.retain_mut(|block| !result_in(block).is_some_and(|result| is_gone(&result.id)));
        before - bytes_of(&self.open)
    }

    /// Where the last so many turns begin: at an answer that follows the user's words, so
    /// that neither a call and its result are parted nor an answer that was paused.
    fn border(&self, turns: u32) -> Option<usize> {
        if turns == 0 {
            return Some(self.messages.len());
        }
        let is = |at: usize, role| self.messages[at].role == role;
        let begins = |at: &usize| is(*at, Role::Assistant) && is(*at - 1, Role::User);
        (1..self.messages.len()).rev().filter(begins).nth(turns as usize - 1)
    }

    fn answers_before(&self, border: usize) -> u32 {
        let before = self.messages[..border].iter();
        before.filter(|message| message.role == Role::Assistant).count() as u32
    }
}

fn bytes_in(messages: &[Arc<Message>]) -> u64 {
    messages.iter().map(|message| bytes_of(&message.content)).fold(0, u64::saturating_add)
}

fn result_in(block: &mut Block) -> Option<&mut ToolResult> {
    match block {
        Block::ToolResult(result) => Some(result),
        Block::Text { .. } | Block::Thinking { .. } | Block::ToolUse(_) | Block::Opaque { .. } => {
            None
        }
    }
}

fn is_result(block: &Block) -> bool {
    match block {
        Block::ToolResult(_) => true,
        Block::Text { .. } | Block::Thinking { .. } | Block::ToolUse(_) | Block::Opaque { .. } => {
            false
        }
    }
}
