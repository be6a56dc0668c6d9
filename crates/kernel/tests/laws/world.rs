//! One session with its ledger and a pretend clock, checked after every step.
//!
//! Whatever a test does, these always hold: a refusal changes nothing, the log folds
//! back from its bytes to the same state, the moves add up to what the state says, and
//! after a step by the owner the kernel itself owes nothing more.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::agent::{Agent, DELEGATE, Effect, EffectRule, Frozen, Limits, ToolSpec};
use kernel::event::{FORMAT, Fact, Opening, Parked, Sealed, Stored};
use kernel::ledger::{Amount, Balance, CapReached, MoveKind, Scope, Share};
use kernel::message::{Block, Message, Role};
use kernel::price::{Quote, Rates, Rule};
use kernel::run::{
    Call, Command, Context, Judge, OutOfOrder, Owed, Refusal, State, Stepped, fold, fork, owed,
    step,
};
use kernel::units::{Epoch, Money, SessionId, Tenant, UnixMs};
use kernel::verdict::Judgement;
use uuid::Uuid;

/// A session and the world around it.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) frozen: Frozen,
    pub(crate) state: State,
    pub(crate) log: Vec<Sealed>,
    pub(crate) balances: BTreeMap<Scope, Balance>,
    /// What the spend table says of this session.
    pub(crate) booked: Money,
    pub(crate) now: UnixMs,
    pub(crate) epoch: u64,
    pub(crate) chance: u64,
    pub(crate) quote: Option<Quote>,
    pub(crate) barrier: Option<Parked>,
    /// The shared budgets that the session draws on.
    pub(crate) shares: Vec<Share>,
    pub(crate) out: Vec<OutOfOrder>,
    /// Verdicts on tools; a tool without one is allowed.
    pub(crate) rules: BTreeMap<String, Judgement>,
}

/// Lets every call run.
pub(crate) const ALLOW: Judge<'static> = Judge(&|_, _| Judgement::allow());

/// Who steps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The owner of the lease.
    Owner,
    /// Somebody beside the owner.
    Aside,
}

impl World {
    /// A session of this agent, not yet opened.
    pub(crate) fn new(agent: Agent, quote: Option<Quote>) -> Self {
        let frozen = agent.freeze();
        World {
            state: State::new(session(1), &frozen),
            frozen,
            log: Vec::new(),
            balances: BTreeMap::new(),
            booked: Money::ZERO,
            now: UnixMs(1_000_000),
            epoch: 1,
            chance: 0,
            quote,
            barrier: None,
            shares: Vec::new(),
            out: Vec::new(),
            rules: BTreeMap::new(),
        }
    }

    /// From now on this is the verdict on calls of a tool.
    pub(crate) fn rule(&mut self, tool: &str, judgement: Judgement) {
        self.rules.insert(tool.to_owned(), judgement);
    }

    pub(crate) fn opening(&self) -> Opening {
        Opening {
            tenant: Tenant("acme".to_owned()),
            user: "ann".to_owned(),
            agent: self.frozen.hash,
            agent_id: self.frozen.agent.agent_id.clone(),
            labels: BTreeMap::new(),
            workdir: None,
            scope: None,
            forked_from: None,
            parent: None,
        }
    }

    /// Opens the session.
    pub(crate) fn open(&mut self) {
        self.step(Command::Open(self.opening()), By::Owner).expect("a fresh session opens");
    }

    /// Draws on a shared budget from now on, in the order of the scopes.
    pub(crate) fn share(&mut self, share: Share) {
        self.shares.push(share);
        self.shares.sort_by(|a, b| a.scope.cmp(&b.scope));
    }

    /// Decides, commits, and checks what must always hold. Where a shared scope has no
    /// room, decides again with what it has left, as the shell does.
    pub(crate) fn step(&mut self, command: Command, by: By) -> Result<Stepped, Refusal> {
        let before = self.state.clone();
        let mut full = Vec::new();
        loop {
            let stepped = self.decide(&command, by, &full)?;
            match self.balances_after(&stepped) {
                Ok(balances) => {
                    self.balances = balances;
                    self.take(&stepped);
                    if by == By::Owner {
                        assert_ne!(self.owed(), Owed::Decision, "the kernel goes on by itself");
                    }
                    return Ok(stepped);
                }
                Err(reached) => {
                    assert!(reached.scope.is_shared(), "the kernel keeps the run's own cap");
                    assert!(!full.contains(&reached), "the kernel asks for what is left");
                    self.state = before.clone();
                    full.push(reached);
                }
            }
        }
    }

