//! The section `alerts` of the installation's file: who is told of trips, of caps that are
//! nearly used up, and of dependencies that are out.
//!
//! A webhook's address may be a secret, as a chat's is: it may come from the environment,
//! and no message repeats it. The secret of its signatures is only ever named.

use std::collections::BTreeSet;

use engine::alerts::{Kind, Subscriber};
use webhooks::Shape;

use super::expect::{Keys, Reader};
use super::provider::optional;
use super::yaml::Entry;

/// A webhook as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Webhook {
    /// Its name, and what it wants to hear of.
    pub(crate) subscriber: Subscriber,
    /// Its address, checked.
    pub(crate) url: String,
    /// The environment variable with the secret that requests are signed with. `None`:
    /// they are not signed.
    pub(crate) secret_env: Option<String>,
    /// What is sent.
    pub(crate) shape: Shape,
}

const ALERTS: Keys = Keys { of: "`alerts`", known: &["webhooks"], required: &[] };

const WEBHOOK: Keys =
    Keys { of: "a webhook", known: &["url", "secret_env", "kinds", "format"], required: &["url"] };

const SHAPES: [(&str, Shape); 2] = [("json", Shape::Full), ("slack", Shape::Slack)];

/// The most webhooks: each is a line of deliveries of its own.
const WEBHOOKS_MAX: usize = 32;

/// Longest name of a webhook, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Reads the section, which may be missing.
pub(super) fn read(reader: &mut Reader, entry: Option<&Entry>) -> Option<Vec<Webhook>> {
    let Some(entry) = entry else { return Some(Vec::new()) };
    let section = reader.section(&entry.value, entry.key_span.clone(), &ALERTS)?;
    let Some(list) = section.get("webhooks") else { return Some(Vec::new()) };
    let named = reader.mapping(list)?;
    if named.len() > WEBHOOKS_MAX {
        let words = format!("more than {WEBHOOKS_MAX} webhooks");
        return reader.wrong(list.key_span.clone(), words, "let one of them tell the others");
    }
    let webhooks: Vec<Option<Webhook>> = named.iter().map(|one| webhook(reader, one)).collect();
    webhooks.into_iter().collect()
}

fn webhook(reader: &mut Reader, entry: &Entry) -> Option<Webhook> {
    let named = name(reader, entry);
    let section = reader.section(&entry.value, entry.key_span.clone(), &WEBHOOK)?;
    let url = section.get("url").and_then(|entry| url(reader, entry));
    let secret_env = optional(section.get("secret_env"), |entry| reader.variable(entry));
    let kinds = optional(section.get("kinds"), |entry| kinds(reader, entry));
    let shape = optional(section.get("format"), |entry| {
        let word = reader.choice(entry, &SHAPES.map(|(word, _)| word))?;
        SHAPES.iter().find(|(known, _)| *known == word).map(|(_, shape)| *shape)
    });
    let subscriber = Subscriber { name: named?, kinds: kinds? };
    let shape = shape?.unwrap_or(Shape::Full);
    Some(Webhook { subscriber, url: url?, secret_env: secret_env?, shape })
}

/// The name that deliveries are stored under.
fn name(reader: &mut Reader, entry: &Entry) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !entry.key.is_empty() && entry.key.len() <= NAME_BYTES_MAX && entry.key.chars().all(plain) {
        return Some(entry.key.clone());
    }
    let words = format!("`{}` cannot be the name of a webhook", entry.key);
    let hint = format!("use up to {NAME_BYTES_MAX} letters, digits, `-`, `_` and `.`");
    reader.wrong(entry.key_span.clone(), words, hint)
}

fn url(reader: &mut Reader, entry: &Entry) -> Option<String> {
    let said = reader.text(entry)?;
    if webhooks::address(&said).is_ok() {
        return Some(said);
    }
    let words = "`url` is not the address of a webhook";
    let hint = "write it like `https://host/path`, with neither user name nor fragment";
    reader.wrong(entry.value.span.clone(), words, hint)
}

fn kinds(reader: &mut Reader, entry: &Entry) -> Option<BTreeSet<Kind>> {
    let codes = Kind::ALL.map(Kind::code);
    let items = reader.items(entry)?;
    let kinds: Vec<Option<Kind>> = items
        .iter()
        .map(|item| {
            let code = reader.choice(item, &codes)?;
            Kind::ALL.into_iter().find(|kind| kind.code() == code)
        })
        .collect();
    kinds.into_iter().collect()
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    [&ALERTS, &WEBHOOK].into_iter().flat_map(|keys| keys.known.iter().copied())
}
