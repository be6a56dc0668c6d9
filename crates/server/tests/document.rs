//! The OpenAPI document: what it must say of every operation, and a golden copy, so that a
//! change of the API is seen by whoever reads the change.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

const GOLDEN: &str = "tests/openapi.json";

fn document() -> Value {
    serde_json::to_value(server::document()).expect("a document is JSON")
}

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().expect("it has paths");
    let of = |(path, item)| {
        let verbs: &serde_json::Map<String, Value> = Value::as_object(item).expect("verbs");
        let path: &String = path;
        verbs.iter().map(move |(verb, operation)| (format!("{verb} {path}"), operation))
    };
    paths.iter().flat_map(of).collect()
}

#[test]
fn every_operation_says_what_it_does_and_how_it_is_refused() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let operations = operations(&document);
    assert!(operations.len() > 20, "{} operations", operations.len());
    let mut ids = BTreeSet::new();
    for (name, operation) in operations {
        let id = operation["operationId"].as_str().unwrap_or_default();
        assert!(ids.insert(id), "{name}: two operations are called `{id}`");
        for (status, response) in operation["responses"].as_object().expect("it has responses") {
            assert!(response["description"].is_string(), "{name}: {status} says nothing");
        }
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty() && !summary.ends_with('.'), "{name}: `{summary}`");
        let probe = operation["tags"][0] == "health";
        let refusal = &operation["responses"]["4XX"]["content"]["application/problem+json"];
        assert!(probe || refusal["schema"].is_object(), "{name} has no refusal");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let required = parameter["in"] == "path";
            assert_eq!(parameter["required"] == true, required, "{name}: {parameter}");
        }
    }
}

#[test]
fn the_document_is_the_golden_one() {
    let found = serde_json::to_string_pretty(&document()).expect("a document is JSON") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &found).expect("the golden copy can be written");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == golden, "the API has changed: look at it, and run this with BLESS=1");
}
