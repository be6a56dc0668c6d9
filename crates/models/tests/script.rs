//! Scripts: what is played, what is said at their end, and how mistakes are told.

use std::sync::Arc;

use kernel::json::Extra;
use kernel::message::{
    Arguments, Block, Message, Reply, Request, Role, Stop, ToolChoice, ToolDecl, ToolResult,
    ToolUse, text_of,
};
use models::simulated::Brain;
use models::simulated::script::Script;

fn request(messages: Vec<Arc<Message>>, tools: &[&str]) -> Request {
    let decl = |name: &&str| ToolDecl {
        name: (*name).to_owned(),
        description: String::new(),
        input_schema: serde_json::json!({"type": "object"}),
        extra: Extra::new(),
    };
    Request {
        model: "script".to_owned(),
        system: Arc::from(""),
        tools: tools.iter().map(decl).collect(),
        tool_choice: ToolChoice::Auto,
        messages,
        max_tokens: 100,
        temperature: None,
        stop_sequences: Vec::new(),
        extra: Extra::new(),
    }
}

fn said(reply: &Reply) -> Arc<Message> {
    Arc::new(Message::of(Role::Assistant, reply.content.clone()))
}

fn calls(reply: &Reply) -> Vec<&ToolUse> {
    let mut calls = Vec::new();
    for block in &reply.content {
        if let Block::ToolUse(call) = block {
            calls.push(call);
        }
    }
    calls
}

/// The answers to every call of a reply, all of them the same text.
fn results(reply: &Reply, text: &str) -> Arc<Message> {
    let result = |call: &ToolUse| {
        Block::ToolResult(ToolResult {
            id: call.id.clone(),
            content: text.to_owned(),
            is_error: false,
            extra: Extra::new(),
        })
    };
    Arc::new(Message::of(Role::User, calls(reply).into_iter().map(result).collect()))
}

const SIX_TURNS: &str = r#"
turns:
  - text: I look first.
    thinking: What is there?
    tools:
      - name: notes
        input: {action: list}
      - {name: calculator, id: mine, input: {expression: 1+1}}
  - expect: "2"
    tools: [{name: end_task, input: {result: 2}}]
    usage: {input: 10, output: 5, cache_read: 7}
  - either:
      - when: plum
        text: A plum.
      - text: No plum.
    repeat: 2
  - text: cut
    stop: max_tokens
  - tools: [{name: calculator, input: '{"expression": '}]
"#;

#[test]
fn a_script_is_played_turn_by_turn_through_two_runs() {
    let script = Script::read(SIX_TURNS).unwrap();
    assert_eq!(script.turns(), 6);
    let mut messages = vec![Arc::new(Message::user("go"))];
    let play = |messages: &[Arc<Message>]| script.reply(&request(messages.to_vec(), &[]));

    let first = play(&messages);
    assert_eq!(text_of(&first.content), "I look first.");
    assert!(matches!(first.content[0], Block::Thinking { .. }));
    let ids: Vec<&str> = calls(&first).iter().map(|call| call.id.as_str()).collect();
    assert_eq!(ids, ["script_1_1", "mine"]);
    assert_eq!(calls(&first)[1].arguments.text(), r#"{"expression":"1+1"}"#);
    assert_eq!((first.stop.clone(), first.usage), (Stop::ToolUse, None));

    messages.extend([said(&first), results(&first, "it is 2")]);
    let second = play(&messages);
    assert_eq!(calls(&second)[0].name, "end_task");
    let usage = second.usage.unwrap();
    assert_eq!((usage.input, usage.output, usage.cache_read), (10, 5, 7));

    // A second run in the same session goes on with the next turn.
    messages.extend([said(&second), results(&second, "done"), Arc::new(Message::user("a plum?"))]);
    let third = play(&messages);
    assert_eq!(text_of(&third.content), "A plum.");

    messages.extend([said(&third), Arc::new(Message::user("a pear?"))]);
    let fourth = play(&messages);
    assert_eq!(
        (text_of(&fourth.content).as_str(), fourth.stop.clone()),
        ("No plum.", Stop::EndTurn)
    );

    messages.extend([said(&fourth), Arc::new(Message::user("go on"))]);
    let fifth = play(&messages);
    assert_eq!(fifth.stop, Stop::MaxTokens);

    messages.extend([said(&fifth), Arc::new(Message::user("go on"))]);
    let sixth = play(&messages);
    assert!(
        matches!(&calls(&sixth)[0].arguments, Arguments::Malformed(text) if text == "{\"expression\": ")
    );
    assert_eq!(play(&messages), sixth, "the same history gets the same answer");
}

#[test]
fn past_its_end_a_script_says_so_and_ends_the_task() {
    let script = Script::read("turns: [{text: only}]").unwrap();
    let first = script.reply(&request(vec![Arc::new(Message::user("go"))], &[]));
    let messages =
        vec![Arc::new(Message::user("go")), said(&first), Arc::new(Message::user("more"))];

    let without = script.reply(&request(messages.clone(), &["calculator"]));
    assert_eq!(
        text_of(&without.content),
        "The script has ended: it has 1 turns, and this is turn 2."
    );
    assert_eq!(without.stop, Stop::EndTurn);

    let with = script.reply(&request(messages, &["end_task"]));
    assert_eq!(calls(&with)[0].name, "end_task");
    assert_eq!(with.stop, Stop::ToolUse);
}

#[test]
fn a_deviation_is_told_and_stays_one() {
    let script = Script::read(SIX_TURNS).unwrap();
    let mut messages = vec![Arc::new(Message::user("go"))];
    let first = script.reply(&request(messages.clone(), &[]));
    messages.extend([said(&first), results(&first, "it is 3")]);
    for _ in 0..3 {
        let reply = script.reply(&request(messages.clone(), &["end_task"]));
        let told = text_of(&reply.content);
        assert!(
            told.starts_with(
                "The run left the script: turn 2 expects the tool results to hold `2`"
            ),
            "{told}"
        );
        assert!(told.contains("it is 3"), "{told}");
        assert!(calls(&reply).is_empty(), "a deviation ends no task");
        messages.extend([said(&reply), Arc::new(Message::user("go on"))]);
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    let cases = include_str!("script/mistakes.txt");
    let body = cases.split_once("\n\n").expect("cases stand below the remark").1;
    for case in body.split("====\n") {
        let (yaml, expected) = case.split_once("----\n").expect("a case has a mistake");
        let found = Script::read(yaml).expect_err(yaml).to_string();
        assert!(
            found.starts_with(expected.trim_end()),
            "{yaml}\nexpected {expected}found    {found}"
        );
    }
}

#[test]
fn hostile_scripts_are_refused() {
    let bomb = "a: &a [x, x, x, x, x, x, x, x]\n".to_owned()
        + &(b'b'..=b'k')
            .map(|c| {
                format!(
                    "{0}: &{0} [*{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}, *{1}]\n",
                    c as char,
                    (c - 1) as char
                )
            })
            .collect::<String>();
    let deep = format!("turns: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let long = format!("turns: [{{text: {}}}]", "a".repeat(5 * 1024 * 1024));
    for (name, yaml) in
        [("aliases", bomb), ("depth", deep), ("length", long), ("nothing", String::new())]
    {
        assert!(Script::read(&yaml).is_err(), "{name}");
    }
}

#[test]
fn the_documents_example_is_a_script() {
    let document = include_str!("../../../docs/simulated-models.md");
    let examples: Vec<&str> =
        document.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        let script = Script::read(example).unwrap_or_else(|mistake| panic!("{mistake}\n{example}"));
        assert!(script.turns() > 0);
    }
}
