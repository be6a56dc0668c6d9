//! The stores against the contract, several processes, damage and full disks.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod conformance;
mod damage;
mod full;
mod older;
mod postgres;
mod processes;
mod sealing;
mod sealing_traces;
mod server;
