//! Workers on one store that share nothing else, as processes would, and a clock
//! that can be put forward: nobody waits for a lease to run out or an outage to end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use engine::Engine;
use engine::circuits::Circuits;
use engine::door::{Owner, Task};
use engine::driver::Stop;
use engine::memory::Nudges;
use engine::ports::{Listed, Listing, Status, Store, World};
use engine::tap::Tap;
use engine::worker;
use kernel::agent::{Agent, Frozen, Limits};
use kernel::breaker::circuit::Settings;
use kernel::ledger::{Allowance, Budget, Per, Plans, Window};
use kernel::price::{Rates, Rule};
use kernel::units::{Money, SessionId, Tenant, UnixMs};
use models::anthropic;
use models::catalog::{Catalog, Row};
use models::chain::{Candidate, Chain};
use models::remote::Endpoint;
use secrets::Secret;
use stores::postgres::Postgres;
use stores::sqlite::Sqlite;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tools::Builtin;

use crate::provider::{ANSWER_TOKENS, Provider};

/// Two dollars for a million tokens in, ten for a million out.
const MODEL: &str = "claude-sonnet-5-5";

/// A model that costs nothing.
const FREE: &str = "gratis";

/// What an answer of the longest length costs, and the input that it has here.
const CALL: u64 = ANSWER_TOKENS as u64 * 10_000 + 20 * 2_000;

/// Longer than any lease, in milliseconds.
const LEASE_MS: u64 = 31_000;

/// A due time within this is an outage's; a later one is the window's.
const OUTAGE_MS_MAX: u64 = 86_400_000;

/// When the world must be at rest.
const REST_WITHIN: Duration = Duration::from_secs(240);

/// What happens.
pub(crate) struct Scene {
    pub(crate) runs: usize,
    /// Times that a worker dies with everything that it does.
    pub(crate) kills: u32,
    /// Runs that somebody cancels.
    pub(crate) cancels: usize,
}

/// How it ended. Money in nano-dollars.
#[derive(Debug)]
#[allow(dead_code, reason = "shown where a test fails")]
pub(crate) struct End {
    pub(crate) settled: u64,
    pub(crate) estimated: u64,
    pub(crate) stranded: usize,
    pub(crate) sessions: usize,
    standing: BTreeMap<String, usize>,
}

/// The store, and what a worker needs.
pub(crate) struct House {
    folder: TempDir,
    /// The provider of the model that has a price.
    base: String,
    /// The provider of a free model that is asked before it.
    free: Option<String>,
    /// Whether its agent delegates.
    family: bool,
    calls: u64,
    /// The database of its sessions; a file in its folder where there is none.
    database: Option<Secret>,
    workers: usize,
    clock: Arc<Clock>,
}

impl House {
    /// A house whose tenant's cap affords so many calls.
    pub(crate) fn new(provider: &Provider, calls: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let base = provider.base();
        House {
            folder,
            base,
            free: None,
            family: false,
            calls,
            database: None,
            workers: 2,
            clock: Arc::default(),
        }
    }

    /// The same on PostgreSQL, with so many workers.
    pub(crate) fn in_database(self, url: Secret, workers: usize) -> Self {
        House { database: Some(url), workers, ..self }
    }

    /// The same with a free model that is asked first.
    pub(crate) fn after(self, free: &Provider) -> Self {
        House { free: Some(free.base()), ..self }
    }

    /// The same with an agent that delegates.
    pub(crate) fn with_children(self) -> Self {
        House { family: true, ..self }
    }

    pub(crate) fn cap(&self) -> u64 {
        self.calls * CALL
    }

    pub(crate) fn call(&self) -> u64 {
        CALL
    }

    pub(crate) fn play(&self, scene: &Scene) -> End {
        let runtime = Runtime::new().expect("a runtime can be built");
        let engine = self.engine(&runtime);
        let sessions: Vec<SessionId> = runtime.block_on(async {
            let agent = self.agent();
            let mut sessions = Vec::new();
            for _ in 0..scene.runs {
                let started = engine.start(&owner(), &agent, Task::of("say much")).await;
                sessions.push(started.expect("the store takes it"));
            }
            sessions
        });
        let hired = 0..self.workers;
        let mut workers: Vec<Worker> = hired.map(|n| self.worker(&format!("{n}-0"))).collect();
        for kill in 0..scene.kills {
            std::thread::sleep(Duration::from_millis(400 + 300 * u64::from(kill)));
            let doomed = kill as usize % workers.len();
            let next = self.worker(&format!("{doomed}-{}", kill + 1));
            std::mem::replace(&mut workers[doomed], next).die();
            self.clock.forward(LEASE_MS);
            let some = sessions.iter().skip(kill as usize).step_by(scene.kills as usize * 3 + 1);
            let each = scene.cancels / scene.kills as usize;
            for session in some.take(each) {
                // It may be over already, or in other hands at every try.
                let _asked = runtime.block_on(engine.cancel(&tenant(), *session, "somebody"));
            }
        }
        runtime.block_on(self.until_rest(&engine));
        workers.into_iter().for_each(Worker::stop);
        runtime.block_on(end(&engine))
    }

