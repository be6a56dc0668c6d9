//! The sections of the installation's file that say who may do what: where it is, who has
//! which role, which policies hold, what sessions get at the most, and where secrets are.
//!
//! Without any of them this is one person at their own machine: in `development`, an
//! `admin`, under the policies of the template `default`, in whatever folder.

mod people;
mod policies;
mod scopes;
mod sources;

use std::path::Path;

use policy::scope::ScopeRules;

pub(crate) use people::People;
pub(super) use policies::is_told_by as is_policies;
pub(crate) use policies::{Chosen, PolicyFiles, question, question_in};
pub(super) use scopes::trust;

use super::expect::{Reader, Section};
use super::provider::optional;
use super::yaml::Entry;

/// The environment where the file names none.
pub(crate) const ENVIRONMENT: &str = "development";

/// What the sections say.
#[derive(Clone, Debug)]
pub(crate) struct Permits {
    /// Where this is: `development`, `staging`, `production`, ….
    pub(crate) environment: String,
    /// Who has which role.
    pub(crate) people: People,
    /// Which policies hold.
    pub(crate) policies: PolicyFiles,
    /// What sessions get at the most, and where they may work.
    pub(crate) scopes: ScopeRules,
    /// Where secrets are.
    pub(crate) secrets: secrets::Configuration,
}

impl Default for Permits {
    fn default() -> Self {
        Permits {
            environment: ENVIRONMENT.to_owned(),
            people: People::default(),
            policies: PolicyFiles::default(),
            scopes: ScopeRules::default(),
            secrets: secrets::Configuration::default(),
        }
    }
}

/// Reads the sections, any of which may be missing. Relative paths start at `folder`.
pub(super) fn read(reader: &mut Reader, file: &Section, folder: &Path) -> Option<Permits> {
    let environment = optional(file.get("environment"), |entry| word(reader, entry));
    let people = optional(file.get("people"), |entry| people::read(reader, entry));
    let policies = optional(file.get("policy"), |entry| policies::read(reader, entry, folder));
    let scopes = scopes::read(reader, file, folder);
    let secrets = optional(file.get("secrets"), |entry| sources::read(reader, entry, folder));
    let usual = Permits::default();
    Some(Permits {
        environment: environment?.unwrap_or(usual.environment),
        people: people?.unwrap_or_default(),
        policies: policies?.unwrap_or_default(),
        scopes: scopes?,
        secrets: secrets?.unwrap_or_default(),
    })
}

/// Longest name of an environment, a role or a kind of task, in bytes.
const WORD_BYTES_MAX: usize = 64;

/// One word that policies speak of: an environment or a role.
fn word(reader: &mut Reader, entry: &Entry) -> Option<String> {
    let said = reader.text(entry)?;
    if is_word(&said) {
        return Some(said);
    }
    let words = format!("`{}` is one word", entry.key);
    reader.wrong(entry.value.span.clone(), words, word_hint())
}

fn is_word(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !text.is_empty() && text.len() <= WORD_BYTES_MAX && text.chars().all(plain)
}

fn word_hint() -> String {
    format!("use up to {WORD_BYTES_MAX} letters, digits, `-`, `_` and `.`")
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    people::keys().chain(policies::keys()).chain(scopes::keys()).chain(sources::keys())
}
