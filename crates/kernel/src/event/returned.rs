//! How tool calls end.

use serde::{Deserialize, Serialize};

use super::{ChildEnd, Signs, is_zero};
use crate::units::ContentHash;

/// The end of a tool call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Returned {
    /// The id of the call within its turn.
    pub call: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What the model reads, already cut to the tool's output limit.
    pub content: String,
    /// Where the whole output is kept, if it was longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<PayloadRef>,
    /// How long the call took, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub took_ms: u64,
    /// The child that answered, and what it used of what was carved out for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<ChildEnd>,
    /// Signs of injection in what came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signs: Option<Signs>,
}

impl Returned {
    /// An end that is told in these words and nothing more.
    #[must_use]
    pub fn plain(call: &str, outcome: Outcome, content: impl Into<String>) -> Self {
        Returned {
            call: call.to_owned(),
            outcome,
            content: content.into(),
            rest: None,
            took_ms: 0,
            child: None,
            signs: None,
        }
    }
}

/// How a tool call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did what it was asked.
    Ok,
    /// It did not; the content says why.
    Error,
    /// It began and nobody knows whether it happened. It is never run again by itself.
    OutcomeUnknown,
    /// It was not run, because the run was cancelled.
    Cancelled,
}

/// Digits of a payload's hash that make a handle.
pub const HANDLE_DIGITS: usize = 16;

/// What the handle of an event begins with.
const EVENT: &str = "event_";

/// The handle of the result in the event of this number.
#[must_use]
pub fn event_handle(seq: u64) -> String {
    format!("{EVENT}{seq}")
}

/// The number of the event that a handle names, if it names one.
#[must_use]
pub fn event_of_handle(handle: &str) -> Option<u64> {
    handle.strip_prefix(EVENT)?.parse().ok()
}

/// A payload kept by content hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadRef {
    /// BLAKE3 of the bytes. Its text form is the handle that `more` takes.
    pub hash: ContentHash,
    /// The length.
    pub bytes: u64,
}

impl PayloadRef {
    /// What `more` takes to read it.
    #[must_use]
    pub fn handle(&self) -> String {
        self.hash.to_string()[..HANDLE_DIGITS].to_owned()
    }
}
