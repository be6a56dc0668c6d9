//! Alerts on their way out: kept with what caused them, handed to one sender at a time,
//! until each subscriber has taken its copy or has failed too often.
//!
//! An alert arrives at least once: a sender that dies after its request and before its
//! note leaves the delivery to the next. The id is the same each time.

use async_trait::async_trait;
use kernel::units::{Tenant, UnixMs};

use super::StoreError;
use crate::alerts::Alert;

/// A try to bring an alert to a subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// What is brought.
    pub alert: Alert,
    /// To whom, by name.
    pub to: String,
    /// Which try it is: 1 for the first. A later taker has a higher number, and what an
    /// earlier one says afterwards is not heard.
    pub attempt: u32,
}

/// A wish to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// To whom, by name.
    pub to: String,
    /// The present instant.
    pub now: UnixMs,
    /// When somebody else may try if nothing is heard until then.
    pub until: UnixMs,
    /// At most so many.
    pub rows_max: u32,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// The subscriber has it.
    Delivered,
    /// Not now.
    Later {
        /// When to try again.
        due: UnixMs,
        /// What was wrong, in a line.
        why: String,
    },
    /// Never.
    Dead {
        /// What was wrong, in a line.
        why: String,
    },
}

/// Where a copy of an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// On its way; somebody should try at this instant.
    Waiting(UnixMs),
    /// Its subscriber has it.
    Delivered,
    /// It was given up.
    Dead,
}

/// A subscriber's copy of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Whose it is, by name.
    pub to: String,
    /// Where it is.
    pub standing: Standing,
    /// Tries begun so far.
    pub attempts: u32,
    /// What was wrong with the last try; empty where nothing was.
    pub why: String,
}

/// An alert with its copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The alert.
    pub alert: Alert,
    /// One copy for each subscriber that wanted it when it came to be, by name.
    pub copies: Vec<Copied>,
}

/// Where alerts wait. Like due work they are the operator's, across all tenants; lists
/// can be asked for one tenant.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Keeps an alert that no commit causes, for these subscribers; due at once. `false`:
    /// its tenant had one with this key already, and nothing was changed.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn raise(&self, alert: Alert, to: Vec<String>) -> Result<bool, StoreError>;

    /// When the next waiting copy for this subscriber is due. `None`: none waits.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn next_due(&self, to: &str) -> Result<Option<UnixMs>, StoreError>;

    /// Takes copies that are due, the longest due first. Until `take.until` nobody else is
    /// given them.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn take(&self, take: &Take) -> Result<Vec<Delivery>, StoreError>;

    /// Notes how a try ended. Nothing happens where the copy was taken again since, or is
    /// gone.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn tried(&self, delivery: &Delivery, how: &Tried) -> Result<(), StoreError>;

    /// Alerts, newest first, at most `rows_max` and never more than 1,000: of one tenant,
    /// or of everybody.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn alerts(&self, of: Option<&Tenant>, rows_max: u32) -> Result<Vec<Listed>, StoreError>;

    /// Makes what was given up due again, from its first try on: one alert's copies by its
    /// id, or all. Tells how many copies that were.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn again(&self, id: Option<&str>, now: UnixMs) -> Result<u64, StoreError>;

    /// Forgets alerts from before `before` of which no copy waits any more, and beyond
    /// `rows_max` the oldest whatever became of them. Tells how many alerts that were.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn forget(&self, before: UnixMs, rows_max: u64) -> Result<u64, StoreError>;
}
