//! Policy sets from outside: files that are refused, verdicts that are given, scopes that
//! are composed.

mod golden;
mod judged;
mod refused;
mod scope;
mod sets;
mod templates;
