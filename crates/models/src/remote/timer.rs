//! One deadline over many waits, each with a limit of its own.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// The time that one try has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timer {
    deadline: Instant,
}

/// Which limit ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// The wait's own, in milliseconds.
    Wait(u64),
    /// The call's deadline.
    Call,
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Late::Wait(limit_ms) => write!(f, "for {limit_ms} ms"),
            Late::Call => f.write_str("before the call's deadline"),
        }
    }
}

impl Timer {
    /// From now on.
    pub(super) fn until(deadline_ms: u64) -> Self {
        Timer { deadline: after(deadline_ms) }
    }

    /// Waits for `work`, at most `limit_ms` and never past the deadline.
    pub(super) async fn within<T>(
        &self,
        limit_ms: u64,
        work: impl Future<Output = T>,
    ) -> Result<T, Late> {
        let own = after(limit_ms);
        let ended = if own < self.deadline { Late::Wait(limit_ms) } else { Late::Call };
        timeout_at(own.min(self.deadline), work).await.map_err(|_elapsed| ended)
    }
}

/// The instant so much later, or one so far away that nobody waits for it.
fn after(ms: u64) -> Instant {
    let now = Instant::now();
    now.checked_add(Duration::from_millis(ms)).unwrap_or(now + Duration::from_secs(86_400 * 365))
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_shorter_of_both_limits_ends_a_wait_and_says_so() {
        let timer = Timer::until(1_000);
        let start = Instant::now();
        assert_eq!(timer.within(400, pending::<()>()).await, Err(Late::Wait(400)));
        assert_eq!(timer.within(900, pending::<()>()).await, Err(Late::Call));
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        assert_eq!(timer.within(1, async { 7 }).await, Ok(7));
        let endless = Timer::until(u64::MAX);
        assert_eq!(endless.within(u64::MAX, async { 8 }).await, Ok(8));
    }
}
