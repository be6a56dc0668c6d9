//! A whole world in memory, played from one seed: model, tools, clock, ids, crashes.
//!
//! Every await of the outside may be where the process dies, every commit may fail, and
//! people interfere at random, also while an owner is at work. Owners are paused past
//! their lease and come back. The store and the tools' world survive crashes, as they
//! would. The same seed gives the same log, byte for byte. Play inside a current-thread
//! tokio runtime with paused time; nothing here sleeps for real.

mod brain;
mod crash;
mod family;
mod laws;
mod life;
mod people;
mod shaky;
mod tally;
mod things;
mod watched;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kernel::agent::{
    Agent, DELEGATE, END_TASK, Effect, EffectRule, Frozen, Limits, MORE, ToolSpec, Window,
};
use kernel::ledger::{self, Allowance, Budget, Per, Plans};
use kernel::message::Request;
use kernel::units::{ContentHash, Money, SessionId, Tenant};
use serde_json::json;

use self::brain::Brain;
use self::crash::Crash;
use self::life::{End, Life};
use self::people::Deed;
use self::shaky::Shaky;
use self::tally::Tally;
use self::things::Things;
use self::watched::Watched;
use self::world::SeededWorld;
use crate::Engine;
use crate::alerts::trips;
use crate::circuits::Circuits;
use crate::door::{Owner, Task};
use crate::error::EngineError;
use crate::ports::{Dispatch, Listing, Store, StoreError};
use crate::tap::Tap;

/// Incarnations of the process that one play may need; more means that it never rests.
const LIVES_MAX: u32 = 200;

/// Lives in which things go wrong, before the world comes to rest.
const TURBULENT_LIVES_MAX: u32 = 30;

/// Tries to open a session against a shaky store.
const TRIES_MAX: u32 = 16;

/// Sessions from which on nobody forks another.
const SESSIONS_MAX: usize = 6;

/// What happened in one play.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// The last hash of each session: equal hashes are equal logs.
    pub heads: Vec<ContentHash>,
    /// Events in all logs.
    pub events: u64,
    /// Times that the process died.
    pub crashes: u32,
    /// Owners who were paused past their lease, came back, and found another.
    pub fenced: u32,
    /// Holds that the ledger refused.
    pub refused: u32,
    /// Model calls made, failed ones included.
    pub model_calls: u64,
    /// Effects that really happened in the world.
    pub effects: u64,
    /// Children that were begun.
    pub children: u64,
}

/// A law that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("seed {seed}: {what}")]
pub struct Violation {
    /// The seed that shows it.
    pub seed: u64,
    /// What did not hold.
    pub what: String,
}

/// Says what is wrong with a request, if anything: a provider's own rules.
pub type Judge<'a> = &'a (dyn Fn(&Request) -> Result<(), String> + Send + Sync);

/// Plays one seed to its rest and checks every law on the way and at the end.
///
/// `store` and `dispatch` must be empty, `judge` is asked about the history of every
/// prefix of every log.
///
/// # Errors
/// The first law that did not hold.
pub async fn play(
    seed: u64,
    store: Arc<dyn Store>,
    dispatch: Arc<dyn Dispatch>,
    judge: Judge<'_>,
) -> Result<Played, Violation> {
    let mut play = Play::new(seed, store, dispatch, judge);
    play.until_rest().await.map_err(|what| Violation { seed, what })
}

/// One play under way.
struct Play<'a> {
    /// What the process works with: everything in it may fail.
    engine: Engine,
    /// The same world seen from outside, where nothing fails.
    calm: Engine,
    judge: Judge<'a>,
    tenant: Tenant,
    crash: Arc<Crash>,
    brain: Arc<Brain>,
    things: Arc<Things>,
    shaky: Arc<Shaky>,
    tally: Arc<Tally>,
    chance: fastrand::Rng,
    sessions: BTreeMap<SessionId, Watched>,
    crashes: u32,
    fenced: u32,
}