    /// Waits until nobody works and nothing is due but by the window's turn.
    async fn until_rest(&self, engine: &Engine) {
        let began = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let rows = rows(engine).await;
            let now = engine.world.now();
            let busy = |row: &Listed| {
                let owned = row.lease.as_ref().is_some_and(|(_, until)| *until > now);
                row.brief.status == Status::Running || owned
            };
            let roomy = engine.store.due(now, 1).await.expect("the store works");
            if rows.iter().any(busy) || !roomy.is_empty() {
                assert!(began.elapsed() < REST_WITHIN, "still at work: {:?}", standing(&rows));
                continue;
            }
            let soon = |due: &UnixMs| due.0 < now.0 + OUTAGE_MS_MAX;
            match rows.iter().filter_map(|row| row.brief.due).filter(soon).min() {
                Some(due) => self.clock.forward(due.0.saturating_sub(now.0) + 1),
                None => return,
            }
        }
    }

    fn engine(&self, runtime: &Runtime) -> Engine {
        let store = self.store(runtime);
        let world = Arc::clone(&self.clock) as Arc<dyn World>;
        let tap = Tap::default();
        let circuits = Circuits::new(tap.clone());
        let paid = candidate(MODEL, &self.base);
        let (own, fallbacks) = match &self.free {
            Some(base) => (candidate(FREE, base), vec![paid]),
            None => (paid, Vec::new()),
        };
        let chain = Chain::new(own, fallbacks, circuits.clone(), Arc::clone(&world));
        Engine {
            policy: Arc::new(engine::memory::Permissive),
            store,
            dispatch: Arc::new(Nudges::default()),
            model: Arc::new(chain),
            toolbox: Arc::new(Builtin::new(Default::default())),
            world,
            plans: Arc::new(self.plans()),
            subscriptions: Arc::default(),
            redact: engine::memory::plain(),
            circuits,
            tap,
        }
    }

    /// A store of one worker's own, over what all of them share.
    fn store(&self, runtime: &Runtime) -> Arc<dyn Store> {
        match &self.database {
            Some(url) => {
                let opened = runtime.block_on(Postgres::open(url, Default::default()));
                Arc::new(opened.expect("the database opens"))
            }
            None => {
                let _inside = runtime.enter();
                let opened = Sqlite::open(self.folder.path().join("store.db"), Default::default());
                Arc::new(opened.expect("the store opens"))
            }
        }
    }

    fn agent(&self) -> Frozen {
        let model = if self.free.is_some() { FREE } else { MODEL };
        let tools = if self.family { vec![tools::delegate_spec()] } else { Vec::new() };
        Agent {
            agent_id: "talker".to_owned(),
            model: model.to_owned(),
            system_prompt: "Talk.".to_owned(),
            tools,
            max_tokens: ANSWER_TOKENS,
            temperature: None,
            limits: Limits { outage_parks_max: 1_000, ..Limits::default() },
            task_cap: self.family.then(|| Money(self.cap())),
            output_schema: None,
        }
        .freeze()
    }

    fn plans(&self) -> Plans {
        let budget = Budget {
            name: "tenant-month".to_owned(),
            per: Per::Tenant,
            window: Window::Month,
            allowance: Allowance::of(Some(Money(self.cap()))),
        };
        let day = Budget {
            name: "user-day".to_owned(),
            per: Per::User,
            window: Window::Month,
            allowance: Allowance::of(Some(Money(self.cap() * 2))),
        };
        let plans = BTreeMap::from([("small".to_owned(), vec![budget, day])]);
        Plans { plans, usual: Some("small".to_owned()), ..Plans::default() }
    }

    fn worker(&self, owner: &str) -> Worker {
        let runtime = Runtime::new().expect("a runtime can be built");
        let (engine, stop) = (self.engine(&runtime), Stop::default());
        let settings = worker::Settings {
            owner: owner.to_owned(),
            sessions_max: 128,
            sweep_every_ms: 50,
            failed_rest_ms: 200,
        };
        let working =
            runtime.spawn(worker::run(engine.clone(), Arc::new(engine), settings, stop.clone()));
        Worker { runtime, stop, working }
    }
}

