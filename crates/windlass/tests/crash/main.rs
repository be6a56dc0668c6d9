//! The real binary, killed at every sync of its files, goes on and loses nothing.
//!
//! A small C library is preloaded that stops the process before or after its n-th sync or
//! rename; then it is sent SIGKILL or SIGTERM, and resumed until it finishes. L1, L2: no
//! effect is missing or doubled, whichever signal it was, wherever it struck.

mod place;
mod trace;

use std::process::ExitStatus;

use place::{Place, Side, Strike};
use trace::Trace;

/// Processes that one struck run may need until it finishes.
const LIVES_MAX: u32 = 5;

#[test]
fn killed_at_every_sync_nothing_is_lost_or_doubled() {
    strike_everywhere(Strike::Kill);
}

#[test]
fn terminated_at_every_sync_nothing_is_lost_or_doubled() {
    strike_everywhere(Strike::Terminate);
}

/// An effect that began, and whose file somebody changed meanwhile: nobody can tell what
/// happened, so it ends as unknown and is not run again.
#[test]
fn an_effect_that_nobody_can_tell_ends_as_unknown() {
    let mut unknown = 0;
    for stop in 1..=Place::new().syncs() {
        let place = Place::new();
        let Some(child) = place.run_until(stop, Side::Before) else { break };
        child.strike(Strike::Kill);
        if !place.has_begun_effect() {
            continue;
        }
        place.scribble_on_the_journal();
        place.finish(LIVES_MAX);
        let trace = Trace::of(&place);
        let outcomes = trace.outcomes("outcome_unknown");
        assert!(outcomes <= 1, "sync {stop}: {trace:?}");
        unknown += outcomes;
        let journal = place.journal();
        for line in ["one", "two", "three", "four"] {
            let times = journal.lines().filter(|have| have.trim_end() == line).count();
            assert!(times <= 1, "sync {stop}: `{line}` is there {times} times:\n{journal}");
        }
        assert!(journal.contains("somebody was here"), "sync {stop}: overwritten:\n{journal}");
    }
    eprintln!("{unknown} effects ended as unknown");
    assert!(unknown > 0, "no strike hit an effect under way: the test shows nothing");
}

fn strike_everywhere(strike: Strike) {
    let undisturbed = Place::new();
    undisturbed.finish(1);
    let expected = (Trace::of(&undisturbed), undisturbed.journal(), undisturbed.out());
    assert_eq!(expected.1.lines().collect::<Vec<_>>(), ["one", "two", "three", "four"]);
    assert_eq!(expected.2, "five, edited\n");
    let mut struck = 0;
    let syncs = Place::new().syncs();
    for stop in 1..=syncs {
        for side in [Side::Before, Side::After] {
            let place = Place::new();
            let Some(child) = place.run_until(stop, side) else { continue };
            let status: ExitStatus = child.strike(strike);
            place.finish(LIVES_MAX);
            let got = (Trace::of(&place), place.journal(), place.out());
            assert_eq!(got, expected, "{strike:?} {side:?} sync {stop} ({status})");
            struck += 1;
        }
    }
    eprintln!("{strike:?}: {struck} strikes at {syncs} syncs, all resumed to the same log");
    assert!(struck >= 30, "only {struck} strikes of {syncs} syncs hit");
}
