//! Where the process may die: at any await of the outside.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};

use tokio_util::sync::CancellationToken;

/// Decides by chance whether the process dies at a point that it passes.
pub(super) struct Crash {
    chance: Mutex<fastrand::Rng>,
    /// One in how many points is deadly; 0 for none.
    one_in: AtomicU32,
    /// Cancelled when the present process dies, with everything in it.
    dead: Mutex<CancellationToken>,
}

impl Crash {
    pub(super) fn new(chance: fastrand::Rng) -> Self {
        let dead = Mutex::new(CancellationToken::new());
        Crash { chance: Mutex::new(chance), one_in: AtomicU32::new(0), dead }
    }

    /// Makes one point in so many deadly; 0 makes none so.
    pub(super) fn arm(&self, one_in: u32) {
        self.one_in.store(one_in, Ordering::Relaxed);
    }

    /// The next process begins.
    pub(super) fn revive(&self) {
        *self.dead() = CancellationToken::new();
    }

    /// A point at which the process may die: then this never returns.
    pub(super) async fn point(&self) {
        let one_in = self.one_in.load(Ordering::Relaxed);
        let dies = one_in > 0
            && self.chance.lock().expect("INVARIANT: no holder panics").u32(0..one_in) == 0;
        if dies {
            self.dead().cancel();
            std::future::pending::<()>().await;
        }
    }

    /// Waits for the process to die.
    pub(super) async fn happened(&self) {
        let dead = self.dead().clone();
        dead.cancelled().await;
    }

    fn dead(&self) -> MutexGuard<'_, CancellationToken> {
        self.dead.lock().expect("INVARIANT: no holder panics")
    }
}
