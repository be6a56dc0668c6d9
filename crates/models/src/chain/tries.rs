//! Asking one candidate: tries by error class with waits between them.
//!
//! Each try passes the provider's circuit, the model's circuit and the gate. The
//! provider's circuit is about the way there: it fails where there is no connection, and
//! any answer is a good one. The model's circuit is about everything that is answered,
//! so that one overloaded model does not take its provider's others with it.

use std::time::Duration;

use engine::circuits::{Circuits, Leave};
use engine::ports::{ModelCall, ModelError, World};
use kernel::backoff::Backoff;
use kernel::breaker::circuit::{End, Refused};
use kernel::event::{FaultClass, ModelFault, NextStep};
use kernel::message::{Delta, Reply, Usage};
use kernel::price::{Rule, Spent};
use kernel::units::Money;
use tokio::time::Instant;

use super::Candidate;
use super::gate::NoRoom;
use super::spent::both;

/// The waits between tries: full jitter in half a second, doubling up to eight.
const WAITS: Backoff = Backoff { base_ms: 500, window_ms_max: 8_000 };

/// One candidate and what it is asked with.
pub(super) struct Asking<'a> {
    pub(super) candidate: &'a Candidate,
    pub(super) circuits: &'a Circuits,
    pub(super) world: &'a dyn World,
}

/// How asking a candidate ended without an answer.
pub(super) struct Ended {
    pub(super) error: ModelError,
    /// Whether it used up money of the hold.
    pub(super) paid: bool,
}

/// How one try failed.
enum Failed {
    /// The candidate was asked.
    Asked(ModelError),
    /// It was not: its circuit is open, or there is no room. Waiting here does not help.
    Unasked(ModelError),
}

/// Leave by both circuits.
struct Leaves {
    provider: Leave,
    model: Leave,
}

impl Asking<'_> {
    /// Tries until an answer, a fault that is not tried again, or no time for another
    /// try. `share` ends the tries; one that has begun may go on to the `deadline` where
    /// it costs money, because nothing could follow it. With `others` to ask, a wait that
    /// the provider asks for is not waited out if it is longer than our own.
    pub(super) async fn tries(
        &self,
        call: &ModelCall,
        deadline: Instant,
        share: Instant,
        others: bool,
        watch: &(dyn Fn(Delta) + Send + Sync),
    ) -> Result<Reply, Ended> {
        let rule = self.rule(call);
        let until = if costs(&rule, Spent::Unknown) { deadline } else { share };
        let mut spent = Spent::Nothing;
        let mut tries = 1;
        loop {
            let error = match self.one_try(call, until, share, watch).await {
                Ok(reply) => return Ok(reply),
                Err(Failed::Unasked(error)) => {
                    return Err(Ended { error: ModelError { spent, ..error }, paid: false });
                }
                Err(Failed::Asked(error)) => error,
            };
            spent = both(spent, error.spent);
            let paid = costs(&rule, error.spent);
            let again = |pause: &Duration| !paid && Instant::now() + *pause < share;
            let pause = self.pause(call, tries, &error.fault, others).filter(again);
            // Its circuit may have opened on this very failure.
            let Some(pause) = pause.filter(|_| self.refusal().is_none()) else {
                return Err(Ended { error: ModelError { spent, ..error }, paid });
            };
            told(call, tries, &error.fault, pause);
            tokio::time::sleep(pause).await;
            tries += 1;
        }
    }

    async fn one_try(
        &self,
        call: &ModelCall,
        until: Instant,
        share: Instant,
        watch: &(dyn Fn(Delta) + Send + Sync),
    ) -> Result<Reply, Failed> {
        if let Some(refused) = self.refusal() {
            return Err(left_alone(refused));
        }
        let gate = &self.candidate.gate;
        let full = |NoRoom(words)| Failed::Unasked(ModelError::free(FaultClass::Overloaded, words));
        let _place = gate.pass(share).await.map_err(full)?;
        let leaves = self.enter().map_err(left_alone)?;
        let left = until.saturating_duration_since(Instant::now());
        let deadline_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        let one = ModelCall { deadline_ms, tries_max: 1, ..call.clone() };
        let answer = self.candidate.client.call(&one, watch).await;
        match &answer {
            Ok(_) => leaves.end(End::Well, End::Well, ""),
            Err(error) => {
                let fault = &error.fault;
                leaves.end(end_of_way(fault), end_of_model(fault), fault.class.code());
            }
        }
        answer.map_err(Failed::Asked)
    }

    fn refusal(&self) -> Option<Refused> {
        let of = [self.candidate.provider_circuit(), self.candidate.model_circuit()];
        let refusals = of.iter().filter_map(|of| self.circuits.refusal(of));
        refusals.max_by_key(|refused| refused.retry_after_ms)
    }

    fn enter(&self) -> Result<Leaves, Refused> {
        let Candidate { breaker, .. } = self.candidate;
        let provider = self.circuits.enter(&self.candidate.provider_circuit(), breaker)?;
        let model = self.circuits.enter(&self.candidate.model_circuit(), breaker)?;
        Ok(Leaves { provider, model })
    }

    /// The wait before the next try; `None` where this failure is the candidate's last
    /// word.
    fn pause(
        &self,
        call: &ModelCall,
        tries: u32,
        fault: &ModelFault,
        others: bool,
    ) -> Option<Duration> {
        let asked_ms = fault.retry_after_ms.unwrap_or(0);
        let again = match fault.class.next_step() {
            NextStep::Retry => tries < call.tries_max,
            NextStep::Mend | NextStep::GiveUp => false,
        };
        let patient = !others || asked_ms <= WAITS.window_ms_max;
        let jitter_ms = || WAITS.wait_ms(tries, self.world.chance());
        (again && patient).then(|| Duration::from_millis(jitter_ms().max(asked_ms)))
    }

    /// How the candidate's calls are priced: as the hold was computed, or as they are now
    /// where nothing was held.
    fn rule(&self, call: &ModelCall) -> Option<Rule> {
        let held = call.quote.as_ref().map(|quote| quote.rule.clone());
        let now = || self.candidate.client.quote(&call.request.model, self.world.now());
        held.or_else(|| Some(now()?.rule))
    }
}

