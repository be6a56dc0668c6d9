//! Time, ids and chance from a seed. The clock is tokio's paused one.

use std::sync::Mutex;

use kernel::units::{SessionId, UnixMs};
use tokio::time::Instant;

use crate::ports::World;

/// When every play begins: 2026-01-01T00:00:00Z.
const BEGINNING_MS: u64 = 1_767_225_600_000;

pub(super) struct SeededWorld {
    chance: Mutex<fastrand::Rng>,
    began: Instant,
}

impl SeededWorld {
    pub(super) fn new(chance: fastrand::Rng) -> Self {
        SeededWorld { chance: Mutex::new(chance), began: Instant::now() }
    }
}

impl World for SeededWorld {
    fn now(&self) -> UnixMs {
        let passed = self.began.elapsed().as_millis();
        UnixMs(BEGINNING_MS).plus_ms(u64::try_from(passed).unwrap_or(u64::MAX))
    }

    fn session_id(&self) -> SessionId {
        let bytes = self.chance().to_be_bytes();
        let mut random = [0; 10];
        random[..8].copy_from_slice(&bytes);
        SessionId(uuid::Builder::from_unix_timestamp_millis(self.now().0, &random).into_uuid())
    }

    fn chance(&self) -> u64 {
        self.chance.lock().expect("INVARIANT: no holder panics").u64(..)
    }
}
