//! Who answers for a model: said in the file, or told from the model's name.

use std::path::{Path, PathBuf};

use super::dealing::{self, Dealing};
use super::expect::{Keys, Reader, Section};
use super::mistake::Span;
use super::yaml::{Entry, Node, Value};

/// Who answers for a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    /// The Anthropic Messages API.
    Anthropic {
        /// Another server than the vendor's own.
        base_url: Option<String>,
        /// The environment variable that holds the key.
        key_env: String,
    },
    /// Any server that speaks OpenAI's chat completions.
    OpenAi {
        /// The server, with its path up to the version: `https://host/v1`.
        base_url: String,
        /// The environment variable that holds the key. `None`: the server wants none.
        key_env: Option<String>,
    },
    /// The rule-based brain in this program. No language model.
    Planner,
    /// Answers read from a file. No language model.
    Script {
        /// The file.
        path: PathBuf,
    },
}

/// The variable that Anthropic's own software reads its key from.
pub(crate) const ANTHROPIC_KEY_ENV: &str = "ANTHROPIC_API_KEY";

const KEYS: Keys = Keys { of: "`provider`", known: &PROVIDER, required: &[] };

const PROVIDER: [&str; 8] =
    ["kind", "base_url", "key_env", "script", "timeouts", "at_once_max", "waiting_max", "breaker"];

const KINDS: [(&str, Kind); 4] = [
    ("anthropic", Kind::Anthropic),
    ("openai", Kind::OpenAi),
    ("planner", Kind::Planner),
    ("script", Kind::Script),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Anthropic,
    OpenAi,
    Planner,
    Script,
}

impl Provider {
    /// The provider that a model's name alone tells: `claude-…`, `planner`, or
    /// `script:PATH` with the path starting at `folder`.
    #[must_use]
    pub(crate) fn of_model(model: &str, folder: &Path) -> Option<Self> {
        match kind_of_model(model)? {
            Kind::Anthropic => {
                Some(Provider::Anthropic { base_url: None, key_env: ANTHROPIC_KEY_ENV.to_owned() })
            }
            Kind::Planner => Some(Provider::Planner),
            Kind::Script => {
                script_of_model(model).map(|path| Provider::Script { path: folder.join(path) })
            }
            Kind::OpenAi => None,
        }
    }
}

fn kind_of_model(model: &str) -> Option<Kind> {
    if model.starts_with("claude-") {
        Some(Kind::Anthropic)
    } else if model == "planner" {
        Some(Kind::Planner)
    } else {
        script_of_model(model).map(|_| Kind::Script)
    }
}

fn script_of_model(model: &str) -> Option<&str> {
    model.strip_prefix("script:").filter(|path| !path.is_empty())
}

/// The model of a file: its name and where that stands.
pub(super) struct Model<'a> {
    pub(super) name: &'a str,
    pub(super) span: Span,
}

/// Reads the section `provider`, which may be missing: who answers, and how that one is
/// dealt with. `own` is what a fallback takes over where it names none of its own.
pub(super) fn read(
    reader: &mut Reader,
    entry: Option<&Entry>,
    model: &Model,
    folder: &Path,
    own: Option<&(Provider, Dealing)>,
) -> Option<(Provider, Dealing)> {
    let entry = entry.filter(|entry| entry.value.value != Value::Null);
    let Some(entry) = entry else {
        return match (Provider::of_model(model.name, folder), own) {
            (Some(Provider::Anthropic { .. }), Some(own @ (Provider::Anthropic { .. }, _)))
            | (None, Some(own @ (Provider::OpenAi { .. }, _))) => Some(own.clone()),
            (Some(told), _) => Some((told, Dealing::default())),
            (None, _) => unknown(reader, model),
        };
    };
    let section = reader.section(&entry.value, entry.key_span.clone(), &KEYS)?;
    let kind = match section.get("kind") {
        Some(said) => said_kind(reader, said)?,
        None => match (kind_of_model(model.name), section.get("base_url")) {
            (Some(kind), _) => kind,
            (None, Some(_)) => Kind::OpenAi,
            (None, None) => return unknown(reader, model),
        },
    };
    refuse_idle_keys(reader, &section, kind);
    let dealing = dealing::read(reader, &section);
    let provider = of_kind(reader, &section, kind, entry, model, folder);
    Some((provider?, dealing?))
}

