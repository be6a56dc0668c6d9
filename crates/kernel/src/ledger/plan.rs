//! Which budgets a session draws on: plan tiers that name their caps, by tenant and user.
//!
//! Plans are configuration. What is resolved from them for a session at an instant (its
//! [`Share`]s) is told in the log, so that a hold is always settled where it was held.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::amount::Allowance;
use super::scope::Scope;
use super::window::Window;
use crate::event::Opening;
use crate::units::UnixMs;

/// The plans of an installation. Without any, only runs themselves have caps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plans {
    /// Minutes east of UTC at which days begin.
    pub offset_minutes: i32,
    /// Plans by name.
    pub plans: BTreeMap<String, Vec<Budget>>,
    /// The plan of whoever has no other.
    pub usual: Option<String>,
    /// The plans of tenants.
    pub tenants: BTreeMap<String, String>,
    /// The plans of users, by tenant and user; they go before their tenants'.
    pub users: BTreeMap<(String, String), String>,
}

/// One budget of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Its name, which begins the key of its scopes: `user-day`.
    pub name: String,
    /// Whose calls are counted together.
    pub per: Per,
    /// When counting begins anew.
    pub window: Window,
    /// The cap.
    pub allowance: Allowance,
}

/// Whose calls a budget counts together. All stay within their tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// The whole tenant's.
    Tenant,
    /// Each user's.
    User,
    /// Each agent's.
    Agent,
    /// Each value's of a label that sessions carry (`team`, `key`, …). A session without
    /// the label is not counted.
    Label(String),
}

/// A budget that a session draws on at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Where it is counted.
    pub scope: Scope,
    /// The cap by configuration; one that was set on the scope itself goes before it.
    pub allowance: Allowance,
    /// When its window turns. `None`: never.
    pub turns: Option<UnixMs>,
}

impl Plans {
    /// The budgets that a session draws on at `now`, in the order of their scopes.
    #[must_use]
    pub fn shares(&self, opening: &Opening, now: UnixMs) -> Vec<Share> {
        let plan = self.plan_of(opening).and_then(|name| self.plans.get(name));
        let budgets = plan.map(Vec::as_slice).unwrap_or_default();
        let mut shares: Vec<Share> =
            budgets.iter().filter_map(|budget| self.share(budget, opening, now)).collect();
        shares.sort_by(|a, b| a.scope.cmp(&b.scope));
        shares.dedup_by(|a, b| a.scope == b.scope);
        shares
    }

    /// The name of the plan that a session is under.
    #[must_use]
    pub fn plan_of(&self, opening: &Opening) -> Option<&str> {
        let user = (opening.tenant.0.clone(), opening.user.clone());
        let own = self.users.get(&user).or_else(|| self.tenants.get(&opening.tenant.0));
        own.or(self.usual.as_ref()).map(String::as_str)
    }

    fn share(&self, budget: &Budget, opening: &Opening, now: UnixMs) -> Option<Share> {
        let subject = match &budget.per {
            Per::Tenant => opening.tenant.0.clone(),
            Per::User => opening.user.clone(),
            Per::Agent => opening.agent_id.clone(),
            Per::Label(label) => opening.labels.get(label)?.clone(),
        };
        let span = budget.window.at(now, self.offset_minutes);
        let (window, turns) = span.map(|span| (span.name, span.ends)).unzip();
        let scope = Scope::Shared { name: budget.name.clone(), subject, window };
        Some(Share { scope, allowance: budget.allowance, turns })
    }
}
