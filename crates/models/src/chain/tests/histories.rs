//! Conversations of several models: what each is sent, and who is asked first.

use ::wire::rules::check_anthropic;
use kernel::json::RawJson;
use kernel::message::{Arguments, Message, Role, ToolResult, ToolUse};

use super::*;
use crate::testing::request;

fn raw(text: &str) -> RawJson {
    RawJson::parse(text).unwrap()
}

/// An answer with signed reasoning, a pair of the vendor's own tool, words and a call.
fn answer(by: Option<&str>, turn: usize) -> Arc<Message> {
    let who = by.unwrap_or("own");
    let used = format!(
        r#"{{"type":"server_tool_use","id":"srv_{turn}","name":"web_search","input":{{}}}}"#
    );
    let found =
        format!(r#"{{"type":"web_search_tool_result","tool_use_id":"srv_{turn}","content":[]}}"#);
    let thought = format!(r#"{{"type":"thinking","thinking":"hm","signature":"{who}-{turn}"}}"#);
    let call = ToolUse {
        id: format!("call_{turn}"),
        name: "look".to_owned(),
        arguments: Arguments::from_text("{}"),
        extra: Default::default(),
    };
    let content = vec![
        Block::Thinking { raw: raw(&thought) },
        Block::Opaque { raw: raw(&used) },
        Block::Opaque { raw: raw(&found) },
        Block::text(format!("{who} looks")),
        Block::ToolUse(call),
    ];
    let fallback = by.map(str::to_owned);
    Arc::new(Message { role: Role::Assistant, content, fallback })
}

fn result(turn: usize, words: &str) -> Arc<Message> {
    let result = ToolResult {
        id: format!("call_{turn}"),
        content: words.to_owned(),
        is_error: false,
        extra: Default::default(),
    };
    Arc::new(Message::of(Role::User, vec![Block::ToolResult(result)]))
}

/// A conversation in which these spoke, one turn each.
fn talk(speakers: &[Option<&str>], words: &str) -> Request {
    let mut asking = request("own", "go");
    for (turn, by) in speakers.iter().enumerate() {
        asking.messages.push(answer(*by, turn));
        asking.messages.push(result(turn, words));
    }
    asking
}

fn sent_to(asking: &Request, model: &str, name: Option<&str>) -> Arc<Request> {
    history::request_for(&Arc::new(asking.clone()), model, name)
}

#[test]
fn l5_signed_reasoning_goes_back_to_its_model_whole_and_nowhere_else() {
    let asking = talk(&[None, Some("other"), None, Some("third")], "found");
    for (model, name) in [("own", None), ("other", Some("other")), ("third", Some("third"))] {
        let sent = sent_to(&asking, model, name);
        assert_eq!(sent.model, model);
        let body = ::wire::anthropic::write_request(&sent, true);
        for (turn, by) in ["own", "other", "own", "third"].into_iter().enumerate() {
            let own = by == model;
            let signature =
                format!(r#"{{"type":"thinking","thinking":"hm","signature":"{by}-{turn}"}}"#);
            assert_eq!(body.contains(&signature), own, "{model} and turn {turn}: {body}");
            // A pair of the vendor's tool goes or stays as one.
            assert_eq!(body.matches(&format!("srv_{turn}\"")).count(), if own { 2 } else { 0 });
            assert!(body.contains(&format!("{by} looks")), "words stay");
        }
        assert_eq!(body.matches("\"tool_use\"").count(), 4, "calls stay");
        let broken = check_anthropic(&serde_json::from_str(&body).unwrap());
        assert!(broken.is_empty(), "{model}: {broken:?}");
    }
}

#[test]
fn l5_nothing_else_changes_and_an_answer_of_nothing_else_is_left_out() {
    let own = talk(&[None, None], "found");
    let shared = Arc::new(own.clone());
    assert!(Arc::ptr_eq(&shared, &history::request_for(&shared, "own", None)), "not even copied");
    let mut asking = request("own", "go");
    let thought = vec![Block::Thinking { raw: raw(r#"{"type":"thinking"}"#) }];
    asking.messages.push(Arc::new(Message::of(Role::Assistant, thought)));
    asking.messages.push(Arc::new(Message::user("and?")));
    let sent = sent_to(&asking, "other", Some("other"));
    let texts: Vec<String> = sent.messages.iter().map(|message| message.text()).collect();
    assert_eq!(texts, ["go", "and?"]);
}

#[test]
fn l32_what_one_candidate_is_sent_keeps_its_prefix_from_turn_to_turn() {
    let speakers = [None, Some("other"), Some("other"), None, Some("third"), None, Some("other")];
    for (model, name) in [("own", None), ("other", Some("other")), ("third", Some("third"))] {
        let mut before: Option<String> = None;
        for turns in 0..=speakers.len() {
            let sent = sent_to(&talk(&speakers[..turns], "found"), model, name);
            let body = ::wire::openai::write_request(&sent, true);
            // Up to the end of the list of messages: settings come after it.
            let end = body.rfind("],\"max_completion_tokens\"").expect("settings come last");
            let messages = body[..end].to_owned();
            if let Some(before) = &before {
                assert!(messages.starts_with(before.as_str()), "{model} at turn {turns}");
            }
            before = Some(messages);
        }
    }
}

/// The first candidate that is asked.
async fn first_asked(models: &[&'static str], asking: Request) -> usize {
    let stage = Stage::of(models.iter().map(|model| (*model, vec![])), 0);
    let asking = Request { model: models[0].to_owned(), ..asking };
    stage.ask(asking, 60_000).await.unwrap();
    (0..models.len()).find(|place| !stage.begun(*place).is_empty()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_chain_stays_with_a_fallback_while_going_back_into_a_cold_cache_is_dearer() {
    let long = "x".repeat(40_000);
    let by = |times| vec![Some("second"); times];
    // Two dear answers, with much before the last of them and little after it.
    let mut dear_and_warm = talk(&[Some("dear"); 2], &long);
    dear_and_warm.messages.pop();
    dear_and_warm.messages.push(result(1, "found"));
    let dear_and_new = talk(&[Some("dear")], &long);
    let cases: [(&str, [&'static str; 2], Request, usize); 8] = [
        ("the same price", ["first", "second"], talk(&by(1), &long), 1),
        ("dear, and much to read again", ["first", "dear"], dear_and_warm, 1),
        ("dear, and little to read again", ["first", "dear"], dear_and_new, 0),
        ("for a while only", ["first", "second"], talk(&by(8), &long), 0),
        ("back again", ["first", "second"], talk(&[Some("second"), None], &long), 0),
        ("the own model is free", ["free", "second"], talk(&by(2), &long), 0),
        ("nobody knows the prices", ["nobody", "second"], talk(&by(2), &long), 0),
        ("a fallback that is gone", ["first", "second"], talk(&[Some("gone"); 2], &long), 0),
    ];
    for (name, models, asking, expected) in cases {
        assert_eq!(first_asked(&models, asking).await, expected, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_answer_is_continued_by_its_own_model_alone() {
    for (by, place) in [(None, 0), (Some("second"), 1)] {
        let mut asking = talk(&[None, Some("second")], "found");
        asking.messages.push(answer(by, 2));
        assert_eq!(first_asked(&["own", "second"], asking.clone()).await, place);
        let out = vec![(0, Err(fault(FaultClass::Billing, None, Spent::Nothing))); 9];
        let stage = Stage::of([("own", out.clone()), ("second", out)], 0);
        assert!(stage.ask(asking, 60_000).await.is_err());
        assert!(stage.begun(1 - place).is_empty(), "the other was not asked");
        assert_eq!(stage.sent(place).messages.len(), 6);
    }
}
