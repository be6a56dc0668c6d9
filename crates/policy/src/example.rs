//! Examples: questions that a policy file answers itself, so that a policy that does not
//! mean what its author meant is found when it is loaded.

use std::fmt;

use kernel::verdict::{Judgement, Verdict};
use serde::Deserialize;

use crate::asked::{Asked, NoQuestion, Posed};
use crate::problem::{Place, Problem};
use crate::set::PolicySet;

/// An example, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    /// What is asked.
    when: Asked,
    /// The verdict.
    then: Verdict,
    /// Policies that must be among those that decide.
    #[serde(default)]
    by: Vec<String>,
    /// Policies that must not apply.
    #[serde(default)]
    not: Vec<String>,
}

impl Written {
    /// The policies that it names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.by.iter().chain(&self.not).map(String::as_str)
    }
}

/// An example, ready to be tried.
#[derive(Debug)]
pub(crate) struct Example {
    at: Place,
    posed: Posed,
    then: Verdict,
    /// Full names of those that decide.
    pub(crate) by: Vec<String>,
    /// Full names of those that must not apply.
    not: Vec<String>,
}

impl Example {
    /// Takes an example with the full names of the policies that it names.
    pub(crate) fn of<'a>(
        written: Written,
        at: Place,
        full: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<Self, NoQuestion> {
        let names =
            |own: &[String]| own.iter().filter_map(|name| full(name)).map(str::to_owned).collect();
        let (by, not) = (names(&written.by), names(&written.not));
        Ok(Example { at, posed: written.when.pose()?, then: written.then, by, not })
    }
}

/// How an example came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleResult {
    /// The set.
    pub set: String,
    /// The example's line.
    pub line: usize,
    /// Its column.
    pub column: usize,
    /// What it asks, in a few words.
    pub question: String,
    /// The verdict that it expects.
    pub expected: Verdict,
    /// The judgement that it got.
    pub judgement: Judgement,
    /// What is wrong, if anything is.
    pub failure: Option<String>,
}

impl ExampleResult {
    /// The failure as a mistake in the file.
    #[must_use]
    pub fn problem(&self) -> Option<Problem> {
        let why = self.judgement.reasons.join("; ");
        Some(Problem {
            file: self.set.clone(),
            line: self.line,
            column: self.column,
            words: format!("an example does not hold: {}", self.failure.as_ref()?),
            hint: (!why.is_empty()).then(|| format!("because: {why}")),
        })
    }
}

impl fmt::Display for ExampleResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.failure.is_none() { "ok" } else { "FAILED" };
        let verdict = self.judgement.verdict.name();
        write!(f, "{mark:<6} {}:{} {} is {verdict}", self.set, self.line, self.question)?;
        match &self.failure {
            Some(failure) => write!(f, ": {failure}"),
            None => Ok(()),
        }
    }
}

impl PolicySet {
    /// Tries every example.
    #[must_use]
    pub fn test(&self) -> Vec<ExampleResult> {
        self.examples().iter().map(|example| self.try_out(example)).collect()
    }

    fn try_out(&self, example: &Example) -> ExampleResult {
        let question = example.posed.question();
        let judgement = self.judge(&question);
        ExampleResult {
            set: self.name().to_owned(),
            line: example.at.line,
            column: example.at.column,
            question: crate::asked::words(&question.action),
            expected: example.then,
            failure: self.failure(example, &judgement),
            judgement,
        }
    }

    fn failure(&self, example: &Example, judgement: &Judgement) -> Option<String> {
        let question = crate::asked::words(&example.posed.question().action);
        let by = judgement.by.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
        if judgement.verdict != example.then {
            let (is, not) = (judgement.verdict.name(), example.then.name());
            return Some(format!("{question} is `{is}` by {by}, not `{not}`"));
        }
        if let Some(silent) = example.by.iter().find(|id| !judgement.by.contains(id)) {
            return Some(format!("{question} is decided by {by}, not by `{silent}`"));
        }
        if example.not.is_empty() {
            return None;
        }
        let applying = self.applying(&example.posed.question());
        let loud = example.not.iter().find(|id| applying.contains(id));
        loud.map(|id| format!("`{id}` applies to {question}"))
    }
}
