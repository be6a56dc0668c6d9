//! The shell's parts on a stage: a store in memory, a model that follows a script, tools
//! that count what they do, and a clock that jumps. Nothing here sleeps for real.

mod alerts;
mod alone;
mod approvals;
mod driver;
mod front;
mod leases;
mod shared;
mod stage;
mod tools;
mod unpriced;
mod worker;
