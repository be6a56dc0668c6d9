//! How long to wait before trying again: exponential with full jitter.
//!
//! Full jitter spreads callers over the whole window, so that those who failed together
//! do not come back together (Brooker, "Exponential Backoff And Jitter", AWS, 2015).

/// A doubling window with a ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first window, in milliseconds.
    pub base_ms: u64,
    /// The largest window, in milliseconds.
    pub window_ms_max: u64,
}

impl Backoff {
    /// The window after `failures` failures in a row (1 for the first), in milliseconds.
    #[must_use]
    pub fn window_ms(&self, failures: u32) -> u64 {
        let doublings = failures.saturating_sub(1).min(32);
        self.base_ms.saturating_mul(1 << doublings).min(self.window_ms_max)
    }

    /// A wait drawn from the window: `chance` is any random number.
    #[must_use]
    pub fn wait_ms(&self, failures: u32, chance: u64) -> u64 {
        chance % self.window_ms(failures).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_double_up_to_the_ceiling_and_waits_stay_inside() {
        let backoff = Backoff { base_ms: 500, window_ms_max: 8_000 };
        let windows: Vec<u64> = (1..=6).map(|n| backoff.window_ms(n)).collect();
        assert_eq!(windows, [500, 1_000, 2_000, 4_000, 8_000, 8_000]);
        assert_eq!(backoff.window_ms(u32::MAX), 8_000);
        for chance in [0, 1, 499, 500, u64::MAX] {
            assert!(backoff.wait_ms(1, chance) <= 500);
        }
    }
}
