//! Bringing one alert to one subscriber, once.

use async_trait::async_trait;
use kernel::units::UnixMs;

use crate::alerts::Alert;

/// Why a subscriber did not take an alert, named for what the sender does next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// It cannot take anything now: try again.
    #[error("{why}")]
    Unreachable {
        /// What was wrong, in a line of our own words.
        why: String,
        /// How long it asked us to wait, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// It does not want this: a few tries, in case somebody is mending it.
    #[error("{why}")]
    Rejected {
        /// What was wrong, in a line of our own words.
        why: String,
    },
    /// It is no longer there and wants nothing more: stop asking.
    #[error("{why}")]
    Gone {
        /// What was wrong, in a line of our own words.
        why: String,
    },
}

/// Who carries alerts.
#[async_trait]
pub trait Courier: Send + Sync {
    /// Hands over an alert at `now`, within a time of its own. It may arrive although an
    /// error is told.
    ///
    /// # Errors
    /// [`Undelivered`].
    async fn bring(&self, to: &str, alert: &Alert, now: UnixMs) -> Result<(), Undelivered>;
}
