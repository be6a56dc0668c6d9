//! The sign that a task is done. Running it only checks the input; the kernel ends the
//! run when the call succeeds.

use kernel::agent::{END_TASK, Effect, EffectRule, ToolSpec};
use serde_json::{Value, json};

/// Where the result stands in the input.
const PLACE: &str = "#/properties/result";

/// `end_task` for an agent with this output schema: the result must satisfy it. Without
/// one, the result is a text.
#[must_use]
pub fn end_task_spec(output_schema: Option<&Value>) -> ToolSpec {
    let result = match output_schema {
        Some(schema) => moved(schema),
        None => json!({
            "type": "string",
            "description": "The final answer, complete in itself: it is all that the person gets.",
        }),
    };
    let mut input_schema = super::object(&["result"], json!({ "result": result }));
    if let Some(dialect) = output_schema.and_then(|schema| schema.get("$schema")) {
        input_schema["$schema"] = dialect.clone();
    }
    ToolSpec {
        name: END_TASK.to_owned(),
        description: "Ends the task and hands over its result. Call it once, alone, when \
                      everything asked for is done or certainly cannot be done."
            .to_owned(),
        input_schema,
        effect: EffectRule::Always(Effect::Read),
        deadline_ms: 5_000,
        output_bytes_max: 16_384,
        untrusted: false,
        sensitive: false,
    }
}

/// The schema at its new place: references to itself follow it there.
fn moved(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(object) = &mut schema {
        object.remove("$schema");
        if object.contains_key("$id") {
            return schema; // its references are relative to its own name
        }
    }
    lead_to_place(&mut schema);
    schema
}

fn lead_to_place(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            for (key, value) in object {
                match (key.as_str(), &mut *value) {
                    ("$ref", Value::String(target))
                        if target == "#" || target.starts_with("#/") =>
                    {
                        target.replace_range(..1, PLACE);
                    }
                    // What stands here is data and no schema.
                    ("const" | "enum" | "default" | "examples", _) => {}
                    (_, inner) => lead_to_place(inner),
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

    #[test]
    fn a_result_is_checked_against_the_output_schema_wherever_its_references_lead() {
        let tree = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$defs": {"name": {"type": "string", "minLength": 1}},
            "type": "object",
            "properties": {
                "name": {"$ref": "#/$defs/name"},
                "children": {"type": "array", "items": {"$ref": "#"}},
                "tag": {"const": {"$ref": "#"}},
            },
            "required": ["name"],
        });
        let cases = [
            (json!({"result": {"name": "a", "children": [{"name": "b"}]}}), true),
            (json!({"result": {"name": "a", "children": [{"name": ""}]}}), false),
            (json!({"result": {"name": "a", "tag": {"$ref": "#"}}}), true),
            (json!({"result": {}}), false),
            (json!({"name": "a"}), false),
            (json!({"result": {"name": "a"}, "more": 1}), false),
        ];
        let spec = end_task_spec(Some(&tree));
        let validator = jsonschema::validator_for(&spec.input_schema).unwrap();
        for (input, fits) in cases {
            assert_eq!(validator.is_valid(&input), fits, "{input}");
        }
    }

    #[test]
    fn without_an_output_schema_the_result_is_a_text() {
        let validator = jsonschema::validator_for(&end_task_spec(None).input_schema).unwrap();
        assert!(validator.is_valid(&json!({"result": "done"})));
        assert!(!validator.is_valid(&json!({"result": 4})));
        assert!(!validator.is_valid(&json!({})));
    }
}
