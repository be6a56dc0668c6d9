//! One rehearsal: a provider of its own, a store of its own, an agent, one run.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use engine::Engine;
use engine::door::Task;
use engine::driver::{Driver, Lease, Rest, Stop};
use engine::ports::SpendRow;
use kernel::event::{Fact, Sealed};
use kernel::run::{Ended, Phase, State};
use kernel::units::{Money, SessionId};
use models::simulated::planner::Planner;
use models::simulated::server::meter::Meter;
use models::simulated::server::{FaultPlan, Server, Settings};

use super::outage::{Kind, Way};
use crate::assemble::{self, Assembled};
use crate::cli::{AgentArgs, HereArgs, ScopeArgs};
use crate::here::Here;
use crate::show;
use crate::world::Machine;

/// Two calls of a tool, one after the other, and the done signal.
const TASK: &str = "What is 17.5% of 2340? Save the result as a note called tip.";

/// How long nobody listens, in milliseconds.
const GONE_MS: u64 = 3_000;

/// How long one rehearsal may take, waits of the parked run included, in milliseconds.
/// Beyond it the run is left parked, which is a lawful end.
const PATIENCE_MS: u64 = 120_000;

/// A wait between two drops, longer than the client's patience, in milliseconds.
const DRIP_MS: u64 = 5_000;

/// What became of the run.
pub(super) struct Outcome {
    /// `finished`, `parked`, `failed` or `running`.
    pub(super) status: &'static str,
    /// Why, where it did not finish.
    pub(super) reason: Option<String>,
    pub(super) turns: u32,
    /// Requests that the providers were sent.
    pub(super) requests: u64,
    /// Model calls that failed after their short retries.
    pub(super) failed: usize,
    /// Times that the run waited in the store.
    pub(super) parks: usize,
    /// From the first model call to the first answer.
    pub(super) down_ms: u64,
    /// What our ledger says.
    pub(super) booked: Money,
    /// Whether a part of it is an estimate.
    pub(super) estimated: bool,
    /// What the providers' own books say.
    pub(super) charged: Money,
    /// The fallback that answered.
    pub(super) fallback: Option<String>,
}

impl Outcome {
    /// Whether nothing is lost: the run finished, or waits with its work kept.
    pub(super) fn lasted(&self) -> bool {
        matches!(self.status, "finished" | "parked")
    }
}

/// Plays one way.
pub(super) async fn play(way: &Way, failures: u32) -> anyhow::Result<Outcome> {
    let folder = tempfile::tempdir().context("cannot make a folder for the rehearsal")?;
    let providers = Providers::default();
    let agent = providers.start(way, failures).await?;
    let file = folder.path().join("agent.yaml");
    std::fs::write(&file, agent).context("cannot write the rehearsal's agent")?;
    let here = Here::of(&flags(folder.path()))?;
    let args = AgentArgs { agent: Some(file), ..AgentArgs::default() };
    let assembled = assemble::agent(&here, &args, &ScopeArgs::default()).await?;
    let Assembled { engine, agent, scope, .. } = assembled;
    let notes = folder.path().display().to_string();
    let session = engine.start(&here.owner(&[], notes, scope), &agent, Task::of(TASK)).await?;
    drive(&engine, &here, session).await?;
    let state = engine.state(&here.tenant, session).await?;
    let log = engine.log(&here.tenant, session).await?;
    let spend = engine.store.spend(&here.tenant, 0, u64::MAX).await?;
    Ok(outcome(&state, &log, &spend, &providers))
}

fn flags(folder: &Path) -> HereArgs {
    HereArgs {
        database: None,
        database_ca: None,
        store: folder.join("store"),
        config: None,
        prices: None,
        tenant: "drill".to_owned(),
        user: "drill".to_owned(),
    }
}

/// Drives the run to its end, through the waits that it asks for, as a worker would.
async fn drive(engine: &Engine, here: &Here, session: SessionId) -> anyhow::Result<()> {
    let patience = tokio::time::Instant::now() + Duration::from_millis(PATIENCE_MS);
    loop {
        let lease = Lease::claim(engine, &here.tenant, session, "drill", None).await?;
        let mut driver = Driver::load(engine.clone(), lease, Stop::default()).await?;
        let rest = driver.run().await?;
        driver.release().await?;
        let until = match rest {
            Rest::Until(until) => until,
            Rest::Nothing | Rest::Dropped => return Ok(()),
        };
        let wait_ms = until.0.saturating_sub(engine.world.now().0);
        let wake = tokio::time::Instant::now() + Duration::from_millis(wait_ms + 1);
        if wake > patience {
            return Ok(());
        }
        tokio::time::sleep_until(wake).await;
    }
}

/// The providers of one way.
#[derive(Clone, Default)]
struct Providers {
    books: Arc<Mutex<Vec<Arc<Meter>>>>,
}

