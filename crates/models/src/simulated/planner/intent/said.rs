//! What a text that is to be saved or written consists of.

use super::{Intent, Task, read as read_intent, words};
use crate::simulated::planner::clauses;
use crate::simulated::planner::lexer::{self, Kind, Token};
use crate::simulated::planner::reference::{self, Earlier};

/// A text, or where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::simulated::planner) enum Said {
    /// These words.
    Text(String),
    /// Results of earlier steps.
    Results(Earlier),
    /// What a wish comes to: "the weather in Rome".
    Wish(Box<Task>),
    /// One after the other, each on its own line.
    Several(Vec<Said>),
}

/// Words that only announce a quoted text.
const ANNOUNCING: &[&str] = &[
    "the",
    "a",
    "text",
    "word",
    "words",
    "line",
    "content",
    "sentence",
    "phrase",
    "following",
    "this",
    ":",
];

/// What these tokens stand for. Quoted words always stand for themselves.
pub(super) fn read(tokens: &[Token<'_>], source: &str) -> Said {
    if let [before @ .., quoted] = tokens
        && quoted.kind == Kind::Quoted
        && before.iter().all(|token| ANNOUNCING.contains(&token.word.as_str()))
    {
        return Said::Text(quoted.text.to_owned());
    }
    if let [free] = tokens
        && free.kind == Kind::Free
    {
        return free_text(free.text);
    }
    derived(tokens, source)
        .or_else(|| several(tokens, source))
        .unwrap_or_else(|| Said::Text(words(tokens, source)))
}

/// The rest of a line: usually itself, but it may be nothing than "the result".
fn free_text(text: &str) -> Said {
    let pointed = (text.len() < 64).then(|| reference::whole(&lexer::tokens(text))).flatten();
    pointed.map_or_else(|| Said::Text(text.to_owned()), Said::Results)
}

/// A text that some step comes to. Words that begin with a verb are somebody's words
/// ("remember to read the paper"), not a wish inside a wish.
fn derived(tokens: &[Token<'_>], source: &str) -> Option<Said> {
    if let Some(earlier) = reference::whole(tokens) {
        return Some(Said::Results(earlier));
    }
    let first = tokens.first()?;
    if clauses::is_verb(&first.word) {
        return None;
    }
    match read_intent(tokens, source)? {
        Intent::Do(task) if is_reading(&task) => Some(Said::Wish(Box::new(task))),
        Intent::Do(_) | Intent::Say(_) | Intent::Unclear(_) => None,
    }
}

fn several(tokens: &[Token<'_>], source: &str) -> Option<Said> {
    let parts = tokens.split(|token| matches!(token.word.as_str(), "and" | ","));
    let parts: Option<Vec<Said>> = parts.map(|part| derived(part, source)).collect();
    parts.filter(|parts| parts.len() > 1).map(Said::Several)
}

/// Whether a task comes to a text and changes nothing.
fn is_reading(task: &Task) -> bool {
    match task {
        Task::Calculate(_)
        | Task::ListNotes
        | Task::ReadNote(_)
        | Task::SearchWeb(_)
        | Task::FindFiles { .. }
        | Task::FindText { .. }
        | Task::ReadFile { .. } => true,
        Task::Weather { again, .. } => !again,
        Task::SaveNote { .. }
        | Task::AppendNote { .. }
        | Task::ReadMore
        | Task::EditFile { .. }
        | Task::WriteFile { .. } => false,
    }
}
