//! Answers and tasks that no honest model or person gives. They must neither panic nor
//! leave a log that cannot be read, or a conversation that providers reject for ever.

use kernel::agent::Limits;
use kernel::event::Done;
use kernel::json::{Extra, RawJson};
use kernel::message::{Arguments, Block, Reply, Stop, ToolResult, ToolUse, Usage};
use kernel::run::{Command, Owed, Refusal};
use serde_json::{Value, json};

use crate::world::{By, World, agent, quote};

fn opened() -> World {
    let mut world = World::new(agent(Limits::default()), Some(quote(100, 1_000)));
    world.open();
    world
}

fn start(input: Vec<Block>) -> Command {
    Command::Start { input, done: Done::Answer, cap: None, turns_max: None }
}

/// A world in which the model gave this answer.
fn answered(content: Vec<Block>, extra: Extra) -> World {
    let mut world = opened();
    world.step(start(vec![Block::text("Go on")]), By::Owner).unwrap();
    let usage = Some(Usage { input: 900, output: 9, ..Usage::default() });
    let reply =
        Reply { content, stop: Stop::ToolUse, usage, model: None, fallback: None, id: None, extra };
    world.step(Command::Replied(reply), By::Owner).unwrap();
    world.check_log();
    world
}

fn call(id: &str, arguments: Arguments, extra: Extra) -> Block {
    Block::ToolUse(ToolUse { id: id.to_owned(), name: "pay".to_owned(), arguments, extra })
}

fn result() -> Block {
    let (id, content) = ("nobody".to_owned(), "paid".to_owned());
    Block::ToolResult(ToolResult { id, content, is_error: false, extra: Extra::new() })
}

fn nested(levels: usize) -> Extra {
    let value = (0..levels).fold(Value::Null, |inner, _| json!([inner]));
    Extra::from_iter([("deep".to_owned(), value), ("plain".to_owned(), json!({"a": [1]}))])
}

#[test]
fn fields_too_deep_to_be_read_back_are_dropped() {
    let none = Arguments::from_text("");
    for levels in [0, 1, 63, 64, 65, 120, 127] {
        let text = Block::Text { text: "words".to_owned(), extra: nested(levels) };
        let world = answered(vec![text, call("a", none.clone(), nested(levels))], nested(levels));
        let body = &world.log[3].body;
        let kept = body.matches("\"deep\"").count();
        assert_eq!(kept, if levels <= 64 { 3 } else { 0 }, "{levels} levels");
        assert_eq!(body.matches("\"plain\"").count(), 3, "other fields stay");
    }
}

#[test]
fn a_model_cannot_answer_its_own_calls() {
    let world = answered(vec![result(), Block::text("I paid.")], Extra::new());
    assert_eq!(world.state.history().len(), 2);
    assert_eq!(world.state.history()[1].content, vec![Block::text("I paid.")]);
}

#[test]
fn arguments_that_are_no_object_are_answered_and_not_run() {
    for text in ["[1]", "\"pay\"", "7", "null"] {
        let raw = Arguments::Json(RawJson::parse(text).unwrap());
        let world = answered(vec![call("a", raw, Extra::new())], Extra::new());
        assert!(matches!(world.owed(), Owed::Model(_)), "{text} was run");
    }
}

#[test]
fn calls_without_end_are_cut() {
    let calls = (0..50_000).map(|place| {
        call(&format!("id{}", place % 7), Arguments::Malformed("{".repeat(9)), Extra::new())
    });
    let world = answered(calls.collect(), Extra::new());
    assert!(world.log.len() < 300, "{} events", world.log.len());
}

#[test]
fn a_task_is_what_a_user_can_say() {
    let mut world = opened();
    let opaque = Block::Opaque { raw: RawJson::parse(r#"{"type":"image"}"#).unwrap() };
    let none = Arguments::from_text("");
    let input = vec![
        result(),
        Block::text("\n"),
        Block::Text { text: "Look".to_owned(), extra: nested(127) },
        call("a", none, Extra::new()),
        opaque.clone(),
    ];
    world.step(start(input), By::Owner).unwrap();
    world.check_log();
    let said = &world.state.history()[0].content;
    assert_eq!(said.len(), 2);
    assert_eq!(said[1], opaque);
    let mut empty = opened();
    assert_eq!(empty.step(start(vec![opaque, result()]), By::Owner), Err(Refusal::EmptyTask));
}

#[test]
fn a_session_opens_with_its_own_agent_only() {
    let mut world = World::new(agent(Limits::default()), None);
    let mut opening = world.opening();
    opening.agent = kernel::units::ContentHash([7; 32]);
    assert_eq!(world.step(Command::Open(opening), By::Owner), Err(Refusal::NotOpen));
    world.open();
    let again = world.opening();
    assert_eq!(world.step(Command::Open(again), By::Owner), Err(Refusal::NotOpen));
}

/// A picture named by its address is short and is read as thousands of tokens.
#[test]
fn a_hold_covers_what_is_longer_than_it_looks() {
    let mut plain = opened();
    plain.step(start(vec![Block::text("Look")]), By::Owner).unwrap();
    let mut picture = opened();
    let raw = RawJson::parse(r#"{"type":"image","source":{"type":"url","url":"x"}}"#).unwrap();
    picture.step(start(vec![Block::text("Look"), Block::Opaque { raw }]), By::Owner).unwrap();
    let more = picture.state.held().less(plain.state.held()).money;
    assert!(more.0 >= 8_192 * 125, "only {more} more is held");
}
