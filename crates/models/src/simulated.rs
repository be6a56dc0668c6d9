//! Models that are no language models: rules and scripts that play one.
//!
//! They let a newcomer run agents without a key, and let anybody rehearse outages. Each
//! says plainly what it is. A [`Brain`] is a pure function of the request: the same
//! conversation gets the same answer in every process.

mod estimate;
pub mod in_process;
mod long;
pub mod planner;
pub mod script;
pub mod server;

use std::sync::Arc;
use std::time::Duration;

use kernel::message::{Reply, Request};

pub use estimate::{BYTES_PER_TOKEN, answered, input_tokens};
pub use in_process::InProcess;

/// Something that answers a conversation by rules. Not a language model.
pub trait Brain: Send + Sync {
    /// The model name that it goes by.
    fn name(&self) -> &'static str;

    /// The answer to this conversation. Pure and deterministic: no clock, no chance, no
    /// memory of earlier calls. Who serves the brain fills `usage` in where it is empty.
    fn reply(&self, request: &Request) -> Reply;
}

impl<B: Brain + ?Sized> Brain for Arc<B> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn reply(&self, request: &Request) -> Reply {
        (**self).reply(request)
    }
}

/// How slowly a simulated model speaks. Nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Before the first word, in milliseconds.
    pub first_ms: u64,
    /// For each token of the answer, in milliseconds.
    pub per_token_ms: u64,
}

impl Latency {
    /// Before the first word.
    #[must_use]
    pub fn first(&self) -> Duration {
        Duration::from_millis(self.first_ms)
    }

    /// For this many tokens.
    #[must_use]
    pub fn speaking(&self, tokens: u64) -> Duration {
        Duration::from_millis(self.per_token_ms.saturating_mul(tokens))
    }
}
