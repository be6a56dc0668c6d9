//! YAML text to values, with budgets, and with every mistake at its line.
//!
//! The only file of this crate that knows the YAML library.

use serde::de::DeserializeOwned;
use serde_saphyr::{DuplicateKeyPolicy, Error, Location, MergeKeyPolicy};

use crate::problem::{Lines, Place, Problems, did_you_mean};

pub(crate) use serde_saphyr::Spanned;

/// Longest file, in bytes.
pub(crate) const FILE_BYTES_MAX: usize = 4 << 20;
/// Lists and mappings inside each other.
const DEPTH_MAX: usize = 16;
/// Values in one file, those brought by aliases included.
const NODES_MAX: usize = 200_000;
/// Aliases in one file.
const ALIASES_MAX: usize = 1_000;

/// Reads one document. What is wrong is added to `problems`.
pub(crate) fn read<T: DeserializeOwned>(text: &str, problems: &mut Problems<'_>) -> Option<T> {
    if text.len() > FILE_BYTES_MAX {
        let words = format!("{} bytes are more than a policy file may have", text.len());
        problems.add(Place::START, words, Some(format!("at most {FILE_BYTES_MAX} bytes")));
        return None;
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_events: 4 * NODES_MAX,
            max_aliases: ALIASES_MAX,
            max_anchors: ALIASES_MAX,
            max_documents: 2,
            max_total_scalar_bytes: FILE_BYTES_MAX,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    match serde_saphyr::from_str_with_options(text, options) {
        Ok(value) => Some(value),
        Err(error) => {
            note(text, error.without_snippet(), problems);
            None
        }
    }
}

/// The place of a value.
pub(crate) fn place(at: Location) -> Place {
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX).max(1);
    Place { line: number(at.line()), column: number(at.column()) }
}

fn note(text: &str, error: &Error, problems: &mut Problems<'_>) {
    if let Error::AliasError { error, .. } = error {
        return note(text, error.without_snippet(), problems);
    }
    let at = match error.location() {
        Some(at) if at.line() > 0 => place(at),
        Some(_) | None => Lines::of(text).place(text.trim_end().len()),
    };
    if let Error::SerdeUnknownField { field, expected, .. } = error {
        problems.add(
            at,
            format!("no field `{field}` is known here"),
            did_you_mean(field, expected),
        );
    } else if let Error::SerdeUnknownVariant { variant, expected, .. } = error {
        let words = format!("`{variant}` is none of the words that may stand here");
        problems.add(at, words, did_you_mean(variant, expected));
    } else if let Error::SerdeMissingField { field, .. } = error {
        problems.add(at, format!("the field `{field}` is missing"), None);
    } else if let Error::DuplicateMappingKey { key, .. } = error {
        let key = key.as_deref().unwrap_or_default();
        let words = format!("the key `{key}` stands here a second time");
        problems.add(at, words, Some("keep one of them".into()));
    } else {
        let hint = "look for a missing quote, bracket or colon, or a wrong indent, here and above";
        problems.add(at, format!("not readable: {}", words(error)), Some(hint.into()));
    }
}

/// The library's words for an error, without the place that it adds at the end.
fn words(error: &Error) -> String {
    let text = error.render();
    let text = text.lines().next().unwrap_or_default();
    let place = error.location().map(|at| (at.line(), at.column()));
    let suffix = place.map(|(line, column)| format!(" at line {line}, column {column}"));
    let bare = suffix.and_then(|suffix| text.strip_suffix(suffix.as_str()));
    bare.unwrap_or(text).trim_end_matches('.').to_owned()
}
