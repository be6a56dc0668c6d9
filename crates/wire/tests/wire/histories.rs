//! Generated histories and replies: what the kernel may hand in, a vendor accepts, and
//! what we write, we read again.

use std::sync::Arc;

use kernel::json::{Extra, RawJson};
use kernel::message::{
    Arguments, Block, Message, Reply, Request, Role, Stop, ToolChoice, ToolDecl, ToolResult,
    ToolUse, Usage,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use wire::openai::Dialect;
use wire::rules::{check_anthropic, check_openai};
use wire::sse::Frame;
use wire::{anthropic, openai};

use crate::replies::head_of;

fn raw(value: &Value) -> RawJson {
    RawJson::of(value)
}

/// Words as people and models write them: sometimes none, sometimes only white space.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just(" \n".to_owned()), "[a-zü \"\\\\\n]{1,40}x"]
}

fn some_words() -> impl Strategy<Value = String> {
    "[a-zü \"\\\\\n]{0,60}x"
}

fn text(words: impl Strategy<Value = String>) -> impl Strategy<Value = Block> {
    words.prop_map(Block::text)
}

fn thinking() -> impl Strategy<Value = Block> {
    let signed = some_words().prop_map(
        |thought| json!({"type": "thinking", "thinking": thought, "signature": "c2lnbmVk"}),
    );
    let redacted = Just(json!({"type": "redacted_thinking", "data": "ZGF0YQ=="}));
    prop_oneof![signed, redacted].prop_map(|block| Block::Thinking { raw: raw(&block) })
}

/// Blocks that only their own vendor may see.
fn foreign() -> impl Strategy<Value = Block> {
    prop_oneof![
        Just(json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search",
            "input": {"query": "x"}})),
        Just(json!({"type": "openai.message", "body": {"reasoning_content": "hm"}})),
        Just(json!({"type": "anthropic.message", "body": {"name": "x"}})),
    ]
    .prop_map(|block| Block::Opaque { raw: raw(&block) })
}

fn arguments() -> impl Strategy<Value = Arguments> {
    prop_oneof![
        Just(Arguments::from_text("{}")),
        some_words().prop_map(|path| Arguments::from_text(&json!({"path": path}).to_string())),
        Just(Arguments::from_text("{ \"n\" : 1.50, \"n2\": 12345678901234567890123 }")),
        Just(Arguments::from_text("{\"path\": \"a")),
        Just(Arguments::from_text("[1]")),
    ]
}

/// Calls of one answer: ids unique there and there only, names of any kind.
fn calls() -> impl Strategy<Value = Vec<Block>> {
    let names = prop_oneof![Just("read"), Just("no such/tool"), Just(""), Just("über")];
    let ids = proptest::sample::subsequence(vec!["call_0", "call_1", "a:b.c", "a/b.c", "x"], 0..5);
    (ids, proptest::collection::vec((names, arguments()), 5)).prop_map(|(ids, calls)| {
        let call = |(id, (name, arguments)): (&str, (&str, Arguments))| {
            Block::ToolUse(ToolUse {
                id: id.to_owned(),
                name: name.to_owned(),
                arguments,
                extra: Extra::new(),
            })
        };
        ids.into_iter().zip(calls).map(call).collect()
    })
}

fn answer() -> impl Strategy<Value = Vec<Block>> {
    let said = prop_oneof![text(words()), thinking(), foreign()];
    (proptest::collection::vec(said, 0..4), calls())
        .prop_map(|(said, calls)| [said, calls].concat())
}

fn is_seal(block: &Block) -> bool {
    matches!(block, Block::Opaque { raw } if raw.text().contains("\"body\""))
}

/// An answer, the results of its calls, and words of the user and the harness, in
/// several messages with the results anywhere among them.
fn exchange() -> impl Strategy<Value = Vec<Message>> {
    let said = proptest::collection::vec(words(), 0..3);
    (answer(), said, any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(mut answer, mut said, at, errors)| {
            // The model goes on by itself only after a pause. Such an answer comes from
            // Anthropic, whose answers have no fields of ours to seal.
            match said.is_empty() {
                true => answer.retain(|block| !is_seal(block)),
                false => said.push("[harness] Go on.".to_owned()),
            }
            let results = answer.iter().filter_map(|block| match block {
                Block::ToolUse(call) => Some(ToolResult {
                    id: call.id.clone(),
                    content: if errors { String::new() } else { "done".to_owned() },
                    is_error: errors,
                    extra: Extra::new(),
                }),
                Block::Text { .. }
                | Block::Thinking { .. }
                | Block::ToolResult(_)
                | Block::Opaque { .. } => None,
            });
            let results =
                results.map(|result| Message::of(Role::User, vec![Block::ToolResult(result)]));
            let results: Vec<Message> = results.collect();
            let mut after: Vec<Message> = said.into_iter().map(Message::user).collect();
            let at = at.index(after.len() + 1);
            after.splice(at..at, results);
            let answer = Message::of(Role::Assistant, answer);
            std::iter::once(answer).chain(after).collect()
        },
    )
}

