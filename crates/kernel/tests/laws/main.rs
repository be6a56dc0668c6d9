//! The laws of the kernel, tested from outside through its public face.
//!
//! `transcripts` are texts that people read; `old_logs` are logs that must fold for
//! ever; `tampering` alters stored bytes; `properties` play random sessions, and `hostile` says
//! what nobody honest says.

#![allow(clippy::disallowed_methods, reason = "tests read their cases from files")]
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod hostile;
mod old_logs;
mod plan;
mod properties;
mod render;
mod script;
mod tampering;
mod transcripts;
mod world;
