//! One driver with one session: stops, cancels, failures, and logs that were altered.

use std::sync::atomic::Ordering;

use engine::driver::{Driver, Lease, Rest, Stop};
use engine::error::EngineError;
use engine::ports::StoreError;
use kernel::event::{Fact, FaultClass, Outcome, Parked};
use kernel::run::{Ended, Phase};
use kernel::units::UnixMs;

use crate::stage::{Line, Stage, calls, fails, says, sleep};

const SOON: bool = true;
const NOW: bool = false;

#[tokio::test(start_paused = true)]
async fn a_stop_ends_what_may_end_and_waits_for_nothing_else() {
    // What is under way, which stop, what rests, and the facts after it.
    let model = || says(9_000, "hello");
    let read = || calls(0, &["look"]);
    let effect = || calls(0, &["pay"]);
    let begun = ["model_begun", "model_replied", "tools_judged"];
    let cases: [(&str, Line, bool, Rest, &[&str]); 6] = [
        ("model", model(), SOON, Rest::Nothing, &["model_begun", "model_replied", "run_finished"]),
        ("model", model(), NOW, Rest::Nothing, &["model_begun", "model_failed", "run_parked"]),
        (
            "read",
            read(),
            SOON,
            Rest::Nothing,
            &[begun[0], begun[1], begun[2], "tool_returned", "run_parked"],
        ),
        ("read", read(), NOW, Rest::Dropped, &begun),
        (
            "effect",
            effect(),
            SOON,
            Rest::Nothing,
            &[begun[0], begun[1], begun[2], "tool_begun", "tool_returned", "run_parked"],
        ),
        ("effect", effect(), NOW, Rest::Dropped, &[begun[0], begun[1], begun[2], "tool_begun"]),
    ];
    for (what, line, soon, rest, facts) in cases {
        let stage = Stage::new([line]);
        stage.tools.wait_ms.store(9_000, Ordering::Relaxed);
        let (session, stop) = (stage.open().await, Stop::default());
        let mut driver = stage.driver(session, &stop).await;
        let asks = async {
            sleep(4_000).await;
            if soon { stop.soon.cancel() } else { stop.now.cancel() }
        };
        let (rested, ()) = tokio::join!(driver.run(), asks);
        assert_eq!(rested.unwrap(), rest, "{what}, soon: {soon}");
        assert_eq!(stage.names(session).await, facts, "{what}, soon: {soon}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stopped_driver_begins_nothing() {
    let stage = Stage::new([]);
    let (session, stop) = (stage.open().await, Stop::default());
    stop.soon.cancel();
    assert_eq!(stage.driver(session, &stop).await.run().await.unwrap(), Rest::Nothing);
    assert_eq!(stage.names(session).await, ["run_parked"]);
    assert_eq!(stage.model.calls.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_ends_a_model_call_and_waits_for_an_effect() {
    let cases: [(Line, u64, &[&str]); 3] = [
        (
            says(60_000, "late"),
            5_000,
            &["model_begun", "cancel_asked", "model_failed", "run_cancelled"],
        ),
        (
            calls(0, &["look"]),
            5_000,
            &[
                "model_begun",
                "model_replied",
                "tools_judged",
                "cancel_asked",
                "tool_returned",
                "run_cancelled",
            ],
        ),
        (
            calls(0, &["pay"]),
            31_000,
            &[
                "model_begun",
                "model_replied",
                "tools_judged",
                "tool_begun",
                "cancel_asked",
                "tool_returned",
                "run_cancelled",
            ],
        ),
    ];
    for (line, within_ms, facts) in cases {
        let stage = Stage::new([line]);
        stage.tools.wait_ms.store(30_000, Ordering::Relaxed);
        let (session, stop) = (stage.open().await, Stop::default());
        let mut driver = stage.driver(session, &stop).await;
        let began = stage.engine.world.now();
        let cancels = async {
            sleep(2_500).await;
            stage.engine.cancel(&stage.tenant, session, "me").await.unwrap();
        };
        let (rested, ()) = tokio::join!(driver.run(), cancels);
        assert_eq!(rested.unwrap(), Rest::Nothing);
        assert_eq!(stage.names(session).await, facts);
        assert!(stage.engine.world.now() <= began.plus_ms(within_ms), "{facts:?}");
        let done: &[u64] = if facts.contains(&"tool_begun") { &[1] } else { &[] };
        assert_eq!(stage.tools.done(), done, "what happened is told, once");
        let told = |fact: &Fact| matches!(fact, Fact::ToolReturned(r) if r.outcome == Outcome::Ok);
        let told = stage.facts(session).await.iter().filter(|fact| told(fact)).count();
        assert_eq!(told, done.len(), "the result is not lost to the cancel beside it");
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_slept_through() {
    let stage = Stage::new([fails(FaultClass::Overloaded)]);
    let (session, stop) = (stage.open().await, Stop::default());
    let mut driver = stage.driver(session, &stop).await;
    let Rest::Until(at) = driver.run().await.unwrap() else { panic!("it waits") };
    let now = stage.engine.world.now();
    assert!(at > now);
    sleep(at.0 - now.0).await;
    assert_eq!(driver.run().await.unwrap(), Rest::Nothing);
    assert!(matches!(
        stage.state(session).await.run.unwrap().phase,
        Phase::Over(Ended::Finished(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_person_who_wakes_a_run_first_does_no_harm() {
    let stage = Stage::new([fails(FaultClass::Overloaded)]);
    let (session, stop) = (stage.open().await, Stop::default());
    let mut driver = stage.driver(session, &stop).await;
    let Rest::Until(UnixMs(at)) = driver.run().await.unwrap() else { panic!("it waits") };
    stage.engine.wake(&stage.tenant, session, "me", None, None).await.unwrap();
    sleep(at - stage.engine.world.now().0).await;
    assert_eq!(driver.run().await.unwrap(), Rest::Nothing);
    assert!(matches!(
        stage.state(session).await.run.unwrap().phase,
        Phase::Over(Ended::Finished(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_driver_goes_on_from_what_was_committed() {
    for commits in 1..=4 {
        let stage = Stage::new([calls(0, &["pay"])]);
        let (session, stop) = (stage.open().await, Stop::default());
        let mut driver = stage.driver(session, &stop).await;
        stage.front.fails_after.store(commits, Ordering::Relaxed);
        let mut rest = driver.run().await;
        if rest.is_err() {
            rest = driver.run().await;
        }
        assert_eq!(rest.unwrap(), Rest::Nothing, "after a failed commit {commits}");
        let run = driver.state().run.clone().unwrap();
        assert!(matches!(run.phase, Phase::Over(Ended::Finished(_))), "{commits}: {run:?}");
        assert!(stage.tools.done().iter().all(|times| *times == 1), "{commits}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_kills_every_owner_is_not_tried_for_ever() {
    let stage = Stage::new((0..9).map(|_| says(60_000, "never")));
    let (session, stop) = (stage.open().await, Stop::default());
    let mut deaths = 0;
    loop {
        let mut driver = stage.driver(session, &stop).await;
        tokio::select! {
            rest = driver.run() => { assert_eq!(rest.unwrap(), Rest::Nothing); break; }
            () = sleep(500) => deaths += 1,
        }
        drop(driver);
        sleep(31_000).await;
    }
    assert_eq!((deaths, stage.model.calls.load(Ordering::Relaxed)), (3, 3));
    let parked = stage.state(session).await.run.unwrap().parked;
    assert_eq!(parked, Some((Parked::CrashLoop { losses: 3 }, None)));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_does_not_end_where_it_was_committed_is_refused() {
    let tampers: [fn(&mut Vec<kernel::event::Stored>); 3] = [
        |rows| rows.truncate(rows.len() - 1),
        |rows| rows.last_mut().unwrap().at = UnixMs(1),
        |rows| {
            let last = rows.last_mut().unwrap();
            last.body = last.body.replace("done", "dine");
        },
    ];
    for (place, tamper) in tampers.into_iter().enumerate() {
        let stage = Stage::new([]);
        let (session, stop) = (stage.open().await, Stop::default());
        assert_eq!(stage.driver(session, &stop).await.run().await.unwrap(), Rest::Nothing);
        sleep(31_000).await;
        *stage.front.tampered.lock().unwrap() = Some((session, tamper));
        let lease = stage.claim(session).await.unwrap();
        let loaded = Driver::load(stage.engine.clone(), lease, stop).await;
        assert!(matches!(loaded, Err(EngineError::Damaged { .. })), "{place}");
        let logged = stage.engine.log(&stage.tenant, session).await;
        assert!(matches!(logged, Err(EngineError::Damaged { .. })), "{place}");
        let again = Lease::claim(&stage.engine, &stage.tenant, session, "other", None).await;
        assert!(
            !matches!(again, Err(StoreError::Held { .. })),
            "{place}: the lease was given back"
        );
    }
}
