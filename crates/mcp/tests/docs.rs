//! The page for users tells the truth: its examples load, its defaults are the code's.

use std::collections::BTreeMap;

use mcp::{ServerSettings, Servers};
use serde::Deserialize;
use serde_json::Value;

const PAGE: &str = include_str!("../../../docs/mcp.md");

#[derive(Deserialize)]
struct Example {
    mcp_servers: Servers,
}

#[test]
fn examples_load_without_a_mistake() {
    let blocks: Vec<&str> =
        PAGE.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let example: Example = serde_saphyr::from_str(block).unwrap();
        assert_eq!(example.mcp_servers.mistakes(), [], "{block}");
    }
}

#[test]
fn every_key_is_told_with_its_default() {
    let mut code = BTreeMap::new();
    flatten("", &serde_json::to_value(ServerSettings::default()).unwrap(), &mut code);
    let mut told = BTreeMap::new();
    let rows = PAGE.lines().skip_while(|line| !line.starts_with("| Key")).skip(2);
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for key in cells[1].split(", ") {
            told.insert(key.trim_matches('`').to_owned(), cells[2].to_owned());
        }
    }
    assert_eq!(told.keys().collect::<Vec<_>>(), code.keys().collect::<Vec<_>>());
    for (key, value) in code {
        // A list, a map or nothing: the page says in words what that means.
        if !value.is_empty() {
            assert_eq!(told[&key], value, "{key}");
        }
    }
}

fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                flatten(&format!("{path}{dot}{key}"), value, into);
            }
        }
        Value::Null | Value::Array(_) | Value::Object(_) => {
            into.insert(path.to_owned(), String::new());
        }
        Value::String(text) => {
            into.insert(path.to_owned(), text.clone());
        }
        Value::Bool(_) | Value::Number(_) => {
            into.insert(path.to_owned(), value.to_string());
        }
    }
}
