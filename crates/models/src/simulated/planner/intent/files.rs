//! Wishes about files: which, where, what in them.

use super::{Named, Slots, Task};
use crate::simulated::planner::lexer::Token;
use crate::simulated::planner::reference;

/// Kinds of files by their names, and the endings they have.
const KINDS: &[(&str, &str)] = &[
    ("markdown", "md"),
    ("rust", "rs"),
    ("python", "py"),
    ("text", "txt"),
    ("yaml", "{yaml,yml}"),
    ("javascript", "js"),
    ("typescript", "ts"),
    ("shell", "sh"),
    ("image", "{png,jpg,jpeg,gif,svg,webp}"),
    ("config", "{toml,yaml,yml,json,ini}"),
];

/// Endings that are recognised without their dot.
const ENDINGS: &[&str] = &[
    "md", "rs", "py", "txt", "yaml", "yml", "json", "toml", "js", "ts", "html", "css", "sh", "c",
    "h", "cpp", "go", "java", "csv", "log", "xml", "sql", "pdf", "png", "jpg", "svg", "lock", "rb",
    "php",
];

pub(super) fn find_files(slots: &Slots<'_, '_>) -> Option<Task> {
    let path = slots.text("where").and_then(folder);
    let pattern = match slots.tokens("ending") {
        Some(ending) => file_pattern(slots, ending)?,
        None => "*".to_owned(),
    };
    Some(Task::FindFiles { pattern, path })
}

/// A folder without its last slash; the working folder is no folder to name.
fn folder(text: String) -> Option<String> {
    let bare = text.trim_end_matches('/');
    (!bare.is_empty() && bare != "." && bare != "here").then(|| bare.to_owned())
}

/// The file pattern that somebody means with "markdown", ".md", "*.md" or "config.yaml".
fn file_pattern(slots: &Slots<'_, '_>, ending: &[Token<'_>]) -> Option<String> {
    let [token] = ending else { return None };
    let text = token.text.trim_start_matches("./");
    let small = text.to_lowercase();
    if text.contains(['*', '?', '{']) {
        return Some(if text.contains('/') { text.to_owned() } else { format!("**/{text}") });
    }
    if let Some((_, ending)) = KINDS.iter().find(|(kind, _)| *kind == small) {
        return Some(format!("**/*.{ending}"));
    }
    let bare_ending = ENDINGS.contains(&small.as_str());
    if text.starts_with('.') && !text[1..].contains('.') {
        Some(format!("**/*{text}"))
    } else if bare_ending || slots.says(&["extension"]) {
        Some(format!("**/*.{text}"))
    } else if slots.says(&["end", "ends", "ending", "suffix"]) {
        Some(format!("**/*{text}"))
    } else if text.contains('.') {
        Some(if text.contains('/') { text.to_owned() } else { format!("**/{text}") })
    } else if slots.says(&["named", "called", "name", "names", "like", "matching", "match"]) {
        Some(format!("**/*{text}*"))
    } else {
        None
    }
}

pub(super) fn find_text(slots: &Slots<'_, '_>) -> Option<Task> {
    let what = slots.text("what")?;
    let pattern = if slots.says(&["regex", "pattern"]) { what } else { literal(&what) };
    let glob = match slots.tokens("ending") {
        Some(ending) => Some(file_pattern(slots, ending)?),
        None => None,
    };
    let place = slots.tokens("where");
    let path = match place {
        Some(tokens) if reference::whole(tokens).is_some() => Some(Named::Last),
        Some(_) | None => slots.text("where").and_then(folder).map(Named::Given),
    };
    Some(match path {
        Some(Named::Given(pattern_or_path)) if pattern_or_path.contains('*') => {
            Task::FindText { pattern, path: None, glob: Some(pattern_or_path) }
        }
        path => Task::FindText { pattern, path, glob },
    })
}

/// A regular expression that finds exactly this text.
fn literal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

pub(super) fn edit(slots: &Slots<'_, '_>) -> Option<Task> {
    let all = slots.says(&["all", "every", "each", "everywhere", "throughout"]);
    let new = slots.text("new").unwrap_or_default();
    Some(Task::EditFile { path: slots.named("path"), old: slots.text("old")?, new, all })
}

pub(super) fn write(slots: &Slots<'_, '_>) -> Option<Task> {
    if let Some(path) = slots.text("empty") {
        return Some(Task::WriteFile { path, content: super::Said::Text(String::new()) });
    }
    Some(Task::WriteFile { path: slots.text("path")?, content: slots.said("text")? })
}

pub(super) fn read(slots: &Slots<'_, '_>) -> Task {
    let offset = slots.number("from");
    let through =
        slots.number("to").zip(offset).map(|(to, from)| (to + 1).saturating_sub(from).max(1));
    let limit = slots.number("limit").or(through);
    Task::ReadFile { path: slots.named("path"), offset, limit }
}