fn said_kind(reader: &mut Reader, said: &Entry) -> Option<Kind> {
    let word = reader.choice(said, &KINDS.map(|(word, _)| word))?;
    KINDS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind)
}

fn of_kind(
    reader: &mut Reader,
    section: &Section,
    kind: Kind,
    entry: &Entry,
    model: &Model,
    folder: &Path,
) -> Option<Provider> {
    let base_url = section.get("base_url");
    let key_env = section.get("key_env");
    let here = entry.key_span.clone();
    match kind {
        Kind::Anthropic => {
            let base_url = optional(base_url, |entry| reader.address(entry))?;
            let key_env = optional(key_env, |entry| reader.variable(entry))?;
            Some(Provider::Anthropic {
                base_url,
                key_env: key_env.unwrap_or_else(|| ANTHROPIC_KEY_ENV.to_owned()),
            })
        }
        Kind::OpenAi => {
            let key_env = optional(key_env, |entry| reader.variable(entry))?;
            let Some(base_url) = base_url else {
                let words = "`provider` of kind `openai` lacks `base_url`";
                return reader.wrong(here, words, "add a line `base_url: https://host/v1`");
            };
            let base_url = reader.address(base_url)?;
            Some(Provider::OpenAi { base_url, key_env })
        }
        Kind::Planner => Some(Provider::Planner),
        Kind::Script => {
            let path = match (section.get("script"), script_of_model(model.name)) {
                (Some(said), _) => reader.text(said)?,
                (None, Some(path)) => path.to_owned(),
                (None, None) => {
                    let words = "`provider` of kind `script` lacks `script`";
                    return reader.wrong(here, words, "add a line `script: path/of/script.yaml`");
                }
            };
            let path = folder.join(path);
            Some(Provider::Script { path })
        }
    }
}

/// Keys of providers that are reached over the network.
const REMOTE: [&str; 6] =
    ["base_url", "key_env", "timeouts", "at_once_max", "waiting_max", "breaker"];

/// Refuses keys that this kind of provider would not look at.
fn refuse_idle_keys(reader: &mut Reader, section: &Section, kind: Kind) {
    let (kind_word, used): (&str, &[&str]) = match kind {
        Kind::Anthropic => ("anthropic", &REMOTE),
        Kind::OpenAi => ("openai", &REMOTE),
        Kind::Planner => ("planner", &[]),
        Kind::Script => ("script", &["script"]),
    };
    for key in PROVIDER.into_iter().filter(|key| *key != "kind") {
        if let Some(entry) = section.get(key).filter(|_| !used.contains(&key)) {
            let words = format!("a provider of kind `{kind_word}` has no `{key}`");
            let hint = "remove the line, or change `kind`";
            reader.wrong::<()>(entry.key_span.clone(), words, hint);
        }
    }
}

fn unknown<T>(reader: &mut Reader, model: &Model) -> Option<T> {
    let words = format!("nobody is known to answer for the model `{}`", model.name);
    let hint = "name its server: `provider: {kind: openai, base_url: \"https://host/v1\", \
                key_env: MY_API_KEY}`; without one there are `claude-…`, `planner` and \
                `script:PATH`";
    reader.wrong(model.span.clone(), words, hint)
}

/// Reads an entry that may be missing: `None` only where it is there and wrong.
pub(super) fn optional<T>(
    entry: Option<&Entry>,
    read: impl FnOnce(&Entry) -> Option<T>,
) -> Option<Option<T>> {
    entry.map_or(Some(None), |entry| read(entry).map(Some))
}

/// The model's place for messages.
pub(super) fn model_span(node: &Node, key: &Span) -> Span {
    if node.span.is_empty() { key.clone() } else { node.span.clone() }
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.known.iter().copied().chain(dealing::keys())
}
