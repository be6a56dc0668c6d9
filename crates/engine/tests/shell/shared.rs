//! Shared caps: who waits for what, and what wakes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::driver::Stop;
use engine::ports::Status;
use engine::worker::{self, Settings};
use kernel::event::{Fact, Parked};
use kernel::ledger::{Allowance, Amount, Budget, Measure, Per, Plans, Scope, Window};
use kernel::units::{Money, SessionId};

use crate::stage::{Stage, says, sleep};

/// An hour of the stage's clock, which begins within the first one, in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// Room for one hold of the stage's agent and not for two, in nano-dollars.
const ONE_HOLD: u64 = 30_000;

/// A stage whose user may use so much in an hour.
fn stage(lines: Vec<crate::stage::Line>, allowance: Allowance) -> Stage {
    let mut stage = Stage::new(lines);
    let name = "user-hour".to_owned();
    let budget = Budget { name, per: Per::User, window: Window::Hour, allowance };
    let plans = BTreeMap::from([("small".to_owned(), vec![budget])]);
    stage.engine.plans =
        Arc::new(Plans { plans, usual: Some("small".to_owned()), ..Plans::default() });
    stage
}

fn work(stage: &Stage) {
    let settings = Settings {
        owner: "worker".to_owned(),
        sessions_max: 8,
        sweep_every_ms: 1_000,
        failed_rest_ms: 60_000,
    };
    let engine = stage.engine.clone();
    tokio::spawn(worker::run(engine.clone(), Arc::new(engine), settings, Stop::default()));
}

fn first_hour() -> Scope {
    "user-hour/u/1970-01-01T00".parse().expect("it is a scope")
}

async fn status(stage: &Stage, session: SessionId) -> Status {
    stage.engine.store.look(&stage.tenant, session).await.expect("it is there").brief.status
}

async fn parks(stage: &Stage, session: SessionId) -> usize {
    stage.names(session).await.iter().filter(|name| **name == "run_parked").count()
}

/// L15: a run at its cap wakes when the window turns, L16: with its work kept, and L9: what
/// it held before is where it was held.
#[tokio::test(start_paused = true)]
async fn l15_a_run_at_a_shared_cap_wakes_with_the_window() {
    let one = Allowance { requests: Some(1), ..Allowance::NONE };
    let stage = stage(vec![says(0, "first"), says(0, "second")], one);
    work(&stage);
    let (early, late) = (stage.open().await, stage.open().await);
    sleep(10_000).await;
    let mut standing = [status(&stage, early).await, status(&stage, late).await];
    standing.sort_by_key(|status| format!("{status:?}"));
    assert_eq!(standing, [Status::Finished, Status::Parked]);
    let waiting = if status(&stage, late).await == Status::Parked { late } else { early };
    let (why, wake) = stage.state(waiting).await.run.unwrap().parked.unwrap();
    let Parked::CostCapExceeded(reached) = why else { panic!("{why:?}") };
    assert_eq!((reached.scope, reached.measure), (first_hour(), Measure::Requests));
    assert_eq!((reached.cap, reached.settled, reached.needed), (1, 1, 1));
    assert_eq!(wake.map(|at| at.0), Some(HOUR_MS));
    sleep(HOUR_MS - 1_000_000 - 20_000).await;
    assert_eq!(status(&stage, waiting).await, Status::Parked, "the hour is not over");
    sleep(20_000).await;
    assert_eq!(status(&stage, waiting).await, Status::Finished, "the next hour has begun");
    let caps = stage.engine.caps(&stage.tenant, "").await.unwrap();
    let used: Vec<u64> = caps.iter().map(|(_, balance)| balance.settled.requests).collect();
    assert_eq!(used, [1, 1], "each hour counts its own: {caps:?}");
}

/// L15: it wakes when somebody raises the cap, and only then.
#[tokio::test(start_paused = true)]
async fn l15_a_run_at_a_shared_cap_wakes_when_it_is_raised() {
    let one = Allowance { requests: Some(1), ..Allowance::NONE };
    for scope in [first_hour(), first_hour().lasting()] {
        let stage = stage(vec![says(0, "first"), says(0, "second")], one);
        work(&stage);
        let sessions = [stage.open().await, stage.open().await];
        sleep(10_000).await;
        let two = Allowance { requests: Some(2), ..Allowance::NONE };
        let woken = stage.raise(&scope, two).await;
        assert_eq!(woken.len(), 1, "one of them waits for {scope}");
        sleep(5_000).await;
        for session in sessions {
            assert_eq!(status(&stage, session).await, Status::Finished, "after {scope}");
        }
        assert_eq!(parks(&stage, woken[0]).await, 1);
    }
}

/// Money that others hold and give back at once is waited for in the shell: no fact tells
/// of it, and the answer is not shortened.
#[tokio::test(start_paused = true)]
async fn a_crowded_cap_is_waited_for_a_little() {
    let cap = Allowance::of(Some(Money(ONE_HOLD)));
    let stage = stage(vec![says(600, "first"), says(0, "second")], cap);
    work(&stage);
    let sessions = [stage.open().await, stage.open().await];
    sleep(5_000).await;
    for session in sessions {
        let expected = ["budgeted", "model_begun", "model_replied", "run_finished"];
        assert_eq!(stage.names(session).await, expected);
        let whole = |fact: &Fact| {
            matches!(fact, Fact::ModelBegun { clamped: false, max_tokens: 1_000, .. })
        };
        assert!(stage.facts(session).await.iter().any(whole), "L10: no answer is shortened");
    }
}

/// Money that others hold for long: the run parks, holds nothing, and goes on when they
/// settle.
#[tokio::test(start_paused = true)]
async fn l9_a_run_that_waits_for_others_holds_nothing_and_goes_on_when_they_settle() {
    let cap = Allowance::of(Some(Money(ONE_HOLD)));
    let stage = stage(vec![says(20_000, "first"), says(0, "second")], cap);
    work(&stage);
    let sessions = [stage.open().await, stage.open().await];
    sleep(10_000).await;
    let balance = stage.engine.store.balance(&stage.tenant, &first_hour()).await.unwrap();
    let held = balance.expect("it was charged").held;
    let mut parked = 0;
    for session in sessions {
        let state = stage.state(session).await;
        match state.calling() {
            Some(calling) => assert_eq!(held, calling.held(), "the other one holds nothing"),
            None => parked += 1,
        }
    }
    assert_eq!(parked, 1);
    sleep(15_000).await;
    for session in sessions {
        assert_eq!(status(&stage, session).await, Status::Finished);
    }
    let balance = stage.engine.store.balance(&stage.tenant, &first_hour()).await.unwrap();
    let balance = balance.expect("it was charged");
    assert_eq!(balance.held, Amount::ZERO);
    assert_eq!(balance.settled, Amount { money: Money(60), tokens: 22, requests: 2 });
}
