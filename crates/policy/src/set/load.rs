//! From a file to a policy set: read, checked for names and types, filed, and tried on its
//! own examples.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::Deserialize;

use super::{LAWS, Layer, PolicySet, Rule, laws};
use crate::example::{self, Example};
use crate::groups::{self, Groups};
use crate::index::Index;
use crate::problem::{Place, Problem, Problems, did_you_mean};
use crate::schema;
use crate::text::{self, Block, NAME_BYTES_MAX};
use crate::yaml::{self, Spanned, place};

/// A policy file, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// What the set is for, for people.
    #[serde(default, rename = "about")]
    _about: Option<String>,
    #[serde(default)]
    groups: groups::Written,
    policies: Spanned<String>,
    #[serde(default)]
    examples: Vec<Spanned<example::Written>>,
}

/// Reads a set and runs its examples.
pub(super) fn checked(text: &str, name: &str, layer: Layer) -> Result<PolicySet, Vec<Problem>> {
    let set = read(text, name, layer)?;
    let failed = set.test().into_iter().filter_map(|tried| tried.problem()).collect::<Vec<_>>();
    if failed.is_empty() { Ok(set) } else { Err(failed) }
}

/// Reads a set.
pub(super) fn read(text: &str, name: &str, layer: Layer) -> Result<PolicySet, Vec<Problem>> {
    let mut problems = Problems::new(name);
    if !is_set_name(name) || (name == LAWS && layer != Layer::Laws) {
        let hint = "letters, digits, `-`, `_` and `.`, at most 80, and not `laws`";
        problems.add(Place::START, format!("a set cannot be named `{name}`"), Some(hint.into()));
    }
    let Some(file) = yaml::read::<File>(text, &mut problems) else { return Err(problems.sorted()) };
    // What the laws bring; they themselves stand on nothing.
    let (inherited, laws) = match layer {
        Layer::Laws => (None, Vec::new()),
        Layer::Grants => (Some(&laws().groups), laws().rules.clone()),
        Layer::Narrows => (Some(&laws().groups), Vec::new()),
    };
    let groups = Groups::read(file.groups, inherited, &mut problems);
    let block = Block::find(text, &file.policies, &mut problems);
    let taken = laws.iter().map(|rule| own_name(rule).to_owned()).collect();
    let own = text::rules(name, layer, &block, &taken, &mut problems);
    if problems.is_empty() {
        text::validate(&own, schema::with(&groups), &groups, &block, &mut problems);
    }
    let rules = laws.into_iter().chain(own).collect::<Vec<_>>();
    let examples = examples(file.examples, &rules, &mut problems);
    if !problems.is_empty() {
        return Err(problems.sorted());
    }
    let warnings = unshown(name, &rules, &examples);
    Ok(PolicySet {
        name: name.to_owned(),
        layer,
        groups,
        places: rules.iter().zip(0..).map(|(rule, at)| (rule.id.clone(), at)).collect(),
        index: Index::of(rules.iter().map(|rule| (&rule.policy, rule.verdict))),
        hopes: OnceLock::new(),
        rules,
        examples,
        warnings,
    })
}

/// Whether a set can have a name: one that a tenant or a file may have, without a slash.
fn is_set_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(plain)
}

/// A rule's name without its set's.
fn own_name(rule: &Rule) -> &str {
    rule.id.split_once('/').map_or(rule.id.as_str(), |(_, name)| name)
}

fn examples(
    written: Vec<Spanned<example::Written>>,
    rules: &[Rule],
    problems: &mut Problems<'_>,
) -> Vec<Example> {
    let full = rules.iter().map(|rule| (own_name(rule), rule.id.as_str()));
    let full = full.collect::<BTreeMap<_, _>>();
    let known = full.keys().copied().collect::<Vec<_>>();
    let mut examples = Vec::new();
    for one in written {
        let at = place(one.referenced);
        for name in one.value.names().filter(|name| !full.contains_key(name)) {
            let words = format!("no policy is named `{name}`");
            problems.add(at, words, did_you_mean(name, &known));
        }
        match Example::of(one.value, at, |name| full.get(name).copied()) {
            Ok(example) => examples.push(example),
            Err(no) => problems.add(at, no.words, no.hint),
        }
    }
    examples
}

/// The set's own policies that no example shows deciding.
fn unshown(set: &str, rules: &[Rule], examples: &[Example]) -> Vec<Problem> {
    let shown =
        examples.iter().flat_map(|one| &one.by).map(String::as_str).collect::<BTreeSet<_>>();
    let own = rules.iter().filter(|rule| rule.id.split_once('/').is_some_and(|id| id.0 == set));
    own.filter(|rule| !shown.contains(rule.id.as_str()))
        .map(|rule| Problem {
            file: set.to_owned(),
            line: rule.line,
            column: 1,
            words: format!("no example shows `{}` deciding", own_name(rule)),
            hint: Some("add one under `examples:` that names it in `by`".into()),
        })
        .collect()
}
