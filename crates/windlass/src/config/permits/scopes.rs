//! The sections `task_types`, `roles`, `tenants` and `roots`: what sessions get at the
//! most. Each only takes away.

use std::collections::BTreeMap;
use std::path::Path;

use kernel::verdict::Trust;
use policy::scope::{Limit, ScopeRules};

use super::super::expect::{Keys, Reader, Section};
use super::super::provider::optional;
use super::super::yaml::Entry;
use super::{is_word, word_hint};
use crate::show::{self, TRUSTS};

const LIMIT: Keys = Keys { of: "a limit", known: &["tools", "trust"], required: &[] };

/// Reads the sections, any of which may be missing.
pub(super) fn read(reader: &mut Reader, file: &Section, folder: &Path) -> Option<ScopeRules> {
    let task_types = limits(reader, file.get("task_types"), true);
    let roles = limits(reader, file.get("roles"), true);
    let tenants = limits(reader, file.get("tenants"), false);
    let roots = optional(file.get("roots"), |entry| {
        let named = reader.texts(entry)?;
        if named.is_empty() {
            let words = "`roots` is empty, so that nobody could work anywhere";
            let hint = "name a folder, or remove the line to allow any";
            return reader.wrong(entry.key_span.clone(), words, hint);
        }
        Some(named.into_iter().map(|(root, _)| folder.join(root)).collect())
    });
    Some(ScopeRules {
        task_types: task_types?,
        roles: roles?,
        tenants: tenants?,
        roots: roots?.unwrap_or_default(),
    })
}

/// How far tools may reach.
pub(in crate::config) fn trust(reader: &mut Reader, entry: &Entry) -> Option<Trust> {
    let word = reader.choice(entry, &TRUSTS.map(show::trust))?;
    TRUSTS.into_iter().find(|trust| show::trust(*trust) == word)
}

fn limits(
    reader: &mut Reader,
    entry: Option<&Entry>,
    of_words: bool,
) -> Option<BTreeMap<String, Limit>> {
    let named = entry.map_or(Some(&[][..]), |entry| reader.mapping(entry))?;
    let limits: Vec<Option<(String, Limit)>> = named
        .iter()
        .map(|one| {
            let limit = limit(reader, one);
            if of_words && !is_word(&one.key) {
                let words = format!("`{}` is no name here", one.key);
                return reader.wrong(one.key_span.clone(), words, word_hint());
            }
            Some((one.key.clone(), limit?))
        })
        .collect();
    limits.into_iter().collect()
}

fn limit(reader: &mut Reader, entry: &Entry) -> Option<Limit> {
    let section = reader.section(&entry.value, entry.key_span.clone(), &LIMIT)?;
    let tools = optional(section.get("tools"), |entry| reader.texts(entry));
    let trust = optional(section.get("trust"), |entry| trust(reader, entry));
    let tools = tools?.map(|named| named.into_iter().map(|(tool, _)| tool).collect());
    Some(Limit { tools, trust: trust? })
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    LIMIT.known.iter().copied()
}
