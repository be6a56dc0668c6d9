//! The section `redact` of the installation's file: which classes of text are blanked
//! before anything leaves this process, by tenant and by environment.
//!
//! Without it every class is. Secrets always are: no list can leave them out.

use std::collections::BTreeMap;

use redact::{Class, Classes};

use super::expect::{Keys, Reader};
use super::provider::optional;
use super::yaml::Entry;

/// What is blanked for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redaction {
    usual: Classes,
    tenants: BTreeMap<String, Classes>,
    environments: BTreeMap<String, Classes>,
}

impl Default for Redaction {
    fn default() -> Self {
        Redaction { usual: Classes::all(), tenants: BTreeMap::new(), environments: BTreeMap::new() }
    }
}

const REDACT: Keys =
    Keys { of: "`redact`", known: &["classes", "tenants", "environments"], required: &[] };

impl Redaction {
    /// The classes for a tenant in an environment. Where both have a list, what stands in
    /// either is blanked.
    pub(crate) fn classes(&self, tenant: &str, environment: &str) -> Classes {
        let lists = [self.tenants.get(tenant), self.environments.get(environment)];
        let named: Vec<Classes> = lists.into_iter().flatten().copied().collect();
        if named.is_empty() {
            return self.usual;
        }
        let wanted = |class: &Class| named.iter().any(|classes| classes.contains(*class));
        Class::ALL.into_iter().filter(wanted).collect()
    }
}

/// Reads the section, which may be missing.
pub(super) fn read(reader: &mut Reader, entry: Option<&Entry>) -> Option<Redaction> {
    let Some(entry) = entry else { return Some(Redaction::default()) };
    let section = reader.section(&entry.value, entry.key_span.clone(), &REDACT)?;
    let usual = optional(section.get("classes"), |entry| classes(reader, entry));
    let tenants = optional(section.get("tenants"), |entry| by_name(reader, entry));
    let environments = optional(section.get("environments"), |entry| by_name(reader, entry));
    Some(Redaction {
        usual: usual?.unwrap_or_else(Classes::all),
        tenants: tenants?.unwrap_or_default(),
        environments: environments?.unwrap_or_default(),
    })
}

fn by_name(reader: &mut Reader, entry: &Entry) -> Option<BTreeMap<String, Classes>> {
    let lists = reader.mapping(entry)?.iter();
    let named: Vec<Option<(String, Classes)>> =
        lists.map(|one| Some((one.key.clone(), classes(reader, one)?))).collect();
    named.into_iter().collect()
}

/// A list of classes, with the secrets that always belong to it.
fn classes(reader: &mut Reader, entry: &Entry) -> Option<Classes> {
    let names = Class::ALL.map(Class::name);
    let chosen: Vec<Option<Class>> = reader
        .items(entry)?
        .iter()
        .map(|item| {
            let name = reader.choice(item, &names)?;
            Class::ALL.into_iter().find(|class| class.name() == name)
        })
        .collect();
    let chosen: Option<Classes> = chosen.into_iter().collect::<Option<Vec<_>>>().map(Classes::from);
    Some(chosen?.with(Class::Secrets))
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    REDACT.known.iter().copied().chain(Class::ALL.map(Class::name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_tenant_and_environment_are_united() {
        let redaction = Redaction {
            usual: Classes::all(),
            tenants: [("acme".to_owned(), Classes::NONE.with(Class::Email))].into(),
            environments: [("dev".to_owned(), Classes::NONE.with(Class::Card))].into(),
        };
        assert_eq!(redaction.classes("other", "prod"), Classes::all());
        assert_eq!(redaction.classes("acme", "prod"), Classes::NONE.with(Class::Email));
        let both = Classes::NONE.with(Class::Email).with(Class::Card);
        assert_eq!(redaction.classes("acme", "dev"), both);
    }
}
