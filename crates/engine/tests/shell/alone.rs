//! One tool call by itself: every way in which it may end.

use std::sync::atomic::Ordering;

use engine::call_alone;
use engine::ports::ToolCall;
use kernel::agent::{Effect, ToolSpec};
use kernel::event::Outcome;
use kernel::json::RawJson;
use kernel::units::{SessionId, Tenant};

use crate::stage::{Hands, tool};

#[tokio::test(start_paused = true)]
async fn every_end_of_a_call_is_told_in_words() {
    let cases = [
        ("look", Effect::Read, 0, Outcome::Ok, "fine"),
        ("refuse", Effect::Read, 0, Outcome::Error, "no"),
        ("forget", Effect::Effect, 0, Outcome::OutcomeUnknown, "nobody knows"),
        ("crash", Effect::Read, 0, Outcome::Error, "the tool crashed"),
        ("crash", Effect::Effect, 0, Outcome::Ok, "it was done"),
        ("look", Effect::Read, 99_000, Outcome::Error, "no result within 40000 ms"),
        ("pay", Effect::Effect, 99_000, Outcome::Error, "no result within 40000 ms"),
        ("long", Effect::Read, 0, Outcome::Ok, "[cut here: 60 more bytes."),
    ];
    for (name, effect, wait_ms, outcome, words) in cases {
        let hands = Hands::default();
        hands.wait_ms.store(wait_ms, Ordering::Relaxed);
        let call = ToolCall {
            tenant: Tenant("t".to_owned()),
            session: SessionId(uuid::Uuid::nil()),
            spec: ToolSpec { ..tool(name, effect) },
            arguments: RawJson::of(&serde_json::json!({})),
            workdir: None,
            key: "k".to_owned(),
        };
        let (ended, content) = call_alone(&hands, &call).await;
        assert_eq!(ended, outcome, "{name}, {effect:?}: {content}");
        assert!(content.contains(words), "{name}, {effect:?}: {content}");
    }
}
