//! A tool that does not work is withdrawn with a warning in the log, and comes back.

use std::sync::atomic::Ordering;

use engine::circuits::Dependency;
use engine::driver::Stop;
use engine::tap::Seen;
use kernel::event::{Fact, Notice, Outcome};
use kernel::units::Tenant;

use crate::stage::{Stage, calls, says};

/// What the log says of tools: notices, and how calls ended.
fn told(facts: &[Fact]) -> Vec<String> {
    let line = |fact: &Fact| {
        if let Fact::Notified(Notice::ToolWithdrawn { tool, why }) = fact {
            Some(format!("out {tool}: {why}"))
        } else if let Fact::Notified(Notice::ToolBack { tool }) = fact {
            Some(format!("back {tool}"))
        } else if let Fact::ToolReturned(returned) = fact {
            let good = returned.outcome == Outcome::Ok;
            Some(if good { "ok".to_owned() } else { returned.content.clone() })
        } else {
            None
        }
    };
    facts.iter().filter_map(line).collect()
}

#[tokio::test(start_paused = true)]
async fn a_broken_tool_is_withdrawn_and_comes_back_when_it_works_again() {
    let look = |wait_ms| calls(wait_ms, &["look"]);
    // The fifth answer takes longer than the circuit's first wait.
    let stage =
        Stage::new([look(0), look(0), look(0), look(0), look(31_000), look(0), says(0, "x")]);
    stage.tools.out.store(true, Ordering::Relaxed);
    let mut seen = stage.engine.tap.watch();
    let session = stage.open().await;
    let mut driver = stage.driver(session, &Stop::default()).await;
    let tools = std::sync::Arc::clone(&stage.tools);
    let mended = async move {
        tokio::time::sleep(std::time::Duration::from_secs(20)).await;
        tools.out.store(false, Ordering::Relaxed);
    };
    let (rest, ()) = tokio::join!(driver.run(), mended);
    rest.expect("it comes to rest");
    let failed = "the service cannot be reached";
    let withdrawn =
        "the tool `look` does not work at the moment and is withdrawn; go on without it";
    assert_eq!(
        told(&stage.facts(session).await),
        [
            failed,
            failed,
            failed,
            "out look: what it depends on is out",
            withdrawn,
            withdrawn,
            "back look",
            "ok",
        ]
    );
    assert_eq!(stage.tools.done().iter().sum::<u64>(), 4, "withdrawn calls are not run");
    let circuits = std::iter::from_fn(|| seen.try_recv().ok()).filter_map(|seen| match seen {
        Seen::CircuitOpened { of, openings: 1, .. } => Some((of, "opened")),
        Seen::CircuitClosed(of) => Some((of, "closed")),
        Seen::CircuitOpened { .. } | Seen::Committed(..) | Seen::Coming(..) => None,
    });
    let look = || Dependency::Tool { tenant: Tenant("t".to_owned()), tool: "look".to_owned() };
    assert_eq!(circuits.collect::<Vec<_>>(), [(look(), "opened"), (look(), "closed")]);
}

#[tokio::test(start_paused = true)]
async fn calls_of_the_turn_in_which_it_breaks_are_answered_at_once() {
    let stage = Stage::new([calls(0, &["look"; 3]), calls(0, &["look"; 2]), says(0, "x")]);
    stage.tools.out.store(true, Ordering::Relaxed);
    let session = stage.open().await;
    let mut driver = stage.driver(session, &Stop::default()).await;
    driver.run().await.expect("it comes to rest");
    let told = told(&stage.facts(session).await);
    assert_eq!(told[3], "out look: what it depends on is out");
    assert!(told[4..].iter().all(|words| words.contains("withdrawn")), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_answers_with_an_error_works() {
    let looks = (0..8).map(|_| calls(0, &["look"; 4]));
    let stage = Stage::new(looks.chain([says(0, "x")]));
    stage.tools.blind.store(true, Ordering::Relaxed);
    let session = stage.open().await;
    let mut driver = stage.driver(session, &Stop::default()).await;
    driver.run().await.expect("it comes to rest");
    let told = told(&stage.facts(session).await);
    assert_eq!(told, vec!["no such file"; 32]);
}
