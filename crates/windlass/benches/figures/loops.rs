//! What the loop detector costs a turn, early and late in a run.

use std::hint::black_box;
use std::time::Instant;

use kernel::breaker::loops::{Detector, Heard, Settings};

/// Calls that are timed at the end of a run.
const TIMED: usize = 200;

/// Runs, of which the median counts.
const RUNS: usize = 41;

/// A result as tools bring it: a page of text.
const RESULT_BYTES: usize = 2_000;

/// The median time of one more call after so many, in microseconds.
pub(crate) fn us_per_call_after(calls: usize) -> f64 {
    let mut runs: Vec<f64> = (0..RUNS).map(|_| one_run(calls)).collect();
    runs.sort_by(f64::total_cmp);
    runs[RUNS / 2]
}

fn one_run(calls: usize) -> f64 {
    let told: Vec<(String, String)> = (0..calls + TIMED).map(call).collect();
    let mut detector = Detector::new(Settings::default());
    let hear = |detector: &mut Detector, (arguments, result): &(String, String)| {
        detector.hear_turn(&[Heard { name: "search", arguments, result, is_error: Some(false) }]);
        black_box(detector.finding());
    };
    told[..calls].iter().for_each(|one| hear(&mut detector, one));
    let began = Instant::now();
    told[calls..].iter().for_each(|one| hear(&mut detector, one));
    began.elapsed().as_secs_f64() * 1e6 / TIMED as f64
}

/// Pages of a search: honest work that never trips.
fn call(number: usize) -> (String, String) {
    let arguments = format!(r#"{{"query": "quick brown fox", "page": {number}, "limit": 10}}"#);
    let line = format!("result {number} of many: the quick brown fox jumps over the lazy dog\n");
    (arguments, line.repeat(RESULT_BYTES / line.len()))
}
