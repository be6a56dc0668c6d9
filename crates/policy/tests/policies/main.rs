//! Policy sets from outside: files that are refused, verdicts that are given, scopes that
//! are composed.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod docs;
mod golden;
mod judged;
mod refused;
mod scope;
mod sets;
mod templates;
