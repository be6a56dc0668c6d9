//! The run and its laws, as pure functions.
//!
//! A session is a list of facts. [`run::fold`] reads it into a state, [`run::owed`]
//! says what must still be done in the world, and [`run::step`] turns a command into
//! new facts or a refusal. Nothing here waits, reads a clock, draws a random number
//! or touches a file: the shell (`engine`) brings those in as arguments.

pub mod agent;
pub mod backoff;
pub mod breaker;
pub mod event;
pub mod frame;
pub mod json;
pub mod ledger;
pub mod message;
pub mod price;
pub mod run;
pub mod units;
pub mod verdict;
