//! A clause → what somebody wants.
//!
//! Arithmetic comes first, because it must make sense of every token and so never takes
//! a clause by mistake; then the grammar. `None` means: not understood.

mod files;
mod said;
mod weather;

use super::arithmetic::{self, Expression};
use super::grammar::{self, Meaning};
use super::lexer::{Kind, Token};
use super::phrase::{Captured, looks_like_path};
use super::reference;

pub(super) use said::Said;

/// What somebody wants.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Intent {
    /// Something done.
    Do(Task),
    /// Something said.
    Say(Remark),
    /// The kind of wish is clear, but something needed is not. Says what.
    Unclear(&'static str),
}

/// Something that is answered without a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remark {
    /// A greeting.
    Greet,
    /// Thanks, or a farewell.
    Thank,
    /// Who are you, and what can you do?
    Introduce,
}

/// Something to be done with a tool.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Task {
    /// Calculate this.
    Calculate(Expression),
    /// List the notes.
    ListNotes,
    /// Read a note.
    ReadNote(Named),
    /// Save a note. Without a name, one is made up from what is saved.
    SaveNote {
        /// Its name.
        name: Option<String>,
        /// What it says.
        text: Said,
    },
    /// Add to a note.
    AppendNote {
        /// Its name.
        name: Named,
        /// What is added.
        text: Said,
    },
    /// The weather somewhere. What is missing is taken from the last report.
    Weather {
        /// The place.
        place: Option<String>,
        /// `today`, `tomorrow` or a date.
        day: Option<String>,
        /// Whether this makes sense only after another report.
        again: bool,
    },
    /// Search the web.
    SearchWeb(String),
    /// Read on in a result that was cut.
    ReadMore,
    /// Find files by name.
    FindFiles {
        /// The file pattern.
        pattern: String,
        /// The folder.
        path: Option<String>,
    },
    /// Find text in files.
    FindText {
        /// The regular expression.
        pattern: String,
        /// The file or folder.
        path: Option<Named>,
        /// The file pattern.
        glob: Option<String>,
    },
    /// Replace text in a file.
    EditFile {
        /// The file.
        path: Named,
        /// What goes.
        old: String,
        /// What comes.
        new: String,
        /// Whether everywhere.
        all: bool,
    },
    /// Write a file.
    WriteFile {
        /// The file.
        path: String,
        /// What it holds.
        content: Said,
    },
    /// Read a file, or lines of it.
    ReadFile {
        /// The file.
        path: Named,
        /// The first line, counted from 1.
        offset: Option<u64>,
        /// How many lines.
        limit: Option<u64>,
    },
}

/// A note or a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Named {
    /// The one of this name.
    Given(String),
    /// The one that was last spoken of.
    Last,
}

/// Longest clause that is compared with the grammar, in tokens. A longer one is no wish
/// but a text.
const CLAUSE_TOKENS_MAX: usize = 160;

/// What a clause wants. `source` is the text that the tokens were read from.
pub(super) fn read(clause: &[Token<'_>], source: &str) -> Option<Intent> {
    if clause.len() > CLAUSE_TOKENS_MAX {
        return None;
    }
    if let Some(expression) = arithmetic::read(clause) {
        return Some(Intent::Do(Task::Calculate(expression)));
    }
    grammar::meanings(clause)
        .find_map(|(meaning, captured)| of_meaning(meaning, &Slots { clause, captured, source }))
}

/// Words behind "the weather in Rome and": another place or day.
pub(super) fn weather_too(clause: &[Token<'_>], source: &str) -> Option<Intent> {
    let captured = Captured::from([("rest".to_owned(), clause)]);
    weather::read(&Slots { clause, captured, source }, true)
}

/// A clause with what its pattern's slots took.
struct Slots<'t, 'a> {
    clause: &'t [Token<'a>],
    captured: Captured<'t, 'a>,
    source: &'t str,
}

impl<'t, 'a> Slots<'t, 'a> {
    fn tokens(&self, slot: &str) -> Option<&'t [Token<'a>]> {
        self.captured.get(slot).copied()
    }

    /// The words in a slot, as they were written.
    fn text(&self, slot: &str) -> Option<String> {
        self.tokens(slot).map(|tokens| words(tokens, self.source))
    }

    fn number(&self, slot: &str) -> Option<u64> {
        self.tokens(slot)?.first()?.word.parse().ok()
    }

    /// The note or file in a slot. A pointing word, or nothing, is the last one.
    fn named(&self, slot: &str) -> Named {
        match self.tokens(slot) {
            Some(tokens) if reference::whole(tokens).is_none() => {
                Named::Given(words(tokens, self.source))
            }
            Some(_) | None => Named::Last,
        }
    }

    /// Whether a name is one word that looks like a file's.
    fn names_a_file(&self, slot: &str) -> bool {
        self.tokens(slot).is_some_and(|name| match name {
            [one] => one.kind == Kind::Word && one.text.contains('.') && looks_like_path(one),
            _ => false,
        })
    }

    /// Whether one of these words stands in the clause, outside of quotes.
    fn says(&self, words: &[&str]) -> bool {
        self.clause.iter().any(|token| words.contains(&token.word.as_str()))
    }

    fn said(&self, slot: &str) -> Option<Said> {
        self.tokens(slot).map(|tokens| said::read(tokens, self.source))
    }
}

/// Tokens as they were written; of a quoted text, what is inside.
fn words(tokens: &[Token<'_>], source: &str) -> String {
    match tokens {
        [] => String::new(),
        [one] => one.text.to_owned(),
        [first, .., last] => source[first.start..last.end].to_owned(),
    }
}

fn of_meaning(meaning: Meaning, slots: &Slots<'_, '_>) -> Option<Intent> {
    let task = match meaning {
        Meaning::Greet => return Some(Intent::Say(Remark::Greet)),
        Meaning::Thank => return Some(Intent::Say(Remark::Thank)),
        Meaning::Introduce => return Some(Intent::Say(Remark::Introduce)),
        Meaning::Weather => return weather::read(slots, false),
        Meaning::WeatherAgain => return weather::read(slots, true),
        Meaning::ListNotes => Task::ListNotes,
        Meaning::ReadNote => Task::ReadNote(slots.named("name")),
        Meaning::AppendNote if slots.names_a_file("name") => {
            return Some(Intent::Unclear(
                "I can write a file anew or replace text in it, but not add to its end.",
            ));
        }
        Meaning::AppendNote => {
            Task::AppendNote { name: slots.named("name"), text: slots.said("text")? }
        }
        Meaning::SaveNote => save_note(slots)?,
        Meaning::SearchWeb => Task::SearchWeb(slots.text("query")?),
        Meaning::ReadMore => Task::ReadMore,
        Meaning::FindFiles => files::find_files(slots)?,
        Meaning::FindText => files::find_text(slots)?,
        Meaning::EditFile => files::edit(slots)?,
        Meaning::WriteFile => files::write(slots)?,
        Meaning::ReadFile => files::read(slots),
    };
    Some(Intent::Do(task))
}

/// "save it as tip" is a note; "save it as out.txt" is a file.
fn save_note(slots: &Slots<'_, '_>) -> Option<Task> {
    let text = slots.said("text")?;
    let name = slots.text("name");
    let file = slots.names_a_file("name");
    let no_note = !slots.says(&["note"]);
    Some(match name {
        Some(path) if file && no_note => Task::WriteFile { path, content: text },
        name => Task::SaveNote { name, text },
    })
}
