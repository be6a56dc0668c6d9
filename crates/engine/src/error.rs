//! What can go wrong between a command and its commit, named for what the caller does.

use kernel::agent::NotAnAgent;
use kernel::run::{Misfit, Refusal};
use kernel::verdict::Judgement;

use crate::ports::{StoreError, Unfit};

/// Why the engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A lawful no: nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Policies do not let the one who asks do this.
    #[error("not allowed: {}", _0.reasons.join("; "))]
    Denied(Judgement),
    /// The store said no, or could not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log is not what was committed: stop, look, restore from a copy.
    #[error("the log of session {session} is damaged: {why}")]
    Damaged {
        /// Which session.
        session: kernel::units::SessionId,
        /// How.
        why: Misfit,
    },
    /// The frozen agent cannot be had back.
    #[error(transparent)]
    Agent(#[from] NotAnAgent),
    /// Nobody here brings what the session works with.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// A mistake in this program; what was not committed is lost, and the log says so.
    #[error("a mistake in this program stopped the session: {message}")]
    Crashed {
        /// What it said.
        message: String,
    },
    /// Others kept writing first; trying again is safe.
    #[error("the session was changed by others {tries} times in a row\ntry again")]
    Contended {
        /// Tries made.
        tries: u32,
    },
}
