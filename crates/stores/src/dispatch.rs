//! Channels of nudges. The store is the truth; a lost or doubled nudge is harmless.

pub mod local;
pub mod postgres;
