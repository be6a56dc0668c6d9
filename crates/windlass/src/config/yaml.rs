//! YAML text to a tree that remembers where each piece stands.
//!
//! The only file that knows the YAML library. Numbers keep their spelling, so that money
//! is never rounded on the way. Size, depth and aliases have budgets; keys that stand
//! twice, merge keys and further documents are mistakes.

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, MergeKeyPolicy, NonFiniteFloatPolicy, Spanned};

use super::mistake::{Mistake, Span};

/// Lists and mappings inside each other.
const DEPTH_MAX: usize = 32;
/// Values in one file, those brought by aliases included.
const NODES_MAX: usize = 20_000;
/// Aliases in one file.
const ALIASES_MAX: usize = 100;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// Its bytes; for lists and mappings the place where they begin.
    pub(super) span: Span,
    /// The value.
    pub(super) value: Value,
}

/// A YAML value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`; other words are text.
    Bool(bool),
    /// A number as it is spelled.
    Number(String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: String,
    /// Where the key stands.
    pub(super) key_span: Span,
    /// The value.
    pub(super) value: Node,
}

/// Reads one document. Where keys stand twice, the tree holds the first of each and the
/// mistakes name the others; any other mistake in the YAML itself leaves no tree.
pub(super) fn parse(text: &str) -> (Option<Node>, Vec<Mistake>) {
    let first = match read(text, DuplicateKeyPolicy::Error) {
        Ok(root) => return (Some(node(text, root)), Vec::new()),
        Err(error) => error,
    };
    let first = first.without_snippet();
    if !matches!(first, serde_saphyr::Error::DuplicateMappingKey { .. }) {
        return (None, vec![mistake(text, first)]);
    }
    // Read once more with every entry kept, to report all of the doubled keys together.
    match read(text, DuplicateKeyPolicy::LastWins) {
        Ok(root) => {
            let mut mistakes = Vec::new();
            let mut root = node(text, root);
            drop_doubled(&mut root, &mut mistakes);
            if mistakes.is_empty() {
                mistakes.push(mistake(text, first));
            }
            (Some(root), mistakes)
        }
        Err(second) => (None, vec![mistake(text, first), mistake(text, second.without_snippet())]),
    }
}

fn read(
    text: &str,
    duplicate_keys: DuplicateKeyPolicy,
) -> Result<Spanned<Raw>, serde_saphyr::Error> {
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
        duplicate_keys: duplicate_keys,
        merge_keys: MergeKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
}

/// The tree as the library gives it.
#[derive(Debug)]
enum Raw {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Raw;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            if entries.len() >= NODES_MAX {
                return Err(A::Error::custom("too many keys in one mapping"));
            }
            entries.push((key, map.next_value()?));
        }
        Ok(Raw::Map(entries))
    }
}

/// Gives each value its bytes, and each number its spelling.
fn node(text: &str, raw: Spanned<Raw>) -> Node {
    let span = bytes(text, raw.referenced);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool(value) => Value::Bool(value),
        Raw::Text(value) => Value::Text(value),
        Raw::Number(read) => {
            let spelled = text.get(bytes(text, raw.defined)).unwrap_or_default();
            let spelled = spelled.trim();
            Value::Number(if spelled.is_empty() { read } else { spelled.to_owned() })
        }
        Raw::List(items) => Value::List(items.into_iter().map(|item| node(text, item)).collect()),
        Raw::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| Entry {
                    key_span: bytes(text, key.referenced),
                    key: key.value,
                    value: node(text, value),
                })
                .collect(),
        ),
    };
    Node { span, value }
}

/// The bytes of a place, within the text and on the borders of characters. The library
/// knows the bytes of values; of some mistakes it knows line and column only.
fn bytes(text: &str, location: Location) -> Span {
    let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let (start, length) = match (location.span().byte_offset(), location.span().byte_len()) {
        (Some(start), Some(length)) => (whole(start), whole(length)),
        (Some(start), None) => (whole(start), 0),
        (None, _) => (byte_of(text, whole(location.line()), whole(location.column())), 0),
    };
    let start = text.floor_char_boundary(start);
    start..text.floor_char_boundary(start.saturating_add(length))
}

