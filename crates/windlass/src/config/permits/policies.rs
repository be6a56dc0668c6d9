//! The section `policy`: which policies hold, and reading their files.
//!
//! Where the section is read no other file is opened: that is done when the policies are
//! needed, and then whole or not at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kernel::units::{ContentHash, Tenant};
use policy::{Asked, DEFAULT, Policies, PolicySet, Problem, TEMPLATES, TenantSet, template};

use super::super::expect::{Keys, Reader};
use super::super::mistake::{Broken, Mistake, Source};
use super::super::provider::optional;
use super::super::suggest;
use super::super::yaml::{Entry, Node, Value};
use super::super::{ConfigError, Kind, text};

/// Which policies hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyFiles {
    /// For the whole installation.
    pub(crate) installation: Chosen,
    /// What narrows it for a tenant.
    pub(crate) tenants: BTreeMap<Tenant, PathBuf>,
}

/// Where an installation's policies are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// In the program, under this name.
    Template(&'static str),
    /// In a file.
    File(PathBuf),
}

/// Policies that were read, with the hash of each file by what it is for.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) policies: Policies,
    pub(crate) hashes: BTreeMap<String, ContentHash>,
}

impl Default for PolicyFiles {
    fn default() -> Self {
        PolicyFiles { installation: Chosen::Template(DEFAULT), tenants: BTreeMap::new() }
    }
}

const POLICY: Keys = Keys { of: "`policy`", known: &["use", "tenants"], required: &[] };

/// Reads the section: the name of a template, a file, or a mapping with either.
pub(super) fn read(reader: &mut Reader, entry: &Entry, folder: &Path) -> Option<PolicyFiles> {
    if let Value::Text(_) = &entry.value.value {
        let installation = chosen(reader, entry, folder)?;
        return Some(PolicyFiles { installation, tenants: BTreeMap::new() });
    }
    let section = reader.section(&entry.value, entry.key_span.clone(), &POLICY)?;
    let installation = optional(section.get("use"), |entry| chosen(reader, entry, folder));
    let named = section.get("tenants").map_or(Some(&[][..]), |entry| reader.mapping(entry))?;
    let tenants: Vec<Option<(Tenant, PathBuf)>> = named
        .iter()
        .map(|one| {
            let file = reader.text(one)?;
            Some((Tenant(one.key.clone()), folder.join(file)))
        })
        .collect();
    let tenants = tenants.into_iter().collect::<Option<BTreeMap<_, _>>>()?;
    let usual = PolicyFiles::default();
    let installation = installation?.unwrap_or(usual.installation);
    let files = PolicyFiles { installation, tenants };
    let own = files.installation.name();
    let same = named.iter().find(|one| {
        files.tenants.get(&Tenant(one.key.clone())).is_some_and(|file| name_of(file) == own)
    });
    if let Some(same) = same {
        let words = format!("this file and the installation's policies are both named `{own}`");
        let hint = "a verdict names its file: give one of them another name";
        return reader.wrong(same.value.span.clone(), words, hint);
    }
    Some(files)
}

/// A template by its name, or a file. A file's name has a dot or a slash in it.
fn chosen(reader: &mut Reader, entry: &Entry, folder: &Path) -> Option<Chosen> {
    let said = reader.text(entry)?;
    if let Some(template) = template(&said) {
        return Some(Chosen::Template(template.name));
    }
    if said.contains(['.', '/']) {
        return Some(Chosen::File(folder.join(said)));
    }
    let words = format!("there is no policy template `{said}`");
    let known = TEMPLATES.map(|template| template.name);
    let hint = format!("{}; a file is written like `./{said}.yaml`", suggest::hint(&said, &known));
    reader.wrong(entry.value.span.clone(), words, hint)
}