/// Exchanges after a task. The first message always has words.
pub(crate) fn history() -> impl Strategy<Value = Vec<Vec<Arc<Message>>>> {
    (some_words(), proptest::collection::vec(exchange(), 0..5)).prop_map(|(task, exchanges)| {
        let task = vec![Arc::new(Message::user(task))];
        let exchanges = exchanges.into_iter().map(|ex| ex.into_iter().map(Arc::new).collect());
        std::iter::once(task).chain(exchanges).collect()
    })
}

pub(crate) fn request(messages: Vec<Arc<Message>>, system: &str, tools: usize) -> Request {
    let tool = |at| ToolDecl {
        name: format!("tool_{at}"),
        description: "does it".to_owned(),
        input_schema: json!({"type": "object", "properties": {}}),
        extra: Extra::new(),
    };
    Request {
        model: "m".to_owned(),
        system: system.into(),
        tools: (0..tools).map(tool).collect(),
        tool_choice: if tools == 2 { ToolChoice::Off } else { ToolChoice::Auto },
        messages,
        max_tokens: 1024,
        temperature: None,
        stop_sequences: Vec::new(),
        extra: Extra::new(),
    }
}

fn usage() -> impl Strategy<Value = Usage> {
    (0u64..1000, 0u64..1000, 0u64..1000).prop_map(|(input, output, cache_read)| Usage {
        input,
        output,
        cache_read,
        ..Usage::default()
    })
}

/// A reply that a vendor can express. Anthropic: any order of blocks.
fn anthropic_reply() -> impl Strategy<Value = Reply> {
    let opaque = json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search",
        "input": {"query": "x"}});
    let said =
        prop_oneof![text(some_words()), thinking(), Just(Block::Opaque { raw: raw(&opaque) }),];
    let stop = prop_oneof![
        Just(Stop::EndTurn),
        Just(Stop::PauseTurn),
        Just(Stop::ContextWindow),
        Just(Stop::Other("compaction".to_owned())),
    ];
    let details = json!({"anthropic": {"stop_details": {"type": "refusal"}}});
    (proptest::collection::vec(said, 0..4), calls(), stop, usage(), any::<bool>()).prop_map(
        move |(said, calls, stop, usage, long)| Reply {
            content: [said, calls].concat(),
            stop,
            usage: Some(Usage { cache_write_1h: u64::from(long) * 7, web_searches: 1, ..usage }),
            model: Some("claude".to_owned()),
            fallback: None,
            id: Some("msg_1".to_owned()),
            extra: if long { details.as_object().unwrap().clone() } else { Extra::new() },
        },
    )
}

fn openai_reply() -> impl Strategy<Value = Reply> {
    let text = proptest::option::of(text(some_words()));
    let seal = json!({"type": "openai.message", "body": {"reasoning_content": "hm"}});
    let seal = proptest::option::of(Just(Block::Opaque { raw: raw(&seal) }));
    (text, calls(), seal, usage(), any::<bool>()).prop_map(|(text, calls, seal, usage, told)| {
        let stop = if calls.is_empty() { Stop::EndTurn } else { Stop::ToolUse };
        let content = text.into_iter().chain(calls).chain(seal);
        Reply {
            content: content.collect(),
            stop,
            usage: told.then_some(usage),
            model: Some("gpt".to_owned()),
            fallback: None,
            id: Some("chatcmpl-1".to_owned()),
            extra: Extra::new(),
        }
    })
}

macro_rules! read_stream {
    ($vendor:ident, $frames:expr) => {{
        let mut reader = $vendor::StreamReader::new();
        for frame in $frames {
            reader.push(&frame).unwrap();
        }
        assert!(reader.done());
        reader.finish().unwrap()
    }};
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn l4_every_history_keeps_the_rules_of_every_vendor(
        exchanges in history(),
        system in words(),
        tools in 0usize..3,
    ) {
        for end in 1..=exchanges.len() {
            let request = request(exchanges[..end].concat(), &system, tools);
            let tree = |text: String| serde_json::from_str::<Value>(&text).unwrap();
            let written = tree(anthropic::write_request(&request, true));
            prop_assert_eq!(check_anthropic(&written), vec![], "{}", written);
            for dialect in [Dialect::OpenAi, Dialect::Compatible] {
                let written = tree(openai::write_request_in(dialect, &request, true));
                prop_assert_eq!(check_openai(&written), vec![], "{}", written);
            }
        }
    }

    #[test]
    fn anthropic_replies_survive_writing(reply in anthropic_reply()) {
        let head = head_of(&reply);
        let frames: Vec<Frame> = anthropic::write_stream(&reply, &head, false);
        prop_assert_eq!(&read_stream!(anthropic, frames), &reply);
        let whole = anthropic::write_reply(&reply, &head);
        prop_assert_eq!(anthropic::read_reply(whole.as_bytes()).unwrap(), reply);
    }

    #[test]
    fn openai_replies_survive_writing(reply in openai_reply()) {
        let head = head_of(&reply);
        let frames: Vec<Frame> = openai::write_stream(&reply, &head, true);
        prop_assert_eq!(&read_stream!(openai, frames), &reply);
        let whole = openai::write_reply(&reply, &head);
        prop_assert_eq!(openai::read_reply(whole.as_bytes()).unwrap(), reply.clone());
        let frames: Vec<Frame> = openai::write_stream(&reply, &head, false);
        prop_assert_eq!(read_stream!(openai, frames), Reply { usage: None, ..reply });
    }
}
