//! Golden files and properties of the translation.
//!
//! Inputs and expected outputs are files under `tests/golden`; `BLESS=1` writes the
//! outputs anew, to be read in the diff before they are committed.
#![allow(clippy::disallowed_methods, reason = "golden tests read files and one variable")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod errors;
mod frames;
mod golden;
mod histories;
mod prefix;
mod replies;
mod requests;
mod rules;
mod streams;

/// A case's body: a text as it stands, anything else as JSON.
fn body_of(case: &serde_json::Value) -> String {
    let body = &case["body"];
    body.as_str().map_or_else(|| body.to_string(), str::to_owned)
}
