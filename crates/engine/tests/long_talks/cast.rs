//! Who plays: a model that counts what it is sent at four bytes for a token and refuses
//! what passes its window, and tools with long results.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

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
use kernel::agent::{Agent, Effect, EffectRule, Frozen, Limits, MORE, ToolSpec, Window};
use kernel::event::{Done, FaultClass, Purpose, SUMMARY_REQUEST, Sealed};
use kernel::json::RawJson;
use kernel::message::{
    Arguments, Block, Delta, Message, Reply, Request, Role, Stop as Why, ToolUse, Usage,
};
use kernel::price::{Quote, Rates, Rule};
use kernel::run::{Calling, State};
use kernel::units::{Epoch, Money, SessionId, Tenant, UnixMs};
use kernel::verdict::Examined;
use serde_json::Value;
use uuid::Uuid;

/// What every thought begins with.
pub(crate) const SIGNED: &str = r#"{"signature":"c2ln","#;

/// What the model does.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// Reads a long thing in each turn.
    Reads { turns: u32, bytes: usize },
    /// Thinks and says much in each turn, and reads short things.
    Thinks { turns: u32 },
    /// Reads long things until the first one is cleared, and reads that one again.
    LooksBack,
}

/// One call as it was sent.
pub(crate) struct Sent {
    pub(crate) request: Arc<Request>,
    pub(crate) purpose: Purpose,
    pub(crate) tokens: u64,
}

pub(crate) struct Cast {
    engine: Engine,
    brain: Arc<Brain>,
    window: u64,
    takeovers: bool,
}

impl Cast {
    pub(crate) fn new(way: Way, window: u64) -> Self {
        let brain = Arc::new(Brain { way, window, sent: Mutex::default(), stop: Mutex::default() });
        let tap = Tap::default();
        let engine = Engine {
            policy: Arc::new(engine::memory::Permissive),
            store: Arc::new(Memory::new()),
            dispatch: Arc::new(Nudges::new()),
            model: Arc::clone(&brain) as Arc<_>,
            toolbox: Arc::new(Shelf { way }),
            world: Arc::new(Clock(AtomicU64::new(1))),
            plans: Arc::default(),
            subscriptions: Arc::default(),
            redact: engine::memory::plain(),
            circuits: Circuits::new(tap.clone()),
            tap,
        };
        Cast { engine, brain, window, takeovers: false }
    }

    pub(crate) fn with_a_new_owner_each_turn(self) -> Self {
        Cast { takeovers: true, ..self }
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut *self.brain.sent.lock().unwrap())
    }

    pub(crate) fn agent(&self) -> Frozen {
        agent(self.window).freeze()
    }

    /// Plays the run to its end.
    pub(crate) async fn played(&self) -> (State, Vec<Sealed>) {
        let tenant = Tenant("t".to_owned());
        let owner = Owner {
            tenant: tenant.clone(),
            user: "u".to_owned(),
            labels: Default::default(),
            workdir: None,
            scope: Default::default(),
        };
        let task = Task { done: Some(Done::Answer), ..Task::of("read all of it") };
        let session = self.engine.start(&owner, &self.agent(), task).await.unwrap();
        loop {
            let stop = Stop::default();
            *self.brain.stop.lock().unwrap() = self.takeovers.then(|| stop.clone());
            let lease = Lease::claim(&self.engine, &tenant, session, "me", None).await.unwrap();
            let mut driver = Driver::load(self.engine.clone(), lease, stop).await.unwrap();
            driver.run().await.unwrap();
            driver.release().await.unwrap();
            let state = self.engine.state(&tenant, session).await.unwrap();
            let run = state.run.as_ref().unwrap();
            if self.takeovers && run.parked.is_some() {
                self.engine.wake(&tenant, session, "test", None, None).await.unwrap();
                continue;
            }
            return (state, self.engine.log(&tenant, session).await.unwrap());
        }
    }
}

/// A call that nobody makes, to see what it would send.
pub(crate) fn calling() -> Calling {
    Calling {
        epoch: Epoch(1),
        turn: 1,
        max_tokens: 100,
        hold: Money::ZERO,
        tokens: 0,
        tools_off: false,
        purpose: Purpose::Answer,
    }
}

/// Both vendors accept it.
pub(crate) fn accepted(request: &Request) {
    let tree = |text: String| -> Value { serde_json::from_str(&text).unwrap() };
    let anthropic = tree(wire::anthropic::write_request(request, true));
    assert_eq!(wire::rules::check_anthropic(&anthropic), [], "{anthropic}");
    let openai = tree(wire::openai::write_request(request, true));
    assert_eq!(wire::rules::check_openai(&openai), [], "{openai}");
}

fn agent(window: u64) -> Agent {
    let tool = |name: &str| ToolSpec {
        name: name.to_owned(),
        description: "reads".to_owned(),
        input_schema: serde_json::json!({"type": "object"}),
        effect: EffectRule::Always(Effect::Read),
        deadline_ms: 1_000,
        output_bytes_max: 50_000,
        untrusted: false,
        sensitive: false,
    };
    Agent {
        agent_id: "reader".to_owned(),
        model: "m".to_owned(),
        system_prompt: "You read.".to_owned(),
        tools: vec![tool("read"), tool(MORE)],
        max_tokens: 2_000,
        temperature: None,
        limits: Limits {
            turns_max: 1_000,
            window: Window { tokens_max: Some(window), ..Window::default() },
            ..Limits::default()
        },
        task_cap: None,
        output_schema: None,
    }
}

