//! How tool calls end.

use serde::{Deserialize, Serialize};

use super::is_zero;
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

/// A payload kept by content hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadRef {
    /// BLAKE3 of the bytes. Its text form is the handle that `more` takes.
    pub hash: ContentHash,
    /// The length.
    pub bytes: u64,
}