impl<'a> Play<'a> {
    fn new(
        seed: u64,
        store: Arc<dyn Store>,
        dispatch: Arc<dyn Dispatch>,
        judge: Judge<'a>,
    ) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        let crash = Arc::new(Crash::new(chance.fork()));
        let brain = Arc::new(Brain::new(chance.fork(), Arc::clone(&crash)));
        let things = Arc::new(Things::new(chance.fork(), Arc::clone(&crash)));
        let tap = Tap::default();
        let tally = Arc::new(Tally::default());
        let shaky =
            Shaky::new(Arc::clone(&store), chance.fork(), Arc::clone(&crash), Arc::clone(&tally));
        let shaky = Arc::new(shaky);
        let engine = Engine {
            policy: Arc::new(crate::memory::Permissive),
            store: Arc::clone(&shaky) as Arc<_>,
            dispatch,
            model: Arc::clone(&brain) as Arc<_>,
            toolbox: Arc::clone(&things) as Arc<_>,
            world: Arc::new(SeededWorld::new(chance.fork())),
            plans: Arc::new(plans(&mut chance)),
            subscriptions: Arc::default(),
            redact: crate::memory::plain(),
            circuits: Circuits::new(tap.clone()),
            tap,
        };
        let calm = Engine { store, ..engine.clone() };
        Play {
            engine,
            calm,
            judge,
            tenant: Tenant("sim".to_owned()),
            crash,
            brain,
            things,
            shaky,
            tally,
            chance,
            sessions: BTreeMap::new(),
            crashes: 0,
            fenced: 0,
        }
    }

    async fn until_rest(&mut self) -> Result<Played, String> {
        let agent = agent(&mut self.chance).freeze();
        let sessions = self.chance.u32(1..=3);
        for _ in 0..sessions {
            self.open(&agent).await?;
        }
        self.look_around().await?;
        self.crash.arm(self.chance.u32(0..=60));
        let turbulent = self.chance.u32(0..TURBULENT_LIVES_MAX);
        let mut lives = 0;
        loop {
            let calm = lives >= turbulent;
            if lives == turbulent {
                self.crash.arm(0);
                self.shaky.calm_down();
            }
            let busy = self.live(calm).await?;
            self.look_around().await?;
            if calm && !busy {
                break;
            }
            lives += 1;
            if lives > turbulent + LIVES_MAX {
                return Err("the play does not come to rest".to_owned());
            }
        }
        self.sum_up().await
    }

    async fn open(&mut self, agent: &Frozen) -> Result<(), String> {
        let owner = Owner {
            tenant: self.tenant.clone(),
            user: "sim".to_owned(),
            labels: BTreeMap::new(),
            workdir: None,
            scope: Default::default(),
        };
        for _try in 0..TRIES_MAX {
            match self.engine.start(&owner, agent, Task::of("do something")).await {
                Ok(_session) => return Ok(()),
                Err(EngineError::Store(StoreError::Unavailable(_) | StoreError::Full(_))) => {}
                Err(error) => return Err(format!("start: {error}")),
            }
        }
        Err("the store never took a new session".to_owned())
    }

    /// One life of the process: each session is driven once, and may die or be
    /// interfered with. Says whether anything is still owed.
    async fn live(&mut self, calm: bool) -> Result<bool, String> {
        let is_child = |watched: &Watched| {
            watched.state().opening.as_ref().is_some_and(|opening| opening.parent.is_some())
        };
        let (children, others): (Vec<_>, Vec<_>) =
            self.sessions.iter().partition(|(_, watched)| is_child(watched));
        let ids = |sessions: Vec<(&SessionId, &Watched)>| -> Vec<SessionId> {
            sessions.into_iter().map(|(session, _)| *session).collect()
        };
        let (children, others) = (ids(children), ids(others));
        let at_once = if self.chance.bool() { others.len() } else { 1 };
        // A child is alone: whoever drives it here takes it for orphaned, and its parent,
        // driven beside it, would be alive.
        let groups = others.chunks(at_once.max(1)).chain(children.chunks(1));
        let mut busy = false;
        for group in groups {
            busy |= self.live_together(group, calm).await?;
        }
        Ok(busy)
    }

    /// Drives sessions beside each other: they draw on the same budgets.
    async fn live_together(&mut self, sessions: &[SessionId], calm: bool) -> Result<bool, String> {
        let mut lives = Vec::new();
        for session in sessions {
            if !calm {
                self.crash.revive();
                self.interfere(*session).await?;
            }
            let may_fork = self.sessions.len() < SESSIONS_MAX;
            lives.push((*session, Life::draw(&mut self.chance, calm, may_fork)));
        }
        self.crash.revive();
        let lives = lives
            .into_iter()
            .map(|(session, life)| life.lived(&self.engine, &self.tenant, session, &self.crash));
        let mut busy = false;
        for end in futures::future::try_join_all(lives).await? {
            match end {
                End::Rested => {}
                End::Unfinished => busy = true,
                End::Died => (self.crashes, busy) = (self.crashes + 1, true),
                End::Fenced => (self.fenced, busy) = (self.fenced + 1, true),
            }
        }
        Ok(busy)
    }

    /// What people do to a session while nobody drives it.
    async fn interfere(&mut self, session: SessionId) -> Result<(), String> {
        let deed = Deed::draw(&mut self.chance, self.sessions.len() < SESSIONS_MAX);
        tokio::select! {
            biased;
            () = self.crash.happened() => Ok(()),
            done = deed.done(&self.engine, &self.tenant, session) => done,
        }
    }

    /// Sees what was added to every session, and holds it against the laws.
    async fn look_around(&mut self) -> Result<(), String> {
        let listing = Listing { rows_max: 1_000, ..Listing::default() };
        let listed = self.calm.store.list(&self.tenant, &listing).await;
        for listed in listed.map_err(|error| error.to_string())? {
            let session = listed.session;
            if !self.sessions.contains_key(&session) {
                let watched = Watched::begin(&self.calm, &self.tenant, session).await?;
                self.sessions.insert(session, watched);
            }
            if let Some(watched) = self.sessions.get_mut(&session)
                && watched.catch_up(&self.calm, &self.tenant, self.judge).await?
            {
                laws::money(&self.calm, &self.tenant, watched.state()).await?;
            }
        }
        family::check(&self.sessions)?;
        self.tally.verdict(&self.tenant, &*self.calm.store, false).await
    }

    async fn sum_up(&self) -> Result<Played, String> {
        self.tally.verdict(&self.tenant, &*self.calm.store, true).await?;
        let mut played = Played {
            crashes: self.crashes,
            fenced: self.fenced,
            refused: self.shaky.refused(),
            model_calls: self.brain.calls(),
            effects: self.things.effects(),
            ..Played::default()
        };
        let mut told = BTreeSet::new();
        for (session, watched) in &self.sessions {
            let log = self.calm.log(&self.tenant, *session).await;
            let log = log.map_err(|error| format!("log: {error}"))?;
            watched.is_all(&self.calm, &self.tenant, &log).await?;
            laws::effects(watched.state(), &log, &self.things)?;
            laws::payloads(&self.calm, &self.tenant, *session, &log).await?;
            let trips = trips(&self.tenant, watched.state(), &log);
            told.extend(trips.into_iter().map(|alert| alert.key));
            played.events += log.len() as u64;
            played.children += watched.children().len() as u64;
            played.heads.extend(log.last().map(|sealed| sealed.hash));
        }
        laws::alerts(&self.calm, told).await?;
        laws::begun(&self.sessions, &self.things)?;
        laws::spend(&self.calm, &self.tenant, &self.sessions).await?;
        Ok(played)
    }
}

