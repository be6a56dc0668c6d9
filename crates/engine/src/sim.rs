//! A whole world in memory, played from one seed: model, tools, clock, ids, crashes.
//!
//! Every await of the outside may be where the process dies, every commit may fail, and
//! people interfere at random. The store and the tools' world survive crashes, as they
//! would. The same seed gives the same log, byte for byte. Play inside a current-thread
//! tokio runtime with paused time; nothing here sleeps for real.

mod brain;
mod crash;
mod laws;
mod shaky;
mod things;
mod world;

use std::sync::Arc;

use kernel::agent::{Agent, END_TASK, Effect, EffectRule, Frozen, Limits, MORE, ToolSpec};
use kernel::message::Request;
use kernel::units::{ContentHash, Money, SessionId, Tenant};
use serde_json::json;

use self::brain::Brain;
use self::crash::Crash;
use self::shaky::Shaky;
use self::things::Things;
use self::world::SeededWorld;
use crate::Engine;
use crate::door::{Owner, Task};
use crate::driver::{Driver, Lease, Rest, Stop};
use crate::error::EngineError;
use crate::ports::{Dispatch, Store, StoreError};
use crate::tap::Tap;

/// Incarnations of the process that one play may need; more means that it never rests.
const LIVES_MAX: u32 = 200;

/// Tries to open a session against a shaky store.
const TRIES_MAX: u32 = 16;

/// What happened in one play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// The last hash of each session: equal hashes are equal logs.
    pub heads: Vec<ContentHash>,
    /// Events in all logs.
    pub events: u64,
    /// Times that the process died.
    pub crashes: u32,
    /// Model calls made, failed ones included.
    pub model_calls: u64,
    /// Effects that really happened in the world.
    pub effects: u64,
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
    let mut play = Play::new(seed, store, dispatch);
    play.until_rest(judge).await.map_err(|what| Violation { seed, what })
}

/// One play under way.
struct Play {
    engine: Engine,
    tenant: Tenant,
    crash: Arc<Crash>,
    brain: Arc<Brain>,
    things: Arc<Things>,
    chance: fastrand::Rng,
    sessions: Vec<SessionId>,
    crashes: u32,
}

