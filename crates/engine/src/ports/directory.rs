//! Who may come in over the network: the members of tenants, and the keys that they come
//! with.
//!
//! A key is kept as a hash and found by its public half, before anything is known of who
//! calls; it tells the tenant. Everything else is scoped by tenant.

use std::collections::BTreeSet;

use async_trait::async_trait;
use kernel::units::{ContentHash, Tenant, UnixMs};
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::audit::Record;

/// The most members or keys that a list gives at a time.
pub const DIRECTORY_ROWS_MAX: u32 = 1_000;

/// A user of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Whose.
    pub tenant: Tenant,
    /// Their name within the tenant.
    pub user: String,
    /// What they are, to policies: `member`, `operator`, `admin`, or one of the tenant's own.
    pub role: String,
    /// The team that their calls are counted under.
    pub team: Option<String>,
    /// Since when.
    pub made: UnixMs,
}

/// What a key is good for, of all that its user may do. It can only take away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Actions by their names; a name with `*` at its end means all that begin so. `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<BTreeSet<String>>,
    /// Agents by name. `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agents: Option<BTreeSet<String>>,
    /// Models by name. `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<BTreeSet<String>>,
    /// Environments. `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<BTreeSet<String>>,
}

impl Grants {
    /// Whether the key is good for an action.
    #[must_use]
    pub fn allow(&self, action: &str) -> bool {
        let begins = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => action.starts_with(beginning),
            None => action == pattern,
        };
        self.actions.as_ref().is_none_or(|actions| actions.iter().any(begins))
    }

    /// Whether the key is good for an agent.
    #[must_use]
    pub fn allow_agent(&self, agent: &str) -> bool {
        self.agents.as_ref().is_none_or(|agents| agents.contains(agent))
    }

    /// Whether the key is good for a model.
    #[must_use]
    pub fn allow_model(&self, model: &str) -> bool {
        self.models.as_ref().is_none_or(|models| models.contains(model))
    }

    /// Whether the key is good in an environment.
    #[must_use]
    pub fn allow_environment(&self, environment: &str) -> bool {
        self.environments.as_ref().is_none_or(|all| all.contains(environment))
    }

    /// Whether these grants are all among those: who has a key makes none that can do more.
    #[must_use]
    pub fn within(&self, outer: &Grants) -> bool {
        let covered = |pattern: &String| match pattern.strip_suffix('*') {
            // All that begin so are within only where a pattern covers the beginning.
            Some(beginning) => outer.actions.as_ref().is_none_or(|outer| {
                outer.iter().any(|wide| {
                    wide.strip_suffix('*').is_some_and(|wide| beginning.starts_with(wide))
                })
            }),
            None => outer.allow(pattern),
        };
        let actions = match (&self.actions, &outer.actions) {
            (None, None) | (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(_)) => own.iter().all(covered),
        };
        actions
            && part_of(&self.agents, &outer.agents)
            && part_of(&self.models, &outer.models)
            && part_of(&self.environments, &outer.environments)
    }
}

fn part_of(own: &Option<BTreeSet<String>>, outer: &Option<BTreeSet<String>>) -> bool {
    match (own, outer) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(own), Some(outer)) => own.is_subset(outer),
    }
}

/// A key, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its public half, under which it is found.
    pub id: String,
    /// The hash of the whole key.
    pub hash: ContentHash,
    /// Whose.
    pub tenant: Tenant,
    /// The member who calls with it.
    pub user: String,
    /// What it is for, in the words of who made it.
    pub name: String,
    /// What it is good for.
    pub grants: Grants,
    /// Since when.
    pub made: UnixMs,
    /// When it stops working. `None`: it does not.
    pub ends: Option<UnixMs>,
}

impl Key {
    /// Whether it works at `now`.
    #[must_use]
    pub fn works(&self, now: UnixMs) -> bool {
        self.ends.is_none_or(|ends| ends > now)
    }
}

/// The members and keys of an installation. Each change is told to the tenant's audit with it.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Makes a member, or changes their role and team.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn set_member(&self, member: Member, told: Record) -> Result<(), StoreError>;

    /// Removes a member, and ends their keys at the instant that the audit is told: whoever
    /// has the name later does not get them back.
    ///
    /// # Errors
    /// [`StoreError::Missing`].
    async fn remove_member(
        &self,
        tenant: &Tenant,
        user: &str,
        told: Record,
    ) -> Result<(), StoreError>;

    /// A member by name.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn member(&self, tenant: &Tenant, user: &str) -> Result<Option<Member>, StoreError>;

    /// Members in the order of their names, behind `after`, at most `rows_max` and at most
    /// [`DIRECTORY_ROWS_MAX`].
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn members(
        &self,
        tenant: &Tenant,
        after: &str,
        rows_max: u32,
    ) -> Result<Vec<Member>, StoreError>;

    /// Keeps a new key.
    ///
    /// # Errors
    /// [`StoreError::Misused`] where there is one with this id.
    async fn add_key(&self, key: Key, told: Record) -> Result<(), StoreError>;

    /// The key of that id with its member as they are now, whosever it is. `None`: there is
    /// no such key, or its user is no member any more.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn find_key(&self, id: &str) -> Result<Option<(Key, Member)>, StoreError>;

    /// Keys of a tenant in the order of their ids, behind `after`, at most `rows_max` and at
    /// most [`DIRECTORY_ROWS_MAX`]; those that have ended, too.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn keys(
        &self,
        tenant: &Tenant,
        after: &str,
        rows_max: u32,
    ) -> Result<Vec<Key>, StoreError>;

    /// Lets a key end at an instant. An end only moves nearer: what was revoked stays so.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where the tenant has no such key.
    async fn end_key(
        &self,
        tenant: &Tenant,
        id: &str,
        at: UnixMs,
        told: Record,
    ) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(words: &[&str]) -> Option<BTreeSet<String>> {
        Some(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn a_grant_is_a_name_or_a_beginning() {
        let grants = Grants { actions: set(&["run.*", "cap.raise"]), ..Grants::default() };
        let told = ["run.start", "run.", "cap.raise", "cap.raised", "key.create", "ru"];
        let good: Vec<bool> = told.iter().map(|action| grants.allow(action)).collect();
        assert_eq!(good, [true, true, true, false, false, false]);
        assert!(Grants::default().allow("anything"));
    }

    #[test]
    fn a_key_makes_none_that_can_do_more() {
        let of = |actions: Option<BTreeSet<String>>| Grants { actions, ..Grants::default() };
        let cases = [
            (None, None, true),
            (set(&["run.*"]), None, true),
            (None, set(&["run.*"]), false),
            (set(&["run.start"]), set(&["run.*"]), true),
            (set(&["run.*"]), set(&["run.start"]), false),
            (set(&["run.st*"]), set(&["run.*"]), true),
            (set(&["*"]), set(&["run.*"]), false),
            (set(&["key.create"]), set(&["run.*"]), false),
        ];
        for (own, outer, within) in cases {
            assert_eq!(of(own.clone()).within(&of(outer.clone())), within, "{own:?} in {outer:?}");
        }
        let agents = |agents| Grants { agents, ..Grants::default() };
        assert!(agents(set(&["a"])).within(&agents(set(&["a", "b"]))));
        assert!(!agents(None).within(&agents(set(&["a"]))));
    }
}
