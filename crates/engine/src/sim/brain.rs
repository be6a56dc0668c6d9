//! A model that says anything a model may say, and fails in every way a provider may.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kernel::agent::{DELEGATE, END_TASK};
use kernel::event::{FaultClass, ModelFault};
use kernel::json::RawJson;
use kernel::message::{Arguments, Block, Delta, Reply, Request, Stop, ToolUse, Usage};
use kernel::price::{Quote, Rates, Rule, Spent};
use kernel::units::UnixMs;

use super::crash::Crash;
use crate::ports::{Model, ModelCall, ModelError};

pub(super) struct Brain {
    inner: Mutex<Inner>,
    crash: Arc<Crash>,
}

struct Inner {
    chance: fastrand::Rng,
    calls: u64,
}

const FAULTS: [FaultClass; 12] = [
    FaultClass::RateLimited,
    FaultClass::Overloaded,
    FaultClass::Server,
    FaultClass::Network,
    FaultClass::Timeout,
    FaultClass::Cut,
    FaultClass::Malformed,
    FaultClass::Auth,
    FaultClass::Billing,
    FaultClass::UnknownModel,
    FaultClass::InvalidRequest,
    FaultClass::TooLarge,
];

impl Brain {
    pub(super) fn new(chance: fastrand::Rng, crash: Arc<Crash>) -> Self {
        Brain { inner: Mutex::new(Inner { chance, calls: 0 }), crash }
    }

    pub(super) fn calls(&self) -> u64 {
        self.lock().calls
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("INVARIANT: no holder panics")
    }
}

#[async_trait]
impl Model for Brain {
    async fn call(
        &self,
        call: &ModelCall,
        watch: &(dyn Fn(Delta) + Send + Sync),
    ) -> Result<Reply, ModelError> {
        self.crash.point().await;
        let (luck, wait_ms) = {
            let mut inner = self.lock();
            inner.calls += 1;
            (inner.chance.u32(0..100), inner.chance.u64(0..3_000))
        };
        let forever_ms = 3_600_000;
        tokio::time::sleep(Duration::from_millis(if luck == 0 { forever_ms } else { wait_ms }))
            .await;
        if luck == 1 {
            // As a panic, but without its words on the screen.
            std::panic::resume_unwind(Box::new("the simulation says so"));
        }
        watch(Delta::Text("…".to_owned()));
        let answer = answer(&mut self.lock().chance, &call.request);
        self.crash.point().await;
        answer
    }

    fn quote(&self, _model: &str, _now: UnixMs) -> Option<Quote> {
        let rates =
            Rates { input: 2, output: 10, cache_write_5m: 3, cache_write_1h: 4, cache_read: 1 };
        Some(Quote::of("sim", Rule::flat(rates)))
    }
}

fn answer(chance: &mut fastrand::Rng, request: &Request) -> Result<Reply, ModelError> {
    if chance.u32(0..10) == 0 {
        return Err(fault(chance));
    }
    let mut content = Vec::new();
    if chance.u32(0..5) == 0 {
        let raw = RawJson::of(&serde_json::json!({
            "type": "thinking", "thinking": "hm", "signature": "c2ln"
        }));
        content.push(Block::Thinking { raw });
    }
    if chance.bool() {
        content.push(Block::text(if chance.u32(0..8) == 0 { " " } else { "so" }));
    }
    let calls = if chance.u32(0..3) == 0 { 0 } else { chance.u32(1..7) };
    for place in 0..calls {
        content.push(Block::ToolUse(wish(chance, place, request)));
    }
    let stop = if calls > 0 { Stop::ToolUse } else { stop(chance) };
    Ok(Reply {
        content,
        stop,
        usage: (chance.u32(0..10) > 0).then(|| usage(chance, request)),
        model: None,
        fallback: None,
        id: None,
        extra: Default::default(),
    })
}

