//! Servers that hang, die, or are not needed any more. The clock is driven.

use std::sync::Arc;
use std::time::Duration;

use kernel::agent::Effect;
use mcp::Mcp;
use serde_json::json;

use crate::actor::{Actor, Wire, tool};
use crate::stage::{assert_has, call, composed, down, end, end_of, good, mcp, outside, until};

fn started(actor: &Actor) -> Arc<Mcp> {
    let settings = json!({
        "command": "x", "timeout_seconds": 5, "start_timeout_seconds": 3, "idle_seconds": 100,
        "restart": {"base_ms": 10, "wait_ms_max": 60_000},
    });
    mcp(json!({ "srv": settings }), outside(actor.clone()))
}

/// Lists `t` and `u`, and never answers a call of `t`.
fn hanging() -> Actor {
    Actor::new(|mut wire: Wire| async move {
        wire.tools = vec![tool("t", ""), tool("u", "")];
        while let Some(request) = wire.asked().await {
            if request["params"]["name"] != "t" {
                wire.usual(&request).await;
            }
        }
    })
}

/// Waits until the server heard so many cancellations.
async fn cancelled(actor: &Actor, times: usize) {
    until("a cancellation", || actor.heard("notifications/cancelled").len() >= times).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_ends_in_time_and_is_cancelled_at_the_server() {
    let actor = hanging();
    let mcp = started(&actor);
    composed(&mcp).await;
    let begun = tokio::time::Instant::now();
    let effect = end_of(&mcp, "srv__t", Effect::Effect).await;
    assert_has(&effect, &["unknown: ", "no answer within 5 s"]);
    assert_eq!(begun.elapsed().as_secs(), 5);
    let read = end_of(&mcp, "srv__t", Effect::Read).await;
    assert_has(&read, &["unavailable: ", "no answer within 5 s"]);
    cancelled(&actor, 2).await;
    let asked: Vec<_> = actor.heard("tools/call").iter().map(|m| m["id"].clone()).collect();
    let told: Vec<_> = actor
        .heard("notifications/cancelled")
        .iter()
        .map(|m| m["params"]["requestId"].clone())
        .collect();
    assert_eq!(asked, told);
    assert_eq!(good(&mcp, "srv__u", json!({})).await, "u {}");
    assert_eq!(actor.starts(), 1, "a slow call is no reason to end a server");
    mcp.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_waits_for_any_more_is_cancelled_at_the_server() {
    let actor = hanging();
    let mcp = started(&actor);
    composed(&mcp).await;
    let hanging = call("srv__t", &json!({}));
    let run = tokio::time::timeout(Duration::from_millis(100), mcp.run(&hanging));
    assert!(run.await.is_err());
    cancelled(&actor, 1).await;
    mcp.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_at_its_start_is_given_up() {
    for method in ["initialize", "tools/list"] {
        let actor = Actor::new(move |mut wire: Wire| async move {
            wire.until(method).await;
            while wire.asked().await.is_some() {}
        });
        let mcp = started(&actor);
        let begun = tokio::time::Instant::now();
        assert_has(&down(&mcp).await, &["`srv`", "did not start within 3 s", "tried again in"]);
        assert_eq!(begun.elapsed().as_secs(), 3, "{method}");
        until("the end", || actor.ends() == 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_dies_in_a_call_leaves_an_effect_unknown_and_is_started_again() {
    let actor = Actor::new(|mut wire: Wire| async move {
        wire.tools = vec![tool("t", ""), tool("u", "")];
        while let Some(request) = wire.asked().await {
            if request["params"]["name"] == "t" {
                return;
            }
            wire.usual(&request).await;
        }
    });
    let mcp = started(&actor);
    composed(&mcp).await;
    let effect = end_of(&mcp, "srv__t", Effect::Effect).await;
    assert_has(&effect, &["unknown: ", "`srv`", "it ended: exit code 0"]);
    assert_eq!(good(&mcp, "srv__u", json!({})).await, "u {}");
    assert_eq!(actor.starts(), 2);
    let read = end_of(&mcp, "srv__t", Effect::Read).await;
    assert_has(&read, &["unavailable: ", "it ended: exit code 0"]);
    assert_eq!(good(&mcp, "srv__u", json!({})).await, "u {}");
    assert_eq!(actor.starts(), 3);
    mcp.close().await;
    assert_eq!(actor.ends(), 3);
}

#[tokio::test(start_paused = true)]
async fn half_an_answer_is_none() {
    let actor = Actor::new(|mut wire: Wire| async move {
        wire.tools = vec![tool("t", "")];
        wire.until("tools/call").await;
        wire.raw(br#"{"jsonrpc":"2.0","id":2,"result":{"content":["#).await;
    });
    let mcp = started(&actor);
    composed(&mcp).await;
    assert_has(&end_of(&mcp, "srv__t", Effect::Effect).await, &["unknown: "]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_dies_each_time_is_waited_for_longer_and_longer() {
    let actor = Actor::new(|mut wire: Wire| async move {
        wire.until("initialize").await;
    });
    let mcp = started(&actor);
    let mut refused = 0;
    for _ in 0..200 {
        let before = actor.starts();
        let end = end_of(&mcp, "srv__t", Effect::Read).await;
        assert_has(&end, &["unavailable: the server `srv` does not work", "tried again in"]);
        refused += usize::from(actor.starts() == before);
    }
    assert!(refused > 100, "only {refused} of 200 calls were answered without a start");
    let starts = actor.starts();
    tokio::time::advance(Duration::from_secs(61)).await;
    end_of(&mcp, "srv__t", Effect::Read).await;
    assert_eq!(actor.starts(), starts + 1, "after the longest wait it is tried again");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_started_says_why_and_shows_no_secret() {
    let mcp1 = mcp(json!({"srv": {"command": "nothing"}}), outside(crate::stage::NoSpawn));
    assert_has(&down(&mcp1).await, &["nothing starts `nothing` here"]);
    let settings = json!({"command": "x", "env": {"TOKEN": {"secret": "missing"}}});
    let actor = Actor::with_tools(&["t"]);
    let mcp2 = mcp(json!({ "srv": settings }), outside(actor.clone()));
    assert_has(&down(&mcp2).await, &["the secret `missing` cannot be had: nobody set it"]);
    assert_eq!(actor.starts(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read_is_ended() {
    let actor = Actor::new(|mut wire: Wire| async move {
        wire.tools = vec![tool("t", "")];
        wire.until("tools/list").await;
        let request = wire.tools.clone();
        let list = json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": request}});
        wire.send(&list).await;
        std::future::pending::<()>().await;
    });
    let settings = json!({"command": "x", "timeout_seconds": 60});
    let mcp = mcp(json!({ "srv": settings }), outside(actor.clone()));
    composed(&mcp).await;
    let large = call("srv__t", &json!({"text": "x".repeat(100_000)}));
    let begun = tokio::time::Instant::now();
    assert_has(&end(mcp.run(&large).await), &["unknown: "]);
    assert!(begun.elapsed() <= Duration::from_secs(11), "{:?}", begun.elapsed());
    until("the end", || actor.ends() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_nobody_uses_is_stopped_and_started_again() {
    let actor = Actor::with_tools(&["t"]);
    let mcp = started(&actor);
    composed(&mcp).await;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(60)).await;
        good(&mcp, "srv__t", json!({})).await;
    }
    assert_eq!((actor.starts(), actor.ends()), (1, 0));
    tokio::time::sleep(Duration::from_secs(110)).await;
    assert_eq!((actor.starts(), actor.ends()), (1, 1));
    good(&mcp, "srv__t", json!({})).await;
    assert_eq!(actor.starts(), 2);
    mcp.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ignores_the_end_of_its_input_is_killed() {
    let actor = Actor::new(|mut wire: Wire| async move {
        wire.tools = vec![tool("t", "")];
        while let Some(request) = wire.asked().await {
            wire.usual(&request).await;
        }
        std::future::pending::<()>().await;
    });
    let mcp = started(&actor);
    composed(&mcp).await;
    mcp.close().await;
    tokio::task::yield_now().await;
    assert_eq!(actor.ends(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_nobody_waits_for_any_more_keeps_nobody_from_the_next() {
    let hangs = Arc::new(std::sync::Mutex::new(true));
    let actor = Actor::new(move |mut wire: Wire| {
        let hangs = std::mem::take(&mut *hangs.lock().unwrap());
        async move {
            wire.tools = vec![tool("t", "")];
            while let Some(request) = wire.asked().await {
                if !hangs {
                    wire.usual(&request).await;
                }
            }
        }
    });
    let mcp = started(&actor);
    let first = call("srv__t", &json!({}));
    let given_up = tokio::time::timeout(Duration::from_millis(50), mcp.run(&first)).await;
    assert!(given_up.is_err());
    assert_eq!(good(&mcp, "srv__t", json!({})).await, "t {}");
    until("the end of the first", || actor.ends() == 1).await;
    assert_eq!(actor.starts(), 2);
    mcp.close().await;
}
