//! Short waits: one call, tried again inside one deadline.
//!
//! Waiting for minutes is not done here; a fault whose wait does not fit comes back at
//! once with the provider's `retry_after_ms`, and the run parks. A failed try that cost
//! money is never followed by another one: the caller's hold covers one paid call, and
//! a second would spend what nobody reserved. It settles and holds anew instead.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine::ports::{Model, ModelCall, ModelError, World};
use kernel::backoff::Backoff;
use kernel::event::{ModelFault, NextStep};
use kernel::message::{Delta, Reply, Usage};
use kernel::price::{Quote, Spent};
use kernel::units::{Money, UnixMs};
use tokio::time::Instant;

/// The waits between tries: full jitter in half a second, doubling up to eight.
const WAITS: Backoff = Backoff { base_ms: 500, window_ms_max: 8_000 };

/// A model whose single tries are made by `inner`.
pub struct Route<M> {
    inner: M,
    world: Arc<dyn World>,
}

impl<M: Model> Route<M> {
    /// Retries the calls of `inner`, which makes one try for each call and keeps its
    /// deadline. Dates and jitter come from `world`; elapsed time is the runtime's, so
    /// that a clock set by hand moves no deadline.
    pub fn new(inner: M, world: Arc<dyn World>) -> Self {
        Route { inner, world }
    }

    /// The wait before the next try, or `None` where this failure is the last word.
    fn wait(&self, call: &ModelCall, tries: u32, error: &ModelError) -> Option<Duration> {
        let again = match error.fault.class.next_step() {
            NextStep::Retry => tries < call.tries_max && !self.was_paid(call, error.spent),
            NextStep::Mend | NextStep::GiveUp => false,
        };
        again.then(|| self.pause(tries, &error.fault))
    }

    fn pause(&self, tries: u32, fault: &ModelFault) -> Duration {
        let jitter_ms = WAITS.wait_ms(tries, self.world.chance());
        Duration::from_millis(jitter_ms.max(fault.retry_after_ms.unwrap_or(0)))
    }

    /// Whether a failed try used up money of the hold. Models that are free or have no
    /// price are held for nothing.
    fn was_paid(&self, call: &ModelCall, spent: Spent) -> bool {
        let quote = || self.inner.quote(&call.request.model, self.world.now());
        let costs = |usage: &Usage| quote().is_some_and(|q| q.rule.cost(usage) > Money::ZERO);
        match spent {
            Spent::Nothing => false,
            Spent::Told(usage) | Spent::Estimated(usage) => costs(&usage),
            Spent::Unknown => costs(&Usage { input: 1, output: 1, ..Usage::default() }),
        }
    }
}

#[async_trait]
impl<M: Model> Model for Route<M> {
    async fn call(
        &self,
        call: &ModelCall,
        watch: &(dyn Fn(Delta) + Send + Sync),
    ) -> Result<Reply, ModelError> {
        let deadline = Instant::now() + Duration::from_millis(call.deadline_ms);
        let mut spent = Spent::Nothing;
        let mut tries = 1;
        loop {
            let one = one_try(call, deadline);
            let error = match self.inner.call(&one, watch).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            spent = both(spent, error.spent);
            let pause = self.wait(call, tries, &error);
            let Some(pause) = pause.filter(|wait| Instant::now() + *wait < deadline) else {
                return Err(ModelError { spent, ..error });
            };
            told(call, tries, &error.fault, pause);
            tokio::time::sleep(pause).await;
            tries += 1;
        }
    }

    fn quote(&self, model: &str, now: UnixMs) -> Option<Quote> {
        self.inner.quote(model, now)
    }
}

fn one_try(call: &ModelCall, deadline: Instant) -> ModelCall {
    let left = deadline.saturating_duration_since(Instant::now());
    let deadline_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
    ModelCall { deadline_ms, tries_max: 1, ..call.clone() }
}

fn told(call: &ModelCall, tries: u32, fault: &ModelFault, pause: Duration) {
    let (call, wait_ms) = (call.label.as_str(), pause.as_millis());
    let (class, request_id) = (fault.class.code(), fault.request_id.as_deref());
    tracing::debug!(call, tries, class, request_id, wait_ms, "model call will be tried again");
}

/// What two tries cost together. The less certain of the two decides how sure the sum is.
fn both(a: Spent, b: Spent) -> Spent {
    match (a, b) {
        (Spent::Unknown, _) | (_, Spent::Unknown) => Spent::Unknown,
        (Spent::Nothing, other) | (other, Spent::Nothing) => other,
        (Spent::Told(a), Spent::Told(b)) => Spent::Told(sum(a, b)),
        (Spent::Told(a) | Spent::Estimated(a), Spent::Told(b) | Spent::Estimated(b)) => {
            Spent::Estimated(sum(a, b))
        }
    }
}

fn sum(a: Usage, b: Usage) -> Usage {
    Usage {
        input: a.input.saturating_add(b.input),
        output: a.output.saturating_add(b.output),
        cache_read: a.cache_read.saturating_add(b.cache_read),
        cache_write_5m: a.cache_write_5m.saturating_add(b.cache_write_5m),
        cache_write_1h: a.cache_write_1h.saturating_add(b.cache_write_1h),
        web_searches: a.web_searches.saturating_add(b.web_searches),
    }
}

#[cfg(test)]
mod tests;
