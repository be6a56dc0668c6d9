//! A policy set: rules with names and reasons, the groups they speak of, and the examples
//! that say what they mean.
//!
//! A verdict is found in this order, and every step fails closed: a `forbid` that applies
//! denies; a call that no `permit` speaks for is denied; a `forbid` marked `ask` asks; what
//! is left is allowed. A policy that cannot be evaluated denies, by its name. So a `forbid`
//! can be added without fear: it never widens anything.

mod load;

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use cedar_policy::Policy;
use engine::ports::Question;
use kernel::verdict::{Judgement, Verdict};
use serde::Serialize;

use crate::conditions::Parts;
use crate::example::Example;
use crate::facts::Case;
use crate::groups::Groups;
use crate::index::{Index, Said};
use crate::kind::Kind;
use crate::problem::Problem;

/// The name of the rules that hold everywhere.
pub const LAWS: &str = "laws";

/// What a set is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// It takes away, everywhere.
    Laws,
    /// It grants: what none of its policies permits is denied. It stands on the laws.
    Grants,
    /// It takes away from what another set grants, and has no `permit`.
    Narrows,
}

/// One policy with what its annotations say.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// Its full name: the set's and its own.
    pub(crate) id: String,
    pub(crate) policy: Policy,
    /// What it means where it applies.
    pub(crate) verdict: Verdict,
    pub(crate) reason: String,
    /// Its line in the file of its set.
    pub(crate) line: usize,
}

/// One policy, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Listed<'a> {
    /// Its full name: the set's and its own.
    pub id: &'a str,
    /// Its line in the file of its set.
    pub line: usize,
    /// What it means where it applies.
    pub verdict: Verdict,
    /// Why, as its author says.
    pub reason: &'a str,
}

/// The policies of an installation, loaded and found right.
#[derive(Debug)]
pub struct PolicySet {
    name: String,
    layer: Layer,
    groups: Groups,
    /// The laws first where the set stands on them, then its own, in the file's order.
    rules: Vec<Rule>,
    /// The places of the rules by their names.
    places: BTreeMap<String, usize>,
    index: Index,
    /// What any call of a tool could hope for; made when it is first asked.
    hopes: OnceLock<Index>,
    examples: Vec<Example>,
    warnings: Vec<Problem>,
}

/// A tenant's own policies. They narrow what the installation grants, and cannot grant.
#[derive(Debug)]
pub struct TenantSet(PolicySet);

impl TenantSet {
    /// Loads a tenant's set, its examples included.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn load(text: &str, name: &str) -> Result<Self, Vec<Problem>> {
        load::checked(text, name, Layer::Narrows).map(TenantSet)
    }

    /// Reads a tenant's set without running its examples.
    ///
    /// # Errors
    /// Everything else that is wrong with it.
    pub fn read(text: &str, name: &str) -> Result<Self, Vec<Problem>> {
        load::read(text, name, Layer::Narrows).map(TenantSet)
    }

    /// The set by itself. What it has nothing against, it allows.
    #[must_use]
    pub fn alone(&self) -> &PolicySet {
        &self.0
    }
}

static LAW_SET: LazyLock<PolicySet> = LazyLock::new(|| {
    load::checked(include_str!("../data/laws.yaml"), LAWS, Layer::Laws)
        .expect("INVARIANT: the laws are tested")
});

/// The rules that hold in every installation, whatever its policy says.
#[must_use]
pub fn laws() -> &'static PolicySet {
    &LAW_SET
}

