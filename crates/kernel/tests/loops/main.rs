//! The loop detector's verdicts on whole runs, as data: one run a line, in the form that
//! `windlass guard loop` reads, with the verdict and the call at which it falls.
//!
//! The verdicts were reasoned out by hand before anything was run. `held_out.jsonl` was
//! written before the detector was tuned on the other two.

mod cases;
mod hostile;

use kernel::breaker::loops::Settings;

use cases::{cases, verdict};

#[track_caller]
fn check(text: &str) {
    let mut wrong = Vec::new();
    for case in cases(text) {
        let found = verdict(&case, Settings::default());
        let at = found.as_ref().map(|finding| finding.at);
        let expected = case.verdict == "trip";
        if found.is_some() != expected || case.at.is_some_and(|call| Some(call) != at) {
            wrong.push(format!(
                "{}: expected {} at {:?}, found {found:?}",
                case.id, case.verdict, case.at
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong verdicts\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn l20_loops_are_found_at_the_call_that_closes_them() {
    check(include_str!("trips.jsonl"));
}

#[test]
fn l20_honest_work_is_left_alone() {
    check(include_str!("honest.jsonl"));
}

#[test]
fn l20_verdicts_hold_on_runs_that_were_held_out() {
    check(include_str!("held_out.jsonl"));
}

#[test]
fn every_case_has_its_own_name() {
    let files =
        [include_str!("trips.jsonl"), include_str!("honest.jsonl"), include_str!("held_out.jsonl")];
    let mut names: Vec<String> = files.into_iter().flat_map(cases).map(|case| case.id).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(all >= 200, "{all} cases");
}

#[test]
fn a_detector_that_is_off_finds_nothing() {
    for case in cases(include_str!("trips.jsonl")) {
        let off = Settings { enabled: false, ..Settings::default() };
        assert_eq!(verdict(&case, off), None, "{}", case.id);
    }
}
