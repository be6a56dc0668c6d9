//! Reading a tree by what is expected of it, gathering mistakes on the way.
//!
//! Each function returns what it found or notes a mistake and returns nothing, so that
//! one pass names every mistake of a file. What the environment brought into a value is
//! never repeated in a message: it may be a secret.

mod values;

use super::Environment;
use super::environment;
use super::mistake::{Broken, Mistake, Source, Span};
use super::suggest;
use super::yaml::{self, Entry, Node, Value};

/// Longest piece of a wrong value that a message repeats, in characters.
const QUOTED_CHARS_MAX: usize = 60;

/// A pass over one file.
pub(super) struct Reader<'a> {
    text: &'a str,
    environment: Environment<'a>,
    mistakes: Vec<Mistake>,
}

/// A mapping whose keys are all known.
pub(super) struct Section<'n> {
    entries: &'n [Entry],
}

impl<'n> Section<'n> {
    /// The entry of that key, if the file has it.
    pub(super) fn get(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// The keys of a section.
pub(super) struct Keys {
    /// How messages call the section: `the file`, `` `provider` ``.
    pub(super) of: &'static str,
    /// All that it may have.
    pub(super) known: &'static [&'static str],
    /// Those that it must have.
    pub(super) required: &'static [&'static str],
}

/// A single value.
struct Scalar {
    /// As the file has it, for messages.
    shown: String,
    /// With the environment brought in.
    value: String,
    spelling: Spelling,
}

/// What a single value looks like in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    Number,
    Text,
    /// A text that takes something from the environment: it may become a number.
    Reference,
}

/// Reads a whole file with these keys at its top: what `fields` makes of them, or every
/// mistake.
pub(super) fn file<T>(
    source: &Source,
    environment: Environment,
    keys: &Keys,
    fields: impl FnOnce(&mut Reader, &Section) -> Option<T>,
) -> Result<T, Broken> {
    let text = &source.text;
    let (root, mistakes) = yaml::parse(text);
    let Some(root) = root else {
        return Err(Broken::new(source.clone(), mistakes));
    };
    let mut reader = Reader::new(text, environment, mistakes);
    let start = text.len() - text.trim_start().len();
    let section = reader.section(&root, start..start, keys);
    match section.and_then(|section| fields(&mut reader, &section)) {
        Some(made) if reader.mistakes.is_empty() => Ok(made),
        Some(_) | None => {
            if reader.mistakes.is_empty() {
                let words = "this file cannot be used";
                reader.mistakes.push(Mistake::new(0..0, words));
            }
            Err(Broken::new(source.clone(), reader.mistakes))
        }
    }
}

impl<'a> Reader<'a> {
    /// Begins a pass with the mistakes known so far.
    fn new(text: &'a str, environment: Environment<'a>, mistakes: Vec<Mistake>) -> Self {
        Reader { text, environment, mistakes }
    }

    /// Notes a mistake. The answer is always `None`, to return it at once.
    pub(super) fn wrong<T>(
        &mut self,
        span: Span,
        words: impl Into<String>,
        hint: impl Into<String>,
    ) -> Option<T> {
        self.mistakes.push(Mistake::new(span, words).hint(hint));
        None
    }

    /// A mapping with these keys; `at` is its key, or the start of the file. Nothing
    /// after the key counts as an empty mapping.
    pub(super) fn section<'n>(
        &mut self,
        node: &'n Node,
        at: Span,
        keys: &Keys,
    ) -> Option<Section<'n>> {
        let entries: &[Entry] = match &node.value {
            Value::Map(entries) => entries,
            Value::Null => &[],
            Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                let words = format!("{} has keys and values, this is {}", keys.of, kind(node));
                let hint = format!("write `{}: …`, one key on each line", keys.known[0]);
                return self.wrong(at, words, hint);
            }
        };
        let section = Section { entries };
        let mut meant = Vec::new();
        for entry in entries {
            if !keys.known.contains(&entry.key.as_str()) {
                let words = format!("unknown key `{}` in {}", quoted(&entry.key), keys.of);
                let hint = suggest::hint(&entry.key, keys.known);
                self.wrong::<()>(entry.key_span.clone(), words, hint);
                meant.extend(suggest::nearest(&entry.key, keys.known));
            }
        }
        let absent = |key: &&&'static str| section.get(key).is_none() && !meant.contains(*key);
        let missing: Vec<&str> = keys.required.iter().filter(absent).copied().collect();
        if let Some(first) = missing.first() {
            let words = format!("{} lacks `{}`", keys.of, missing.join("`, `"));
            self.wrong::<()>(at, words, format!("add a line `{first}: …`"));
        }
        Some(section)
    }

    /// A value that is neither list nor mapping, with the environment brought in.
    fn scalar(&mut self, entry: &Entry) -> Option<Scalar> {
        let (shown, spelling) = match &entry.value.value {
            Value::Number(text) => (text, Spelling::Number),
            Value::Text(text) if environment::refers(text) => (text, Spelling::Reference),
            Value::Text(text) => (text, Spelling::Text),
            Value::Null => {
                let words = format!("`{}` has no value", entry.key);
                return self.wrong(value_span(entry), words, "give it one, or remove the line");
            }
            Value::Bool(_) | Value::List(_) | Value::Map(_) => {
                let words = format!("`{}` is one value, this is {}", entry.key, kind(&entry.value));
                let hint = format!("write `{}: value`", entry.key);
                return self.wrong(value_span(entry), words, hint);
            }
        };
        let value = self.expand(shown, &value_span(entry))?;
        Some(Scalar { shown: shown.clone(), value, spelling })
    }

    /// Brings the environment into a text that stands at `span`.
    pub(super) fn expand(&mut self, text: &str, span: &Span) -> Option<String> {
        let wrong = match environment::expand(text, self.environment) {
            Ok(expanded) => return Some(expanded),
            Err(wrong) => wrong,
        };
        let spelled = self.text.get(span.clone()).unwrap_or_default();
        for one in wrong {
            let place = match spelled.find(&one.spelled) {
                Some(at) => span.start + at..span.start + at + one.spelled.len(),
                None => span.clone(),
            };
            self.wrong::<()>(place, one.words, one.hint);
        }
        None
    }
}

/// Where a value's mistake is shown: at the value, or at the key where there is none.
fn value_span(entry: &Entry) -> Span {
    let span = &entry.value.span;
    match &entry.value.value {
        Value::Bool(_) | Value::Number(_) | Value::Text(_) if !span.is_empty() => span.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Text(_) => entry.key_span.clone(),
        Value::Null | Value::List(_) | Value::Map(_) => entry.key_span.clone(),
    }
}

fn kind(node: &Node) -> &'static str {
    match &node.value {
        Value::Null => "nothing",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(_) => "a number",
        Value::Text(_) => "a text",
        Value::List(_) => "a list",
        Value::Map(_) => "a mapping",
    }
}

/// A text short enough to stand in a message.
fn quoted(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= QUOTED_CHARS_MAX && line.len() == text.len() {
        return line.to_owned();
    }
    let kept: String = line.chars().take(QUOTED_CHARS_MAX).collect();
    format!("{kept}…")
}
