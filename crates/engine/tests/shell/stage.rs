//! The stage: everything around the shell, scripted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use engine::Engine;
use engine::circuits::Circuits;
use engine::door::{Owner, Task};
use engine::driver::{Driver, Lease, Stop};
use engine::memory::{Memory, Nudges};
use engine::ports::{
    Model, ModelCall, ModelError, Reconciled, ToolCall, ToolError, ToolOutput, Toolbox, World,
};
use engine::tap::Tap;
use kernel::agent::{Agent, Effect, EffectRule, Limits, ToolSpec};
use kernel::breaker::loops::Settings;
use kernel::event::{Done, Fact, FaultClass, SessionScope};
use kernel::ledger::{Allowance, Scope};
use kernel::message::{Arguments, Block, Delta, Reply, Stop as Why, ToolUse, Usage};
use kernel::price::{Quote, Rates, Rule};
use kernel::run::State;
use kernel::units::{Money, SessionId, Tenant, UnixMs};
use kernel::verdict::Examined;
use tokio::time::Instant;
use uuid::Uuid;

use crate::front::Front;

/// What the model does in one call: wait so many milliseconds, then say this.
pub(crate) type Line = (u64, Result<Reply, ModelError>);

pub(crate) struct Stage {
    pub(crate) engine: Engine,
    pub(crate) front: Arc<Front>,
    pub(crate) model: Arc<Script>,
    pub(crate) tools: Arc<Hands>,
    pub(crate) tenant: Tenant,
}

impl Stage {
    /// The model says these lines, and `done` after them.
    pub(crate) fn new(lines: impl IntoIterator<Item = Line>) -> Self {
        let front = Arc::new(Front::new(Arc::new(Memory::new())));
        let model = Arc::new(Script {
            lines: Mutex::new(lines.into_iter().collect()),
            calls: AtomicU64::new(0),
            crashes: AtomicBool::new(false),
            unpriced: AtomicBool::new(false),
        });
        let tools = Arc::new(Hands::default());
        let tap = Tap::default();
        let engine = Engine {
            policy: Arc::new(engine::memory::Permissive),
            store: Arc::clone(&front) as Arc<_>,
            dispatch: Arc::new(Nudges::new()),
            model: Arc::clone(&model) as Arc<_>,
            toolbox: Arc::clone(&tools) as Arc<_>,
            world: Arc::new(Clock { began: Instant::now(), ids: AtomicU64::new(0) }),
            plans: Arc::default(),
            subscriptions: Arc::default(),
            redact: engine::memory::plain(),
            circuits: Circuits::new(tap.clone()),
            tap,
        };
        Stage { engine, front, model, tools, tenant: Tenant("t".to_owned()) }
    }

    /// Sets the cap of a shared scope.
    pub(crate) async fn raise(&self, scope: &Scope, cap: Allowance) -> Vec<SessionId> {
        let who = self.owner().principal();
        self.engine
            .set_cap(&who, &SessionScope::default(), scope, Some(cap))
            .await
            .expect("policies let")
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner {
            tenant: self.tenant.clone(),
            user: "u".to_owned(),
            labels: Default::default(),
            workdir: None,
            scope: Default::default(),
        }
    }

    pub(crate) async fn open(&self) -> SessionId {
        let owner = self.owner();
        let task = Task { done: Some(Done::Answer), ..Task::of("go") };
        self.engine.start(&owner, &agent().freeze(), task).await.expect("the store takes it")
    }

    pub(crate) async fn driver(&self, session: SessionId, stop: &Stop) -> Driver {
        let lease = self.claim(session).await.expect("nobody holds it");
        Driver::load(self.engine.clone(), lease, stop.clone()).await.expect("it loads")
    }

    pub(crate) async fn claim(
        &self,
        session: SessionId,
    ) -> Result<Lease, engine::ports::StoreError> {
        Lease::claim(&self.engine, &self.tenant, session, "me", None).await
    }

    pub(crate) async fn state(&self, session: SessionId) -> State {
        self.engine.state(&self.tenant, session).await.expect("the log is whole")
    }

    /// The names of the facts, without the opening and the start.
    pub(crate) async fn facts(&self, session: SessionId) -> Vec<Fact> {
        let log = self.engine.log(&self.tenant, session).await.expect("the log is whole");
        log.into_iter().skip(2).map(|sealed| sealed.event.fact).collect()
    }

    pub(crate) async fn names(&self, session: SessionId) -> Vec<&'static str> {
        self.facts(session).await.iter().map(Fact::name).collect()
    }
}

