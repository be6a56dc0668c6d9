//! Signs of injection in a result: told, never acted upon by themselves.

use serde::{Deserialize, Serialize};

/// The most spans that a fact keeps.
pub const SPANS_MAX: usize = 16;

/// Signs of injection in a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signs {
    /// How sure the scan is, in thousandths.
    pub score_permille: u16,
    /// What led to it, at most [`SPANS_MAX`] places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<Sign>,
}

/// One place in a result that led to its score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sign {
    /// Its first byte.
    pub start: u64,
    /// The byte after its last.
    pub end: u64,
    /// The rule that it fits.
    pub rule: String,
}
