//! What is wrong with a text that people wrote, where, and what would be right.

use std::fmt;

/// Most problems that are told of one file; the first are enough to go on with.
const PROBLEMS_MAX: usize = 100;

/// One mistake in a policy file, or in a question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, as its reader named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong: a lowercase fragment.
    pub words: String,
    /// What would be right, where that can be told.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.words)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The line.
    pub(crate) line: usize,
    /// The column in characters.
    pub(crate) column: usize,
}

impl Place {
    /// The beginning of a file.
    pub(crate) const START: Place = Place { line: 1, column: 1 };
}

/// A text with its lines, so that a place is found without reading the text again.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    text: &'a str,
    /// Where each line begins, in bytes.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// The lines of a text.
    pub(crate) fn of(text: &'a str) -> Self {
        let after = text.match_indices('\n').map(|(at, _)| at + 1);
        Lines { text, starts: [0].into_iter().chain(after).collect() }
    }

    /// A line, counted from 1, without its end; nothing where there is none.
    pub(crate) fn line(&self, line: usize) -> &'a str {
        let at = |line: usize| self.starts.get(line).copied().unwrap_or(self.text.len());
        let line = line.saturating_sub(1);
        self.text[at(line)..at(line + 1)].trim_end_matches(['\n', '\r'])
    }

    /// The place of a byte.
    pub(crate) fn place(&self, byte: usize) -> Place {
        let byte = self.text.floor_char_boundary(byte);
        let line = self.starts.partition_point(|start| *start <= byte);
        let start = self.starts[line - 1];
        Place { line, column: self.text[start..byte].chars().count() + 1 }
    }
}

/// The problems of one file, as they are found.
#[derive(Debug)]
pub(crate) struct Problems<'a> {
    file: &'a str,
    found: Vec<Problem>,
}

impl<'a> Problems<'a> {
    /// None yet, in the file of that name.
    pub(crate) fn new(file: &'a str) -> Self {
        Problems { file, found: Vec::new() }
    }

    /// Notes one.
    pub(crate) fn add(&mut self, at: Place, words: impl Into<String>, hint: Option<String>) {
        let problem = Problem {
            file: self.file.to_owned(),
            line: at.line,
            column: at.column,
            words: words.into(),
            hint,
        };
        if self.found.len() < PROBLEMS_MAX && !self.found.contains(&problem) {
            self.found.push(problem);
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them, in the order of the file.
    pub(crate) fn sorted(mut self) -> Vec<Problem> {
        self.found.sort();
        self.found
    }
}

/// A hint for a name that is none of `known`: the nearest one, or all of them.
pub(crate) fn did_you_mean(wrong: &str, known: &[&str]) -> Option<String> {
    match nearest(wrong, known) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if known.is_empty() => None,
        None => Some(format!("it may be one of: {}", known.join(", "))),
    }
}

/// The name that `wrong` was most likely meant to be: one slip in three letters, at most
/// three, is still the same name.
pub(crate) fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' ', '.'], "_");
    let wrong = plain(wrong);
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&wrong, &plain(name)), *name))
        .filter(|(distance, name)| *distance <= (name.chars().count() / 3).min(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
