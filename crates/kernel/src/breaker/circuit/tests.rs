//! Every row of the table of changes, and what must hold whatever happens.

use proptest::prelude::*;

use super::*;

const SETTINGS: Settings = Settings {
    window_ms: 1_000,
    calls_min: 4,
    failures_percent: 50,
    open: Backoff { base_ms: 100, window_ms_max: 400 },
    probes_at_once_max: 2,
    probes_well_min: 2,
    probe_ms_max: 50,
};

const ILL: End = End::Ill { retry_after_ms: None };

/// What is done to a circuit.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Time passes, in milliseconds.
    Pass(u64),
    /// A call is made and ends at once.
    Call(End),
    /// A call is made and does not end yet.
    Begin,
    /// The call begun so long ago (0 for the first) ends.
    End(usize, End),
    /// A call is refused with this wait.
    Refused(u64),
}

use Act::{Begin, Call, Pass as Wait, Refused as No};

const OPENED: Option<Turned> = Some(Turned::Opened { for_ms: 100, openings: 1 });
const CLOSED: Option<Turned> = Some(Turned::Closed);

fn opened(for_ms: u64, openings: u32) -> Option<Turned> {
    Some(Turned::Opened { for_ms, openings })
}

fn ill(retry_after_ms: u64) -> End {
    End::Ill { retry_after_ms: Some(retry_after_ms) }
}

/// An act, and the change that it brings.
type Step = (Act, Option<Turned>);

/// Plays acts; each gives the change that it brings.
fn play(name: &str, acts: &[Step]) -> (Circuit, u64) {
    let mut circuit = Circuit::new(SETTINGS);
    let (mut now, mut begun) = (0, Vec::new());
    for (place, (act, turned)) in acts.iter().enumerate() {
        let got = match *act {
            Act::Pass(ms) => {
                now += ms;
                None
            }
            Act::Call(end) => {
                let pass = circuit.enter(now).unwrap_or_else(|no| panic!("{name} {place}: {no:?}"));
                circuit.report(pass, end, now)
            }
            Act::Begin => {
                begun
                    .push(circuit.enter(now).unwrap_or_else(|no| panic!("{name} {place}: {no:?}")));
                None
            }
            Act::End(which, end) => circuit.report(begun[which], end, now),
            Act::Refused(retry_after_ms) => {
                let refused = Refused { retry_after_ms };
                assert_eq!(circuit.refusal(now), Some(refused), "{name}, act {place}");
                assert_eq!(circuit.enter(now), Err(refused), "{name}, act {place}");
                None
            }
        };
        assert_eq!(got, *turned, "{name}, act {place}: {act:?}");
    }
    (circuit, now)
}

/// Four failures: open for 100 ms.
fn broken() -> Vec<Step> {
    vec![(Call(ILL), None), (Call(ILL), None), (Call(ILL), None), (Call(ILL), OPENED)]
}

/// Open, and its wait is over.
fn ripe() -> Vec<Step> {
    [broken(), vec![(Wait(100), None)]].concat()
}

