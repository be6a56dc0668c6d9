//! Where the process may die: at any await of the outside.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

/// Decides by chance whether the process dies at a point that it passes.
pub(super) struct Crash {
    chance: Mutex<fastrand::Rng>,
    /// One in how many points is deadly; 0 for none.
    one_in: AtomicU32,
    notify: Notify,
}

impl Crash {
    pub(super) fn new(chance: fastrand::Rng) -> Self {
        Crash { chance: Mutex::new(chance), one_in: AtomicU32::new(0), notify: Notify::new() }
    }

    /// Makes one point in so many deadly; 0 makes none so.
    pub(super) fn arm(&self, one_in: u32) {
        self.one_in.store(one_in, Ordering::Relaxed);
    }

    /// A point at which the process may die: then this never returns.
    pub(super) async fn point(&self) {
        let one_in = self.one_in.load(Ordering::Relaxed);
        let dies = one_in > 0
            && self.chance.lock().expect("INVARIANT: no holder panics").u32(0..one_in) == 0;
        if dies {
            self.notify.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// Waits for the process to die.
    pub(super) async fn happened(&self) {
        self.notify.notified().await;
    }
}
