//! Reading the cases and playing them to a detector.

use kernel::breaker::loops::{Detector, Finding, Heard, Settings};
use serde::Deserialize;
use serde_json::Value;

/// One run and its verdict.
#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) verdict: String,
    /// The call at which it falls, where that was reasoned out.
    #[serde(default)]
    pub(crate) at: Option<u64>,
    calls: Vec<Call>,
    #[serde(default)]
    parallel: bool,
}

#[derive(Deserialize)]
struct Call {
    name: String,
    args_json: String,
    result: Value,
    #[serde(default)]
    is_error: Option<bool>,
}

pub(crate) fn cases(text: &str) -> Vec<Case> {
    let read = |line: &str| -> Case {
        serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))
    };
    text.lines().map(read).collect()
}

pub(crate) fn verdict(case: &Case, settings: Settings) -> Option<Finding> {
    let results: Vec<String> = case
        .calls
        .iter()
        .map(|call| call.result.as_str().map_or_else(|| call.result.to_string(), str::to_owned))
        .collect();
    let heard: Vec<Heard<'_>> = case
        .calls
        .iter()
        .zip(&results)
        .map(|(call, result)| Heard {
            name: &call.name,
            arguments: &call.args_json,
            result,
            is_error: call.is_error,
        })
        .collect();
    let mut detector = Detector::new(settings);
    if case.parallel {
        detector.hear_turn(&heard);
    } else {
        heard.iter().for_each(|call| detector.hear_turn(std::slice::from_ref(call)));
    }
    detector.finding().cloned()
}