struct Brain {
    way: Way,
    window: u64,
    sent: Mutex<Vec<Sent>>,
    /// Asked to stop after each answer, where every turn has another owner.
    stop: Mutex<Option<Stop>>,
}

fn tokens(request: &Request) -> u64 {
    wire::anthropic::write_request(request, true).len() as u64 / 4
}

impl Brain {
    fn answer(&self, request: &Request) -> Vec<Block> {
        let turn =
            self.sent.lock().unwrap().iter().filter(|s| s.purpose == Purpose::Answer).count();
        let turn = u32::try_from(turn).unwrap();
        let call = |name: &str, arguments: String| {
            Block::ToolUse(ToolUse {
                id: format!("call-{turn}"),
                name: name.to_owned(),
                arguments: Arguments::from_text(&arguments),
                extra: Default::default(),
            })
        };
        let read = || call("read", format!(r#"{{"page":{turn}}}"#));
        match self.way {
            Way::Reads { turns, .. } if turn > turns => vec![Block::text("all is read")],
            Way::Thinks { turns } if turn > turns => vec![Block::text("all is thought")],
            Way::Reads { .. } => vec![read()],
            Way::Thinks { .. } => {
                let thought = format!(r#"{SIGNED}"thinking":"{turn}","type":"thinking"}}"#);
                let raw = RawJson::parse(&thought).unwrap();
                let words = format!("About page {turn}: {}", "word ".repeat(150));
                vec![Block::Thinking { raw }, Block::text(words), read()]
            }
            Way::LooksBack => match cleared(&request.messages) {
                Looked::Nothing => vec![read()],
                Looked::Cleared(input) => vec![call(MORE, input)],
                Looked::Read => vec![Block::text("I have read it again")],
            },
        }
    }
}

enum Looked {
    Nothing,
    Cleared(String),
    Read,
}

/// Whether a result was cleared, and how to read it.
fn cleared(messages: &[Arc<Message>]) -> Looked {
    let blocks = || messages.iter().flat_map(|message| &message.content);
    if blocks().any(|block| matches!(block, Block::ToolUse(call) if call.name == MORE)) {
        return Looked::Read;
    }
    let handle = blocks().find_map(|block| {
        let Block::ToolResult(result) = block else { return None };
        let content = result.content.strip_prefix("[cleared")?;
        Some(content[content.find('{')?..=content.rfind('}')?].to_owned())
    });
    handle.map_or(Looked::Nothing, Looked::Cleared)
}

#[async_trait]
impl Model for Brain {
    async fn call(
        &self,
        call: &ModelCall,
        _watch: &(dyn Fn(Delta) + Send + Sync),
    ) -> Result<Reply, ModelError> {
        let request = Arc::clone(&call.request);
        let last = request.messages.last().unwrap();
        assert_eq!(last.role, Role::User);
        let asks = last.content.last() == Some(&Block::text(SUMMARY_REQUEST));
        let purpose = if asks { Purpose::Summary } else { Purpose::Answer };
        let tokens = tokens(&request);
        self.sent.lock().unwrap().push(Sent { request: Arc::clone(&request), purpose, tokens });
        if tokens + u64::from(request.max_tokens) > self.window {
            return Err(ModelError::free(FaultClass::TooLarge, "prompt is too long"));
        }
        let content = match purpose {
            Purpose::Answer => self.answer(&request),
            Purpose::Summary => vec![Block::text("I read and thought. ".repeat(20))],
        };
        let calls = content.iter().any(|block| matches!(block, Block::ToolUse(_)));
        let output = content.iter().map(|block| format!("{block:?}").len() as u64 / 4).sum();
        if let Some(stop) = &*self.stop.lock().unwrap() {
            stop.soon.cancel();
        }
        Ok(Reply {
            content,
            stop: if calls { Why::ToolUse } else { Why::EndTurn },
            usage: Some(Usage { input: tokens, output, ..Usage::default() }),
            model: None,
            fallback: None,
            id: None,
            extra: Default::default(),
        })
    }

    fn quote(&self, _model: &str, _now: UnixMs) -> Option<Quote> {
        let rates =
            Rates { input: 2, output: 10, cache_write_5m: 3, cache_write_1h: 4, cache_read: 1 };
        Some(Quote::of("1", Rule::flat(rates)))
    }
}

struct Shelf {
    way: Way,
}

#[async_trait]
impl Toolbox for Shelf {
    fn specs(&self) -> Vec<ToolSpec> {
        Vec::new()
    }

    async fn examine(&self, _call: &ToolCall) -> Examined {
        Examined::nothing()
    }

    async fn run(&self, call: &ToolCall) -> Result<ToolOutput, ToolError> {
        let bytes = match self.way {
            Way::Reads { bytes, .. } => bytes,
            Way::Thinks { .. } => 100,
            Way::LooksBack => 2_000,
        };
        let page = call.arguments.text();
        let line = format!("{page} says something; ");
        Ok(ToolOutput::ok(line.repeat(bytes / line.len())))
    }

    async fn reconcile(&self, _call: &ToolCall) -> Reconciled {
        Reconciled::NotDone
    }
}

struct Clock(AtomicU64);

impl World for Clock {
    fn now(&self) -> UnixMs {
        UnixMs(1_000_000 + self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn session_id(&self) -> SessionId {
        SessionId(Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed))))
    }

    fn chance(&self) -> u64 {
        7
    }
}
