//! Verdicts on calls: what may be done, by whom it was decided, and why.
//!
//! Guards read a call's text, policies know who asks; both answer with a [`Judgement`],
//! and where they disagree the stricter one wins. A verdict is a fact of the log.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Whether something may be done, from mildest to strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may.
    Allow,
    /// Somebody entitled must say so first.
    Ask,
    /// It may not, whoever asks.
    Deny,
}

impl Verdict {
    /// The word in the log and on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Allow => "allow",
            Verdict::Ask => "ask",
            Verdict::Deny => "deny",
        }
    }
}

/// A verdict with what led to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The names of the policies and guards that decided it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// Why, in words that a person understands: lowercase fragments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

impl Judgement {
    /// Allowed without a word.
    #[must_use]
    pub fn allow() -> Self {
        Judgement { verdict: Verdict::Allow, by: Vec::new(), reasons: Vec::new() }
    }

    /// A verdict by one policy or guard, for one reason.
    #[must_use]
    pub fn new(verdict: Verdict, by: impl Into<String>, reason: impl Into<String>) -> Self {
        Judgement { verdict, by: vec![by.into()], reasons: vec![reason.into()] }
    }

    /// Both judgements in one: the stricter verdict with what led to it. Where they agree,
    /// each thing is said once.
    #[must_use]
    pub fn and(self, other: Judgement) -> Judgement {
        let (mut strict, other) =
            if other.verdict > self.verdict { (other, self) } else { (self, other) };
        if other.verdict == strict.verdict {
            add_new(&mut strict.by, other.by);
            add_new(&mut strict.reasons, other.reasons);
        }
        strict
    }
}

fn add_new(all: &mut Vec<String>, more: Vec<String>) {
    let more = more.into_iter().filter(|one| !all.contains(one)).collect::<Vec<_>>();
    all.extend(more);
}

/// What a tool finds out about a call by reading it, before anything runs: what a policy
/// may decide upon, and the guards' own verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// The verdict of the tool's own guards.
    pub judgement: Judgement,
    /// Paths that it names, relative to the working directory where they lie in it.
    pub paths: BTreeSet<String>,
    /// Hosts that it would connect to.
    pub hosts: BTreeSet<String>,
    /// Programs that it would run.
    pub commands: BTreeSet<String>,
    /// The kind of statement that it would run in a database: `select`, `insert`, ….
    pub statement: Option<String>,
}

impl Examined {
    /// Nothing was found, and the tool's guards have nothing against it.
    #[must_use]
    pub fn nothing() -> Self {
        Examined::judged(Judgement::allow())
    }

    /// Nothing was found but the guards' verdict.
    #[must_use]
    pub fn judged(judgement: Judgement) -> Self {
        Examined {
            judgement,
            paths: BTreeSet::new(),
            hosts: BTreeSet::new(),
            commands: BTreeSet::new(),
            statement: None,
        }
    }
}

/// How far a session's tools may reach, from least to most. It never grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Tools that read.
    ReadOnly,
    /// Also tools that change files in the working directory.
    #[default]
    Standard,
    /// Also the shell and everything that was granted, with a note in the audit.
    Elevated,
}

impl Trust {
    /// The word in configuration, log and policies.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Trust::ReadOnly => "read_only",
            Trust::Standard => "standard",
            Trust::Elevated => "elevated",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stricter_verdict_wins_with_its_own_reasons() {
        let ask = Judgement::new(Verdict::Ask, "a", "unusual");
        let deny = Judgement::new(Verdict::Deny, "b", "outside");
        assert_eq!(ask.clone().and(deny.clone()), deny);
        assert_eq!(deny.clone().and(ask.clone()), deny);
        assert_eq!(Judgement::allow().and(ask.clone()), ask);
        let other = Judgement { by: vec!["a".into(), "c".into()], ..ask.clone() };
        let both = ask.and(other);
        assert_eq!(both.by, ["a", "c"]);
        assert_eq!(both.reasons, ["unusual"]);
    }
}
