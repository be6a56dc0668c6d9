//! What the harness says to the model.

use serde::{Deserialize, Serialize};

use crate::breaker::loops::Kind;

/// Words of the harness to the model. They are stored as facts about what was said, and
/// rendered by [`Notice::text`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// The turn cap comes near.
    TurnsLeft(u32),
    /// The next answer is the last one, without tools.
    LastTurn,
    /// An answer came without tool calls and without the done signal.
    DoneSignalMissing,
    /// An answer was cut at `max_tokens`.
    AnswerCut,
    /// The run was resumed after its turn cap.
    TurnsGranted(u32),
    /// The conversation goes on after a pause.
    GoOn,
    /// A tool does not work now; calls to it are answered at once until it is back.
    ToolWithdrawn {
        /// Its name.
        tool: String,
        /// Why, in words of our own: a tool's own words never speak for the harness.
        why: String,
    },
    /// A withdrawn tool may be called again.
    ToolBack {
        /// Its name.
        tool: String,
    },
    /// The run goes round in circles.
    Looping {
        /// The kind of the loop.
        kind: Kind,
        /// What repeats, in words of our own.
        reason: String,
    },
}

impl Notice {
    /// The words, as the model reads them. They are part of what was sent: once a
    /// version is released they never change, or cached prefixes and replays break.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Notice::TurnsLeft(1) => "[harness] One more turn with tools is left before the \
                 turn limit; after it comes one last answer without tools. Finish the most \
                 important work now."
                .to_owned(),
            Notice::TurnsLeft(left) => format!(
                "[harness] {left} more turns with tools are left before the turn limit. \
                 Finish the most important work first."
            ),
            Notice::LastTurn => "[harness] The turn limit is reached and tools are off. Give \
                 your last answer now: what is done, what was found, and what is left to do."
                .to_owned(),
            Notice::DoneSignalMissing => "[harness] Your answer called no tool and did not \
                 end the task. If the task is done, call `end_task` with the result; \
                 otherwise go on."
                .to_owned(),
            Notice::AnswerCut => "[harness] Your answer was cut at the length limit. Go on \
                 where it stopped."
                .to_owned(),
            Notice::TurnsGranted(turns) => {
                format!("[harness] {turns} more turns were granted and tools are on again. Go on.")
            }
            Notice::Looping { reason, .. } => format!(
                "[harness] You are going round in circles: {reason}. Doing the same again \
                 brings nothing new. Try another way, or end the task with what you have and \
                 say what is missing. If this goes on, the run is stopped."
            ),
            Notice::GoOn => "[harness] Go on.".to_owned(),
            Notice::ToolWithdrawn { tool, why } => format!(
                "[harness] The tool `{tool}` is withdrawn for now: {why}. Calls to it are \
                 answered at once, without running. Go on without it, and say in your answer \
                 what could not be done."
            ),
            Notice::ToolBack { tool } => {
                format!("[harness] The tool `{tool}` may be called again.")
            }
        }
    }
}
