//! What a session was composed for: who works there, how far its tools reach.
//!
//! Frozen in the session's first fact, so that no restart, resume or child widens it.

use serde::{Deserialize, Serialize};

use crate::verdict::Trust;

/// What a session was composed for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionScope {
    /// The role of its user.
    pub role: String,
    /// Where it works: `development`, `staging`, `production`, ….
    pub environment: String,
    /// How far its tools may reach.
    pub trust: Trust,
    /// The kind of its tasks, where it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    /// Tools of the agent that it did not get.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Dropped>,
    /// Whether its task comes from a session that untrusted content had come into.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub tainted: bool,
}

/// A tool that a session did not get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Its name.
    pub tool: String,
    /// Why, in words.
    pub why: String,
}

impl Default for SessionScope {
    /// What sessions from before there were scopes are taken for.
    fn default() -> Self {
        SessionScope {
            role: "member".to_owned(),
            environment: "development".to_owned(),
            trust: Trust::Standard,
            task_type: None,
            dropped: Vec::new(),
            tainted: false,
        }
    }
}
