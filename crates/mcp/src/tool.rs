//! One tool as a server tells it, read from foreign JSON within bounds.

use kernel::agent::Effect;
use serde_json::{Map, Value};

use crate::pin::Pin;
use crate::schema;
use crate::settings::ServerSettings;
use crate::words::{is_hidden, line};

/// The longest name of a tool.
const NAME_BYTES_MAX: usize = 256;

/// The longest description.
const DESCRIPTION_BYTES_MAX: usize = 8_192;

/// What a server may say about what a tool does.
const HINTS: [&str; 5] =
    ["title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"];

/// A tool as its server tells it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) description: String,
    /// As it is shown to models; the pin is of the server's own.
    pub(crate) input_schema: Value,
    pub(crate) annotations: Value,
    pub(crate) pin: Pin,
}

/// How a tool stands to what was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is as it was accepted.
    Accepted,
    /// It says something else than what was accepted.
    Changed {
        /// What was accepted.
        from: Pin,
    },
    /// Nobody accepted it yet.
    New,
}

/// A tool that cannot be shown to a model, and why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    pub(crate) name: String,
    pub(crate) why: String,
}

impl Tool {
    /// Reads one entry of a list.
    pub(crate) fn read(entry: &Value) -> Result<Tool, Unfit> {
        let name = entry.get("name").and_then(Value::as_str).unwrap_or_default();
        let unfit = |why: &str| Unfit { name: line(name, 80), why: why.to_owned() };
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(is_hidden) {
            return Err(unfit("its name is missing, too long or holds hidden characters"));
        }
        let description = match entry.get("description") {
            None | Some(Value::Null) => "",
            Some(Value::String(text)) => text,
            Some(_) => return Err(unfit("its description is no text")),
        };
        if description.len() > DESCRIPTION_BYTES_MAX {
            return Err(unfit("its description is longer than 8,192 bytes"));
        }
        if description.contains(|c| is_hidden(c) && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(unfit("its description holds hidden characters"));
        }
        let own = entry.get("inputSchema");
        let input_schema = schema::shown(own).map_err(unfit)?;
        let annotations = hints(entry.get("annotations"));
        Ok(Tool {
            pin: Pin::of(name, description, own.unwrap_or(&Value::Null), &annotations),
            name: name.to_owned(),
            description: description.to_owned(),
            input_schema,
            annotations,
        })
    }

    /// What running it twice would mean. The server's own word counts only where the
    /// configuration says so, and a key without a place makes nothing idempotent.
    pub(crate) fn effect(&self, settings: &ServerSettings) -> Effect {
        if let Some(effect) = settings.effect.get(&self.name) {
            return *effect;
        }
        let hints = |hint: &str| self.annotations.get(hint) == Some(&Value::Bool(true));
        if !settings.trust_annotations {
            Effect::Effect
        } else if hints("readOnlyHint") {
            Effect::Read
        } else if hints("idempotentHint") && settings.idempotency_meta.is_some() {
            Effect::Idempotent
        } else {
            Effect::Effect
        }
    }
}

/// The hints that the protocol knows, where there are any. Others mean nothing to us, and
/// come or not with how a list was read.
fn hints(annotations: Option<&Value>) -> Value {
    let known = |key: &&str| Some(((*key).to_owned(), annotations?.get(*key)?.clone()));
    let told: Map<String, Value> =
        HINTS.iter().filter_map(known).filter(|(_, hint)| !hint.is_null()).collect();
    if told.is_empty() { Value::Null } else { Value::Object(told) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tool(annotations: Value) -> Tool {
        let entry = json!({
            "name": "t", "inputSchema": {"type": "object"}, "annotations": annotations,
        });
        Tool::read(&entry).unwrap()
    }

    #[test]
    fn what_cannot_be_shown_is_told_apart() {
        let object = json!({"type": "object"});
        for (entry, right) in [
            (json!({"name": "t", "inputSchema": object}), true),
            (json!({"name": "t", "description": "a\nb\t🏴 é", "inputSchema": object}), true),
            (json!({"name": "t", "description": null, "inputSchema": object}), true),
            (json!({"name": "t"}), false),
            (json!({"name": "", "inputSchema": object}), false),
            (json!({"name": 7, "inputSchema": object}), false),
            (json!({"name": "a\u{202e}b", "inputSchema": object}), false),
            (json!({"name": "n".repeat(300), "inputSchema": object}), false),
            (json!({"name": "t", "description": 7, "inputSchema": object}), false),
            (json!({"name": "t", "description": "d".repeat(9_000), "inputSchema": object}), false),
            (json!({"name": "t", "description": "a\u{e0041}", "inputSchema": object}), false),
            (json!({"name": "t", "description": "\u{1b}[2J", "inputSchema": object}), false),
            (json!("t"), false),
        ] {
            assert_eq!(Tool::read(&entry).is_ok(), right, "{entry:.100}");
        }
    }

    #[test]
    fn only_hints_that_mean_something_are_in_the_pin() {
        let plain = tool(json!(null)).pin;
        for nothing in [json!({}), json!("x"), json!({"readOnlyHint": null, "colour": "red"})] {
            assert_eq!(tool(nothing.clone()).pin, plain, "{nothing}");
        }
        let read = tool(json!({"readOnlyHint": true})).pin;
        assert_ne!(read, plain);
        assert_eq!(tool(json!({"colour": "red", "readOnlyHint": true})).pin, read);
        assert_ne!(tool(json!({"readOnlyHint": "true"})).pin, read);
    }

    #[test]
    fn a_servers_own_word_on_effects_is_not_believed() {
        let (read, again) = (json!({"readOnlyHint": true}), json!({"idempotentHint": true}));
        let key = Some("example.com/key".to_owned());
        let configured = [("t".to_owned(), Effect::Read)];
        for (annotations, believed, meta, configured, right) in [
            (&read, false, None, None, Effect::Effect),
            (&again, false, key.clone(), None, Effect::Effect),
            (&read, true, None, None, Effect::Read),
            (&again, true, None, None, Effect::Effect),
            (&again, true, key, None, Effect::Idempotent),
            (&json!({"readOnlyHint": "true"}), true, None, None, Effect::Effect),
            (&json!("x"), true, None, None, Effect::Effect),
            (&again, false, None, Some(configured), Effect::Read),
        ] {
            let settings = ServerSettings {
                trust_annotations: believed,
                idempotency_meta: meta,
                effect: configured.into_iter().flatten().collect(),
                ..ServerSettings::default()
            };
            assert_eq!(tool(annotations.clone()).effect(&settings), right, "{annotations}");
        }
    }
}
