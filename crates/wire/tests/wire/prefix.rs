//! L32: what is sent turn after turn keeps a byte-identical prefix.

use kernel::message::{Block, Message, Request, Role, ToolChoice};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;
use wire::openai::Dialect;
use wire::{anthropic, openai};

use crate::histories::{history, request};

const MARK: &str = r#","cache_control":{"type":"ephemeral"}"#;

type Writer = fn(&Request) -> String;

/// The bytes up to the end of the last message's content, without the marks that move.
/// A later message of the same speaker goes on there.
fn beginning(written: &str) -> String {
    let end = written.rfind(r#"],"max_"#).unwrap();
    let messages = &written[..end];
    let open = messages.strip_suffix("]}").or_else(|| messages.strip_suffix("\"}"));
    open.unwrap().replace(MARK, "")
}

proptest! {
    #[test]
    fn l32_a_turns_bytes_are_the_beginning_of_the_next_ones(exchanges in history()) {
        let writers: [(&str, Writer); 3] = [
            ("anthropic", |request| anthropic::write_request(request, true)),
            ("openai", |request| openai::write_request(request, true)),
            ("compatible", |r| openai::write_request_in(Dialect::Compatible, r, true)),
        ];
        for (name, write) in writers {
            for end in 1..exchanges.len() {
                let mut before = request(exchanges[..end].concat(), "be brief", 1);
                // What may change from turn to turn comes after the messages.
                before.max_tokens = 77;
                before.tool_choice = ToolChoice::Off;
                let after = request(exchanges[..=end].concat(), "be brief", 1);
                let before = beginning(&write(&before));
                let after = write(&after).replace(MARK, "");
                prop_assert!(after.starts_with(&before), "{}\n{}\n{}", name, before, after);
            }
        }
    }
}

fn talk(turns: usize) -> Vec<Arc<Message>> {
    let said = |at| {
        let answer = Message::of(Role::Assistant, vec![Block::text("yes")]);
        [Message::user(format!("q{at}")), answer].map(Arc::new)
    };
    let mut messages: Vec<_> = (0..turns).flat_map(said).collect();
    messages.pop();
    messages
}

/// The places of all marks, as JSON pointers.
fn marks(value: &Value, at: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(n, v)| (n.to_string(), v)).collect(),
        Value::Object(fields) => fields.iter().map(|(n, v)| (n.clone(), v)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (name, value) in inner {
        if name == "cache_control" {
            found.push(at.to_owned());
        }
        marks(value, &format!("{at}/{name}"), found);
    }
}

fn marked(request: &Request) -> Vec<String> {
    let written = serde_json::from_str(&anthropic::write_request(request, false)).unwrap();
    let mut found = Vec::new();
    marks(&written, "", &mut found);
    found
}

#[test]
fn l32_marks_stand_at_the_system_prompt_and_at_the_last_two_user_turns() {
    let places = marked(&request(talk(3), "be brief", 2));
    assert_eq!(places, ["/system/0", "/messages/2/content/0", "/messages/4/content/0"]);
    let without_system = marked(&request(talk(1), "", 2));
    assert_eq!(without_system, ["/tools/1", "/messages/0/content/0"]);
}

#[test]
fn a_clients_own_marks_are_the_only_ones() {
    let mut own = request(talk(3), "be brief", 2);
    let mark = json!({"anthropic": {"cache_control": {"type": "ephemeral", "ttl": "1h"}}});
    let first = Block::Text { text: "q0".to_owned(), extra: mark.as_object().unwrap().clone() };
    own.messages[0] = Arc::new(Message::of(Role::User, vec![first]));
    assert_eq!(marked(&own), ["/messages/0/content/0"]);
    let mut automatic = request(talk(3), "be brief", 2);
    automatic.extra = mark.as_object().unwrap().clone();
    assert_eq!(marked(&automatic), [""]);
}

#[test]
fn the_bytes_of_a_request_are_these() {
    let written = anthropic::write_request(&request(talk(2), "be brief", 1), true);
    let mark = r#""cache_control":{"type":"ephemeral"}"#;
    let expected = [
        r#"{"model":"m","tools":[{"name":"tool_0","description":"does it","#,
        r#""input_schema":{"type":"object","properties":{}}}],"#,
        &format!(r#""system":[{{"type":"text","text":"be brief",{mark}}}],"#),
        &format!(
            r#""messages":[{{"role":"user","content":[{{"type":"text","text":"q0",{mark}}}]}},"#
        ),
        r#"{"role":"assistant","content":[{"type":"text","text":"yes"}]},"#,
        &format!(r#"{{"role":"user","content":[{{"type":"text","text":"q1",{mark}}}]}}],"#),
        r#""max_tokens":1024,"stream":true}"#,
    ];
    assert_eq!(written, expected.concat());
}
