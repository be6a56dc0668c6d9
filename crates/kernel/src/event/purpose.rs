//! What a model call is for.

use serde::{Deserialize, Serialize};

/// What a model call is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The run's next turn.
    #[default]
    Answer,
    /// Words that will stand for the beginning of a conversation that grew too long. It
    /// costs money like any other call, and is no turn of the run.
    Summary,
}

impl Purpose {
    pub(super) fn is_answer(&self) -> bool {
        *self == Purpose::Answer
    }
}
