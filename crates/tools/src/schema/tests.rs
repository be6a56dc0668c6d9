//! Inputs that do not fit, and the words that a model reads about them.

use serde_json::json;

use super::*;
use crate::builtin::all_specs;

#[test]
fn mistakes_name_the_field_and_what_was_meant() {
    let cases: [(&str, Value, &[&str]); 20] = [
        ("read", json!({"path": "a"}), &[]),
        ("read", json!({}), &["`path` is missing (type string)"]),
        (
            "read",
            json!({"pth": "a"}),
            &["`path` is missing", "`pth` is not a field; did you mean `path`?"],
        ),
        ("read", json!({"path": 1}), &["`path` must be of type string, not `1`"]),
        ("read", json!({"path": ""}), &["`path` must not be empty"]),
        ("read", json!({"path": "a", "offset": 0}), &["`offset`: 0 is less than the minimum of 1"]),
        (
            "read",
            json!({"path": "a", "offset": "3"}),
            &["`offset` must be of type integer, not `\"3\"`"],
        ),
        ("read", json!({"path": "a", "limit": 1.5}), &["`limit` must be of type integer"]),
        (
            "read",
            json!({"path": "a", "zzz": 1}),
            &["`zzz` is not a field; there are: `path`, `offset`, `limit`"],
        ),
        (
            "edit",
            json!({"path": "a", "old_sting": "b", "new_string": "c"}),
            &["`old_sting` is not a field; did you mean `old_string`?"],
        ),
        (
            "notes",
            json!({"action": "sav"}),
            &[
                "`action` must be one of `save`, `append`, `list`, `read`, not `\"sav\"`; did you mean `save`?",
            ],
        ),
        ("notes", json!({"action": "SAVE"}), &["did you mean `save`?"]),
        ("notes", json!({"action": "burn"}), &["must be one of"]),
        ("weather", json!({"place": "Oslo", "day": "monday"}), &["`day` must match"]),
        (
            "web_search",
            json!({"query": "x", "count": 21}),
            &["`count`: 21 is greater than the maximum of 20"],
        ),
        ("calculator", json!([1]), &["the input must be of type object"]),
        ("calculator", json!({"expression": "1".repeat(1_001)}), &["`expression`"]),
        (
            "write",
            json!({"path": "a", "content": {"text": "x"}}),
            &["`content` must be of type string"],
        ),
        ("end_task", json!({}), &["`result` is missing"]),
        ("grep", json!({"pattern": "x", "path": "a\u{0}b"}), &[]),
    ];
    let schemas = Schemas::default();
    for (name, input, wanted) in cases {
        let spec = all_specs().into_iter().find(|spec| spec.name == name).unwrap();
        let got = schemas.check(name, &spec.input_schema, &input).err().unwrap_or_default();
        assert_eq!(got.is_empty(), wanted.is_empty(), "{name} {input}: {got}");
        for part in wanted {
            assert!(got.contains(part), "{name} {input}: {got}");
        }
        assert!(got.len() < 1_000, "{got}");
    }
}

#[test]
fn places_inside_the_input_are_named_whole() {
    let schema = json!({
        "type": "object",
        "properties": {"list": {"type": "array", "items": {"type": "object", "required": ["id"]}}},
    });
    let input = json!({"list": [{"id": 1}, {}]});
    let got = Schemas::default().check("t", &schema, &input).unwrap_err();
    assert!(got.contains("`list.1.id` is missing"), "{got}");
}

#[test]
fn a_schema_that_is_none_is_told_and_nothing_is_fetched() {
    for schema in [json!({"type": "wrong"}), json!({"$ref": "https://example.com/s.json"})] {
        let got = Schemas::default().check("t", &schema, &json!({})).unwrap_err();
        assert!(got.contains("the schema of the tool `t` cannot be used"), "{got}");
    }
}

#[test]
fn many_schemas_do_not_stay_in_memory() {
    let schemas = Schemas::default();
    for n in 0..SCHEMAS_MAX + 10 {
        schemas.check("t", &json!({"maxProperties": n}), &json!({})).unwrap();
    }
    assert!(schemas.0.lock().unwrap().len() <= SCHEMAS_MAX);
}

#[test]
fn a_flood_of_unknown_fields_is_told_briefly() {
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let fields = (0..10_000).map(|n| (format!("field {n}"), json!(1)));
    let input = Value::Object(fields.collect());
    let words = Schemas::default().check("t", &schema, &input).unwrap_err();
    assert!(words.len() < 1_000 && words.contains("and 9992 more are not fields"), "{words}");
}
