//! Two owners: the living one keeps its lease, the one that was paused too long does
//! nothing more.

use std::pin::pin;
use std::sync::atomic::Ordering;

use engine::driver::{Rest, Stop};
use engine::error::EngineError;
use engine::ports::StoreError;

use crate::stage::{Stage, calls, says, sleep};

#[tokio::test(start_paused = true)]
async fn an_owner_keeps_its_lease_through_long_acts_and_long_rows_of_short_ones() {
    let short = (0..150).map(|_| calls(700, &["look"])).collect::<Vec<_>>();
    let long = vec![says(200_000, "at last")];
    let reconciled = vec![calls(0, &["pay"])];
    for (what, lines, tool_ms) in
        [("short", short, 10), ("long", long, 10), ("effect", reconciled, 39_000)]
    {
        let stage = Stage::new(lines);
        stage.tools.wait_ms.store(tool_ms, Ordering::Relaxed);
        let (session, stop) = (stage.open().await, Stop::default());
        let mut driver = stage.driver(session, &stop).await;
        let rivals = async {
            loop {
                sleep(333).await;
                let taken = stage.claim(session).await;
                assert!(matches!(taken, Err(StoreError::Held { .. })), "{what}: {taken:?}");
            }
        };
        let rest = tokio::select! {
            rest = driver.run() => rest,
            () = rivals => Ok(Rest::Dropped),
        };
        assert_eq!(rest.unwrap(), Rest::Nothing, "{what}");
        let renewals = stage.front.renewals.load(Ordering::Relaxed);
        assert!((2..25).contains(&renewals), "{what}: {renewals} renewals");
    }
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_was_paused_past_its_lease_does_not_act_again() {
    // How long the first owner acts before it is paused: before the answer comes, and
    // in the middle of its effect.
    for acts_ms in [500, 3_000] {
        let stage = Stage::new([calls(1_000, &["pay"]), calls(1_000, &["pay"])]);
        stage.tools.wait_ms.store(5_000, Ordering::Relaxed);
        let (session, stop) = (stage.open().await, Stop::default());
        let mut first = stage.driver(session, &stop).await;
        let mut paused = pin!(first.run());
        tokio::select! {
            rest = &mut paused => panic!("it is not so quick: {rest:?}"),
            () = sleep(acts_ms) => {}
        }
        sleep(31_000).await;
        let mut second = stage.driver(session, &stop).await;
        assert_eq!(second.run().await.unwrap(), Rest::Nothing);
        let calls = stage.model.calls.load(Ordering::Relaxed);
        let before = stage.names(session).await;
        let came_back = paused.await;
        let fenced = matches!(came_back, Err(EngineError::Store(StoreError::Fenced { .. })));
        assert!(fenced, "{came_back:?}");
        assert!(stage.tools.done().iter().all(|times| *times == 1), "{:?}", stage.tools.done());
        assert_eq!(stage.model.calls.load(Ordering::Relaxed), calls);
        assert_eq!(stage.names(session).await, before);
    }
}
