//! What a detector found, in a code for programs and a sentence for people and models.

use serde::{Deserialize, Serialize};

/// The kind of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The same call brought the same result again and again.
    SameResult,
    /// The same call failed in the same way again and again.
    SameError,
    /// A few calls went round in a circle.
    Cycle,
    /// One response asked for the same call many times.
    EqualInResponse,
    /// Step after step brought nothing new.
    NothingNew,
}

impl Kind {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Kind::SameResult => "same_result",
            Kind::SameError => "same_error",
            Kind::Cycle => "cycle",
            Kind::EqualInResponse => "equal_in_response",
            Kind::NothingNew => "nothing_new",
        }
    }
}

/// A loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub kind: Kind,
    /// The call at which it was found, counted from 0 since the detector was made or reset.
    pub at: u64,
    /// What repeats, as a sentence without its full stop.
    pub reason: String,
}

/// Longest name of a tool that a reason repeats, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// A tool's name as it stands in a reason: short, and on one line.
pub(super) fn quoted(name: &str) -> String {
    let short = &name[..name.floor_char_boundary(NAME_BYTES_MAX)];
    let clean: String =
        short.chars().map(|c| if c.is_control() || c == '`' { ' ' } else { c }).collect();
    let mark = if short.len() < name.len() { "…" } else { "" };
    format!("`{clean}{mark}`")
}