/// A worker as a process has it.
struct Worker {
    runtime: Runtime,
    stop: Stop,
    working: tokio::task::JoinHandle<()>,
}

impl Worker {
    /// Ends in the middle of whatever it does.
    fn die(self) {
        self.runtime.shutdown_background();
    }

    fn stop(self) {
        self.stop.soon.cancel();
        self.runtime.block_on(self.working).expect("a worker does not crash");
    }
}

async fn rows(engine: &Engine) -> Vec<Listed> {
    let mut listing = Listing { rows_max: 1_000, ..Listing::default() };
    let mut rows: Vec<Listed> = Vec::new();
    loop {
        let page = engine.store.list(&tenant(), &listing).await.expect("the store works");
        let Some(last) = page.last() else { return rows };
        listing.before = Some(last.session);
        rows.extend(page);
    }
}

/// How many sessions stand how.
fn standing(rows: &[Listed]) -> BTreeMap<String, usize> {
    let mut standing = BTreeMap::new();
    for row in rows {
        *standing.entry(format!("{:?}", row.brief.status)).or_default() += 1;
    }
    standing
}

async fn end(engine: &Engine) -> End {
    let rows = rows(engine).await;
    let caps = engine.caps(&tenant(), "").await.expect("the store works");
    assert_eq!(caps.len(), 2, "both budgets were charged: {caps:?}");
    let spend = engine.store.spend(&tenant(), 0, u64::MAX).await.expect("the store works");
    let settled: u64 = spend.iter().map(|row| row.amount.0).sum();
    for (scope, balance) in &caps {
        assert_eq!(balance.settled.money.0, settled, "{scope} counts what was spent");
        assert_eq!(balance.held, Default::default(), "L9: {scope} holds nothing at rest");
    }
    let told: u64 = rows.iter().map(|row| row.brief.spent.0).sum();
    assert_eq!(told, settled, "the sessions' spend is the ledger's");
    let at_rest = [Status::Finished, Status::Parked, Status::Cancelled];
    let stranded = rows.iter().filter(|row| !at_rest.contains(&row.brief.status)).count();
    let estimated = spend.iter().map(|row| row.estimated.0).sum();
    let sessions = rows.len();
    End { settled, estimated, stranded, sessions, standing: standing(&rows) }
}

/// One model of a chain, asked at this address.
fn candidate(model: &str, base: &str) -> Candidate {
    let free = Row {
        model: FREE.to_owned(),
        vendor: "nobody".to_owned(),
        from: None,
        rule: Rule::flat(Rates::default()),
        context_tokens: None,
        verify: Vec::new(),
    };
    let catalog = Catalog::builtin().overlay("free", vec![free]);
    let endpoint = Endpoint::new(base, None).expect("a base URL");
    let client = Arc::new(anthropic::client(endpoint, catalog));
    // The provider fails at every step, and nobody is to wait here until it is well.
    let breaker = Settings { failures_percent: 100, calls_min: 1_000, ..Settings::default() };
    Candidate { breaker, ..Candidate::new(model, base, client) }
}

fn tenant() -> Tenant {
    Tenant("acme".to_owned())
}

fn owner() -> Owner {
    let user = "ada".to_owned();
    Owner {
        tenant: tenant(),
        user,
        labels: BTreeMap::new(),
        workdir: None,
        scope: Default::default(),
    }
}

/// When every play begins: far from a month's end, which waits for outages may come close to.
const BEGIN: UnixMs = UnixMs(1_794_268_800_000); // 2026-11-10

/// A clock that goes with the machine's, put forward by hand.
struct Clock {
    began: Instant,
    ahead_ms: AtomicU64,
}

impl Default for Clock {
    fn default() -> Self {
        Clock { began: Instant::now(), ahead_ms: AtomicU64::new(0) }
    }
}

impl Clock {
    fn forward(&self, ms: u64) {
        self.ahead_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl World for Clock {
    fn now(&self) -> UnixMs {
        let gone_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        BEGIN.plus_ms(gone_ms).plus_ms(self.ahead_ms.load(Ordering::SeqCst))
    }

    fn session_id(&self) -> SessionId {
        SessionId(uuid::Uuid::now_v7())
    }

    fn chance(&self) -> u64 {
        uuid::Uuid::new_v4().as_u64_pair().0
    }
}
