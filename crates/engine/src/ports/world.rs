//! Time, ids and chance: what a pure program must be told.

use kernel::units::{SessionId, UnixMs};

/// The clock and the dice.
pub trait World: Send + Sync {
    /// The present instant.
    fn now(&self) -> UnixMs;

    /// A new session id; later ones sort after earlier ones.
    fn session_id(&self) -> SessionId;

    /// A random number, for jitter.
    fn chance(&self) -> u64;

    /// Whether the process that owns leases under this name is certainly dead, so that its
    /// leases need not be waited for. In doubt it is not.
    fn is_dead(&self, owner: &str) -> bool {
        let _nobody_knows = owner;
        false
    }
}
