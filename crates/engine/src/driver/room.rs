//! What is known of caps that had no room for the next call of one session.
//!
//! Where others hold the money and may soon give it back, the call waits a little; what
//! was decided before it is committed meanwhile. Waiting longer is the log's: the call
//! then asks for no more than is free, or the run parks and holds nothing.

use std::time::Duration;

use kernel::backoff::Backoff;
use kernel::ledger::CapReached;

use crate::ports::World;

/// The waits for others to settle: full jitter in 50 ms, doubling up to 800.
const WAITS: Backoff = Backoff { base_ms: 50, window_ms_max: 800 };

/// How often a call waits for others before it takes what is left.
const WAITS_MAX: u32 = 6;

/// The refusals of one attempt to begin a call.
#[derive(Debug, Default)]
pub(super) struct Room {
    full: Vec<CapReached>,
    waits: u32,
    awaited: bool,
}

impl Room {
    /// The scopes whose refusal is final for this attempt, with what they have left.
    pub(super) fn full(&self) -> &[CapReached] {
        &self.full
    }

    /// Whether the call waits for others: nothing is begun until it did.
    pub(super) fn is_awaited(&self) -> bool {
        self.awaited
    }

    /// Notes a refusal. The newest word about a scope goes.
    pub(super) fn refused(&mut self, reached: CapReached, hurried: bool) {
        if reached.is_crowded() && self.waits < WAITS_MAX && !hurried {
            self.awaited = true;
            return;
        }
        let same =
            |known: &CapReached| known.scope == reached.scope && known.measure == reached.measure;
        self.full.retain(|known| !same(known));
        self.full.push(reached);
    }

    /// Waits for others.
    pub(super) async fn wait(&mut self, world: &dyn World) {
        self.waits += 1;
        self.awaited = false;
        let wait_ms = WAITS.wait_ms(self.waits, world.chance());
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    }
}
