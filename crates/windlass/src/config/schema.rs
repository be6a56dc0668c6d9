//! JSON Schemas, of a run's result and of a tool's input: written as YAML and checked as
//! schemas.
//!
//! The schema is taken as it stands; the environment is not brought into it.

use serde_json::{Map, Value};

use super::expect::Reader;
use super::mistake::Span;
use super::yaml::{self, Entry, Node};

/// Reads an entry that is a schema.
pub(super) fn read(reader: &mut Reader, entry: &Entry) -> Option<Value> {
    let here = entry.key_span.clone();
    let yaml::Value::Map(_) = entry.value.value else {
        let key = &entry.key;
        let hint = format!("write it like `{key}: {{type: object, properties: {{…}}}}`");
        return reader.wrong(here, format!("`{key}` is a mapping: a JSON Schema"), hint);
    };
    let schema = json(reader, &entry.value)?;
    refuse_lost_references(reader, &entry.value, &schema)?;
    match mistake(&schema) {
        None => Some(schema),
        Some((pointer, words)) => {
            let span = place(&entry.value, &pointer).unwrap_or(here);
            let words = format!("not a valid JSON Schema: {words}");
            reader.wrong(span, words, "see https://json-schema.org/learn")
        }
    }
}

/// References must lead to a place in this schema; nothing is fetched.
fn refuse_lost_references(reader: &mut Reader, node: &Node, schema: &Value) -> Option<()> {
    let children: Vec<&Node> = match &node.value {
        yaml::Value::Map(entries) => entries.iter().map(|entry| &entry.value).collect(),
        yaml::Value::List(items) => items.iter().collect(),
        yaml::Value::Null
        | yaml::Value::Bool(_)
        | yaml::Value::Number(_)
        | yaml::Value::Text(_) => Vec::new(),
    };
    let mut right = Some(());
    if let Some((target, span)) = reference(node) {
        let local = target.strip_prefix('#');
        let lost = local.is_some_and(|at| at.starts_with('/') && schema.pointer(at).is_none());
        if lost || target.contains("://") {
            let words = format!("the reference `{target}` leads nowhere in this schema");
            let hint = "put what it means under `$defs` and write `#/$defs/name`";
            right = reader.wrong(span, words, hint);
        }
    }
    for child in children {
        right = refuse_lost_references(reader, child, schema).and(right);
    }
    right
}

/// The target of a mapping's `$ref`, and where it stands.
fn reference(node: &Node) -> Option<(&str, Span)> {
    let yaml::Value::Map(entries) = &node.value else {
        return None;
    };
    let entry = entries.iter().find(|entry| entry.key == "$ref")?;
    match &entry.value.value {
        yaml::Value::Text(target) => Some((target, entry.value.span.clone())),
        yaml::Value::Null
        | yaml::Value::Bool(_)
        | yaml::Value::Number(_)
        | yaml::Value::List(_)
        | yaml::Value::Map(_) => None,
    }
}

/// The first mistake in a schema: a JSON pointer into it, and words.
fn mistake(schema: &Value) -> Option<(String, String)> {
    let told = |error: jsonschema::ValidationError| {
        let pointer = error.instance_path().as_str().to_owned();
        let is_type = pointer.ends_with("/type") && !pointer.ends_with("/properties/type");
        let words = if is_type || pointer == "/type" {
            "`type` is array, boolean, integer, null, number, object or string".to_owned()
        } else {
            error.to_string()
        };
        (pointer, words)
    };
    if let Err(error) = jsonschema::meta::options().validate(schema) {
        return Some(told(error));
    }
    // Some mistakes show only when the schema is put together.
    let built = jsonschema::validator_for(schema);
    built.err().map(|error| (String::new(), error.to_string()))
}

/// A tree as JSON.
pub(super) fn json(reader: &mut Reader, node: &Node) -> Option<Value> {
    match &node.value {
        yaml::Value::Null => Some(Value::Null),
        yaml::Value::Bool(value) => Some(Value::Bool(*value)),
        yaml::Value::Text(text) => Some(Value::String(text.clone())),
        yaml::Value::Number(text) => match serde_json::from_str(text) {
            Ok(number) => Some(number),
            Err(_) => {
                let words = format!("`{text}` is not a number in JSON");
                reader.wrong(node.span.clone(), words, "write it in plain decimal digits")
            }
        },
        yaml::Value::List(items) => {
            let items: Vec<_> = items.iter().map(|item| json(reader, item)).collect();
            items.into_iter().collect::<Option<_>>().map(Value::Array)
        }
        yaml::Value::Map(entries) => {
            let pairs: Vec<_> = entries
                .iter()
                .map(|entry| json(reader, &entry.value).map(|value| (entry.key.clone(), value)))
                .collect();
            let map: Option<Map<_, _>> = pairs.into_iter().collect();
            map.map(Value::Object)
        }
    }
}

/// Where in the file a JSON pointer leads.
fn place(root: &Node, pointer: &str) -> Option<Span> {
    let mut node = root;
    let mut span = None;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        match &node.value {
            yaml::Value::Map(entries) => {
                let entry = entries.iter().find(|entry| entry.key == step)?;
                node = &entry.value;
                span = Some(entry.key_span.clone());
            }
            yaml::Value::List(items) => {
                node = items.get(step.parse::<usize>().ok()?)?;
                span = Some(node.span.clone());
            }
            yaml::Value::Null
            | yaml::Value::Bool(_)
            | yaml::Value::Number(_)
            | yaml::Value::Text(_) => return None,
        }
    }
    span
}
