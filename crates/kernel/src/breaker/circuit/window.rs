//! Calls and failures of the last while, in slices: a fixed size, whatever the traffic.
//!
//! The window slides by whole slices, so a call is counted for between nine and ten
//! tenths of the window's length.

/// Slices of a window.
const SLICES: usize = 10;

/// A sliding count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    slice_ms: u64,
    slices: [Slice; SLICES],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slice {
    /// Which slice of time it counts.
    number: u64,
    calls: u64,
    failures: u64,
}

impl Window {
    pub(super) fn new(window_ms: u64) -> Self {
        let slice_ms = (window_ms / SLICES as u64).max(1);
        Window { slice_ms, slices: [Slice::default(); SLICES] }
    }

    /// Counts a call. The answer is all calls of the window, and those that failed.
    pub(super) fn count(&mut self, now_ms: u64, failed: bool) -> (u64, u64) {
        // Never 0, so that a slice that was never used is older than all others.
        let number = now_ms / self.slice_ms + SLICES as u64;
        let slice = &mut self.slices[(number % SLICES as u64) as usize];
        if slice.number != number {
            *slice = Slice { number, ..Slice::default() };
        }
        slice.calls += 1;
        slice.failures += u64::from(failed);
        let oldest = number + 1 - SLICES as u64;
        let fresh = self.slices.iter().filter(|slice| slice.number >= oldest);
        fresh.fold((0, 0), |(calls, failures), slice| {
            (calls + slice.calls, failures + slice.failures)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_leave_the_window_slice_by_slice() {
        let mut window = Window::new(1_000);
        let cases = [
            (0, true, (1, 1)),
            (99, false, (2, 1)),
            (100, true, (3, 2)),
            (950, false, (4, 2)),
            // The first slice, with two calls, has left.
            (1_000, false, (3, 1)),
            (1_950, false, (2, 0)),
            (9_999_999, true, (1, 1)),
        ];
        for (now_ms, failed, counted) in cases {
            assert_eq!(window.count(now_ms, failed), counted, "at {now_ms} ms");
        }
    }
}
