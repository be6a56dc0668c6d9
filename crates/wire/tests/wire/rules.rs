//! The rules against tables of requests: each broken in one way, with what is found.

use serde_json::{Value, json};
use wire::rules::{Violation, check_anthropic, check_openai};

use crate::golden;

fn check(vendor: &str, rules: impl Fn(&Value) -> Vec<Violation>) {
    let cases = std::fs::read(golden::path(&format!("rules/{vendor}.json"))).unwrap();
    let cases: Vec<Value> = serde_json::from_slice(&cases).unwrap();
    let told: Vec<Value> = cases
        .iter()
        .map(|case| {
            let mut request = json!({"model": "m", "max_tokens": 10, "messages": [
                {"role": "user", "content": "hi"},
            ]});
            for (name, value) in case["request"].as_object().unwrap() {
                request[name] = value.clone();
            }
            let found: Vec<String> = rules(&request).iter().map(ToString::to_string).collect();
            assert_eq!(found.is_empty(), case["good"] == true, "{}: {found:?}", case["case"]);
            json!({"case": case["case"], "found": found})
        })
        .collect();
    golden::check(&format!("rules/{vendor}.out.json"), &told);
}

#[test]
fn anthropic_rules_find_what_is_broken() {
    check("anthropic", check_anthropic);
}

#[test]
fn openai_rules_find_what_is_broken() {
    check("openai", check_openai);
}

/// What the goldens write is what the rules accept.
#[test]
fn every_golden_request_keeps_the_rules() {
    for vendor in ["anthropic", "openai"] {
        let folder = format!("requests/{vendor}");
        for (name, _) in golden::inputs(&folder, ".json") {
            for (to, rules) in [
                ("anthropic", check_anthropic as fn(&Value) -> Vec<Violation>),
                ("openai", check_openai),
                ("compatible", check_openai),
            ] {
                let file = golden::path(&format!("{folder}/{name}.to-{to}.json"));
                let written = std::fs::read(file).unwrap();
                let found = rules(&serde_json::from_slice(&written).unwrap());
                assert_eq!(found, [], "{vendor} {name} to {to}");
            }
        }
    }
}
