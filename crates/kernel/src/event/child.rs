//! What a run hands to a child, and what the child used of it.
//!
//! A child is a session of its own. Everything that limits it is taken out of what its
//! parent has, when it begins; what it did not use is given back, when it ends.

use serde::{Deserialize, Serialize};

use crate::units::{Money, SessionId};
use crate::verdict::Trust;

/// What a child gets out of what its parent has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carve {
    /// The most that it may cost, held in its parent's run. `None`: the parent has no
    /// cap, and none was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Money>,
    /// Model responses that it and its own children may take.
    pub turns: u32,
    /// Children that it may begin, their own children included.
    #[serde(default, skip_serializing_if = "is_none_given")]
    pub children: u32,
    /// Children of it that may live at the same time, their own children included.
    #[serde(default, skip_serializing_if = "is_none_given")]
    pub at_once: u32,
    /// How far its tools may reach, where that is less than its parent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
    /// Whether its task comes from a session that untrusted content had come into.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub tainted: bool,
}

/// What a child used, its own children included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildEnd {
    /// The child.
    pub session: SessionId,
    /// What it cost, to the nano-dollar.
    #[serde(default, skip_serializing_if = "super::is_nothing")]
    pub spent: Money,
    /// Model responses.
    #[serde(default, skip_serializing_if = "super::no_turns")]
    pub turns: u32,
    /// Children that it began.
    #[serde(default, skip_serializing_if = "is_none_given")]
    pub children: u32,
    /// Whether untrusted content came into it.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub tainted: bool,
}

/// Whose child a session is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The session that began it.
    pub session: SessionId,
    /// The run that it works for.
    pub run: u32,
    /// The call that it answers.
    pub call: String,
    /// Sessions between it and the root, itself included: 1 for a child of the root.
    pub depth: u32,
    /// The session that nobody began.
    pub root: SessionId,
}

fn is_none_given(number: &u32) -> bool {
    *number == 0
}