impl Providers {
    /// Starts those that a way needs, and writes the agent that asks them.
    async fn start(&self, way: &Way, failures: u32) -> anyhow::Result<String> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        match way.kind {
            Kind::Fault(fault) => {
                let faults = vec![fault; failures as usize].join(",").parse()?;
                Ok(agent_text(self.listen(any, faults).await?, ""))
            }
            Kind::Gone => {
                let address = bind(any, FaultPlan::Never).await?.address();
                let (later, gone) = (self.clone(), Duration::from_millis(GONE_MS));
                tokio::spawn(async move {
                    tokio::time::sleep(gone).await;
                    if let Err(error) = later.listen(address, FaultPlan::Never).await {
                        tracing::warn!(%error, "the simulated provider did not come back");
                    }
                });
                Ok(agent_text(address, ""))
            }
            Kind::Fallback => {
                let own = self.listen(any, "529:1".parse()?).await?;
                let other = self.listen(any, FaultPlan::Never).await?;
                let fallback = format!(
                    "fallbacks: [{{model: claude-haiku-5-5, provider: {{kind: openai, \
                     base_url: \"http://{other}/v1\"}}}}]\n"
                );
                Ok(agent_text(own, &fallback))
            }
        }
    }

    async fn listen(&self, address: SocketAddr, faults: FaultPlan) -> anyhow::Result<SocketAddr> {
        let server = bind(address, faults).await?;
        let address = server.address();
        self.books.lock().unwrap_or_else(PoisonError::into_inner).push(server.meter());
        tokio::spawn(server.serve(std::future::pending()));
        Ok(address)
    }

    /// Requests, and nano-dollars, by their own books.
    fn total(&self) -> (u64, u64) {
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let totals = books.iter().map(|meter| meter.total());
        totals.fold((0, 0), |sum, one| (sum.0 + one.requests, sum.1 + one.nano_usd))
    }
}

async fn bind(address: SocketAddr, faults: FaultPlan) -> anyhow::Result<Server> {
    let settings = Settings { faults, drip_ms: DRIP_MS, ..Settings::default() };
    let server = Server::bind(address, Arc::new(Planner), settings, Arc::new(Machine)).await;
    server.with_context(|| format!("cannot listen on {address}"))
}

/// The usual agent with little patience for a silent provider.
fn agent_text(address: SocketAddr, more: &str) -> String {
    format!(
        "agent_id: drill\n\
         model: claude-sonnet-5-5\n\
         provider:\n  \
           kind: openai\n  \
           base_url: \"http://{address}/v1\"\n  \
           timeouts: {{connect_ms: 1000, first_byte_ms: 2000, between_bytes_ms: 1000}}\n\
         system_prompt: You work with numbers and notes.\n\
         allowed_tools: [calculator, notes, end_task]\n\
         budget_usd: 0.50\n\
         max_tokens: 1000\n\
         {more}"
    )
}

fn outcome(state: &State, log: &[Sealed], spend: &[SpendRow], providers: &Providers) -> Outcome {
    let facts = || log.iter().map(|sealed| &sealed.event.fact);
    let (status, reason) = standing(state);
    let (requests, charged) = providers.total();
    Outcome {
        status,
        reason,
        turns: state.turns,
        requests,
        failed: facts().filter(|fact| matches!(fact, Fact::ModelFailed { .. })).count(),
        parks: facts().filter(|fact| matches!(fact, Fact::RunParked { .. })).count(),
        down_ms: down_ms(log),
        booked: state.spent,
        estimated: spend.iter().any(|row| row.estimated > Money::ZERO),
        charged: Money(charged),
        fallback: facts().find_map(answered_by),
    }
}

fn answered_by(fact: &Fact) -> Option<String> {
    if let Fact::ModelReplied { reply, .. } = fact { reply.fallback.clone() } else { None }
}

/// From the first model call to the first answer; to the last fact where none came.
fn down_ms(log: &[Sealed]) -> u64 {
    let at = |wanted: fn(&Fact) -> bool| {
        log.iter().find(|sealed| wanted(&sealed.event.fact)).map(|sealed| sealed.event.at.0)
    };
    let asked = at(|fact| matches!(fact, Fact::ModelBegun { .. })).unwrap_or_default();
    let answered = at(|fact| matches!(fact, Fact::ModelReplied { .. }));
    let last = log.last().map_or(0, |sealed| sealed.event.at.0);
    answered.unwrap_or(last).saturating_sub(asked)
}

fn standing(state: &State) -> (&'static str, Option<String>) {
    let Some(run) = &state.run else { return ("running", None) };
    if let Some((why, _)) = &run.parked {
        return ("parked", Some(show::parked(why)));
    }
    match &run.phase {
        Phase::Over(Ended::Finished(_)) => ("finished", None),
        Phase::Over(Ended::Failed(_, message)) => ("failed", Some(message.clone())),
        Phase::Over(Ended::Cancelled) => ("cancelled", None),
        Phase::Ready | Phase::Calling(_) | Phase::Tooling(_) | Phase::Closing(_) => {
            ("running", None)
        }
    }
}
