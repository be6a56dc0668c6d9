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
}
