//! The models that answer where an agent's own does not.
//!
//! Each is a name, or a mapping with its own provider and price. A name that tells no
//! other provider is asked from the agent's own.

use std::path::Path;

use kernel::price::Rule;

use super::agent_file::{model, price};
use super::dealing::Dealing;
use super::expect::{Keys, Reader};
use super::mistake::Span;
use super::provider::{Model, Provider, optional, read as read_provider};
use super::yaml::{Entry, Node, Value};

/// A model that answers where the one before it does not.
#[derive(Clone, Debug)]
pub(crate) struct Fallback {
    /// Its name, under which its answers are known in the log.
    pub(crate) model: String,
    /// Who answers for it.
    pub(crate) provider: Provider,
    /// How that one is dealt with.
    pub(crate) dealing: Dealing,
    /// The file's own price for it. `None`: the catalogue's price holds.
    pub(crate) price: Option<Rule>,
    /// Whether it can call tools.
    pub(crate) takes_tools: bool,
    /// The most that a prompt and its answer may hold together, in tokens. `None`: as the
    /// catalogue says, where it knows.
    pub(crate) context_tokens: Option<u32>,
}

/// Most fallbacks of one agent.
const FALLBACKS_MAX: usize = 8;

const FALLBACK: Keys = Keys {
    of: "a fallback",
    known: &["model", "provider", "price", "takes_tools", "context_tokens"],
    required: &["model"],
};

/// Reads the list `fallbacks`, which may be missing.
pub(super) fn read(
    reader: &mut Reader,
    entry: Option<&Entry>,
    own_model: &str,
    own: &(Provider, Dealing),
    folder: &Path,
) -> Option<Vec<Fallback>> {
    let Some(entry) = entry.filter(|entry| entry.value.value != Value::Null) else {
        return Some(Vec::new());
    };
    let items = reader.list(entry)?;
    if items.len() > FALLBACKS_MAX {
        let words = format!("{} fallbacks are more than {FALLBACKS_MAX}", items.len());
        return reader.wrong(entry.key_span.clone(), words, "keep those that matter");
    }
    let mut fallbacks: Vec<Fallback> = Vec::new();
    let mut all_right = true;
    for item in items {
        match one(reader, item, own, folder) {
            None => all_right = false,
            Some((fallback, span)) => {
                let mut known = fallbacks.iter().map(|one| one.model.as_str());
                if fallback.model == own_model || known.any(|known| known == fallback.model) {
                    let words = format!("the model `{}` stands here twice", fallback.model);
                    reader.wrong::<()>(span, words, "name each model of a chain once");
                    all_right = false;
                }
                fallbacks.push(fallback);
            }
        }
    }
    all_right.then_some(fallbacks)
}

fn one(
    reader: &mut Reader,
    item: &Node,
    own: &(Provider, Dealing),
    folder: &Path,
) -> Option<(Fallback, Span)> {
    let here = item.span.clone();
    if let Value::Text(_) = &item.value {
        let entry = Entry { key: "model".to_owned(), key_span: here, value: item.clone() };
        let (name, span) = model(reader, &entry)?;
        let asked = Model { name: &name, span: span.clone() };
        let (provider, dealing) = read_provider(reader, None, &asked, folder, Some(own))?;
        let (price, takes_tools, context_tokens) = (None, true, None);
        let fallback =
            Fallback { model: name, provider, dealing, price, takes_tools, context_tokens };
        return Some((fallback, span));
    }
    let section = reader.section(item, here, &FALLBACK)?;
    let (name, span) = model(reader, section.get("model")?)?;
    let asked = Model { name: &name, span: span.clone() };
    let dealt = read_provider(reader, section.get("provider"), &asked, folder, Some(own));
    let price = optional(section.get("price"), |entry| price(reader, entry));
    let takes_tools = optional(section.get("takes_tools"), |entry| yes_or_no(reader, entry));
    let window = 1..=100_000_000;
    let context_tokens =
        optional(section.get("context_tokens"), |entry| reader.whole(entry, window, "tokens"));
    let (provider, dealing) = dealt?;
    let fallback = Fallback {
        model: name,
        provider,
        dealing,
        price: price?,
        takes_tools: takes_tools?.unwrap_or(true),
        context_tokens: context_tokens?,
    };
    Some((fallback, span))
}

pub(super) fn yes_or_no(reader: &mut Reader, entry: &Entry) -> Option<bool> {
    match &entry.value.value {
        Value::Bool(said) => Some(*said),
        Value::Null | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
            let words = format!("`{}` is `true` or `false`", entry.key);
            reader.wrong(entry.key_span.clone(), words, "write one of them, without quotes")
        }
    }
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    FALLBACK.known.iter().copied()
}