#[test]
fn every_change_of_the_table() {
    use Standing::{Closed, HalfOpen};
    let open = |for_ms| Standing::Open { for_ms };
    let well = (Call(End::Well), None);
    let silent = (Call(End::Silent), None);
    let failed = (Call(ILL), None);
    let cases: Vec<(&str, Vec<Step>, Standing)> = vec![
        ("too few calls", vec![failed; 3], Closed),
        ("too few failures", vec![well, well, failed, well, failed], Closed),
        ("half of them failed", vec![well, well, failed, (Call(ILL), OPENED)], open(100)),
        ("what says nothing is not counted", vec![failed, failed, failed, silent], Closed),
        (
            "failures leave the window",
            [vec![failed; 3], vec![(Wait(1_000), None), failed]].concat(),
            Closed,
        ),
        ("a good end does not open", vec![failed, failed, failed, well], Closed),
        (
            "a longer wait that was asked for holds",
            vec![failed, failed, failed, (Call(ill(250)), opened(250, 1))],
            open(250),
        ),
        (
            "up to the longest",
            vec![failed, failed, failed, (Call(ill(86_400_000)), opened(400, 1))],
            open(400),
        ),
        ("a shorter one does not", vec![failed, failed, failed, (Call(ill(1)), OPENED)], open(100)),
        (
            "open refuses",
            [broken(), vec![(No(100), None), (Wait(99), None), (No(1), None)]].concat(),
            open(1),
        ),
        ("the wait is over", ripe(), HalfOpen),
        (
            "two probes at once",
            [ripe(), vec![(Begin, None), (Begin, None), (No(50), None)]].concat(),
            HalfOpen,
        ),
        (
            "a place is free again",
            [
                ripe(),
                vec![
                    (Begin, None),
                    (Begin, None),
                    (Act::End(0, End::Silent), None),
                    (Begin, None),
                    (No(50), None),
                ],
            ]
            .concat(),
            HalfOpen,
        ),
        ("one good probe is not enough", [ripe(), vec![well]].concat(), HalfOpen),
        ("two are", [ripe(), vec![well, (Call(End::Well), CLOSED)]].concat(), Closed),
        (
            "it closes with an empty window",
            [ripe(), vec![well, (Call(End::Well), CLOSED), failed, failed, failed]].concat(),
            Closed,
        ),
        (
            "a bad probe opens for longer",
            [ripe(), vec![(Call(ILL), opened(200, 2))]].concat(),
            open(200),
        ),
        (
            "a bad probe outweighs a good one",
            [ripe(), vec![well, (Call(ILL), opened(200, 2))]].concat(),
            open(200),
        ),
        (
            "the wait grows up to the longest",
            [
                ripe(),
                vec![(Call(ILL), opened(200, 2)), (Wait(200), None), (Call(ILL), opened(400, 3))],
                vec![(Wait(400), None), (Call(ILL), opened(400, 4))],
            ]
            .concat(),
            open(400),
        ),
        (
            "and begins anew after it closed",
            [
                ripe(),
                vec![(Call(ILL), opened(200, 2)), (Wait(200), None), well],
                vec![(Call(End::Well), CLOSED)],
                broken(),
            ]
            .concat(),
            open(100),
        ),
        ("a probe that says nothing", [ripe(), vec![silent, silent]].concat(), HalfOpen),
        (
            "silent probes lose their places",
            [
                ripe(),
                vec![
                    (Begin, None),
                    (Begin, None),
                    (Wait(49), None),
                    (No(1), None),
                    (Wait(1), None),
                ],
                vec![(Begin, None), (Begin, None), (No(50), None)],
            ]
            .concat(),
            HalfOpen,
        ),
        (
            "a late good probe is not counted",
            [
                ripe(),
                vec![(Begin, None), (Begin, None), (Wait(50), None), (Begin, None), (Begin, None)],
                vec![(Act::End(0, End::Well), None), (Act::End(1, End::Well), None)],
            ]
            .concat(),
            HalfOpen,
        ),
        (
            "a late bad probe is",
            [
                ripe(),
                vec![(Begin, None), (Begin, None), (Wait(50), None), (Begin, None)],
                vec![(Act::End(0, ILL), opened(200, 2))],
            ]
            .concat(),
            open(200),
        ),
        (
            "calls of an earlier phase say nothing",
            [
                vec![(Begin, None), (Begin, None)],
                broken(),
                vec![
                    (Act::End(0, End::Well), None),
                    (Wait(100), None),
                    (Act::End(1, ILL), None),
                    (Begin, None),
                    (Act::End(1, ILL), None),
                ],
            ]
            .concat(),
            HalfOpen,
        ),
    ];
    for (name, acts, standing) in cases {
        let (circuit, now) = play(name, &acts);
        assert_eq!(circuit.standing(now), standing, "{name}");
    }
}

#[test]
fn only_signs_of_an_outage_count() {
    use FaultClass::*;
    let cases = [
        (RateLimited, true),
        (Overloaded, true),
        (Server, true),
        (Network, true),
        (Timeout, true),
        (Cut, true),
        (Malformed, true),
        (Auth, false),
        // A spend limit comes as HTTP 429 and is this class.
        (Billing, false),
        (UnknownModel, false),
        (InvalidRequest, false),
        (TooLarge, false),
        (Interrupted, false),
    ];
    for (class, counts) in cases {
        let retry_after_ms = Some(7);
        let fault = ModelFault { class, message: String::new(), retry_after_ms, request_id: None };
        let expected = if counts { End::Ill { retry_after_ms } } else { End::Silent };
        assert_eq!(End::of_fault(&fault), expected, "{class:?}");
    }
}

