//! The policies of a whole installation: its own set on the laws, and a tenant's set on
//! both.
//!
//! The stricter verdict wins, so a layer can only take away from what the one below it
//! leaves. A tenant cannot lift a `forbid` of the installation, nor grant anything: tenants
//! that may do more than others get it from the installation's own set.

use std::collections::BTreeMap;

use engine::ports::{Policy, Question};
use kernel::units::Tenant;
use kernel::verdict::Judgement;

use crate::explain::{Explanation, of_guards};
use crate::set::{PolicySet, TenantSet};

/// All policies, as the engine asks them.
#[derive(Debug)]
pub struct Policies {
    installation: PolicySet,
    tenants: BTreeMap<Tenant, TenantSet>,
}

impl Policies {
    /// The policies of an installation and of its tenants.
    #[must_use]
    pub fn new(installation: PolicySet, tenants: BTreeMap<Tenant, TenantSet>) -> Self {
        Policies { installation, tenants }
    }

    /// The installation's set.
    #[must_use]
    pub fn installation(&self) -> &PolicySet {
        &self.installation
    }

    /// A tenant's own set, if it has one.
    #[must_use]
    pub fn of_tenant(&self, tenant: &Tenant) -> Option<&PolicySet> {
        self.tenants.get(tenant).map(TenantSet::alone)
    }

    /// Why the verdict on a question is what it is.
    #[must_use]
    pub fn explain(&self, question: &Question<'_>) -> Explanation {
        let mut explanation = self.installation.explain(question);
        if let Some(tenant) = self.tenant(question) {
            explanation = explanation.and(tenant.explain(question));
        }
        explanation.judgement = explanation.judgement.and(of_guards(question));
        explanation
    }

    /// Why no call of a tool could be allowed or asked for, if none could.
    pub(crate) fn hopeless(&self, question: &Question<'_>) -> Option<Judgement> {
        let tenant = || self.tenant(question).and_then(|tenant| tenant.hopeless(question));
        self.installation.hopeless(question).or_else(tenant)
    }

    fn tenant(&self, question: &Question<'_>) -> Option<&PolicySet> {
        self.of_tenant(&question.who.tenant)
    }
}

impl Policy for Policies {
    fn judge(&self, question: &Question<'_>) -> Judgement {
        let judgement = self.installation.judge(question);
        let judgement = match self.tenant(question) {
            Some(tenant) => judgement.and(tenant.judge(question)),
            None => judgement,
        };
        judgement.and(of_guards(question))
    }
}
