//! What is known about a question besides who and what: the context of the schema.

use std::collections::BTreeSet;

use cedar_policy::{EntityTypeName, RestrictedExpression as Value};
use engine::ports::{Action, Question, ToolQuestion};
use kernel::agent::Effect;

use crate::facts::{TYPES, uid};
use crate::groups::{Groups, Membership, is_outside};

/// What is only known when a call is made: what reading it brings, and whether untrusted
/// content came in before it.
pub(crate) const OF_THE_CALL: [&str; 13] = [
    "tainted",
    "guard",
    "outside",
    "statement",
    "paths",
    "any_path",
    "all_paths",
    "hosts",
    "any_host",
    "all_hosts",
    "commands",
    "any_command",
    "all_commands",
];

/// The pairs of a question's context.
pub(crate) fn pairs(question: &Question<'_>, groups: &Groups) -> Vec<(String, Value)> {
    let mut pairs = Pairs(Vec::with_capacity(20));
    pairs.text("environment", question.environment);
    pairs.entity("trust", &TYPES.trust, question.trust.name());
    pairs.truth("tainted", question.tainted);
    match &question.action {
        Action::RunStart { task_type, .. } => {
            if let Some(task_type) = task_type {
                pairs.text("task_type", task_type);
            }
        }
        Action::ModelCall { .. } | Action::CapRaise { .. } => {}
        Action::ToolCall(call) => of_call(&mut pairs, call, groups),
        Action::ApprovalDecide { asked_by, .. } => {
            pairs.text("asked_by", asked_by);
            pairs.truth("own", *asked_by == question.who.user);
        }
        Action::Administer { name, .. } => pairs.text("name", name),
    }
    pairs.0
}

fn of_call(pairs: &mut Pairs, call: &ToolQuestion<'_>, groups: &Groups) {
    let found = call.examined;
    pairs.truth("sensitive", call.sensitive);
    pairs.entity("effect", &TYPES.effect, effect(call.effect));
    pairs.entity("guard", &TYPES.verdict, found.judgement.verdict.name());
    pairs.truth("outside", found.paths.iter().any(|path| is_outside(path)));
    if let Some(statement) = &found.statement {
        pairs.text("statement", statement);
    }
    let (paths, hosts, commands) =
        (items(&found.paths), items(&found.hosts), items(&found.commands));
    pairs.texts("paths", &paths);
    pairs.texts("hosts", &hosts);
    pairs.texts("commands", &commands);
    pairs.groups(["any_path", "all_paths"], &TYPES.paths, &groups.of_paths(paths));
    pairs.groups(["any_host", "all_hosts"], &TYPES.hosts, &groups.of_hosts(hosts));
    let commands = groups.of_commands(commands);
    pairs.groups(["any_command", "all_commands"], &TYPES.commands, &commands);
}

fn items(items: &BTreeSet<String>) -> Vec<&str> {
    items.iter().map(String::as_str).collect()
}

/// The word for an effect class in policies.
pub(crate) fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "read",
        Effect::Idempotent => "idempotent",
        Effect::Effect => "effect",
    }
}

struct Pairs(Vec<(String, Value)>);

impl Pairs {
    fn add(&mut self, key: &str, value: Value) {
        self.0.push((key.to_owned(), value));
    }

    fn text(&mut self, key: &str, text: &str) {
        self.add(key, Value::new_string(text.to_owned()));
    }

    fn truth(&mut self, key: &str, truth: bool) {
        self.add(key, Value::new_bool(truth));
    }

    fn entity(&mut self, key: &str, of_type: &EntityTypeName, id: &str) {
        self.add(key, Value::new_entity_uid(uid(of_type, id)));
    }

    fn texts(&mut self, key: &str, texts: &[&str]) {
        let texts = texts.iter().map(|text| Value::new_string((*text).to_owned()));
        self.add(key, Value::new_set(texts));
    }

    fn groups(&mut self, keys: [&str; 2], of_type: &EntityTypeName, found: &Membership<'_>) {
        for (key, names) in keys.into_iter().zip([&found.any, &found.all]) {
            let names = names.iter().map(|name| Value::new_entity_uid(uid(of_type, name)));
            self.add(key, Value::new_set(names));
        }
    }
}