pub(crate) async fn sleep(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

pub(crate) fn says(wait_ms: u64, text: &str) -> Line {
    (wait_ms, Ok(reply(vec![Block::text(text)], Why::EndTurn)))
}

pub(crate) fn calls(wait_ms: u64, names: &[&str]) -> Line {
    let calls = names.iter().map(|name| call(name, "{}"));
    (wait_ms, Ok(reply(calls.collect(), Why::ToolUse)))
}

/// One call with these arguments.
pub(crate) fn with(wait_ms: u64, name: &str, arguments: &str) -> Line {
    (wait_ms, Ok(reply(vec![call(name, arguments)], Why::ToolUse)))
}

fn call(name: &str, arguments: &str) -> Block {
    Block::ToolUse(ToolUse {
        id: String::new(),
        name: name.to_owned(),
        arguments: Arguments::from_text(arguments),
        extra: Default::default(),
    })
}

pub(crate) fn fails(class: FaultClass) -> Line {
    (0, Err(ModelError::free(class, "no")))
}

fn reply(content: Vec<Block>, stop: Why) -> Reply {
    let usage = Some(Usage { input: 10, output: 1, ..Usage::default() });
    Reply { content, stop, usage, model: None, fallback: None, id: None, extra: Default::default() }
}

pub(crate) fn tool(name: &str, effect: Effect) -> ToolSpec {
    ToolSpec {
        name: name.to_owned(),
        description: "a tool on the stage".to_owned(),
        input_schema: serde_json::json!({"type": "object"}),
        effect: EffectRule::Always(effect),
        deadline_ms: 40_000,
        output_bytes_max: 100,
        untrusted: false,
        sensitive: false,
    }
}

pub(crate) fn agent() -> Agent {
    Agent {
        agent_id: "a".to_owned(),
        model: "scripted".to_owned(),
        system_prompt: "You are on a stage.".to_owned(),
        tools: vec![tool("look", Effect::Read), tool("pay", Effect::Effect)],
        max_tokens: 1_000,
        temperature: None,
        // The plays on this stage repeat themselves on purpose.
        limits: Limits {
            turns_max: 200,
            loops: Settings { enabled: false, ..Settings::default() },
            ..Limits::default()
        },
        task_cap: Some(Money(Money::PER_USD)),
        output_schema: None,
    }
}

/// A model that follows a script.
pub(crate) struct Script {
    lines: Mutex<VecDeque<Line>>,
    pub(crate) calls: AtomicU64,
    /// Whether the next quote is a bug.
    pub(crate) crashes: AtomicBool,
    /// Whether nobody knows its price.
    pub(crate) unpriced: AtomicBool,
}

#[async_trait]
impl Model for Script {
    async fn call(
        &self,
        _call: &ModelCall,
        _watch: &(dyn Fn(Delta) + Send + Sync),
    ) -> Result<Reply, ModelError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let line = self.lines.lock().expect("nobody panics here").pop_front();
        let (wait_ms, said) = line.unwrap_or_else(|| says(0, "done"));
        sleep(wait_ms).await;
        said
    }

    fn quote(&self, _model: &str, _now: UnixMs) -> Option<Quote> {
        if self.crashes.swap(false, Ordering::Relaxed) {
            std::panic::resume_unwind(Box::new("a bug"));
        }
        if self.unpriced.load(Ordering::Relaxed) {
            return None;
        }
        let rates =
            Rates { input: 2, output: 10, cache_write_5m: 3, cache_write_1h: 4, cache_read: 1 };
        Some(Quote::of("1", Rule::flat(rates)))
    }
}

/// Tools that take `wait_ms`, and count what really happened at the end of that.
#[derive(Default)]
pub(crate) struct Hands {
    pub(crate) wait_ms: AtomicU64,
    /// Whether what `look` depends on is out.
    pub(crate) out: AtomicBool,
    /// Whether `look` finds nothing.
    pub(crate) blind: AtomicBool,
    done: Mutex<BTreeMap<String, u64>>,
}

impl Hands {
    /// How often anything was done, by key.
    pub(crate) fn done(&self) -> Vec<u64> {
        self.done.lock().expect("nobody panics here").values().copied().collect()
    }
}

#[async_trait]
impl Toolbox for Hands {
    fn specs(&self) -> Vec<ToolSpec> {
        Vec::new()
    }

    async fn examine(&self, _call: &ToolCall) -> Examined {
        Examined::nothing()
    }

    async fn run(&self, call: &ToolCall) -> Result<ToolOutput, ToolError> {
        sleep(self.wait_ms.load(Ordering::Relaxed)).await;
        *self.done.lock().expect("nobody panics here").entry(call.key.clone()).or_default() += 1;
        match call.spec.name.as_str() {
            "look" if self.out.load(Ordering::Relaxed) => {
                Err(ToolError::Unavailable("the service cannot be reached".to_owned()))
            }
            "look" if self.blind.load(Ordering::Relaxed) => Ok(ToolOutput::error("no such file")),
            "crash" => std::panic::resume_unwind(Box::new("a bug")),
            "refuse" => Ok(ToolOutput::error("no")),
            "forget" => Err(ToolError::OutcomeUnknown("nobody knows".to_owned())),
            "long" => Ok(ToolOutput::ok("ä".repeat(80))),
            _ => Ok(ToolOutput::ok("fine")),
        }
    }

    async fn reconcile(&self, call: &ToolCall) -> Reconciled {
        match self.done.lock().expect("nobody panics here").get(&call.key) {
            Some(_) => Reconciled::Done(ToolOutput::ok("it was done")),
            None => Reconciled::NotDone,
        }
    }
}

struct Clock {
    began: Instant,
    ids: AtomicU64,
}

impl World for Clock {
    fn now(&self) -> UnixMs {
        UnixMs(1_000_000)
            .plus_ms(u64::try_from(self.began.elapsed().as_millis()).expect("a short test"))
    }

    fn session_id(&self) -> SessionId {
        SessionId(Uuid::from_u128(u128::from(self.ids.fetch_add(1, Ordering::Relaxed)) + 1))
    }

    fn chance(&self) -> u64 {
        u64::MAX / 2
    }
}