    fn decide(
        &mut self,
        command: &Command,
        by: By,
        full: &[CapReached],
    ) -> Result<Stepped, Refusal> {
        let rules = &self.rules;
        let judge = |_: &State, call: &Call| {
            rules.get(&call.name).cloned().unwrap_or_else(Judgement::allow)
        };
        let context = Context {
            judge: Judge(&judge),
            now: self.now,
            epoch: (by == By::Owner).then_some(Epoch(self.epoch)),
            quote: self.quote.as_ref(),
            chance: self.chance,
            barrier: self.barrier.as_ref(),
            held_back: false,
            shares: &self.shares,
            full,
            out: &self.out,
        };
        let before = self.state.clone();
        let stepped = step(&mut self.state, command.clone(), &context);
        match &stepped {
            Err(_) => assert_same(&before, &self.state, "a refusal changes nothing"),
            Ok(stepped) => {
                let mut again = before;
                let twice =
                    step(&mut again, command.clone(), &context).expect("it was lawful before");
                assert_eq!(&twice, stepped, "the same command brings the same bytes");
            }
        }
        stepped
    }

    fn balances_after(&self, stepped: &Stepped) -> Result<BTreeMap<Scope, Balance>, CapReached> {
        let mut balances = self.balances.clone();
        for change in &stepped.moves {
            let balance = balances.entry(change.scope.clone()).or_default();
            if let MoveKind::Settle { held, .. } = &change.kind {
                let enough = balance.held.less(*held).plus(*held) == balance.held;
                assert!(enough, "a settlement ends a hold that is there");
            }
            balance.apply(change)?;
        }
        Ok(balances)
    }

    fn take(&mut self, stepped: &Stepped) {
        let booked = stepped.bookings.iter().map(|booking| booking.amount);
        self.booked = booked.fold(self.booked, Money::plus);
        self.log.extend(stepped.events.iter().cloned());
        self.check_money();
    }

    fn check_money(&self) {
        assert_eq!(self.booked, self.state.spent, "all that was spent here is booked, once");
        if let (Some(run), Some(balance)) = (&self.state.run, self.balance()) {
            let settled = balance.settled.money;
            assert_eq!(settled, run.settled, "the ledger and the run agree on the spend");
            let held = self.state.held().plus(Amount::of(run.carved()));
            assert_eq!(balance.held, held, "the ledger and the run agree on holds");
            assert_eq!(balance.cap.money, run.cap, "the ledger and the run agree on the cap");
        }
    }

    /// The balance of the present run.
    pub(crate) fn balance(&self) -> Option<Balance> {
        let run = self.state.run.as_ref()?.number;
        self.balances.get(&Scope::Task { session: self.state.session, run }).copied()
    }

    pub(crate) fn owed(&self) -> Owed {
        owed(&self.state, Epoch(self.epoch))
    }

    /// Goes on in a fork that shares the first `seq` events.
    pub(crate) fn fork_at(&self, seq: usize) -> World {
        let parent = self.state.session;
        let name = session(parent.0.as_bytes()[0] + 1);
        let (state, stepped) = fork(&self.frozen, parent, &self.log[..seq], name, self.now)
            .expect("every beginning of a log can be forked");
        let mut forked = World { state, log: Vec::new(), booked: Money::ZERO, ..self.clone() };
        forked.balances = forked.balances_after(&stepped).expect("a fork holds nothing");
        forked.take(&stepped);
        forked.check_log();
        forked
    }

    /// Folds the log from its bytes, cutting it at every event on the way.
    pub(crate) fn check_log(&self) {
        let mut state = State::new(self.state.session, &self.frozen);
        let mut sent: Vec<(Role, Block)> = Vec::new();
        for sealed in &self.log {
            fold(&mut state, [stored(sealed)]).expect("every prefix folds");
            check_history(&state.history());
            if shortens(&sealed.event.fact) {
                sent.clear();
            }
            if matches!(sealed.event.fact, Fact::ModelBegun { .. }) {
                let sends = flat(&state.history());
                assert!(sends.starts_with(&sent), "what was sent is sent again, unchanged");
                sent = sends;
            }
        }
        assert_same(&state, &self.state, "the log folds to the state that was stepped");
    }
}

/// Whether what is sent may change here: nowhere else it does.
fn shortens(fact: &Fact) -> bool {
    matches!(fact, Fact::ResultsCleared(_) | Fact::Summarised { .. } | Fact::TurnsDropped { .. })
}

/// Two states are the same: all they hold prints the same.
pub(crate) fn assert_same(one: &State, other: &State, law: &str) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"), "{law}");
}

