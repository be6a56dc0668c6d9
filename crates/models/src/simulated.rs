//! Models that are no language models: rules and scripts that play one.
//!
//! They let a newcomer run agents without a key, and let anybody rehearse outages. Each
//! says plainly what it is. A [`Brain`] is a pure function of the request: the same
//! conversation gets the same answer in every process.

pub mod planner;
pub mod script;

use kernel::message::{Reply, Request};

/// Something that answers a conversation by rules. Not a language model.
pub trait Brain: Send + Sync {
    /// The model name that it goes by.
    fn name(&self) -> &'static str;

    /// The answer to this conversation. Pure and deterministic: no clock, no chance, no
    /// memory of earlier calls. `usage` is left empty; who serves the brain fills it in.
    fn reply(&self, request: &Request) -> Reply;
}
