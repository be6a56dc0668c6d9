//! Retrying one model on a paused clock: every wait is exact, and no test sleeps.

use kernel::event::FaultClass;
use kernel::message::Usage;
use kernel::price::Spent;

use super::*;

/// Plays the ends against a call of one model, with dice that always show `chance`. Gives
/// the answer and the instants at which tries began, in milliseconds from the start.
async fn play(
    (model, deadline_ms, tries_max): (&'static str, u64, u32),
    chance: u64,
    ends: impl Into<VecDeque<End>>,
) -> (Result<Reply, ModelError>, Vec<u64>) {
    let stage = Stage::of([(model, ends.into())], chance);
    let start = Instant::now();
    let answer = stage.chain.call(&call(model, deadline_ms, tries_max), &|_| {}).await;
    assert!(start.elapsed() <= Duration::from_millis(deadline_ms), "the deadline was passed");
    (answer, stage.begun(0))
}

fn free(class: FaultClass) -> End {
    (0, Err(fault(class, None, Spent::Nothing)))
}

const PAID: &str = "paid";
const FREE: &str = "free";

#[tokio::test(start_paused = true)]
async fn waits_are_drawn_from_doubling_windows() {
    let ends = [free(FaultClass::Server), free(FaultClass::Overloaded), (0, Ok(()))];
    // 700 modulo 501 is 199, 700 modulo 1001 is 700.
    let (answer, begun) = play((PAID, 60_000, 4), 700, ends).await;
    assert!(answer.is_ok());
    assert_eq!(begun, [0, 199, 199 + 700]);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_names_a_wait_is_given_it() {
    let asked = fault(FaultClass::RateLimited, Some(7_000), Spent::Nothing);
    let (answer, begun) = play((PAID, 60_000, 4), 0, [(0, Err(asked)), (0, Ok(()))]).await;
    assert!(answer.is_ok());
    assert_eq!(begun, [0, 7_000]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_does_not_fit_ends_the_call_at_once_and_is_handed_on() {
    let asked = fault(FaultClass::RateLimited, Some(60_000), Spent::Nothing);
    let start = Instant::now();
    let (answer, begun) = play((PAID, 60_000, 4), 0, [(0, Err(asked))]).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(begun, [0]);
    assert_eq!(answer.unwrap_err().fault.retry_after_ms, Some(60_000));
}

#[tokio::test(start_paused = true)]
async fn tries_and_deadline_both_end_the_retrying() {
    let always = || vec![free(FaultClass::Server); 3];
    let (answer, begun) = play((PAID, 60_000, 3), 0, always()).await;
    assert_eq!(answer.unwrap_err().fault.class, FaultClass::Server);
    assert_eq!(begun.len(), 3);
    // Each try takes 400 ms and each wait 100 ms: a third would begin at the deadline.
    let slow: Vec<End> = always().into_iter().map(|(_, end)| (400, end)).collect();
    let (answer, begun) = play((PAID, 1_000, 10), 100, slow).await;
    assert!(answer.is_err());
    assert_eq!(begun, [0, 500]);
}

#[tokio::test(start_paused = true)]
async fn l22_a_permanent_fault_is_tried_once() {
    for class in [
        FaultClass::Auth,
        FaultClass::Billing,
        FaultClass::UnknownModel,
        FaultClass::InvalidRequest,
        FaultClass::TooLarge,
    ] {
        let (answer, begun) = play((PAID, 60_000, 10), 0, [free(class)]).await;
        assert_eq!(answer.unwrap_err().fault.class, class);
        assert_eq!(begun.len(), 1, "{class:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_passing_fault_is_tried_again() {
    for class in [
        FaultClass::RateLimited,
        FaultClass::Overloaded,
        FaultClass::Server,
        FaultClass::Network,
        FaultClass::Timeout,
        FaultClass::Cut,
        FaultClass::Malformed,
    ] {
        let (answer, begun) = play((PAID, 60_000, 2), 0, [free(class), (0, Ok(()))]).await;
        assert!(answer.is_ok(), "{class:?}");
        assert_eq!(begun.len(), 2, "{class:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn l8_a_try_that_cost_money_is_the_last_under_this_hold() {
    let usage = Usage { input: 10, output: 3, ..Usage::default() };
    for spent in [Spent::Told(usage), Spent::Estimated(usage), Spent::Unknown] {
        let cut = || (0, Err(fault(FaultClass::Cut, None, spent)));
        let (answer, begun) = play((PAID, 60_000, 4), 0, [cut()]).await;
        assert_eq!(answer.unwrap_err().spent, spent);
        assert_eq!(begun.len(), 1);
        let (answer, begun) = play((FREE, 60_000, 4), 0, [cut(), (0, Ok(()))]).await;
        assert!(answer.is_ok(), "what costs nothing may be tried again");
        assert_eq!(begun.len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn failed_tries_are_summed_and_the_less_certain_decides() {
    let usage = |input, output| Usage { input, output, ..Usage::default() };
    let told = |input, output| Spent::Told(usage(input, output));
    let guess = |input, output| Spent::Estimated(usage(input, output));
    let cases = [
        ([Spent::Nothing, Spent::Nothing], Spent::Nothing),
        ([Spent::Nothing, told(1, 2)], told(1, 2)),
        ([told(1, 2), told(10, 20)], told(11, 22)),
        ([told(1, 2), guess(10, 20)], guess(11, 22)),
        ([guess(1, 2), Spent::Nothing], guess(1, 2)),
        ([guess(1, 2), Spent::Unknown], Spent::Unknown),
    ];
    for (tries, together) in cases {
        let ends = tries.map(|spent| (0, Err(fault(FaultClass::Cut, None, spent))));
        let (answer, _) = play((FREE, 60_000, 2), 0, ends).await;
        assert_eq!(answer.unwrap_err().spent, together, "{tries:?}");
    }
}
