//! The sections `encryption` and `retention` of the installation's file: under which key
//! content is sealed, and how long it stays.

use std::collections::BTreeMap;

use secrets::Handle;

use super::expect::{Keys, Reader};
use super::provider::optional;
use super::yaml::Entry;

/// Under which keys the content of sessions is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Encryption {
    /// The key of new sessions.
    pub(crate) key: Handle,
    /// Keys of older ones.
    pub(crate) former: Vec<Handle>,
}

/// How long an environment's content is kept, and the audit of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keeping {
    /// Days after which a session's content goes, counted from its opening.
    pub(crate) content_days: Option<u32>,
    /// Days after which entries of the audit go.
    pub(crate) audit_days: Option<u32>,
}

const ENCRYPTION: Keys = Keys { of: "`encryption`", known: &["key", "former"], required: &["key"] };

const KEEPING: Keys =
    Keys { of: "an environment", known: &["content_days", "audit_days"], required: &[] };

/// The most keys of older sessions.
const FORMER_MAX: usize = 15;

/// The most days that anything is kept.
const DAYS_MAX: u32 = 36_500;

/// Reads the section `encryption`, which may be missing.
pub(super) fn encryption(reader: &mut Reader, entry: Option<&Entry>) -> Option<Option<Encryption>> {
    let Some(entry) = entry else { return Some(None) };
    let section = reader.section(&entry.value, entry.key_span.clone(), &ENCRYPTION)?;
    let key = section.get("key").and_then(|entry| handle(reader, entry));
    let former = optional(section.get("former"), |entry| {
        let items = reader.items(entry)?;
        if items.len() > FORMER_MAX {
            let words = format!("more than {FORMER_MAX} former keys");
            let hint = "erase the oldest sessions, and leave out their key";
            return reader.wrong(entry.key_span.clone(), words, hint);
        }
        let handles: Vec<Option<Handle>> = items.iter().map(|item| handle(reader, item)).collect();
        handles.into_iter().collect()
    });
    Some(Some(Encryption { key: key?, former: former?.unwrap_or_default() }))
}

/// The handle of a secret. A wrong value is not repeated: it may be the key itself.
fn handle(reader: &mut Reader, entry: &Entry) -> Option<Handle> {
    let said = reader.text(entry)?;
    if let Ok(handle) = said.parse() {
        return Some(handle);
    }
    let words = format!("`{}` takes the handle of a secret", entry.key);
    let hint = "write it like `env:CONTENT_KEY` or `enc:content-key`; a key itself has no place \
                in this file";
    reader.wrong(entry.value.span.clone(), words, hint)
}

/// Reads the section `retention`, which may be missing: how long, by environment.
pub(super) fn retention(
    reader: &mut Reader,
    entry: Option<&Entry>,
) -> Option<BTreeMap<String, Keeping>> {
    let Some(entry) = entry else { return Some(BTreeMap::new()) };
    let named = reader.mapping(entry)?;
    let all: Vec<Option<(String, Keeping)>> =
        named.iter().map(|entry| Some((entry.key.clone(), keeping(reader, entry)?))).collect();
    all.into_iter().collect()
}

fn keeping(reader: &mut Reader, entry: &Entry) -> Option<Keeping> {
    let section = reader.section(&entry.value, entry.key_span.clone(), &KEEPING)?;
    let mut days =
        |key| optional(section.get(key), |entry| reader.whole(entry, 1..=DAYS_MAX, "days"));
    let (content_days, audit_days) = (days("content_days"), days("audit_days"));
    Some(Keeping { content_days: content_days?, audit_days: audit_days? })
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    [&ENCRYPTION, &KEEPING].into_iter().flat_map(|keys| keys.known.iter().copied())
}
