//! Calling language models: two vendors' protocols, and models that only play one.
//!
//! [`anthropic`] and [`openai`] make one try each over HTTP (see [`remote`]), [`chain`]
//! retries them and falls back inside one deadline, [`catalog`] knows prices by date, and
//! [`simulated`] answers without any language model. Vendor words stay in `wire`; nothing here decides
//! about a run.

pub mod anthropic;
pub mod catalog;
pub mod chain;
pub mod openai;
mod protocol;
pub mod remote;
pub mod simulated;

#[cfg(test)]
mod testing;
