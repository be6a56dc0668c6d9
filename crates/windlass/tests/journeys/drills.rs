//! Rehearsed outages end well, and their books are compared with the provider's own.

use crate::place::{FINISHED, Place, USAGE};

#[test]
fn a_rehearsed_outage_ends_with_a_finished_run() {
    let place = Place::new();
    for (way, failed, parks) in [("500", 0, 0), ("cut", 1, 1)] {
        let drill = ["drill", "provider-outage", "--only", way, "--failures", "1", "--json"];
        let rows = place.run(&drill).code(FINISHED).json();
        let row = rows.first().expect("one way is one line");
        assert_eq!(row["status"], "finished", "{row}");
        assert_eq!(row["model_calls_failed"], failed, "{row}");
        assert_eq!(row["parks"], parks, "{row}");
        assert_eq!(row["requests"], 4, "one fails, three turns follow: {row}");
        let (ours, theirs) = (&row["booked_nano_usd"], &row["charged_nano_usd"]);
        assert!(ours.as_u64() >= theirs.as_u64() && theirs.as_u64() > Some(0), "{row}");
        assert_eq!(row["estimated"], way == "cut", "L11: {row}");
    }
}

#[test]
fn a_fallback_is_paid_from_the_same_hold() {
    let place = Place::new();
    let drill = ["drill", "provider-outage", "--only", "fallback", "--json"];
    let rows = place.run(&drill).code(FINISHED).json();
    let row = rows.first().expect("one way is one line");
    assert_eq!(row["status"], "finished", "{row}");
    assert_eq!(row["fallback"], "claude-haiku-5-5", "{row}");
    assert_eq!(row["booked_nano_usd"], row["charged_nano_usd"], "L14: {row}");
}

#[test]
fn an_unknown_way_is_refused_with_those_that_there_are() {
    let refused = Place::new().run(&["drill", "provider-outage", "--only", "fire"]).code(USAGE);
    refused.says("no way to fail called `fire`").says("429, 529, 500, refused, cut");
}
