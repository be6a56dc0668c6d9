//! A house whose model and tool answer at once, so that what is left is our own work.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use engine::Engine;
use engine::circuits::Circuits;
use engine::door::{Owner, Task};
use engine::driver::{Driver, Lease, Rest, Stop};
use engine::ports::{
    Model, ModelCall, ModelError, Reconciled, ToolCall, ToolError, ToolOutput, Toolbox, World,
};
use engine::tap::Tap;
use kernel::agent::{Agent, Effect, EffectRule, Frozen, Limits, ToolSpec};
use kernel::event::Done;
use kernel::json::RawJson;
use kernel::message::{Arguments, Block, Delta, Reply, Request, Stop as Why, ToolUse, Usage};
use kernel::price::{Quote, Rates, Rule};
use kernel::run::{Ended, Phase};
use kernel::units::{Money, SessionId, Tenant, UnixMs};
use kernel::verdict::Examined;

/// What the tool returns unless a figure asks for more: a line or two of a search.
pub(crate) const RESULT_BYTES: usize = 240;

/// What the model says beside its call.
const WORDS: &str = "I look that up, because the question cannot be answered without it.";

/// What the model asks for in this turn: something else each time, as in honest work.
fn arguments(turn: usize) -> String {
    format!(r#"{{"query":"what the {} fox jumps over","limit":10}}"#, word(turn))
}

/// A word of eight letters, another one for each number.
fn word(number: usize) -> String {
    let mixed = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed.to_be_bytes().iter().map(|byte| char::from(b'a' + byte % 26)).collect()
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be built")
}

/// A house on a store in this folder.
pub(crate) fn engine(folder: &Path, model: Arc<Instantly>) -> Engine {
    engine_with(folder, model, RESULT_BYTES)
}

/// The same with a tool that returns so much.
pub(crate) fn engine_with(folder: &Path, model: Arc<Instantly>, result_bytes: usize) -> Engine {
    let store = stores::sqlite::Sqlite::open(folder.join("bench.db"), Default::default())
        .expect("a store can be opened in a fresh folder");
    let tap = Tap::default();
    Engine {
        policy: Arc::new(engine::memory::Permissive),
        store: Arc::new(store),
        dispatch: Arc::new(engine::memory::Nudges::default()),
        model,
        toolbox: Arc::new(Lookup(words(result_bytes))),
        world: Arc::new(Machine),
        plans: Arc::default(),
        subscriptions: Arc::default(),
        redact: engine::memory::plain(),
        circuits: Circuits::new(tap.clone()),
        tap,
    }
}

/// An agent that looks something up at each turn, under a money cap.
pub(crate) fn agent(turns: u32) -> Frozen {
    let look = ToolSpec {
        name: "look".to_owned(),
        description: "Looks something up.".to_owned(),
        input_schema: serde_json::json!({"type": "object"}),
        effect: EffectRule::Always(Effect::Read),
        deadline_ms: 10_000,
        output_bytes_max: 16_384,
        untrusted: false,
        sensitive: false,
    };
    Agent {
        agent_id: "bench".to_owned(),
        model: "instantly".to_owned(),
        system_prompt: "You look things up.".to_owned(),
        tools: vec![look],
        max_tokens: 1_000,
        temperature: None,
        limits: Limits { turns_max: turns + 2, ..Limits::default() },
        task_cap: Some(Money(1_000 * Money::PER_USD)),
        output_schema: None,
    }
    .freeze()
}

/// Opens a session with a task.
pub(crate) async fn open(engine: &Engine, agent: &Frozen) -> SessionId {
    let owner = Owner {
        tenant: tenant(),
        user: "bench".to_owned(),
        labels: Default::default(),
        workdir: Some("/".to_owned()),
        scope: Default::default(),
    };
    let task = Task { done: Some(Done::Answer), ..Task::of("look up many things") };
    engine.start(&owner, agent, task).await.expect("a fresh store takes a session")
}

/// Drives a session to its end.
pub(crate) async fn finish(engine: &Engine, session: SessionId) {
    let lease = Lease::claim(engine, &tenant(), session, "bench", None).await;
    let lease = lease.expect("nobody else claims a session of the bench");
    let driver = Driver::load(engine.clone(), lease, Stop::default()).await;
    let mut driver = driver.expect("the session was just written");
    assert_eq!(driver.run().await.expect("the store works"), Rest::Nothing);
    // A run that stopped early would make every figure look better than it is.
    let ended = driver.state().run.as_ref().map(|run| &run.phase);
    assert!(matches!(ended, Some(Phase::Over(Ended::Finished(_)))), "it stands at {ended:?}");
    driver.release().await.expect("the store works");
}

pub(crate) fn tenant() -> Tenant {
    Tenant("bench".to_owned())
}

/// A model that answers at once: a call each turn, and words after the last one.
pub(crate) struct Instantly {
    turns: u32,
    /// Answers given.
    pub(crate) answers: AtomicU64,
    /// When each call came, where somebody wants to know.
    pub(crate) calls: Option<std::sync::Mutex<Vec<Instant>>>,
    /// How long each answer takes.
    pub(crate) wait: std::time::Duration,
}

impl Instantly {
    pub(crate) fn new(turns: u32) -> Self {
        Instantly {
            turns,
            answers: AtomicU64::new(0),
            calls: None,
            wait: std::time::Duration::ZERO,
        }
    }

    fn reply(&self, request: &Request) -> Reply {
        let turn = request.messages.len() / 2;
        let mut content = vec![Block::text(WORDS)];
        let calls = turn < self.turns as usize;
        if calls {
            let raw = RawJson::parse(arguments(turn)).expect("the words need no escapes");
            content.push(Block::ToolUse(ToolUse {
                id: format!("toolu_{turn:022}"),
                name: "look".to_owned(),
                arguments: Arguments::Json(raw),
                extra: Default::default(),
            }));
        }
        let usage = Usage { input: 100 + 150 * turn as u64, output: 40, ..Usage::default() };
        Reply {
            content,
            stop: if calls { Why::ToolUse } else { Why::EndTurn },
            usage: Some(usage),
            model: None,
            fallback: None,
            id: None,
            extra: Default::default(),
        }
    }
}

#[async_trait]
impl Model for Instantly {
    async fn call(
        &self,
        call: &ModelCall,
        _watch: &(dyn Fn(Delta) + Send + Sync),
    ) -> Result<Reply, ModelError> {
        if let Some(calls) = &self.calls {
            calls.lock().expect("no holder panics").push(Instant::now());
        }
        if !self.wait.is_zero() {
            tokio::time::sleep(self.wait).await;
        }
        self.answers.fetch_add(1, Ordering::Relaxed);
        Ok(self.reply(&call.request))
    }

    fn quote(&self, _model: &str, _now: UnixMs) -> Option<Quote> {
        let rates = Rates {
            input: 2_000,
            output: 10_000,
            cache_write_5m: 2_500,
            cache_write_1h: 4_000,
            cache_read: 200,
        };
        Some(Quote::of("bench", Rule::flat(rates)))
    }
}

/// Plain words of this length.
fn words(bytes: usize) -> String {
    "The quick brown fox jumps over the lazy dog. ".chars().cycle().take(bytes).collect()
}

/// A tool that answers at once.
pub(crate) struct Lookup(String);

#[async_trait]
impl Toolbox for Lookup {
    fn specs(&self) -> Vec<ToolSpec> {
        Vec::new()
    }

    async fn examine(&self, _call: &ToolCall) -> Examined {
        Examined::nothing()
    }

    async fn run(&self, call: &ToolCall) -> Result<ToolOutput, ToolError> {
        let asked = call.arguments.value();
        let query = asked["query"].as_str().unwrap_or_default();
        Ok(ToolOutput::ok(format!("{query}: {}", &self.0[query.len() + 2..])))
    }

    async fn reconcile(&self, _call: &ToolCall) -> Reconciled {
        Reconciled::NotDone
    }
}

/// The real clock.
pub(crate) struct Machine;

impl World for Machine {
    fn now(&self) -> UnixMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn session_id(&self) -> SessionId {
        SessionId(uuid::Uuid::now_v7())
    }

    fn chance(&self) -> u64 {
        7
    }
}
