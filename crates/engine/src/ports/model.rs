//! Calling a language model, or something that plays one.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::event::{FaultClass, ModelFault};
use kernel::message::{Delta, Reply, Request};
use kernel::price::{Quote, Spent};
use kernel::units::{Money, UnixMs};

/// One call.
#[derive(Clone, Debug)]
pub struct ModelCall {
    /// What to send.
    pub request: Arc<Request>,
    /// Time for the call with all its retries, in milliseconds.
    pub deadline_ms: u64,
    /// Tries within the deadline, the first included.
    pub tries_max: u32,
    /// A name for the call that is the same when it is retried: session, run and turn.
    pub label: String,
    /// What was reserved for it: a stream whose cost passes this is cut.
    pub hold: Money,
    /// The prices that the hold was computed with. `None`: nobody knows them, and nothing
    /// was reserved.
    pub quote: Option<Arc<Quote>>,
}

/// A call that failed after its short retries.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{} ({})", fault.message, fault.class.code())]
pub struct ModelError {
    /// How it failed, for the log.
    pub fault: ModelFault,
    /// What it cost nevertheless.
    pub spent: Spent,
    /// The fallback that this was spent on, by its name in the agent. `None`: the agent's
    /// own model.
    pub fallback: Option<String>,
}

impl ModelError {
    /// A failure that cost nothing.
    #[must_use]
    pub fn free(class: FaultClass, message: impl Into<String>) -> Self {
        let message = message.into();
        let fault = ModelFault { class, message, retry_after_ms: None, request_id: None };
        ModelError { fault, spent: Spent::Nothing, fallback: None }
    }
}

/// Something that answers requests.
#[async_trait]
pub trait Model: Send + Sync {
    /// Makes one call: waits, retries what is worth retrying inside the deadline, and
    /// brings the whole answer. `watch` is told the pieces on their way; a retried call
    /// may tell pieces twice, and nothing may depend on them.
    ///
    /// # Errors
    /// The class of the last failure, and what the tries cost together.
    async fn call(
        &self,
        call: &ModelCall,
        watch: &(dyn Fn(Delta) + Send + Sync),
    ) -> Result<Reply, ModelError>;

    /// What a call of this model costs at `now`. `None`: nobody knows. A model that is
    /// free has a price of zero.
    fn quote(&self, model: &str, now: UnixMs) -> Option<Quote>;
}
