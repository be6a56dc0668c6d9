//! A policy taken apart: its scope, and the conditions that must all hold.
//!
//! For two purposes: to say which condition kept a policy from applying, and to ask what
//! a policy would say of a call that nobody made yet.

use cedar_policy::{Policy, PolicyId};
use serde_json::{Map, Value, json};

use crate::facts::OF_THE_CALL;

/// A policy's scope and conditions, in Cedar's JSON.
pub(crate) struct Parts {
    /// The policy without its conditions.
    scope: Map<String, Value>,
    /// What must hold, each by itself.
    pub(crate) conditions: Vec<Condition>,
}

/// One condition.
pub(crate) struct Condition(Value);

impl Parts {
    /// Takes a policy apart. `None` where Cedar cannot print what it has read.
    pub(crate) fn of(policy: &Policy) -> Option<Parts> {
        let Value::Object(mut scope) = policy.to_json().ok()? else { return None };
        let Some(Value::Array(written)) = scope.insert("conditions".into(), json!([])) else {
            return None;
        };
        let mut conditions = Vec::new();
        for condition in written {
            match condition.get("kind").and_then(Value::as_str) {
                Some("when") => conjuncts(condition.get("body")?, &mut conditions),
                Some(_) | None => conditions.push(Condition(condition)),
            }
        }
        Some(Parts { scope, conditions })
    }

    /// The policy's scope with some of its conditions, under the same name.
    pub(crate) fn with<'a>(
        &self,
        id: &PolicyId,
        conditions: impl Iterator<Item = &'a Condition>,
    ) -> Option<Policy> {
        let mut policy = self.scope.clone();
        let conditions = conditions.map(|condition| condition.0.clone()).collect();
        policy.insert("conditions".into(), Value::Array(conditions));
        Policy::from_json(Some(id.clone()), Value::Object(policy)).ok()
    }
}

/// The parts of an `&&`, in order. `context has x && context.x == 1` stays one: its second
/// half says nothing without its first.
fn conjuncts(body: &Value, found: &mut Vec<Condition>) {
    let mut parts = Vec::new();
    flatten(body, &mut parts);
    let looks = |part: &&Value| part.get("has").is_some() || part.get("hasTag").is_some();
    let single = parts.iter().position(looks).unwrap_or(parts.len());
    let guarded = parts.split_off(single).into_iter().cloned();
    let guarded = guarded.reduce(|left, right| json!({ "&&": { "left": left, "right": right } }));
    let bodies = parts.into_iter().cloned().chain(guarded);
    found.extend(bodies.map(|body| Condition(json!({ "kind": "when", "body": body }))));
}

fn flatten<'a>(body: &'a Value, parts: &mut Vec<&'a Value>) {
    let both = body.get("&&").and_then(|both| Some((both.get("left")?, both.get("right")?)));
    match both {
        Some((left, right)) => {
            flatten(left, parts);
            flatten(right, parts);
        }
        None => parts.push(body),
    }
}

impl Condition {
    /// A policy that applies where this condition holds.
    pub(crate) fn alone(&self) -> Option<Policy> {
        let any = json!({ "op": "All" });
        let policy = json!({
            "effect": "permit",
            "principal": any,
            "action": any,
            "resource": any,
            "conditions": [self.0],
        });
        Policy::from_json(None, policy).ok()
    }

    /// The condition as Cedar prints it: `when { … }`.
    pub(crate) fn words(&self) -> String {
        let printed = self.alone().map(|policy| policy.to_string()).unwrap_or_default();
        let condition = printed.split_once(')').map_or("", |(_scope, condition)| condition);
        condition.trim_end().trim_end_matches(';').split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether it speaks of what only a call can tell.
    pub(crate) fn is_of_the_call(&self) -> bool {
        mentions_call(&self.0)
    }
}

fn mentions_call(value: &Value) -> bool {
    let is_context = |value: &Value| value.get("Var").and_then(Value::as_str) == Some("context");
    match value {
        Value::Object(object) => object.iter().any(|(operator, value)| {
            let of_context = value.get("left").is_some_and(is_context);
            match value.get("attr").and_then(Value::as_str) {
                Some(name) if of_context && matches!(operator.as_str(), "." | "has") => {
                    OF_THE_CALL.contains(&name)
                }
                Some(_) | None => (operator == "Var" && value == "context") || mentions_call(value),
            }
        }),
        Value::Array(items) => items.iter().any(mentions_call),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