impl PolicySet {
    /// Loads an installation's set, its examples included.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn load(text: &str, name: &str) -> Result<Self, Vec<Problem>> {
        load::checked(text, name, Layer::Grants)
    }

    /// Reads an installation's set without running its examples.
    ///
    /// # Errors
    /// Everything else that is wrong with it.
    pub fn read(text: &str, name: &str) -> Result<Self, Vec<Problem>> {
        load::read(text, name, Layer::Grants)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many policies it holds, the laws included where it stands on them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Every policy that it holds, the laws first where it stands on them.
    pub fn listed(&self) -> impl Iterator<Item = Listed<'_>> {
        self.rules.iter().map(|rule| Listed {
            id: &rule.id,
            line: rule.line,
            verdict: rule.verdict,
            reason: &rule.reason,
        })
    }

    /// What is not wrong and not good either: policies that no example shows deciding.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The verdict of this set on a question.
    #[must_use]
    pub fn judge(&self, question: &Question<'_>) -> Judgement {
        self.case(question).map_or_else(|no| no, |case| self.judge_case(question, &case))
    }

    pub(crate) fn examples(&self) -> &[Example] {
        &self.examples
    }

    #[cfg(test)]
    pub(crate) fn groups(&self) -> &Groups {
        &self.groups
    }

    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The question in Cedar's words, or the judgement on one that has none.
    pub(crate) fn case(&self, question: &Question<'_>) -> Result<Case, Judgement> {
        Case::of(question, &self.groups)
            .map_err(|no| Judgement::new(Verdict::Deny, &self.name, no.to_string()))
    }

    pub(crate) fn judge_case(&self, question: &Question<'_>, case: &Case) -> Judgement {
        let denied = self.index.said(case, Verdict::Deny);
        if !denied.is_nothing() {
            return self.by(Verdict::Deny, denied);
        }
        let allowed = match self.layer {
            Layer::Grants => self.index.said(case, Verdict::Allow),
            Layer::Laws | Layer::Narrows => Said::default(),
        };
        if !allowed.failed.is_empty() {
            return self.by(Verdict::Deny, allowed);
        }
        if allowed.applying.is_empty() && self.layer == Layer::Grants {
            return Judgement::new(Verdict::Deny, &self.name, not_permitted(question));
        }
        let asked = self.index.said(case, Verdict::Ask);
        if !asked.is_nothing() {
            return self.by(Verdict::Ask, asked);
        }
        self.by(Verdict::Allow, allowed)
    }

    /// Why no call of a tool could be allowed or asked for, if none could. What only a call
    /// can tell is taken at its best: a `permit` is believed to fit, a `forbid` that hangs
    /// on it is left out.
    pub(crate) fn hopeless(&self, question: &Question<'_>) -> Option<Judgement> {
        let case = match self.case(question) {
            Ok(case) => case,
            Err(no) => return Some(no),
        };
        let hopes = self.hopes.get_or_init(|| hopes(&self.rules));
        let denied = hopes.said(&case, Verdict::Deny);
        if !denied.applying.is_empty() {
            return Some(self.by(Verdict::Deny, denied));
        }
        let lost =
            self.layer == Layer::Grants && hopes.said(&case, Verdict::Allow).applying.is_empty();
        lost.then(|| Judgement::new(Verdict::Deny, &self.name, not_permitted(question)))
    }

    /// The judgement by what was said; by what could not be said, where there is any.
    fn by(&self, verdict: Verdict, said: Said) -> Judgement {
        if !said.failed.is_empty() {
            let reason = |why: &str| format!("a policy could not be evaluated: {why}");
            let (by, reasons) =
                said.failed.iter().map(|(id, why)| (id.clone(), reason(why))).unzip();
            return Judgement { verdict: Verdict::Deny, by, reasons };
        }
        let mut places =
            said.applying.iter().filter_map(|id| self.places.get(id)).collect::<Vec<_>>();
        places.sort();
        let rules = places.into_iter().map(|at| &self.rules[*at]);
        let mut judgement = Judgement { verdict, by: Vec::new(), reasons: Vec::new() };
        for rule in rules {
            judgement.by.push(rule.id.clone());
            if !judgement.reasons.contains(&rule.reason) {
                judgement.reasons.push(rule.reason.clone());
            }
        }
        judgement
    }
}

fn hopes(rules: &[Rule]) -> Index {
    let calls = rules.iter().filter(|rule| Kind::of_policy(&rule.policy).contains(&Kind::ToolCall));
    let hopes = calls.filter_map(hope).collect::<Vec<_>>();
    Index::of(hopes.iter().map(|(policy, verdict)| (policy, *verdict)))
}

/// What a rule says of every call, or could say of some call.
fn hope(rule: &Rule) -> Option<(Policy, Verdict)> {
    let of_the_call = Parts::of(&rule.policy);
    match (rule.verdict, of_the_call) {
        // Nothing is lost: an ask is no denial.
        (Verdict::Ask, _) => None,
        (Verdict::Allow, Some(parts)) => {
            let known = parts.conditions.iter().filter(|one| !one.is_of_the_call());
            let weaker = parts.with(rule.policy.id(), known)?;
            Some((weaker, Verdict::Allow))
        }
        (Verdict::Deny, Some(parts)) => {
            let known = !parts.conditions.iter().any(|one| one.is_of_the_call());
            known.then(|| (rule.policy.clone(), Verdict::Deny))
        }
        (Verdict::Allow, None) => Some((rule.policy.clone(), Verdict::Allow)),
        (Verdict::Deny, None) => None,
    }
}

/// The reason where no policy speaks for something.
fn not_permitted(question: &Question<'_>) -> String {
    let what = crate::asked::words(&question.action);
    format!("no policy permits {what} for `{}` (role `{}`)", question.who.user, question.who.role)
}
