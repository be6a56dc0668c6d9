//! The section `people`: who has which role. A role comes from here and from nowhere else.

use std::collections::BTreeMap;

use kernel::units::Tenant;

use super::super::expect::{Keys, Reader};
use super::super::provider::optional;
use super::super::yaml::Entry;
use super::word;
use crate::here::LOCAL;

/// Who has which role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct People {
    /// The role of whoever is not named.
    usual: String,
    /// What is said of the people of a tenant.
    tenants: BTreeMap<String, Roles>,
}

/// What is said of the people of one tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Roles {
    usual: Option<String>,
    users: BTreeMap<String, String>,
}

/// The role of whoever is not named, where the section is there.
const USUAL: &str = "member";

impl Default for People {
    /// Without the section whoever can open the store administers it.
    fn default() -> Self {
        People { usual: "admin".to_owned(), tenants: BTreeMap::new() }
    }
}

impl People {
    /// The role of whoever is not named.
    pub(crate) fn usual(&self) -> &str {
        &self.usual
    }

    /// The role of a user.
    pub(crate) fn role(&self, tenant: &Tenant, user: &str) -> &str {
        let roles = self.tenants.get(&tenant.0);
        let own = roles.and_then(|roles| roles.users.get(user).or(roles.usual.as_ref()));
        own.unwrap_or(&self.usual)
    }
}

const PEOPLE: Keys = Keys { of: "`people`", known: &["role", "roles", "tenants"], required: &[] };

const TENANT: Keys = Keys { of: "a tenant's people", known: &["role", "roles"], required: &[] };

/// Reads the section.
pub(super) fn read(reader: &mut Reader, entry: &Entry) -> Option<People> {
    let section = reader.section(&entry.value, entry.key_span.clone(), &PEOPLE)?;
    let usual = optional(section.get("role"), |entry| word(reader, entry));
    let local = roles(reader, section.get("roles"));
    let mut tenants = BTreeMap::new();
    let mut whole = Some(());
    for tenant in section.get("tenants").map_or(Some(&[][..]), |entry| reader.mapping(entry))? {
        let read = reader.section(&tenant.value, tenant.key_span.clone(), &TENANT);
        let own = read.and_then(|section| {
            let usual = optional(section.get("role"), |entry| word(reader, entry));
            let users = roles(reader, section.get("roles"));
            Some(Roles { usual: usual?, users: users? })
        });
        whole = whole.and(own.as_ref().map(|_| ()));
        tenants.extend(own.map(|own| (tenant.key.clone(), own)));
    }
    whole?;
    if let (Some(local), Some(entry)) = (&local, section.get("roles"))
        && !local.is_empty()
        && tenants.contains_key(LOCAL)
    {
        let words = format!("the people of the tenant `{LOCAL}` stand here and under `tenants`");
        return reader.wrong(entry.key_span.clone(), words, "keep them in one of the two places");
    }
    let local = local?;
    if !local.is_empty() {
        tenants.insert(LOCAL.to_owned(), Roles { usual: None, users: local });
    }
    Some(People { usual: usual?.unwrap_or_else(|| USUAL.to_owned()), tenants })
}

fn roles(reader: &mut Reader, entry: Option<&Entry>) -> Option<BTreeMap<String, String>> {
    let named = entry.map_or(Some(&[][..]), |entry| reader.mapping(entry))?;
    let roles: Vec<Option<(String, String)>> =
        named.iter().map(|one| Some((one.key.clone(), word(reader, one)?))).collect();
    roles.into_iter().collect()
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    [&PEOPLE, &TENANT].into_iter().flat_map(|keys| keys.known.iter().copied())
}
