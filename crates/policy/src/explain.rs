//! Why a verdict is what it is: the policies that apply, and those that were near, with the
//! conditions that kept them from it.

use std::fmt;

use cedar_policy::{Authorizer, Policy, PolicySet as Cedar};
use engine::ports::{Action, Question};
use kernel::verdict::{Judgement, Verdict};
use serde::Serialize;

use crate::conditions::{Condition, Parts};
use crate::facts::Case;
use crate::kind::Kind;
use crate::set::{PolicySet, Rule};

/// A verdict with everything that bears on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The judgement, as the runtime makes it.
    pub judgement: Judgement,
    /// The policies whose scope fits the question: those that apply, then the nearest.
    pub policies: Vec<Told>,
    /// Policies for this action whose scope is about somebody or something else.
    pub elsewhere: usize,
}

/// What one policy says to the question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Its full name.
    pub id: String,
    /// Its line in its file.
    pub line: usize,
    /// What it means where it applies.
    pub verdict: Verdict,
    /// Its reason.
    pub reason: String,
    /// Whether it applies.
    pub outcome: Outcome,
    /// Its conditions, each by itself.
    pub conditions: Vec<Held>,
}

/// Whether a policy applies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It does.
    Applies,
    /// It could not be evaluated, for this reason; the verdict is to deny.
    Failed(String),
    /// Its scope fits, and a condition does not hold.
    Near,
}

/// One condition of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The condition, as in the policy.
    pub words: String,
    /// Whether it holds; nothing where it cannot be told by itself.
    pub holds: Option<bool>,
}

impl PolicySet {
    /// Explains this set's verdict on a question.
    #[must_use]
    pub fn explain(&self, question: &Question<'_>) -> Explanation {
        let case = match self.case(question) {
            Ok(case) => case,
            Err(judgement) => return Explanation { judgement, policies: Vec::new(), elsewhere: 0 },
        };
        let judgement = self.judge_case(question, &case);
        let (mut policies, mut elsewhere) = (Vec::new(), 0);
        for rule in self.rules() {
            if Kind::of_policy(&rule.policy).contains(&case.kind) {
                match told(rule, &case) {
                    Some(told) => policies.push(told),
                    None => elsewhere += 1,
                }
            }
        }
        Explanation { judgement, policies, elsewhere }.sorted()
    }

    /// The full names of the policies that apply to a question, whether or not they decide.
    pub(crate) fn applying(&self, question: &Question<'_>) -> Vec<String> {
        let Ok(case) = self.case(question) else { return Vec::new() };
        let rules = self.rules().iter();
        let applies = rules.filter(|rule| ask(&rule.policy, &case) == Ok(true));
        applies.map(|rule| rule.id.clone()).collect()
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = self.judgement.verdict.name();
        match self.judgement.by.join(", ").as_str() {
            "" => writeln!(f, "{verdict}")?,
            by => writeln!(f, "{verdict} by {by}")?,
        }
        self.judgement.reasons.iter().try_for_each(|reason| writeln!(f, "  {reason}"))?;
        self.policies.iter().try_for_each(|told| write!(f, "{told}"))?;
        match self.elsewhere {
            0 => Ok(()),
            count => writeln!(f, "{count} more about other principals or resources"),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verdict, id, line) = (self.verdict.name(), &self.id, self.line);
        match &self.outcome {
            Outcome::Applies => writeln!(f, "applies  {verdict:<5} {id}:{line}")?,
            Outcome::Near => writeln!(f, "near     {verdict:<5} {id}:{line}")?,
            Outcome::Failed(why) => writeln!(f, "failed   {verdict:<5} {id}:{line}  {why}")?,
        }
        for held in &self.conditions {
            let mark = match held.holds {
                Some(true) => "holds",
                Some(false) => "does not",
                None => "unclear",
            };
            writeln!(f, "         {mark:<9}{}", held.words)?;
        }
        Ok(())
    }
}

impl Explanation {
    /// This explanation with another layer's.
    pub(crate) fn and(mut self, other: Explanation) -> Explanation {
        self.judgement = self.judgement.and(other.judgement);
        self.policies.extend(other.policies);
        self.elsewhere += other.elsewhere;
        self.sorted()
    }

    /// What applies first, then what was nearest; among equals the strictest.
    fn sorted(mut self) -> Explanation {
        self.policies.sort_by_key(|told| {
            let missing = told.conditions.iter().filter(|held| held.holds != Some(true)).count();
            (told.outcome.clone(), missing, std::cmp::Reverse(told.verdict))
        });
        self
    }
}

/// The judgement of the guards that examined a call.
pub(crate) fn of_guards(question: &Question<'_>) -> Judgement {
    match &question.action {
        Action::ToolCall(call) => call.examined.judgement.clone(),
        Action::RunStart { .. }
        | Action::ModelCall { .. }
        | Action::ApprovalDecide { .. }
        | Action::CapRaise { .. }
        | Action::Administer { .. } => Judgement::allow(),
    }
}

/// What a rule says, or nothing where its scope is about something else.
fn told(rule: &Rule, case: &Case) -> Option<Told> {
    let parts = Parts::of(&rule.policy);
    let outcome = match ask(&rule.policy, case) {
        Ok(true) => Outcome::Applies,
        Err(why) => Outcome::Failed(why),
        Ok(false) => {
            let scope = parts.as_ref()?.with(rule.policy.id(), [].into_iter())?;
            (ask(&scope, case) == Ok(true)).then_some(Outcome::Near)?
        }
    };
    let conditions = parts.map(|parts| parts.conditions).unwrap_or_default();
    Some(Told {
        id: rule.id.clone(),
        line: rule.line,
        verdict: rule.verdict,
        reason: rule.reason.clone(),
        outcome,
        conditions: conditions.iter().map(|condition| held(condition, case)).collect(),
    })
}

fn held(condition: &Condition, case: &Case) -> Held {
    let holds = condition.alone().and_then(|alone| ask(&alone, case).ok());
    Held { words: condition.words(), holds }
}

/// Whether one policy applies, or why that cannot be told.
fn ask(policy: &Policy, case: &Case) -> Result<bool, String> {
    let mut alone = Cedar::new();
    alone.add(policy.clone()).map_err(|error| error.to_string())?;
    let response = Authorizer::new().is_authorized(&case.request, &alone, &case.entities);
    let diagnostics = response.diagnostics();
    match diagnostics.errors().next() {
        Some(error) => Err(error.to_string()),
        None => Ok(diagnostics.reason().next().is_some()),
    }
}
