//! The shell around the kernel: load, do what is owed, decide, commit.
//!
//! Everything that waits is here or behind one of the [`ports`]. No decision is made
//! here: commands go to `kernel::run`, and what comes back is committed as it is. People
//! come in through the [`door`]; the [`driver`] does the work of one session, the
//! [`worker`] that of many; who watches reads the [`tap`].

pub mod alerts;
pub mod audit;
pub mod circuits;
pub mod conformance;
pub mod door;
pub mod driver;
pub mod error;
mod judge;
pub mod memory;
mod perform;
pub mod ports;
mod record;
pub mod sim;
pub mod tap;
pub mod worker;

use std::sync::Arc;

pub use perform::call_alone;

use kernel::ledger::Plans;

use crate::alerts::Subscriptions;
use crate::circuits::Circuits;
use crate::ports::{Dispatch, Model, Policy, Store, Toolbox, World};
use crate::tap::Tap;

/// The ports, assembled: what every part of the shell works with.
#[derive(Clone)]
pub struct Engine {
    /// Where sessions are kept.
    pub store: Arc<dyn Store>,
    /// Who is told that there is work.
    pub dispatch: Arc<dyn Dispatch>,
    /// Who answers requests.
    pub model: Arc<dyn Model>,
    /// Who runs tools.
    pub toolbox: Arc<dyn Toolbox>,
    /// Who says what may be done.
    pub policy: Arc<dyn Policy>,
    /// Time, ids and chance.
    pub world: Arc<dyn World>,
    /// The budgets that sessions share.
    pub plans: Arc<Plans>,
    /// Blanks what must not be kept in the audit.
    pub redact: Arc<audit::Redact>,
    /// Who is told of trips, and at which parts of caps.
    pub subscriptions: Arc<Subscriptions>,
    /// Who watches.
    pub tap: Tap,
    /// What is out.
    pub circuits: Circuits,
}
