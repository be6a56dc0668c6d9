//! One step in words: as an intention, and as what came of it.

use super::shortened;
use crate::simulated::planner::plan::Deed;
use crate::simulated::planner::progress::{Progress, State};

/// Longest answer of one tool that is repeated, in bytes. The whole of it is in the log.
const ANSWER_BYTES_MAX: usize = 8_000;

/// Longest text that is repeated when it was saved or written, in bytes.
const SAVED_BYTES_MAX: usize = 80;

/// What a step is to do: "save the note `tip`".
pub(super) fn intention(progress: &Progress<'_, '_>, step: usize) -> String {
    let field = |name| progress.field(step, name);
    let code = |name| format!("`{}`", shortened(&field(name).unwrap_or_default(), SAVED_BYTES_MAX));
    let place = || field("path").map_or_else(String::new, |path| format!(" in `{path}`"));
    match progress.plan.steps[step].deed {
        Deed::Calculate => format!("calculate {}", code("expression")),
        Deed::ListNotes => "list the notes".to_owned(),
        Deed::ReadNote => format!("read the note {}", code("name")),
        Deed::SaveNote => format!("save the note {}", code("name")),
        Deed::AppendNote => format!("add to the note {}", code("name")),
        Deed::Weather => {
            let day = field("day").map_or_else(String::new, |day| format!(" for {day}"));
            format!("look up the weather in {}{day}", field("place").unwrap_or_default())
        }
        Deed::SearchWeb => format!("search the web for {}", code("query")),
        Deed::ReadMore => "read on in the last result".to_owned(),
        Deed::FindFiles => format!("find files like {}{}", code("pattern"), place()),
        Deed::FindText => {
            let glob =
                field("glob").map_or_else(String::new, |glob| format!(" in files like `{glob}`"));
            format!("search for {}{}{glob}", code("pattern"), place())
        }
        Deed::EditFile => format!(
            "replace {} with {} in {}",
            code("old_string"),
            code("new_string"),
            code("path")
        ),
        Deed::WriteFile => format!("write the file {}", code("path")),
        Deed::ReadFile => format!("read the file {}", code("path")),
        Deed::Delegate => format!("let a child do {}", code("task")),
    }
}

/// What came of a step.
pub(super) fn outcome(progress: &Progress<'_, '_>, step: usize) -> String {
    let tool = progress.plan.steps[step].deed.tool();
    let wanted = || intention(progress, step);
    match &progress.states[step] {
        State::Done(answer) => done(progress, step, &bounded(answer)),
        State::Failed(why) => format!("I could not {}. The tool says: {}", wanted(), bounded(why)),
        State::NoTool => {
            format!("I could not {}: this agent does not have the tool `{tool}`.", wanted())
        }
        State::Blocked => format!("I did not {}, because what it needs is missing.", wanted()),
        State::Ready | State::Waiting => format!("Not done yet: {}.", wanted()),
    }
}

fn done(progress: &Progress<'_, '_>, step: usize, answer: &str) -> String {
    let field = |name| progress.field(step, name).unwrap_or_default();
    match progress.plan.steps[step].deed {
        Deed::Calculate => format!("{} = {answer}", field("expression")),
        Deed::ListNotes => told("Your notes:", answer),
        Deed::ReadNote => told(&format!("The note `{}`:", field("name")), answer),
        Deed::SaveNote => format!("Saved as the note `{}`{}", field("name"), saved(&field("text"))),
        Deed::AppendNote => {
            format!("Added to the note `{}`{}", field("name"), saved(&field("text")))
        }
        Deed::Weather => answer.to_owned(),
        Deed::SearchWeb => told(&format!("On the web for `{}`:", field("query")), answer),
        Deed::ReadMore => answer.to_owned(),
        Deed::FindFiles => told(&format!("Files like `{}`:", field("pattern")), answer),
        Deed::FindText => told(&format!("Places with `{}`:", field("pattern")), answer),
        Deed::EditFile => format!(
            "Replaced `{}` with `{}` in `{}`.",
            field("old_string"),
            field("new_string"),
            field("path")
        ),
        Deed::WriteFile => format!("Wrote `{}`.", field("path")),
        Deed::ReadFile => told(&format!("`{}`:", field("path")), answer),
        Deed::Delegate => told(&format!("A child says to `{}`:", field("task")), answer),
    }
}

/// A text that was saved: itself, if it is one line.
fn saved(text: &str) -> String {
    match text.lines().count() {
        0 => " an empty text.".to_owned(),
        1 => format!(": {}", shortened(text, SAVED_BYTES_MAX)),
        lines => format!(" ({lines} lines)."),
    }
}

fn told(heading: &str, answer: &str) -> String {
    if answer.trim().is_empty() {
        format!("{heading} (the tool's answer is empty)")
    } else {
        format!("{heading}\n{answer}")
    }
}

fn bounded(answer: &str) -> String {
    let text = answer.trim_end();
    let cut = text.floor_char_boundary(ANSWER_BYTES_MAX);
    let left = text.len() - cut;
    if left > 0 { format!("{}\n… ({left} more bytes)", &text[..cut]) } else { text.to_owned() }
}