#[test]
fn senseless_numbers_do_not_wedge_it() {
    let settings = Settings {
        window_ms: 0,
        calls_min: 0,
        failures_percent: 0,
        open: Backoff { base_ms: 0, window_ms_max: 0 },
        probes_at_once_max: 0,
        probes_well_min: 0,
        probe_ms_max: 0,
    };
    let mut circuit = Circuit::new(settings);
    for _ in 0..3 {
        let pass = circuit.enter(5).unwrap();
        assert!(matches!(circuit.report(pass, ILL, 5), Some(Turned::Opened { for_ms: 0, .. })));
    }
    let pass = circuit.enter(5).unwrap();
    assert_eq!(circuit.report(pass, End::Well, 5), CLOSED);
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![
        2 => Just(End::Well),
        3 => Just(ILL),
        1 => (0_u64..1_000).prop_map(ill),
        1 => Just(End::Silent),
    ]
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => (0_u64..300).prop_map(Act::Pass),
        3 => ends().prop_map(Act::Call),
        2 => Just(Act::Begin),
        2 => (0_usize..40, ends()).prop_map(|(which, end)| Act::End(which, end)),
    ]
}

proptest! {
    /// Whatever happens: an open circuit admits nobody, a half-open one no more probes
    /// than it has places, and once the other side is well it closes again.
    #[test]
    fn it_holds_back_and_always_recovers(acts in proptest::collection::vec(acts(), 0..200)) {
        let mut circuit = Circuit::new(SETTINGS);
        let mut now = 0;
        // Passes out, with the instant that they were given at.
        let mut out: Vec<(Pass, u64)> = Vec::new();
        for act in acts {
            let before = circuit.standing(now);
            match act {
                Act::Pass(ms) => now += ms,
                Act::Refused(_) => {}
                Act::Call(_) | Act::Begin => {
                    let refusal = circuit.refusal(now);
                    let entered = circuit.enter(now);
                    prop_assert_eq!(entered.err(), refusal);
                    match (before, entered) {
                        (Standing::Open { for_ms }, entered) => {
                            prop_assert_eq!(entered, Err(Refused { retry_after_ms: for_ms }));
                        }
                        (Standing::Closed, entered) => prop_assert!(entered.is_ok()),
                        (Standing::HalfOpen, Ok(_)) => {
                            let (changes, since) = (circuit.changes, SETTINGS.probe_ms_max);
                            let live = out.iter().filter(|(pass, at)| {
                                pass.changes == changes && now - at < since
                            });
                            prop_assert!(live.count() < SETTINGS.probes_at_once_max as usize);
                        }
                        (Standing::HalfOpen, Err(refused)) => {
                            prop_assert!((1..=SETTINGS.probe_ms_max).contains(&refused.retry_after_ms));
                        }
                    }
                    if let Ok(pass) = entered {
                        match act {
                            Act::Call(end) => {
                                circuit.report(pass, end, now);
                            }
                            Act::Begin | Act::Pass(_) | Act::End(..) | Act::Refused(_) => out.push((pass, now)),
                        }
                    }
                }
                Act::End(which, end) if which < out.len() => {
                    let (pass, _) = out.remove(which);
                    let turned = circuit.report(pass, end, now);
                    if let Some(Turned::Opened { for_ms, .. }) = turned {
                        prop_assert!((100..=400).contains(&for_ms));
                        prop_assert_eq!(circuit.standing(now), Standing::Open { for_ms });
                    }
                }
                Act::End(..) => {}
            }
        }
        // Nobody reports any more, and whoever is asked answers.
        now += SETTINGS.open.window_ms_max;
        for _ in 0..SETTINGS.probes_well_min {
            let pass = circuit.enter(now).expect("the longest wait is over");
            circuit.report(pass, End::Well, now);
        }
        prop_assert_eq!(circuit.standing(now), Standing::Closed);
    }
}
