//! One call, answered by the first model of a chain that can: retries, circuits, room
//! and fallbacks inside one deadline.
//!
//! Short waits are done here; a failure whose wait does not fit comes back at once with
//! the wait that was asked for, and the run parks. The laws:
//!
//! - A try that cost money is the last one: the caller's hold covers one paid call (L14).
//!   Free tries may be followed by others, paid ones too.
//! - A candidate's permanent fault is tried once (L22). A wrong request ends the call; an
//!   outage, and an account without money, lead to the next candidate.
//! - A candidate whose circuit is open, or that cannot carry the request, is skipped at
//!   once. Where nobody can be asked, the call fails at once and says when to come back.
//! - What is sent to one candidate keeps its prefix from turn to turn (see `history`).

mod gate;
mod history;
mod order;
mod spent;
mod tries;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::circuits::{Circuits, Dependency};
use engine::ports::{Model, ModelCall, ModelError, World};
use kernel::breaker::circuit::Settings;
use kernel::event::FaultClass;
use kernel::message::{Delta, Reply};
use kernel::price::{Fallback, Quote};
use kernel::units::UnixMs;
use tokio::time::Instant;

pub use gate::{Bulkhead, Gate, Gates};

use tries::{Asking, Ended};
use verdict::Told;

/// A model that may be asked.
pub struct Candidate {
    /// The model's name: as its provider knows it, and in the agent.
    pub model: String,
    /// Makes one try for each call, and keeps its deadline.
    pub client: Arc<dyn Model>,
    /// The provider's base URL, by which its circuits are known.
    pub provider: String,
    /// The calls that the provider is asked at once.
    pub gate: Arc<Gate>,
    /// When its circuits open.
    pub breaker: Settings,
    /// Whether it can call tools.
    pub takes_tools: bool,
    /// The most that a prompt and its answer may hold together, in tokens, where known.
    pub context_tokens: Option<u64>,
}

/// The agent's own model, and those that answer where it does not.
pub struct Chain {
    /// At least one; the first is the agent's own model.
    candidates: Vec<Candidate>,
    circuits: Circuits,
    world: Arc<dyn World>,
}

impl Chain {
    /// A chain of the agent's own model and its fallbacks, in this order. Dates and
    /// jitter come from `world`; elapsed time is the runtime's.
    pub fn new(
        own: Candidate,
        fallbacks: Vec<Candidate>,
        circuits: Circuits,
        world: Arc<dyn World>,
    ) -> Self {
        let candidates = std::iter::once(own).chain(fallbacks).collect();
        Chain { candidates, circuits, world }
    }

    /// The name under which a candidate's answers are known. `None`: the agent's own.
    fn name(&self, place: usize) -> Option<&str> {
        (place > 0).then(|| self.candidates[place].model.as_str())
    }

    async fn ask(
        &self,
        place: usize,
        call: &ModelCall,
        (deadline, share): (Instant, Instant),
        others: bool,
        watch: &(dyn Fn(Delta) + Send + Sync),
    ) -> Result<Reply, Ended> {
        let candidate = &self.candidates[place];
        let model = if place == 0 { &call.request.model } else { &candidate.model };
        let request = history::request_for(&call.request, model, self.name(place));
        let quote = call.quote.as_ref().and_then(|quote| {
            let rule = quote.rule_of(self.name(place))?.clone();
            Some(Arc::new(Quote { fallbacks: Vec::new(), rule, ..(**quote).clone() }))
        });
        let call = ModelCall { request, quote, ..call.clone() };
        let asking = Asking { candidate, circuits: &self.circuits, world: &*self.world };
        asking.tries(&call, deadline, share, others, watch).await
    }
}

