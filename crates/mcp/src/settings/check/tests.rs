//! Configurations and what is wrong with them, from `tests/settings/cases.jsonl`: a server's
//! settings and the places of the mistakes.

use serde::Deserialize;
use serde_json::Value;

use super::*;

#[derive(Deserialize)]
struct Case {
    /// Default: `srv`.
    name: Option<String>,
    settings: Value,
    /// The places under `mcp_servers.NAME`, or `["unreadable"]`.
    mistakes: Vec<String>,
}

/// Where the mistakes are, without the beginning that all share.
fn places(name: &str, settings: Value) -> Vec<String> {
    let servers = serde_json::json!({ name: settings });
    let Ok(servers) = serde_json::from_value::<Servers>(servers) else {
        return vec!["unreadable".to_owned()];
    };
    let start = format!("mcp_servers.{name}");
    let mistakes = servers.mistakes().into_iter();
    mistakes.map(|mistake| mistake.at.replace(&start, "").replacen('.', "", 1)).collect()
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let cases = include_str!("../../../tests/settings/cases.jsonl");
    let mut right = 0;
    for line in cases.lines() {
        let case: Case = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let name = case.name.as_deref().unwrap_or("srv");
        assert_eq!(places(name, case.settings), case.mistakes, "{line}");
        right += usize::from(case.mistakes.is_empty());
    }
    assert!(right >= 5 && cases.lines().count() >= 40, "too few cases");
}

#[test]
fn a_server_without_mistakes_is_where_it_says() {
    let settings = serde_json::json!({
        "files": {"command": "node", "args": ["x.js"]},
        "web": {"url": "https://mcp.example.com/mcp"},
    });
    let servers: Servers = serde_json::from_value(settings).unwrap();
    let servers = servers.check().unwrap();
    assert!(matches!(&servers["files"].reach, Reach::Stdio { command } if command == "node"));
    assert!(
        matches!(&servers["web"].reach, Reach::Http { url } if url.host_str() == Some("mcp.example.com"))
    );
}
