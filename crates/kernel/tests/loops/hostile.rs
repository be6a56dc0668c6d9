//! Calls made to break the detector: it neither panics, nor slows down, nor remembers
//! more than it may.

use kernel::breaker::loops::{Detector, Heard, Settings};
use proptest::prelude::*;

fn heard<'a>(arguments: &'a str, result: &'a str) -> Heard<'a> {
    Heard { name: "f", arguments, result, is_error: None }
}

fn hear(detector: &mut Detector, arguments: &str, result: &str) {
    detector.hear_turn(&[heard(arguments, result)]);
}

#[test]
fn depth_length_and_nonsense_do_no_harm() {
    let deep = "[".repeat(1_000_000);
    let escapes = format!(r#"{{"a":"{}"}}"#, r"\ud800".repeat(50_000));
    let digits = format!(r#"{{"a":{}}}"#, "9".repeat(500_000));
    let dots = "1.".repeat(500_000);
    let slashes = format!(r#"{{"path":"{}"}}"#, "a/../".repeat(200_000));
    let query = format!(r#"{{"url":"http://h/?{}"}}"#, "a=%61&".repeat(100_000));
    let marks = "=1".repeat(500_000);
    let texts = [&deep, &escapes, &digits, &dots, &slashes, &query, &marks];
    let mut detector = Detector::new(Settings::default());
    for text in texts {
        hear(&mut detector, text, "x");
        hear(&mut detector, "{}", text);
    }
    assert_eq!(detector.finding(), None);
}

#[test]
fn what_it_remembers_has_an_end() {
    let mut detector = Detector::new(Settings::default());
    for call in 0..5_000 {
        hear(&mut detector, &format!(r#"{{"id":{call}}}"#), &format!("thing {call}"));
    }
    assert_eq!(detector.finding(), None);
    let size = format!("{detector:?}").len();
    for call in 5_000..6_000 {
        hear(&mut detector, &format!(r#"{{"id":{call}}}"#), &format!("thing {call}"));
    }
    let later = format!("{detector:?}").len();
    assert!(later.abs_diff(size) < size / 20, "{size} and then {later}");
}

#[test]
fn settings_without_sense_do_no_harm() {
    for number in [0, 1, 2, u32::MAX] {
        let settings = Settings {
            enabled: true,
            window: number,
            same_result_max: number,
            same_error_max: number,
            same_failure_after_edits_max: number,
            cycle_len_max: number,
            cycle_rounds_max: number,
            equal_in_response_max: number,
            stale_steps_max: number,
        };
        let mut detector = Detector::new(settings);
        for call in 0..50 {
            hear(&mut detector, &format!(r#"{{"id":{}}}"#, call % 3), "x");
            detector.warned();
        }
        detector.reset();
        assert_eq!(detector, Detector::new(settings));
    }
}

#[test]
fn after_a_warning_the_next_repetition_is_found_and_other_work_is_not() {
    let mut detector = Detector::new(Settings::default());
    (0..3).for_each(|_| hear(&mut detector, r#"{"id":1}"#, "x"));
    assert_eq!(detector.finding().map(|finding| finding.at), Some(2));
    detector.warned();
    (0..9).for_each(|id| hear(&mut detector, &format!(r#"{{"id":"a{id}"}}"#), "y"));
    assert_eq!(detector.finding(), None);
    hear(&mut detector, r#"{"id":1}"#, "x");
    assert_eq!(detector.finding().map(|finding| finding.at), Some(12));
    detector.reset();
    (0..2).for_each(|_| hear(&mut detector, r#"{"id":1}"#, "x"));
    assert_eq!(detector.finding(), None);
}

proptest! {
    #[test]
    fn any_calls_can_be_heard(calls in prop::collection::vec((".{0,40}", ".{0,60}"), 1..30)) {
        let mut detector = Detector::new(Settings::default());
        for (arguments, result) in &calls {
            hear(&mut detector, arguments, result);
        }
    }

    #[test]
    fn json_of_any_shape_can_be_heard(
        keys in prop::collection::vec("(path|url|id|page|q|ts|nonce|command|x)", 1..6),
        values in prop::collection::vec("[ -~]{0,30}", 6),
    ) {
        let fields: serde_json::Map<String, serde_json::Value> =
            keys.into_iter().zip(values.iter().map(|text| text.as_str().into())).collect();
        let arguments = serde_json::Value::Object(fields).to_string();
        let mut detector = Detector::new(Settings::default());
        (0..3).for_each(|_| hear(&mut detector, &arguments, &arguments));
        // Whatever a call looks like, it is equal to itself.
        prop_assert!(detector.finding().is_some());
    }
}
