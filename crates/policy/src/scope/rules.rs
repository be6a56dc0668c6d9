//! What configuration says about sessions' scopes: kinds of tasks, roles and tenants, each
//! with a list of tools and a trust that is not passed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use engine::ports::Principal;
use kernel::verdict::Trust;
use serde::{Deserialize, Serialize};

use crate::groups::fits;
use crate::problem::did_you_mean;

/// The configured limits of scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScopeRules {
    /// What each kind of task gets.
    pub task_types: BTreeMap<String, Limit>,
    /// What each role gets at the most. Roles that are not named have no limit of their own.
    pub roles: BTreeMap<String, Limit>,
    /// What each tenant gets at the most, likewise.
    pub tenants: BTreeMap<String, Limit>,
    /// The directories that working directories lie under.
    pub roots: Vec<PathBuf>,
}

/// The most that somebody or something gets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limit {
    /// The tools, by name; `*` stands for any letters. Left out: all of the agent's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
    /// The trust. Left out: the agent's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
}

/// A kind of task that nobody configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no task type is named `{name}`{}", hint.as_ref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default())]
pub struct UnknownTask {
    /// Its name.
    pub name: String,
    /// The names that there are.
    pub hint: Option<String>,
}

impl Limit {
    /// Whether a tool is within the list.
    pub(super) fn lists(&self, tool: &str) -> bool {
        let Some(tools) = &self.tools else { return true };
        tools.iter().any(|pattern| fits(pattern, tool))
    }
}

impl ScopeRules {
    /// The limits on a session, each with the word for where it comes from.
    pub(super) fn limits(
        &self,
        who: &Principal,
        task_type: Option<&str>,
    ) -> Result<Vec<(&'static str, &Limit)>, UnknownTask> {
        let task = match task_type {
            Some(name) => Some(self.task_types.get(name).ok_or_else(|| self.unknown(name))?),
            None => None,
        };
        let (role, tenant) = (self.roles.get(&who.role), self.tenants.get(&who.tenant.0));
        let limits = [("task_type", task), ("role", role), ("tenant", tenant)];
        Ok(limits.into_iter().filter_map(|(by, limit)| Some((by, limit?))).collect())
    }

    fn unknown(&self, name: &str) -> UnknownTask {
        let known = self.task_types.keys().map(String::as_str).collect::<Vec<_>>();
        UnknownTask { name: name.to_owned(), hint: did_you_mean(name, &known) }
    }
}