impl Leaves {
    fn end(self, way: End, model: End, why: &str) {
        self.provider.end(way, why);
        self.model.end(model, why);
    }
}

/// What a failure says about the way to the provider.
fn end_of_way(fault: &ModelFault) -> End {
    match fault.class {
        FaultClass::Network => End::of_fault(fault),
        FaultClass::Timeout | FaultClass::Interrupted => End::Silent,
        FaultClass::RateLimited
        | FaultClass::Overloaded
        | FaultClass::Server
        | FaultClass::Cut
        | FaultClass::Malformed
        | FaultClass::Auth
        | FaultClass::Billing
        | FaultClass::UnknownModel
        | FaultClass::InvalidRequest
        | FaultClass::TooLarge => End::Well,
    }
}

/// What a failure says about the model: nothing, where it was never reached.
fn end_of_model(fault: &ModelFault) -> End {
    if fault.class == FaultClass::Network { End::Silent } else { End::of_fault(fault) }
}

/// Whether a failed try used up money of the hold. Models that are free or have no price
/// are held for nothing.
fn costs(rule: &Option<Rule>, spent: Spent) -> bool {
    let cost = |usage: &Usage| rule.as_ref().is_some_and(|rule| rule.cost(usage) > Money::ZERO);
    match spent {
        Spent::Nothing => false,
        Spent::Told(usage) | Spent::Estimated(usage) => cost(&usage),
        Spent::Unknown => cost(&Usage { input: 1, output: 1, ..Usage::default() }),
    }
}

fn left_alone(refused: Refused) -> Failed {
    let wait_ms = refused.retry_after_ms;
    let words = format!("failed too often and is left alone for {wait_ms} ms more");
    let mut error = ModelError::free(FaultClass::Overloaded, words);
    error.fault.retry_after_ms = Some(wait_ms);
    Failed::Unasked(error)
}

fn told(call: &ModelCall, tries: u32, fault: &ModelFault, pause: Duration) {
    let (call, wait_ms) = (call.label.as_str(), pause.as_millis());
    let (class, request_id) = (fault.class.code(), fault.request_id.as_deref());
    tracing::debug!(call, tries, class, request_id, wait_ms, "model call will be tried again");
}
