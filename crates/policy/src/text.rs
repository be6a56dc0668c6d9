//! The Cedar text inside a policy file: where it stands, its policies with their names,
//! verdicts and reasons, and every mistake at its line in the file.

mod block;
mod validate;

use std::collections::BTreeSet;

use cedar_policy::{Effect, Policy, PolicyId, PolicySet};
use kernel::verdict::Verdict;

use crate::problem::{Place, Problems, did_you_mean};
use crate::set::{Layer, Rule};

pub(crate) use block::Block;
pub(crate) use validate::validate;

/// Most policies in one file.
const POLICIES_MAX: usize = 20_000;
/// Longest name of a policy or a set, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 80;
/// The annotations that mean something here.
const ANNOTATIONS: [&str; 3] = ["id", "reason", "verdict"];

/// Reads the policies of a set.
pub(crate) fn rules(
    set: &str,
    layer: Layer,
    block: &Block<'_>,
    taken: &BTreeSet<String>,
    problems: &mut Problems<'_>,
) -> Vec<Rule> {
    let read = match block.cedar().parse::<PolicySet>() {
        Ok(read) => read,
        Err(errors) => {
            errors.iter().for_each(|error| validate::note(block, error, problems));
            return Vec::new();
        }
    };
    for template in read.templates() {
        let at = block.place(template.as_ref().loc().map_or(0, |at| at.start()));
        let hint = "write the principal or resource out, or name a role, team or group";
        problems.add(at, "a policy with slots (`?principal`) is not read", Some(hint.into()));
    }
    if read.num_of_policies() > POLICIES_MAX {
        let words = format!("{} policies are more than one set may have", read.num_of_policies());
        let hint = format!("at most {POLICIES_MAX}; one policy can speak of a whole group");
        problems.add(block.place(0), words, Some(hint));
        return Vec::new();
    }
    let mut policies = read.policies().collect::<Vec<_>>();
    policies.sort_by_key(|policy| start(policy));
    let mut names = taken.clone();
    let rules = policies.into_iter();
    rules.filter_map(|policy| rule(set, layer, policy, block, &mut names, problems)).collect()
}

fn start(policy: &Policy) -> usize {
    policy.as_ref().loc().map_or(0, |at| at.start())
}

/// The place of an annotation of a policy.
fn annotation(block: &Block<'_>, policy: &Policy, key: &str) -> Place {
    let start = start(policy);
    let text = block.cedar().get(start..).unwrap_or_default();
    block.place(start + text.find(&format!("@{key}")).unwrap_or_default())
}

/// One policy with what its annotations say.
fn rule(
    set: &str,
    layer: Layer,
    policy: &Policy,
    block: &Block<'_>,
    names: &mut BTreeSet<String>,
    problems: &mut Problems<'_>,
) -> Option<Rule> {
    let at = block.place(start(policy));
    for (key, _) in policy.annotations() {
        if !ANNOTATIONS.contains(&key) {
            let words = format!("the annotation `@{key}` means nothing here");
            problems.add(annotation(block, policy, key), words, did_you_mean(key, &ANNOTATIONS));
        }
    }
    let verdict = verdict(policy).map_err(|(words, hint)| {
        problems.add(annotation(block, policy, "verdict"), words, Some(hint));
    });
    if layer != Layer::Grants && policy.effect() == Effect::Permit {
        let hint = "write what is not allowed, as `forbid (…) unless { … };`; what a tenant may \
                    do is granted in the installation's policy";
        problems.add(at, "this set only narrows, and a `permit` would widen", Some(hint.into()));
    }
    let reason = policy.annotation("reason").map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_none() {
        let hint = "say in a few words why, for the person who reads the verdict: \
                    `@reason(\"…\")`";
        problems.add(at, "the policy has no reason", Some(hint.into()));
    }
    let id = policy.annotation("id").unwrap_or_default();
    if !is_name(id) {
        let hint = "begin it with `@id(\"…\")`: small letters, digits and hyphens";
        let words = if id.is_empty() { "the policy has no name" } else { "the name is not plain" };
        problems.add(at, words, Some(hint.into()));
    } else if !names.insert(id.to_owned()) {
        let words = format!("another policy is named `{id}` already");
        problems.add(at, words, Some("every policy has a name of its own".into()));
    }
    let full = format!("{set}/{id}");
    Some(Rule {
        policy: policy.new_id(PolicyId::new(&full)),
        id: full,
        verdict: verdict.ok()?,
        reason: reason?.to_owned(),
        line: at.line,
    })
}

/// What a policy that applies means. Cedar has two effects; the third verdict is a
/// `forbid` that somebody entitled can lift for one call.
fn verdict(policy: &Policy) -> Result<Verdict, (String, String)> {
    let right = "leave it out, or write `@verdict(\"ask\")` on a `forbid`".to_owned();
    match (policy.effect(), policy.annotation("verdict")) {
        (Effect::Permit, None | Some("allow")) => Ok(Verdict::Allow),
        (Effect::Forbid, None | Some("deny")) => Ok(Verdict::Deny),
        (Effect::Forbid, Some("ask")) => Ok(Verdict::Ask),
        (Effect::Permit, Some(other)) => {
            Err((format!("a `permit` cannot have the verdict `{other}`"), right))
        }
        (Effect::Forbid, Some(other)) => {
            Err((format!("a `forbid` cannot have the verdict `{other}`"), right))
        }
    }
}

/// Whether a name is plain: small letters, digits and hyphens.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(plain)
}
