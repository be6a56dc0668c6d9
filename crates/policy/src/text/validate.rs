//! Checking the types of policies, and Cedar's mistakes in this program's words.
//!
//! What Cedar only warns of is a mistake here: letters that look like others, and policies
//! that can never apply.

use std::collections::BTreeMap;

use cedar_policy::{PolicySet, Schema, ValidationMode, Validator};
use miette::{Diagnostic, LabeledSpan};

use super::Block;
use crate::groups::{Groups, unknown_group};
use crate::problem::{Place, Problems};
use crate::set::Rule;

/// How Cedar begins to say that a policy's conditions hold for no question.
const IMPOSSIBLE: &str = "policy is impossible";

/// Checks the types of all policies.
pub(crate) fn validate(
    rules: &[Rule],
    schema: Schema,
    groups: &Groups,
    block: &Block<'_>,
    problems: &mut Problems<'_>,
) {
    let all = PolicySet::from_policies(rules.iter().map(|rule| rule.policy.clone()))
        .expect("INVARIANT: names were found to be different");
    let found = Validator::new(schema).validate(&all, ValidationMode::Strict);
    let mut told = BTreeMap::<Place, Vec<Told>>::new();
    for error in found.validation_errors() {
        let mut one = Told::of(block, error);
        one.hint = unknown_group(groups, &one.words).or(one.hint);
        told.entry(one.at).or_default().push(one);
    }
    // Where something is wrong, policies that never apply are often its consequence.
    if told.is_empty() {
        for warning in found.validation_warnings() {
            let one = Told::of(block, warning);
            told.entry(one.at).or_default().push(one);
        }
    }
    told.into_values().for_each(|same| add_one(same, problems));
}

/// Adds the first mistake of a place; the others are the same one for other actions.
fn add_one(mut same: Vec<Told>, problems: &mut Problems<'_>) {
    let lacks = same.iter().filter(|one| one.words.ends_with(" not found")).count();
    // What is impossible by itself says less than what makes it so.
    same.sort_by_key(|one| (one.words.starts_with(IMPOSSIBLE), one.words.clone()));
    let first = same.swap_remove(0);
    let hint = match lacks {
        0 | 1 => first.hint,
        _ => Some("not every action has it; name the action in the policy's scope".to_owned()),
    };
    problems.add(first.at, first.words, hint);
}

/// Adds a mistake of Cedar's at its place in the file.
pub(super) fn note(block: &Block<'_>, error: &dyn Diagnostic, problems: &mut Problems<'_>) {
    let told = Told::of(block, error);
    problems.add(told.at, told.words, told.hint);
}

/// A mistake of Cedar's.
struct Told {
    at: Place,
    words: String,
    hint: Option<String>,
}

impl Told {
    fn of(block: &Block<'_>, error: &dyn Diagnostic) -> Told {
        let label = error.labels().and_then(|mut labels| labels.next());
        let at = block.place(label.as_ref().map_or(0, LabeledSpan::offset));
        let words = bare(&error.to_string());
        let expected = || label.and_then(|label| label.label().map(bare));
        let hint = error.help().map(|help| bare(&help.to_string())).or_else(expected);
        let (words, hint) = plainer(words, hint);
        Told { at, words, hint }
    }
}

/// Cedar's words without the policy's name, which the place tells.
fn bare(words: &str) -> String {
    let named = words.strip_prefix("for policy `").and_then(|rest| rest.split_once('`'));
    let words = named.map_or(words, |(_, rest)| rest.trim_start_matches([',', ':']).trim_start());
    words.trim_end_matches('.').to_owned()
}

/// What Cedar says in the words of its theory, said in those of its users.
fn plainer(words: String, hint: Option<String>) -> (String, Option<String>) {
    if let Some(rest) = words.strip_prefix("entity `")
        && let Some((entity, _)) = rest.split_once("` is of an enumerated entity type")
    {
        let known = hint.as_deref().and_then(|hint| hint.strip_prefix("valid entity eids: "));
        let hint = known.map(|known| format!("it may be one of: {known}"));
        return (format!("there is no `{entity}`"), hint);
    }
    let own = if words.starts_with(IMPOSSIBLE) {
        Some("its conditions hold for no question; correct or remove it")
    } else if words.starts_with("unable to find an applicable action") {
        Some("its action is never about such a principal or resource")
    } else if words.contains("mixed scripts") || words.contains("BIDI") {
        Some("write it in the letters of one alphabet, without marks of direction")
    } else {
        None
    };
    (words, hint.or(own.map(str::to_owned)))
}
