//! Input schemas as model providers take them.
//!
//! One tool whose schema a provider refuses makes it refuse the whole request, every turn.
//! What providers refuse and JSON Schema allows is therefore left out of what is shown; the
//! server checks its arguments by its own schema anyway.

use serde_json::{Map, Value};

/// Combinations of schemas, which providers refuse at the top. The properties in their
/// branches are shown as if they were all optional.
const COMBINING: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// What else providers refuse at the top.
const REFUSED: [&str; 3] = ["const", "enum", "not"];

/// The longest name of a property that providers take.
const KEY_CHARS_MAX: usize = 64;

/// How deep a schema may go.
const DEPTH_MAX: usize = 48;

/// The longest schema, as JSON.
const BYTES_MAX: usize = 65_536;

/// The schema as it is shown to models. It always has `properties`, which one vendor asks
/// for even where there are none.
///
/// # Errors
/// Words for a person: what no provider would take, or is out of bounds.
pub(crate) fn shown(schema: Option<&Value>) -> Result<Value, &'static str> {
    let Some(Value::Object(fields)) = schema else { return Err("it has no input schema") };
    if fields.get("type").and_then(Value::as_str) != Some("object") {
        return Err("its input schema is not one of objects");
    }
    if !fields.values().all(|value| is_within(value, DEPTH_MAX)) {
        return Err("its input schema is nested too deep");
    }
    if schema.is_some_and(|schema| schema.to_string().len() > BYTES_MAX) {
        return Err("its input schema is longer than 65,536 bytes");
    }
    let mut shown = fields.clone();
    let mut properties = match shown.get("properties") {
        None => Map::new(),
        Some(Value::Object(properties)) => properties.clone(),
        Some(_) => return Err("the properties of its input schema are no object"),
    };
    for keyword in COMBINING {
        let combined = shown.shift_remove(keyword);
        for branch in combined.as_ref().and_then(Value::as_array).into_iter().flatten() {
            for (key, value) in
                branch.get("properties").and_then(Value::as_object).into_iter().flatten()
            {
                properties.entry(key).or_insert_with(|| value.clone());
            }
        }
    }
    for keyword in REFUSED {
        shown.shift_remove(keyword);
    }
    if !properties.keys().all(|key| is_key(key)) {
        return Err("a property in its input schema has a name that model providers refuse");
    }
    shown.insert("properties".to_owned(), Value::Object(properties));
    Ok(Value::Object(shown))
}

fn is_key(key: &str) -> bool {
    let is_lawful = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    (1..=KEY_CHARS_MAX).contains(&key.len()) && key.chars().all(is_lawful)
}

fn is_within(value: &Value, depth_max: usize) -> bool {
    let inner = |inner| depth_max > 0 && is_within(inner, depth_max - 1);
    match value {
        Value::Array(items) => items.iter().all(inner),
        Value::Object(fields) => fields.values().all(inner),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_providers_refuse_is_left_out_and_the_rest_stays() {
        let a = json!({"type": "string", "oneOf": [{"const": "x"}]});
        for (schema, wanted) in [
            (json!({"type": "object"}), json!({"type": "object", "properties": {}})),
            (
                json!({"type": "object", "properties": {"a": a}, "required": ["a"], "not": {}}),
                json!({"type": "object", "properties": {"a": a}, "required": ["a"]}),
            ),
            (
                json!({"type": "object", "properties": {"a": a}, "anyOf": [
                    {"required": ["b"], "properties": {"b": true, "a": false}},
                    {"properties": {"c": {}}}, 7,
                ]}),
                json!({"type": "object", "properties": {"a": a, "b": true, "c": {}}}),
            ),
            (
                json!({"allOf": [{"properties": {"x.y-z_1": {}}}], "type": "object", "$defs": {}}),
                json!({"type": "object", "$defs": {}, "properties": {"x.y-z_1": {}}}),
            ),
        ] {
            assert_eq!(shown(Some(&schema)), Ok(wanted), "{schema}");
        }
    }

    #[test]
    fn what_cannot_be_shown_is_told() {
        let deep = (0..60).fold(json!({}), |inner, _| json!({ "items": inner }));
        for schema in [
            json!(true),
            json!({}),
            json!({"type": "array"}),
            json!({"type": ["object", "null"]}),
            json!({"type": "object", "properties": []}),
            json!({"type": "object", "properties": {"ids[]": {}}}),
            json!({"type": "object", "properties": {"": {}}}),
            json!({"type": "object", "properties": {"имя": {}}}),
            json!({"type": "object", "properties": {"k".repeat(65): {}}}),
            json!({"type": "object", "oneOf": [{"properties": {"a b": {}}}]}),
            json!({"type": "object", "properties": {"a": deep}}),
            json!({"type": "object", "x": "x".repeat(70_000)}),
        ] {
            assert!(shown(Some(&schema)).is_err(), "{schema:.100}");
        }
        assert!(shown(None).is_err());
    }
}
