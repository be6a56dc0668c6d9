//! The real clock and the real dice.

use std::time::{SystemTime, UNIX_EPOCH};

use engine::ports::World;
use kernel::units::{SessionId, UnixMs};
use uuid::Uuid;

use crate::process;

/// This machine.
pub(crate) struct Machine;

impl World for Machine {
    fn now(&self) -> UnixMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn session_id(&self) -> SessionId {
        SessionId(Uuid::now_v7())
    }

    fn chance(&self) -> u64 {
        // The random part of a version 4 id; six of its bits are fixed and folded away.
        let (high, low) = Uuid::new_v4().as_u64_pair();
        high ^ low.rotate_left(32)
    }

    fn is_dead(&self, owner: &str) -> bool {
        process::is_dead(owner)
    }
}
