//! How much of a model's window a conversation may fill, and what is done then.
//!
//! Only the numbers. What they decide is in `run::compact`; the window itself comes with
//! the model's price, from the catalogue, unless it is named here.

use serde::{Deserialize, Serialize};

/// The rules for conversations that grow long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Window {
    /// The most that a prompt and its answer may hold together, in tokens. `None`: what
    /// the catalogue says of the model. Where both are known the smaller one holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_max: Option<u64>,
    /// Whether long conversations are made shorter. If not, they run until the provider
    /// refuses them, and the run fails.
    pub compact: bool,
    /// How full the room for prompts is when something is done, in percent.
    pub trigger_percent: u32,
    /// The last turns, whose results stay and which no summary replaces.
    pub keep_turns: u32,
    /// The least that is worth changing what was sent, in percent of the room: each
    /// change breaks the provider's cached prefix once.
    pub clear_percent_min: u32,
    /// The longest summary, in tokens.
    pub summary_tokens_max: u32,
}

impl Default for Window {
    fn default() -> Self {
        Window {
            tokens_max: None,
            compact: true,
            trigger_percent: 80,
            keep_turns: 3,
            clear_percent_min: 20,
            summary_tokens_max: 4_096,
        }
    }
}

impl Window {
    /// Whether nothing was said about it.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Window::default()
    }
}
