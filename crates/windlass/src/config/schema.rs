//! The JSON Schema of a run's result: written as YAML, checked as a schema, and put into
//! the input of `end_task`.
//!
//! The schema is taken as it stands; the environment is not brought into it.

use serde_json::{Map, Value};

use super::expect::Reader;
use super::mistake::Span;
use super::yaml::{self, Entry, Node};

/// Where the result stands in the input of `end_task`.
const PLACE: &str = "#/properties/result";

/// Reads the entry `output_schema`.
pub(super) fn read(reader: &mut Reader, entry: &Entry) -> Option<Value> {
    let here = entry.key_span.clone();
    let yaml::Value::Map(_) = entry.value.value else {
        let hint = "write it like `output_schema: {type: object, properties: {…}}`";
        return reader.wrong(here, "`output_schema` is a mapping: a JSON Schema", hint);
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
fn json(reader: &mut Reader, node: &Node) -> Option<Value> {
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

/// The input schema of `end_task` with the result's own schema in it, and the result
/// required. References inside the result's schema are made to lead to its new place.
pub(super) fn with_result(mut input: Value, result: &Value) -> Value {
    let mut result = result.clone();
    if result.get("$id").is_none() {
        lead_to_place(&mut result);
    }
    if let Some(object) = result.as_object_mut() {
        object.remove("$schema");
    }
    let Some(object) = input.as_object_mut() else {
        return input;
    };
    let properties = object.entry("properties").or_insert_with(|| Value::Object(Map::new()));
    if let Some(properties) = properties.as_object_mut() {
        properties.insert("result".to_owned(), result);
    }
    object.insert("required".to_owned(), serde_json::json!(["result"]));
    input
}

fn lead_to_place(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            for (key, value) in object {
                match (key.as_str(), &mut *value) {
                    ("$ref", Value::String(target)) if target.starts_with('#') => {
                        *target = target.replacen('#', PLACE, 1);
                    }
                    // What stands here is data and no schema.
                    ("const" | "enum" | "default" | "examples", _) => {}
                    (_, other) => lead_to_place(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(lead_to_place),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_still_lead_home_inside_end_task() {
        let tree = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$defs": {"name": {"type": "string"}},
            "type": "object",
            "properties": {
                "name": {"$ref": "#/$defs/name"},
                "children": {"type": "array", "items": {"$ref": "#"}},
                "$ref": {"const": {"$ref": "#"}}
            },
            "required": ["name"]
        });
        let input = with_result(json!({"type": "object", "properties": {}}), &tree);
        let check = jsonschema::validator_for(&input).expect("the composed schema is valid");
        for (result, right) in [
            (json!({"name": "a", "children": [{"name": "b"}]}), true),
            (json!({"name": "a", "children": [{"name": 1}]}), false),
            (json!({"name": "a", "children": [{}]}), false),
            (json!({"name": "a", "$ref": {"$ref": "#"}}), true),
            (json!({"name": "a", "$ref": {"$ref": "##"}}), false),
        ] {
            assert_eq!(check.is_valid(&json!({"result": result})), right);
        }
        assert!(!check.is_valid(&json!({})), "the result is required");
    }
}