/// The name of a file's policies: the file's own without its ending.
fn name_of(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

impl Chosen {
    /// The name that stands before those of its policies.
    pub(crate) fn name(&self) -> String {
        match self {
            Chosen::Template(name) => (*name).to_owned(),
            Chosen::File(file) => name_of(file),
        }
    }

    /// What somebody means who names policies: a template, or a file.
    pub(crate) fn of(named: &str) -> Self {
        match template(named) {
            Some(template) => Chosen::Template(template.name),
            None => Chosen::File(named.into()),
        }
    }

    /// Its text.
    fn text(&self) -> Result<Source, ConfigError> {
        match self {
            Chosen::Template(name) => {
                let text = template(name).map(|template| template.text).unwrap_or_default();
                Ok(Source::new(name, text))
            }
            Chosen::File(file) => text::load(file, Kind::Policy),
        }
    }

    /// Its policies, by one of the ways of reading them.
    ///
    /// # Errors
    /// It cannot be read, or every mistake in it.
    pub(crate) fn read_as<T>(
        &self,
        read: impl FnOnce(&str, &str) -> Result<T, Vec<Problem>>,
    ) -> Result<T, ConfigError> {
        let source = self.text()?;
        let read = read(&source.text, &self.name());
        Ok(read.map_err(|problems| broken(&source, problems))?)
    }

    /// What is not wrong and not good either, as a report of its file.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn report(&self, problems: Vec<Problem>) -> Result<Broken, ConfigError> {
        Ok(broken(&self.text()?, problems))
    }
}

/// The problems of a policy file as the mistakes of a configuration file.
pub(crate) fn broken(source: &Source, problems: Vec<Problem>) -> Broken {
    let mistake = |problem: Problem| {
        let mistake = Mistake::new(source.rest_of(problem.line, problem.column), problem.words);
        problem.hint.into_iter().fold(mistake, Mistake::hint)
    };
    Broken::new(source.clone(), problems.into_iter().map(mistake).collect())
}

impl PolicyFiles {
    /// Reads all of them, their examples included. The hash of the installation's goes by
    /// the name `policy`, that of a tenant's by `policy of` it.
    ///
    /// # Errors
    /// A file cannot be read, or every mistake in it.
    pub(crate) fn load(&self) -> Result<Loaded, ConfigError> {
        let mut hashes = BTreeMap::new();
        let mut hashed = |what: String, text: &str| {
            hashes.insert(what, ContentHash::of(text.as_bytes()));
        };
        let installation = match &self.installation {
            Chosen::Template(name) => {
                let template = template(name);
                let template = template.expect("INVARIANT: only names of templates are kept");
                hashed("policy".to_owned(), template.text);
                template.set()
            }
            file @ Chosen::File(_) => file.read_as(|text, name| {
                hashed("policy".to_owned(), text);
                PolicySet::load(text, name)
            })?,
        };
        let mut tenants = BTreeMap::new();
        for (tenant, file) in &self.tenants {
            let set = Chosen::File(file.clone()).read_as(|text, name| {
                hashed(format!("policy of {}", tenant.0), text);
                TenantSet::load(text, name)
            })?;
            tenants.insert(tenant.clone(), set);
        }
        Ok(Loaded { policies: Policies::new(installation, tenants), hashes })
    }
}

/// Reads a question for the policies from a file.
///
/// # Errors
/// It cannot be read, or what is wrong with it.
pub(crate) fn question(path: &Path) -> Result<Asked, ConfigError> {
    Ok(asked(&text::load(path, Kind::Question)?)?)
}

/// Reads a question for the policies from a text of that name.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn question_in(name: &str, text: &str) -> Result<Asked, Broken> {
    asked(&Source::new(name, text))
}

fn asked(source: &Source) -> Result<Asked, Broken> {
    Asked::read(&source.text, "question").map_err(|problems| broken(source, problems))
}

/// Whether a file with these keys at its top holds policies. No other kind has them.
pub(in crate::config) fn is_told_by(root: &Node) -> bool {
    matches!(&root.value, Value::Map(entries) if entries.iter().any(|one| one.key == "policies"))
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    POLICY.known.iter().copied()
}