fn stop(chance: &mut fastrand::Rng) -> Stop {
    match chance.u32(0..12) {
        0 => Stop::MaxTokens,
        1 => Stop::PauseTurn,
        2 => Stop::Refusal,
        3 => Stop::ContextWindow,
        4 => Stop::Other("whim".to_owned()),
        5 => Stop::StopSequence,
        _ => Stop::EndTurn,
    }
}

fn wish(chance: &mut fastrand::Rng, place: u32, request: &Request) -> ToolUse {
    if request.tools.iter().any(|tool| tool.name == DELEGATE) && chance.u32(0..3) == 0 {
        return delegation(chance, place);
    }
    let names = ["look", "look", "put", "pay", "pay", END_TASK, "more", "nothing"];
    let name = names[chance.usize(0..names.len())].to_owned();
    let arguments = match chance.u32(0..10) {
        0 => Arguments::from_text("{\"half"),
        1 => Arguments::from_text(""),
        _ => Arguments::from_text(handle(request).unwrap_or(r#"{"result": 1, "handle": "00"}"#)),
    };
    let id = match chance.u32(0..4) {
        0 => String::new(),
        1 => "same".to_owned(),
        _ => format!("{place}-{}", chance.u64(..)),
    };
    ToolUse { id, name, arguments, extra: Default::default() }
}

/// A wish for a child, lawful or not.
fn delegation(chance: &mut fastrand::Rng, place: u32) -> ToolUse {
    let wishes = [
        r#"{"task": "a part"}"#,
        r#"{"task": "a part", "turns": 2}"#,
        r#"{"task": "a part", "children": 1, "turns": 4}"#,
        r#"{"task": "a part", "children": 2}"#,
        r#"{"task": "a part", "tools": ["look", "pay"], "budget_usd": 0.0005}"#,
        r#"{"task": "a part", "budget_usd": "0.000000001"}"#,
        r#"{"task": "a part", "tools": ["nothing"]}"#,
    ];
    let arguments = Arguments::from_text(wishes[chance.usize(0..wishes.len())]);
    let id = format!("child-{place}-{}", chance.u64(..));
    ToolUse { id, name: DELEGATE.to_owned(), arguments, extra: Default::default() }
}

/// What the last cut result says to send to read on.
fn handle(request: &Request) -> Option<&str> {
    let blocks = request.messages.iter().rev().flat_map(|message| message.content.iter().rev());
    let results = blocks.filter_map(|block| match block {
        Block::ToolResult(result) => Some(result.content.as_str()),
        Block::Text { .. } | Block::Thinking { .. } | Block::ToolUse(_) | Block::Opaque { .. } => {
            None
        }
    });
    results.take(16).find_map(|content| {
        let from = &content[content.find(r#"{"handle""#)?..];
        Some(&from[..=from.find('}')?])
    })
}

/// No more input than the request can hold: a token is at least a byte of text.
fn usage(chance: &mut fastrand::Rng, request: &Request) -> Usage {
    let bytes: usize = request.messages.iter().map(|message| message.text().len()).sum();
    let most = bytes as u64 + request.system.len() as u64 + 1;
    Usage {
        input: chance.u64(0..most),
        output: chance.u64(0..=u64::from(request.max_tokens)),
        ..Usage::default()
    }
}

fn fault(chance: &mut fastrand::Rng) -> ModelError {
    let class = FAULTS[chance.usize(0..FAULTS.len())];
    let spent = match chance.u32(0..4) {
        0 => Spent::Nothing,
        1 => Spent::Told(Usage { input: 10, output: 3, ..Usage::default() }),
        2 => Spent::Estimated(Usage { input: 20, output: 100, ..Usage::default() }),
        _ => Spent::Unknown,
    };
    let retry_after_ms = chance.bool().then(|| chance.u64(0..100_000));
    let message = "the simulation says so".to_owned();
    let fault = ModelFault { class, message, retry_after_ms, request_id: None };
    ModelError { fault, spent, fallback: None }
}
