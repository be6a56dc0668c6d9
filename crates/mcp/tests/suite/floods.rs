//! Servers that send too much: too often, too long, too deep.

use std::sync::{Arc, Mutex};

use kernel::agent::Effect;
use mcp::{Mcp, Outside};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::actor::{Actor, Wire, text, tool};
use crate::stage::{assert_has, composed, end_of, good, mcp, outside, until};

const BYTES_MAX: usize = 64 * 1024;

fn started(actor: &Actor) -> Arc<Mcp> {
    let settings = json!({
        "command": "x",
        "restart": {"base_ms": 1},
        "limits": {"message_bytes_max": BYTES_MAX, "unasked_per_second_max": 20},
    });
    mcp(json!({ "srv": settings }), outside(actor.clone()))
}

/// Sends the same bytes for ever when `t` is called.
fn flooding(bytes: &'static str) -> Actor {
    Actor::new(move |mut wire: Wire| async move {
        wire.tools = vec![tool("t", ""), tool("u", "")];
        while let Some(request) = wire.asked().await {
            if request["params"]["name"] == "t" {
                loop {
                    wire.raw(bytes.as_bytes()).await;
                    tokio::task::yield_now().await;
                }
            }
            wire.usual(&request).await;
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_messages_ends_the_server_and_its_call() {
    for bytes in [
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":\"x\"}}\n",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/made/up\",\"params\":{}}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":77,\"method\":\"ping\"}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":{}}\n",
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":\"x\"}}\n",
        "what a mess\n",
    ] {
        let actor = flooding(bytes);
        let mcp = started(&actor);
        composed(&mcp).await;
        let end = end_of(&mcp, "srv__t", Effect::Effect).await;
        assert_has(&end, &["unknown: ", "more than 20 unasked messages a second"]);
        assert_eq!(good(&mcp, "srv__u", json!({})).await, "u {}", "{bytes}");
        assert_eq!(actor.starts(), 2);
        mcp.close().await;
        assert_eq!(actor.ends(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_bytes_without_a_line_ends_it_too() {
    for bytes in ["x", "\n"].map(|piece| piece.repeat(16_000).leak() as &'static str) {
        let actor = flooding(bytes);
        let settings = json!({
            "command": "x", "restart": {"base_ms": 1},
            "limits": {"message_bytes_max": BYTES_MAX, "bytes_per_second_max": 100_000},
        });
        let mcp = mcp(json!({ "srv": settings }), outside(actor.clone()));
        composed(&mcp).await;
        let end = end_of(&mcp, "srv__t", Effect::Effect).await;
        assert_has(&end, &["unknown: ", "more than 100000 bytes a second"]);
        mcp.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn some_noise_is_borne_with() {
    let actor = Actor::new(|mut wire: Wire| async move {
        wire.tools = vec![tool("t", "")];
        loop {
            let request = wire.until("tools/call").await;
            if request.is_null() {
                return;
            }
            for n in 0..80 {
                let progress = json!({"progressToken": request["params"]["_meta"]["progressToken"], "progress": n});
                wire.send(&json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": progress})).await;
            }
            wire.answer(&request, text(&request)).await;
        }
    });
    let mcp = started(&actor);
    assert_eq!(good(&mcp, "srv__t", json!({})).await, "t {}");
    assert_eq!(actor.starts(), 1);
    mcp.close().await;
}

#[tokio::test]
async fn an_answer_that_is_too_long_or_too_deep_fails_its_own_call_only() {
    let actor = Actor::new(|mut wire: Wire| async move {
        wire.tools = vec![tool("long", ""), tool("long_last", ""), tool("deep", ""), tool("u", "")];
        loop {
            let request = wire.until("tools/call").await;
            let (id, long) = (&request["id"], "x".repeat(BYTES_MAX));
            match request["params"]["name"].as_str() {
                None => return,
                Some("long") => {
                    wire.raw(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"content\":[{{\"type\":\"text\",\"text\":\"{long}\"}}]}}}}\n").as_bytes()).await;
                }
                Some("long_last") => {
                    wire.raw(format!("{{\"result\":{{\"content\":[{{\"type\":\"text\",\"text\":\"{long}\"}}]}},\"jsonrpc\":\"2.0\",\"id\":{id}}}\n").as_bytes()).await;
                }
                Some("deep") => {
                    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
                    wire.raw(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"structuredContent\":{deep}}}}}\n").as_bytes()).await;
                }
                Some(_) => wire.answer(&request, text(&request)).await,
            }
        }
    });
    let mcp = started(&actor);
    composed(&mcp).await;
    for (tool, words) in [
        ("srv__long", "its answer is longer than 65536 bytes"),
        ("srv__long_last", "its answer is longer than 65536 bytes"),
        ("srv__deep", "no JSON that can be read: recursion limit"),
    ] {
        assert_has(&end_of(&mcp, tool, Effect::Effect).await, &["unknown: ", words]);
        assert_has(&end_of(&mcp, tool, Effect::Read).await, &["unavailable: ", words]);
        assert_eq!(good(&mcp, "srv__u", json!({})).await, "u {}");
    }
    assert_eq!(actor.starts(), 1);
    mcp.close().await;
}

#[tokio::test]
async fn standard_error_is_passed_on_in_bounded_lines() {
    let actor = Actor::new(|mut wire: Wire| async move {
        wire.tools = vec![tool("t", "")];
        let long = "e".repeat(5_000);
        wire.err.write_all(format!("starting\n{long}\nready\n").as_bytes()).await.unwrap();
        while let Some(request) = wire.asked().await {
            wire.usual(&request).await;
        }
    });
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = heard.clone();
    let outside = Outside {
        on_stderr: Arc::new(move |tenant, server, line| {
            told.lock().unwrap().push(format!("{} {server} {}", tenant.0, line));
        }),
        ..outside(actor)
    };
    let mcp = mcp(json!({"srv": {"command": "x"}}), outside);
    composed(&mcp).await;
    until("standard error", || heard.lock().unwrap().len() == 3).await;
    let heard = heard.lock().unwrap().clone();
    let lengths: Vec<usize> = heard.iter().map(String::len).collect();
    assert_eq!(heard[0], "ada srv starting");
    assert_eq!(heard[2], "ada srv ready");
    assert_eq!(lengths[1], "ada srv ".len() + 1_024);
    mcp.close().await;
}