impl Play {
    fn new(seed: u64, store: Arc<dyn Store>, dispatch: Arc<dyn Dispatch>) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        let crash = Arc::new(Crash::new(chance.fork()));
        let brain = Arc::new(Brain::new(chance.fork(), Arc::clone(&crash)));
        let things = Arc::new(Things::new(chance.fork(), Arc::clone(&crash)));
        let shaky = Shaky::new(store, chance.fork(), Arc::clone(&crash));
        let engine = Engine {
            store: Arc::new(shaky),
            dispatch,
            model: Arc::clone(&brain) as Arc<_>,
            toolbox: Arc::clone(&things) as Arc<_>,
            world: Arc::new(SeededWorld::new(chance.fork())),
            tap: Tap::default(),
        };
        let tenant = Tenant("sim".to_owned());
        Play { engine, tenant, crash, brain, things, chance, sessions: Vec::new(), crashes: 0 }
    }

    async fn until_rest(&mut self, judge: Judge<'_>) -> Result<Played, String> {
        let agent = agent(&mut self.chance).freeze();
        let sessions = self.chance.u32(1..=3);
        for _ in 0..sessions {
            self.open(&agent).await?;
        }
        self.crash.arm(self.chance.u32(0..=60));
        let turbulent = self.chance.u32(0..40);
        let mut lives = 0;
        loop {
            if lives == turbulent {
                self.crash.arm(0);
            }
            let calm = lives >= turbulent;
            let busy = self.live(calm).await?;
            self.check_money().await?;
            if calm && !busy {
                break;
            }
            lives += 1;
            if lives > turbulent + LIVES_MAX {
                return Err("the play does not come to rest".to_owned());
            }
        }
        self.judge_all(judge).await
    }

    async fn open(&mut self, agent: &Frozen) -> Result<(), String> {
        let owner = Owner { tenant: self.tenant.clone(), user: "sim".to_owned(), workdir: None };
        for _try in 0..TRIES_MAX {
            match self.engine.start(&owner, agent, Task::of("do something")).await {
                Ok(session) => {
                    self.sessions.push(session);
                    return Ok(());
                }
                Err(EngineError::Store(StoreError::Unavailable(_))) => {}
                Err(error) => return Err(format!("start: {error}")),
            }
        }
        Err("the store never took a new session".to_owned())
    }

    /// One life of the process: each session is driven once, and may die or be
    /// interfered with. Says whether anything is still owed.
    async fn live(&mut self, calm: bool) -> Result<bool, String> {
        let mut busy = false;
        for session in self.sessions.clone() {
            if !calm {
                self.interfere(session).await?;
            }
            busy |= self.drive(session, calm).await?;
        }
        Ok(busy)
    }

    async fn drive(&mut self, session: SessionId, calm: bool) -> Result<bool, String> {
        let stop = Stop::default();
        if !calm && self.chance.u32(0..8) == 0 {
            let token = if self.chance.bool() { &stop.soon } else { &stop.now };
            let (token, after_ms) = (token.clone(), self.chance.u64(0..20_000));
            tokio::spawn(async move {
                tokio::time::sleep(std::time::Duration::from_millis(after_ms)).await;
                token.cancel();
            });
        }
        let (engine, tenant) = (self.engine.clone(), self.tenant.clone());
        let life = one_life(engine, tenant, session, stop);
        let ended = tokio::select! {
            biased;
            () = self.crash.happened() => {
                self.crashes += 1;
                return Ok(true);
            }
            ended = life => ended,
        };
        match ended {
            Ok(Rest::Nothing) => Ok(false),
            Ok(Rest::Dropped) => Ok(true),
            Ok(Rest::Until(at)) => {
                let wait_ms = at.0.saturating_sub(self.engine.world.now().0);
                tokio::time::sleep(std::time::Duration::from_millis(wait_ms)).await;
                Ok(true)
            }
            Err(EngineError::Store(StoreError::Unavailable(_) | StoreError::Full(_))) => Ok(true),
            Err(EngineError::Store(StoreError::Held { until, .. })) => {
                let wait_ms = until.0.saturating_sub(self.engine.world.now().0);
                tokio::time::sleep(std::time::Duration::from_millis(wait_ms + 1)).await;
                Ok(true)
            }
            Err(error) => Err(format!("drive: {error}")),
        }
    }

    /// What people do to a session meanwhile. Refusals are lawful; damage is not.
    async fn interfere(&mut self, session: SessionId) -> Result<(), String> {
        let (engine, tenant) = (self.engine.clone(), self.tenant.clone());
        let cap = self.chance.bool().then(|| Money(self.chance.u64(0..2_000_000)));
        let turns = self.chance.bool().then(|| self.chance.u32(1..6));
        let at = self.chance.u64(1..30);
        let deed = self.chance.u32(0..20);
        let act = async {
            match deed {
                0 => engine.cancel(&tenant, session, "sim").await.map(|()| None),
                1..=4 => {
                    engine.say(&tenant, session, Task::of("and now more")).await.map(|()| None)
                }
                5..=9 => engine.wake(&tenant, session, "sim", turns, cap).await.map(|()| None),
                10 => engine.fork(&tenant, session, Some(at)).await.map(Some),
                _ => Ok(None),
            }
        };
        let done = tokio::select! {
            biased;
            () = self.crash.happened() => return Ok(()),
            done = act => done,
        };
        match done {
            Ok(fork) => {
                self.sessions.extend(fork.filter(|_| self.sessions.len() < 6));
                Ok(())
            }
            Err(EngineError::Refused(_)) => Ok(()),
            Err(EngineError::Store(
                StoreError::Unavailable(_) | StoreError::Full(_) | StoreError::Missing(_),
            )) => Ok(()),
            Err(error) => Err(format!("interfere: {error}")),
        }
    }

    async fn check_money(&self) -> Result<(), String> {
        for session in &self.sessions {
            laws::money(&self.engine, &self.tenant, *session).await?;
        }
        Ok(())
    }

    async fn judge_all(&self, judge: Judge<'_>) -> Result<Played, String> {
        let mut played = Played {
            heads: Vec::new(),
            events: 0,
            crashes: self.crashes,
            model_calls: self.brain.calls(),
            effects: self.things.effects(),
        };
        for session in &self.sessions {
            let log = self.engine.log(&self.tenant, *session).await;
            let log = log.map_err(|error| format!("log: {error}"))?;
            laws::log(&self.engine, &self.tenant, *session, &log, judge).await?;
            laws::effects(*session, &log, &self.things)?;
            played.events += log.len() as u64;
            played.heads.extend(log.last().map(|sealed| sealed.hash));
        }
        Ok(played)
    }
}

async fn one_life(
    engine: Engine,
    tenant: Tenant,
    session: SessionId,
    stop: Stop,
) -> Result<Rest, EngineError> {
    // The process before is known to be dead, as a supervisor would know it.
    let epoch = engine.store.look(&tenant, session).await?.head.epoch;
    let lease = Lease::claim(&engine, &tenant, session, "sim", Some(epoch)).await?;
    let mut driver = Driver::load(engine, lease, stop).await?;
    let rest = driver.run().await?;
    driver.release().await?;
    Ok(rest)
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
        ],
        max_tokens: chance.u32(300..2_000),
        temperature: None,
        limits: Limits {
            turns_max: chance.u32(1..12),
            calls_per_turn_max: chance.u32(1..5),
            outage_parks_max: chance.u32(0..4),
            ..Limits::default()
        },
        task_cap: chance.bool().then(|| Money(chance.u64(0..4_000_000))),
        output_schema: None,
    }
}
