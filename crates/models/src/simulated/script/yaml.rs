//! The only place that knows the YAML library: text → shape, or a mistake with its place.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_saphyr::{DuplicateKeyPolicy, Error, Location, MergeKeyPolicy};

pub(super) use serde_saphyr::Spanned;

/// Deepest nesting, in levels.
const DEPTH_MAX: usize = 64;

/// Most values in a script.
const NODES_MAX: usize = 500_000;

/// Most aliases, and most anchors.
const ALIASES_MAX: usize = 1_000;

/// A mistake in a script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistake {
    /// The line, counted from 1.
    pub line: u64,
    /// The column, counted from 1.
    pub column: u64,
    /// What is wrong.
    pub message: String,
    /// What to do about it; empty where that is plain.
    pub hint: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "\n  {}", self.hint) }
    }
}

impl Mistake {
    pub(super) fn at(
        line: u64,
        column: u64,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Mistake { line, column, message: message.into(), hint: hint.into() }
    }

    /// A mistake in a value whose place is known.
    pub(super) fn of<T>(
        value: &Spanned<T>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Mistake::at(value.referenced.line(), value.referenced.column(), message, hint)
    }
}

/// Reads one document.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Mistake> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_events: 4 * NODES_MAX,
            max_aliases: ALIASES_MAX,
            max_anchors: ALIASES_MAX,
            max_documents: 2,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: NODES_MAX,
            max_replay_stack_depth: DEPTH_MAX,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| mistake(text, error.without_snippet()))
}

fn mistake(text: &str, error: &Error) -> Mistake {
    let place = error.location().filter(|place| place.line() > 0);
    let (line, column) =
        place.map_or_else(|| end(text), |place: Location| (place.line(), place.column()));
    let (message, hint) = if let Error::SerdeUnknownField { field, expected, .. } = error {
        (format!("unknown key `{field}`"), suggestion(field, expected))
    } else if let Error::SerdeUnknownVariant { variant, expected, .. } = error {
        (format!("`{variant}` is not known here"), suggestion(variant, expected))
    } else if let Error::SerdeMissingField { field, .. } = error {
        (format!("the key `{field}` is missing"), format!("add `{field}:`"))
    } else if let Error::DuplicateMappingKey { key, .. } = error {
        let key = key.as_deref().unwrap_or_default();
        (format!("the key `{key}` stands here a second time"), "keep one of them".to_owned())
    } else if let Error::MultipleDocuments { .. } = error {
        (
            "a second document begins here".to_owned(),
            "one file holds one script; remove the line `---`".to_owned(),
        )
    } else {
        (format!("not a script: {}", words(error)), String::new())
    };
    Mistake { line, column, message, hint }
}

fn end(text: &str) -> (u64, u64) {
    let lines = text.lines().count().max(1) as u64;
    let column = text.lines().last().map_or(0, |line| line.chars().count()) as u64;
    (lines, column + 1)
}

/// The library's words, without the place that it adds at the end.
fn words(error: &Error) -> String {
    let text = error.render();
    let text = text.lines().next().unwrap_or_default();
    let place =
        error.location().map(|at| format!(" at line {}, column {}", at.line(), at.column()));
    let bare = place.and_then(|place| text.strip_suffix(place.as_str()));
    bare.unwrap_or(text).trim_end_matches('.').to_owned()
}

/// The nearest known word, or all of them.
fn suggestion(word: &str, known: &[&str]) -> String {
    let distance = |known: &&&str| strsim::osa_distance(word, known);
    let nearest =
        known.iter().min_by_key(distance).filter(|known| distance(known) <= 1 + word.len() / 4);
    match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("known are `{}`", known.join("`, `")),
    }
}
