//! A bucket of tokens: so many a second, and some seconds' worth at once.

use tokio::time::{Duration, Instant};

/// Seconds whose worth may be taken at once.
const BURST_SECONDS: u64 = 5;

/// A bucket that fills by the clock.
#[derive(Debug)]
pub(crate) struct Meter {
    per_second: u64,
    left: f64,
    filled: Instant,
}

impl Meter {
    pub(crate) fn new(per_second: u64) -> Self {
        Meter { per_second, left: most(per_second), filled: Instant::now() }
    }

    /// Takes so many, or nothing where there are fewer.
    pub(crate) fn take(&mut self, amount: u64) -> bool {
        self.fill();
        let is_enough = self.left >= amount as f64;
        if is_enough {
            self.left -= amount as f64;
        }
        is_enough
    }

    /// Takes one now or in advance, and tells how long to wait for it.
    pub(crate) fn book(&mut self) -> Duration {
        self.fill();
        self.left -= 1.0;
        Duration::from_secs_f64((-self.left).max(0.0) / self.per_second as f64)
    }

    fn fill(&mut self) {
        let now = Instant::now();
        let new = now.duration_since(self.filled).as_secs_f64() * self.per_second as f64;
        self.left = (self.left + new).min(most(self.per_second));
        self.filled = now;
    }
}

fn most(per_second: u64) -> f64 {
    per_second.saturating_mul(BURST_SECONDS) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_bucket_empties_and_fills_by_the_clock() {
        let mut meter = Meter::new(2);
        assert!(meter.take(10));
        assert!(!meter.take(1));
        tokio::time::advance(Duration::from_millis(500)).await;
        assert!(meter.take(1));
        assert!(!meter.take(1));
        tokio::time::advance(Duration::from_secs(3_600)).await;
        assert!(!meter.take(11));
        assert!(meter.take(10));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_booked_in_advance_is_waited_for() {
        let mut meter = Meter::new(1);
        for _ in 0..5 {
            assert_eq!(meter.book(), Duration::ZERO);
        }
        assert_eq!(meter.book(), Duration::from_secs(1));
        assert_eq!(meter.book(), Duration::from_secs(2));
    }
}
