//! Policies filed by what they can apply to, because Cedar reads every policy that it is
//! given.
//!
//! A policy is filed under its action, and there under the one resource, principal or
//! group that its scope names, if it names one. A question takes out its own files only.
//! Nothing is lost: a scope that names something applies to that, or to what lies in it,
//! and a question brings the names of all of these along.

use std::collections::HashMap;

use cedar_policy::{
    AuthorizationError, Authorizer, EntityUid, Policy, PolicySet, PrincipalConstraint,
    ResourceConstraint,
};
use kernel::verdict::Verdict;

use crate::facts::Case;
use crate::kind::{KINDS, Kind};

/// Policies, filed.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// One for each kind of question, in the order of [`KINDS`].
    cabinets: [Cabinet; KINDS.len()],
}

/// The policies for one kind of question.
#[derive(Debug, Default)]
struct Cabinet {
    /// Those whose scope names no single thing.
    general: Files,
    keyed: HashMap<EntityUid, Files>,
}

/// Policies with the same key, by what they mean.
#[derive(Debug, Default)]
struct Files {
    allow: PolicySet,
    ask: PolicySet,
    deny: PolicySet,
}

/// What policies of one verdict say to a question.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// The names of those that apply.
    pub(crate) applying: Vec<String>,
    /// The names of those that could not be evaluated, with why.
    pub(crate) failed: Vec<(String, String)>,
}

impl Said {
    /// Whether none applies and none failed.
    pub(crate) fn is_nothing(&self) -> bool {
        self.applying.is_empty() && self.failed.is_empty()
    }
}

impl Index {
    /// Files policies with different names.
    pub(crate) fn of<'a>(policies: impl Iterator<Item = (&'a Policy, Verdict)>) -> Index {
        let mut index = Index::default();
        for (policy, verdict) in policies {
            let key = key(policy);
            for kind in Kind::of_policy(policy) {
                let cabinet = &mut index.cabinets[kind as usize];
                let files = match &key {
                    Some(key) => cabinet.keyed.entry(key.clone()).or_default(),
                    None => &mut cabinet.general,
                };
                files
                    .meaning_mut(verdict)
                    .add(policy.clone())
                    .expect("INVARIANT: policies of a set have different names");
            }
        }
        index
    }

    /// What the policies of one verdict say to a question.
    pub(crate) fn said(&self, case: &Case, verdict: Verdict) -> Said {
        let cabinet = &self.cabinets[case.kind as usize];
        let keyed = case.keys.iter().filter_map(|key| cabinet.keyed.get(key));
        let mut said = Said::default();
        for files in [&cabinet.general].into_iter().chain(keyed) {
            let policies = files.meaning(verdict);
            if !policies.is_empty() {
                said.hear(case, policies);
            }
        }
        said
    }
}

impl Said {
    /// Policies of one effect are asked together, so those that decide are those that apply.
    fn hear(&mut self, case: &Case, policies: &PolicySet) {
        let response = Authorizer::new().is_authorized(&case.request, policies, &case.entities);
        let diagnostics = response.diagnostics();
        self.applying.extend(diagnostics.reason().map(ToString::to_string));
        self.failed.extend(diagnostics.errors().map(|error| match error {
            AuthorizationError::PolicyEvaluationError(error) => {
                (error.policy_id().to_string(), error.inner().to_string())
            }
        }));
    }
}

impl Files {
    fn meaning(&self, verdict: Verdict) -> &PolicySet {
        match verdict {
            Verdict::Allow => &self.allow,
            Verdict::Ask => &self.ask,
            Verdict::Deny => &self.deny,
        }
    }

    fn meaning_mut(&mut self, verdict: Verdict) -> &mut PolicySet {
        match verdict {
            Verdict::Allow => &mut self.allow,
            Verdict::Ask => &mut self.ask,
            Verdict::Deny => &mut self.deny,
        }
    }
}

/// The one thing that a policy's scope names. A single resource is the narrowest, then a
/// principal or a group that they are in, then a group of resources.
fn key(policy: &Policy) -> Option<EntityUid> {
    let resource = match policy.resource_constraint() {
        ResourceConstraint::Eq(uid) => return Some(uid),
        ResourceConstraint::In(uid) | ResourceConstraint::IsIn(_, uid) => Some(uid),
        ResourceConstraint::Any | ResourceConstraint::Is(_) => None,
    };
    match policy.principal_constraint() {
        PrincipalConstraint::Eq(uid)
        | PrincipalConstraint::In(uid)
        | PrincipalConstraint::IsIn(_, uid) => Some(uid),
        PrincipalConstraint::Any | PrincipalConstraint::Is(_) => resource,
    }
}
