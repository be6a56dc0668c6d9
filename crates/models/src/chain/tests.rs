//! Chains of scripted models on a paused clock. `wire` has them against real servers.

mod fallbacks;
mod histories;
mod tries;
mod wire;

use std::collections::VecDeque;
use std::sync::Mutex;

use kernel::message::{Block, Request, Stop};
use kernel::price::{Rates, Rule, Spent};

use super::*;
use crate::testing::{Still, call, candidate};

/// One try's end: how long it took in milliseconds, and what came of it.
type End = (u64, Result<(), ModelError>);

/// A model whose tries end as listed, and then well. It notes what it was asked, and when.
pub(super) struct Listed {
    ends: Mutex<VecDeque<End>>,
    asked: Mutex<Vec<(Instant, ModelCall)>>,
}

#[async_trait]
impl Model for Listed {
    async fn call(
        &self,
        call: &ModelCall,
        _watch: &(dyn Fn(Delta) + Send + Sync),
    ) -> Result<Reply, ModelError> {
        self.asked.lock().unwrap().push((Instant::now(), call.clone()));
        let (takes_ms, end) = self.ends.lock().unwrap().pop_front().unwrap_or((0, Ok(())));
        let takes = Duration::from_millis(takes_ms);
        let limit = Duration::from_millis(call.deadline_ms);
        if tokio::time::timeout(limit, tokio::time::sleep(takes)).await.is_err() {
            return Err(ModelError::free(FaultClass::Timeout, "too late"));
        }
        end.map(|()| Reply {
            content: vec![Block::text("hi")],
            stop: Stop::EndTurn,
            usage: None,
            model: None,
            fallback: None,
            id: None,
            extra: kernel::json::Extra::new(),
        })
    }

    /// Models called `free…` cost nothing, `dear…` four times as much as others, and
    /// `nobody` has no price.
    fn quote(&self, model: &str, _now: UnixMs) -> Option<Quote> {
        (model != "nobody").then(|| Quote::of("listed", rule(model)))
    }
}

fn rule(model: &str) -> Rule {
    let times = match model {
        free if free.starts_with("free") => 0,
        dear if dear.starts_with("dear") => 4,
        _ => 1,
    };
    Rule::flat(Rates {
        input: 100 * times,
        output: 500 * times,
        cache_write_5m: 125 * times,
        cache_write_1h: 200 * times,
        cache_read: 10 * times,
    })
}

/// A chain, and its models to look at.
struct Stage {
    chain: Chain,
    models: Vec<Arc<Listed>>,
}

impl Stage {
    fn of<E: Into<VecDeque<End>>>(
        models: impl IntoIterator<Item = (&'static str, E)>,
        chance: u64,
    ) -> Self {
        let (mut candidates, mut listed) = (Vec::new(), Vec::new());
        for (model, ends) in models {
            let ends = Mutex::new(ends.into());
            let client = Arc::new(Listed { ends, asked: Mutex::default() });
            listed.push(Arc::clone(&client));
            candidates.push(candidate(model, client));
        }
        let fallbacks = candidates.split_off(1);
        let own = candidates.pop().expect("a chain has a first model");
        let circuits = Circuits::new(engine::tap::Tap::default());
        let chain = Chain::new(own, fallbacks, circuits, Arc::new(Still { chance }));
        Stage { chain, models: listed }
    }

    /// Calls with the chain's own quote.
    async fn ask(&self, request: Request, deadline_ms: u64) -> Result<Reply, ModelError> {
        let model = request.model.clone();
        let quote = self.chain.quote(&model, crate::testing::TODAY).map(Arc::new);
        let usual = call(&model, deadline_ms, 4);
        let call = ModelCall { request: Arc::new(request), quote, ..usual };
        self.chain.call(&call, &|_| {}).await
    }

    /// When the tries of a model began, in milliseconds from the first try of anybody.
    fn begun(&self, place: usize) -> Vec<u64> {
        let first = self.models.iter().flat_map(|model| {
            model.asked.lock().unwrap().iter().map(|(at, _)| *at).collect::<Vec<_>>()
        });
        let first = first.min().unwrap_or_else(Instant::now);
        let asked = self.models[place].asked.lock().unwrap();
        asked.iter().map(|(at, _)| u64::try_from((*at - first).as_millis()).unwrap()).collect()
    }

    /// The last request that a model was sent.
    fn sent(&self, place: usize) -> Arc<Request> {
        let asked = self.models[place].asked.lock().unwrap();
        Arc::clone(&asked.last().expect("it was asked").1.request)
    }
}

fn fault(class: FaultClass, retry_after_ms: Option<u64>, spent: Spent) -> ModelError {
    let mut error = ModelError::free(class, "no");
    error.fault.retry_after_ms = retry_after_ms;
    error.spent = spent;
    error
}
