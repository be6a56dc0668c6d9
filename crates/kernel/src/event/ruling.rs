//! Verdicts on calls as facts, and the answers of people to what was asked.

use serde::{Deserialize, Serialize};

use crate::units::{ContentHash, UnixMs};
use crate::verdict::Judgement;

/// The verdict on one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// The id of the call.
    pub call: String,
    /// The verdict, with what decided it and why.
    #[serde(flatten)]
    pub judgement: Judgement,
    /// What is asked of people, where the verdict is to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<Ask>,
}

/// What an answer is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The hash of the arguments: other arguments are another call.
    pub arguments: ContentHash,
    /// When no answer means no.
    pub expires: UnixMs,
}

/// What became of an ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Somebody entitled said yes.
    Approved,
    /// Somebody entitled said no.
    Denied,
    /// Nobody answered in time, which means no.
    Expired,
}

impl Answer {
    /// The word in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Answer::Approved => "approved",
            Answer::Denied => "denied",
            Answer::Expired => "expired",
        }
    }
}