/// A conversation as blocks, whoever's turn they are in.
fn flat(history: &[Arc<Message>]) -> Vec<(Role, Block)> {
    history
        .iter()
        .flat_map(|message| message.content.iter().map(|block| (message.role, block.clone())))
        .collect()
}

/// The rules that providers share: the user begins, nothing is empty, and each call is
/// answered once, in order, at the start of what the user says next.
pub(crate) fn check_history(history: &[Arc<Message>]) {
    let mut turns: Vec<(Role, Vec<&Block>)> = Vec::new();
    for message in history {
        assert!(!message.content.is_empty(), "no message is empty");
        match turns.last_mut() {
            Some((role, blocks)) if *role == message.role => blocks.extend(&message.content),
            Some(_) | None => turns.push((message.role, message.content.iter().collect())),
        }
    }
    assert!(turns.first().is_none_or(|(role, _)| *role == Role::User), "the user begins");
    let mut asked: Vec<&str> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for (role, blocks) in &turns {
        let answers: Vec<&str> = blocks.iter().filter_map(|block| result_id(block)).collect();
        assert_eq!(answers, asked, "each call is answered once, in order, in the next message");
        let leading = blocks.iter().take_while(|block| result_id(block).is_some()).count();
        assert_eq!(leading, answers.len(), "results come before any other words");
        asked = blocks.iter().filter_map(|block| call_id(block)).collect();
        assert!(asked.is_empty() || *role == Role::Assistant, "only the model calls tools");
        assert!(answers.is_empty() || *role == Role::User, "only the user's side answers");
        for id in &asked {
            assert!(!id.is_empty() && !seen.contains(id), "`{id}` names one call");
            seen.push(id);
        }
        assert!(!blocks.iter().any(|block| is_blank(block)), "no text is blank");
    }
    assert!(asked.is_empty(), "no call stays without an answer");
}

fn result_id(block: &Block) -> Option<&str> {
    if let Block::ToolResult(result) = block { Some(&result.id) } else { None }
}

fn call_id(block: &Block) -> Option<&str> {
    if let Block::ToolUse(call) = block { Some(&call.id) } else { None }
}

fn is_blank(block: &Block) -> bool {
    matches!(block, Block::Text { text, .. } if text.trim().is_empty())
}

/// An event's row, as a store gives it back.
pub(crate) fn stored(sealed: &Sealed) -> Stored {
    Stored {
        seq: sealed.event.seq,
        at: sealed.event.at,
        format: FORMAT,
        prev: sealed.prev,
        body: sealed.body.clone(),
    }
}

pub(crate) fn session(name: u8) -> SessionId {
    SessionId(Uuid::from_bytes([name; 16]))
}

/// An agent with one tool of each class: `read`, `note` (idempotent), `pay` (effect),
/// `file` (a read when `action` is `list`, else an effect) and `end_task`.
pub(crate) fn agent(limits: Limits) -> Agent {
    let by_field =
        EffectRule::ByField { field: "action".to_owned(), reads: vec!["list".to_owned()] };
    Agent {
        agent_id: "tester".to_owned(),
        model: "pretend-1".to_owned(),
        system_prompt: "You are tested.".to_owned(),
        tools: vec![
            tool("read", EffectRule::Always(Effect::Read)),
            tool("note", EffectRule::Always(Effect::Idempotent)),
            tool("pay", EffectRule::Always(Effect::Effect)),
            tool("file", by_field),
            tool("end_task", EffectRule::Always(Effect::Read)),
        ],
        max_tokens: 1_000,
        temperature: None,
        limits,
        task_cap: None,
        output_schema: None,
    }
}

fn tool(name: &str, effect: EffectRule) -> ToolSpec {
    ToolSpec {
        name: name.to_owned(),
        description: format!("the tool `{name}`"),
        input_schema: serde_json::json!({"type": "object"}),
        effect,
        deadline_ms: 1_000,
        output_bytes_max: 10_000,
        untrusted: false,
        sensitive: false,
    }
}

/// Prices in nano-dollars per token; cache writes cost up to twice the input.
pub(crate) fn quote(input: u64, output: u64) -> Quote {
    let rates = Rates {
        input,
        output,
        cache_write_5m: input * 5 / 4,
        cache_write_1h: input * 2,
        cache_read: input / 10,
    };
    Quote::of("2026-11", Rule::flat(rates))
}

/// The tool that begins children, for agents that have it.
pub(crate) fn delegate() -> ToolSpec {
    tool(DELEGATE, EffectRule::Always(Effect::Idempotent))
}

/// Dollars as transcripts write them.
pub(crate) fn dollars(text: &str) -> Money {
    text.parse().unwrap_or_else(|why| panic!("{why}"))
}
