//! Nudges: "this session has something to do". The store is the truth; a lost or
//! doubled nudge is harmless, because workers also sweep what is due.

use async_trait::async_trait;
use kernel::units::{SessionId, Tenant};

/// A channel of nudges.
#[async_trait]
pub trait Dispatch: Send + Sync {
    /// Says that a session has something to do. Never blocks for long; may be lost.
    async fn nudge(&self, tenant: &Tenant, session: SessionId);

    /// Waits for the next nudge. Each is given to one waiter.
    async fn next(&self) -> (Tenant, SessionId);
}
