//! What people watch: committed facts and the pieces of answers on their way.
//!
//! The tap only reads. It is lossy towards slow watchers, who can always read the log
//! instead; nothing in the house waits for it or decides by it.

use std::sync::Arc;

use kernel::event::Sealed;
use kernel::message::Delta;
use kernel::units::SessionId;
use tokio::sync::broadcast;

use crate::circuits::Dependency;

/// Pieces kept for a slow watcher before the oldest are dropped.
const BACKLOG_MAX: usize = 4_096;

/// Something that was seen.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Facts were committed.
    Committed(SessionId, Arc<[Sealed]>),
    /// A piece of an answer came.
    Coming(SessionId, Delta),
    /// Something outside failed too often and is left alone for a while.
    CircuitOpened {
        /// What.
        of: Dependency,
        /// How long, in milliseconds.
        for_ms: u64,
        /// How often in a row it opened: 1 for the first time.
        openings: u32,
        /// How the last call failed, in a word.
        why: String,
    },
    /// It answers again.
    CircuitClosed(Dependency),
}

/// A place to watch from.
#[derive(Clone, Debug)]
pub struct Tap {
    sender: broadcast::Sender<Seen>,
}

impl Default for Tap {
    fn default() -> Self {
        Tap { sender: broadcast::channel(BACKLOG_MAX).0 }
    }
}

impl Tap {
    /// Begins to watch.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<Seen> {
        self.sender.subscribe()
    }

    /// Shows something to whoever watches. Costs nothing when nobody does.
    pub fn show(&self, seen: impl FnOnce() -> Seen) {
        if self.sender.receiver_count() > 0 {
            let _nobody_left = self.sender.send(seen());
        }
    }
}