/// The byte of a line and column, both counted from 1.
fn byte_of(text: &str, line: usize, column: usize) -> usize {
    let lines = text.split_inclusive('\n').take(line.saturating_sub(1));
    let line_start: usize = lines.map(str::len).sum();
    let columns = text[line_start..].chars().take(column.saturating_sub(1));
    line_start + columns.map(char::len_utf8).sum::<usize>()
}

/// Keeps the first entry of each key, in the whole tree.
fn drop_doubled(node: &mut Node, mistakes: &mut Vec<Mistake>) {
    match &mut node.value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
        Value::List(items) => items.iter_mut().for_each(|item| drop_doubled(item, mistakes)),
        Value::Map(entries) => {
            let mut seen = std::collections::BTreeSet::new();
            entries.retain(|entry| {
                let first = seen.insert(entry.key.clone());
                if !first {
                    mistakes.push(doubled(&entry.key, entry.key_span.clone()));
                }
                first
            });
            for entry in entries {
                drop_doubled(&mut entry.value, mistakes);
            }
        }
    }
}

fn doubled(key: &str, span: Span) -> Mistake {
    Mistake::new(span, format!("the key `{key}` stands here a second time"))
        .hint("keep one of them")
}

/// The library's error in this program's words.
fn mistake(text: &str, error: &serde_saphyr::Error) -> Mistake {
    use serde_saphyr::Error;
    if let Error::AliasError { error, .. } = error {
        return mistake(text, error.without_snippet());
    }
    let span = match error.location() {
        Some(place) if place.line() > 0 => bytes(text, place),
        Some(_) | None => text.trim_end().len()..text.trim_end().len(),
    };
    let say = |words: &str, hint: &str| Mistake::new(span.clone(), words).hint(hint);
    if let Error::DuplicateMappingKey { key, .. } = error {
        doubled(key.as_deref().unwrap_or_default(), span)
    } else if let Error::MultipleDocuments { .. } = error {
        say(
            "a second document begins in this file",
            "one file holds one document; remove the line `---`",
        )
    } else if let Error::MergeKeyNotAllowed { .. } = error {
        say("merge keys (`<<`) are not read", "write the keys out, or give a whole value an alias")
    } else if let Error::UnknownAnchor { .. } = error {
        say(
            "there is no anchor of that name above",
            "write the anchor before its alias, or put a text that begins with `*` in quotes",
        )
    } else if let Error::UnsupportedTag { tag, .. } = error {
        say(
            &format!("the tag `{tag}` is not known here"),
            "remove it, or put a text that begins with `!` in quotes",
        )
    } else if is_over_budget(error) {
        say(
            "more values, depth or aliases than a file may have",
            &format!("at most {NODES_MAX} values, {DEPTH_MAX} levels and {ALIASES_MAX} aliases"),
        )
    } else {
        say(
            &format!("not valid YAML: {}", words(error)),
            "look for a missing quote, bracket or colon, or a wrong indent, here and above",
        )
    }
}

fn is_over_budget(error: &serde_saphyr::Error) -> bool {
    use serde_saphyr::Error;
    matches!(
        error,
        Error::Budget { .. }
            | Error::AliasReplayLimitExceeded { .. }
            | Error::AliasReplayStackDepthExceeded { .. }
            | Error::AliasExpansionLimitExceeded { .. }
            | Error::AliasReplayCounterOverflow { .. }
    )
}

/// The library's words for an error, without the place that it adds at the end.
fn words(error: &serde_saphyr::Error) -> String {
    let text = error.render();
    let text = text.lines().next().unwrap_or_default();
    let place = error.location().map(|at| (at.line(), at.column()));
    let suffix = place.map(|(line, column)| format!(" at line {line}, column {column}"));
    let bare = suffix.and_then(|suffix| text.strip_suffix(suffix.as_str()));
    bare.unwrap_or(text).trim_end_matches('.').to_owned()
}