#[async_trait]
impl Model for Chain {
    async fn call(
        &self,
        call: &ModelCall,
        watch: &(dyn Fn(Delta) + Send + Sync),
    ) -> Result<Reply, ModelError> {
        let deadline = Instant::now() + Duration::from_millis(call.deadline_ms);
        let order = order::of(self, call);
        let mut told = Told::new(self.candidates.len() == 1);
        for (at, place) in order.iter().copied().enumerate() {
            let candidate = &self.candidates[place];
            if let Some(words) =
                history::unfit(candidate, &call.request).filter(|_| place > 0 && order.len() > 1)
            {
                told.skipped(candidate, words);
                continue;
            }
            let rest = order.len() - at;
            let share = share(deadline, rest);
            match self.ask(place, call, (deadline, share), rest > 1, watch).await {
                Ok(reply) => {
                    let fallback = self.name(place).map(str::to_owned);
                    return Ok(Reply { fallback, ..reply });
                }
                Err(ended) => {
                    let paid = ended.paid;
                    let class = ended.error.fault.class;
                    told.failed(candidate, self.name(place), ended.error);
                    if paid || !leads_on(class) || Instant::now() >= deadline {
                        break;
                    }
                }
            }
        }
        Err(told.verdict())
    }

    /// The price of all candidates, whoever answers. `None` where one of them has none:
    /// a fallback that counts as free would dodge every cap (L13, L14).
    fn quote(&self, model: &str, now: UnixMs) -> Option<Quote> {
        let mut quote: Option<Quote> = None;
        for (place, candidate) in self.candidates.iter().enumerate() {
            let model = if place == 0 { model } else { &candidate.model };
            let one = candidate.client.quote(model, now)?;
            let known = [one.context_tokens, candidate.context_tokens];
            let context_tokens = known.into_iter().flatten().min();
            match &mut quote {
                None => quote = Some(Quote { context_tokens, ..one }),
                Some(all) => {
                    if !all.version.split(", ").any(|version| version == one.version) {
                        all.version = format!("{}, {}", all.version, one.version);
                    }
                    let smallest = all.context_tokens.into_iter().chain(context_tokens).min();
                    all.context_tokens = smallest;
                    all.fallbacks.push(Fallback { model: model.to_owned(), rule: one.rule });
                }
            }
        }
        quote
    }
}

/// Until when a candidate may begin tries: an equal share of the time that is left, so
/// that those after it have theirs.
fn share(deadline: Instant, candidates_left: usize) -> Instant {
    let now = Instant::now();
    let parts = u32::try_from(candidates_left).unwrap_or(u32::MAX).max(1);
    now + deadline.saturating_duration_since(now) / parts
}

/// Whether a failure of one candidate is a reason to ask the next. A wrong key or name
/// must be mended, not hidden behind a fallback; a wrong request is wrong everywhere.
fn leads_on(class: FaultClass) -> bool {
    match class {
        FaultClass::RateLimited
        | FaultClass::Overloaded
        | FaultClass::Server
        | FaultClass::Network
        | FaultClass::Timeout
        | FaultClass::Cut
        | FaultClass::Malformed
        | FaultClass::Billing => true,
        FaultClass::Auth
        | FaultClass::UnknownModel
        | FaultClass::InvalidRequest
        | FaultClass::TooLarge
        | FaultClass::Interrupted => false,
    }
}

impl Candidate {
    /// A candidate with the usual numbers and a gate of its own.
    pub fn new(model: &str, provider: &str, client: Arc<dyn Model>) -> Self {
        Candidate {
            model: model.to_owned(),
            client,
            provider: provider.to_owned(),
            gate: Arc::new(Gate::new(Bulkhead::default())),
            breaker: Settings::default(),
            takes_tools: true,
            context_tokens: None,
        }
    }

    fn provider_circuit(&self) -> Dependency {
        Dependency::Provider(self.provider.clone())
    }

    fn model_circuit(&self) -> Dependency {
        let (provider, model) = (self.provider.clone(), self.model.clone());
        Dependency::Model { provider, model }
    }
}

#[cfg(test)]
mod tests;