/// Budgets that all sessions share, drawn by chance. Each has room for some calls, so that
/// a run that waits for its window to turn gets on.
fn plans(chance: &mut fastrand::Rng) -> Plans {
    let windows = [ledger::Window::Hour, ledger::Window::Day, ledger::Window::Month];
    let budgets = (0..chance.u32(0..4)).map(|number| Budget {
        name: format!("budget-{number}"),
        per: if chance.bool() { Per::Tenant } else { Per::User },
        window: windows[chance.usize(0..windows.len())],
        allowance: Allowance {
            money: chance.bool().then(|| Money(chance.u64(100_000..4_000_000))),
            tokens: chance.bool().then(|| chance.u64(20_000..200_000)),
            requests: chance.bool().then(|| chance.u64(1..30)),
        },
    });
    let plans = BTreeMap::from([("sim".to_owned(), budgets.collect())]);
    Plans { plans, usual: Some("sim".to_owned()), ..Plans::default() }
}

/// An agent with a tool of each class and limits drawn by chance.
fn agent(chance: &mut fastrand::Rng) -> Agent {
    let tool = |name: &str, effect: Effect| ToolSpec {
        name: name.to_owned(),
        description: "a tool of the simulation".to_owned(),
        input_schema: json!({"type": "object"}),
        effect: EffectRule::Always(effect),
        deadline_ms: 10_000,
        output_bytes_max: 200,
        untrusted: false,
        sensitive: false,
    };
    Agent {
        agent_id: "sim".to_owned(),
        model: "sim".to_owned(),
        system_prompt: "You are simulated.".to_owned(),
        tools: vec![
            tool("look", Effect::Read),
            tool("put", Effect::Idempotent),
            tool("pay", Effect::Effect),
            tool(END_TASK, Effect::Read),
            tool(MORE, Effect::Read),
        ]
        .into_iter()
        .chain((chance.u32(0..3) > 0).then(|| tool(DELEGATE, Effect::Idempotent)))
        .collect(),
        max_tokens: chance.u32(300..2_000),
        temperature: None,
        limits: Limits {
            turns_max: chance.u32(1..12),
            calls_per_turn_max: chance.u32(1..5),
            outage_parks_max: chance.u32(0..4),
            model_deadline_ms: 20_000,
            window: Window {
                tokens_max: chance.bool().then(|| chance.u64(700..4_000)),
                keep_turns: chance.u32(0..3),
                ..Window::default()
            },
            children_max: chance.u32(0..8),
            children_at_once_max: chance.u32(0..5),
            child_depth_max: chance.u32(0..4),
            approval_ms: chance.u64(1_000..600_000),
            ..Limits::default()
        },
        task_cap: chance.bool().then(|| Money(chance.u64(0..4_000_000))),
        output_schema: None,
    }
}
