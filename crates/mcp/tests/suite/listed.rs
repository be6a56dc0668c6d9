//! Which tools there are, and under which names.

use serde_json::{Value, json};

use crate::actor::{Actor, Wire, hello, tool};
use crate::stage::{assert_has, composed, down, end_of, good, mcp, outside, tenant};
use kernel::agent::Effect;

/// A server with this list of tools.
fn with_list(tools: Vec<Value>) -> Actor {
    Actor::new(move |mut wire: Wire| {
        let tools = tools.clone();
        async move {
            wire.tools = tools;
            while let Some(request) = wire.asked().await {
                wire.usual(&request).await;
            }
        }
    })
}

#[tokio::test]
async fn every_tool_has_a_lawful_name_and_is_called_by_its_own() {
    let names = ["get sum", "get_sum", "sum!", &"n".repeat(100), "читать"];
    let mcp = mcp(json!({"srv": {"command": "x"}}), outside(Actor::with_tools(&names)));
    let (offered, held) = composed(&mcp).await;
    assert_eq!((offered.len(), held.len()), (5, 0), "{offered:?}");
    let mut answers = Vec::new();
    for name in &offered {
        let lawful = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        assert!(name.len() <= 64 && name.chars().all(lawful), "{name}");
        assert!(mcp.has(name));
        answers.push(good(&mcp, name, json!({})).await.trim_end_matches(" {}").to_owned());
    }
    answers.sort();
    let mut own = names.map(str::to_owned);
    own.sort();
    assert_eq!(answers, own);
    mcp.close().await;
}

#[tokio::test]
async fn doubled_unfit_and_unselected_tools_are_not_there() {
    let actor = with_list(vec![
        tool("good", "Good."),
        tool("twice", "First."),
        tool("twice", "Second."),
        tool("hidden", "Do it.\u{e0041}"),
        json!({"name": "shapeless"}),
        json!({"name": "either", "inputSchema": {"type": "object", "anyOf": [
            {"properties": {"url": {"type": "string"}}, "required": ["url"]},
            {"properties": {"path": {"type": "string"}}, "required": ["path"]}]}}),
        json!({"name": "brackets", "inputSchema": {"type": "object", "properties": {"ids[]": {}}}}),
        json!({"description": "nameless"}),
        json!(7),
        tool("secret_one", ""),
        tool("other", ""),
    ]);
    let settings = json!({
        "command": "x",
        "tools": {"deny": ["secret_*", "other"]},
        "sensitive": ["good", "god"],
        "effect": {"hidden": "read", "gone": "read"},
    });
    let mcp = mcp(json!({ "srv": settings }), outside(actor));
    let (offered, held) = composed(&mcp).await;
    assert_eq!(offered, ["srv__either", "srv__good"]);
    assert_has(&held["brackets"], &["a name that model providers refuse"]);
    assert_has(&held["twice"], &["2 tools of this name"]);
    assert_has(&held["hidden"], &["hidden characters"]);
    assert_has(&held["shapeless"], &["input schema"]);
    assert!(held.contains_key(""), "{held:?}");
    assert_eq!(held.len(), 5);
    let mut composed = mcp.compose(&tenant("ada")).await;
    let unknown: Vec<&str> = composed.unknown.iter().map(|(_, tool)| tool.as_str()).collect();
    assert_eq!(unknown, ["god", "gone"], "a misspelt name protects nothing");
    let either = composed.offers.remove(0);
    let both = json!({"url": {"type": "string"}, "path": {"type": "string"}});
    assert_eq!(either.spec.input_schema, json!({"type": "object", "properties": both}));
    let offer = composed.offers.remove(0);
    assert!(offer.sensitive && offer.untrusted);
    assert!(mcp.is_sensitive("srv__good") && !mcp.is_sensitive("srv__twice"));
    for name in ["srv__twice", "srv__secret_one", "srv__nothing"] {
        let end = end_of(&mcp, name, Effect::Read).await;
        assert_has(&end, &["unavailable: ", "no longer has the tool"]);
    }
    assert_eq!(end_of(&mcp, "other__good", Effect::Read).await, "gone: other__good");
    mcp.close().await;
}

#[tokio::test]
async fn pages_are_followed_to_their_end_and_no_further() {
    let endless = |entries: usize| {
        Actor::new(move |mut wire: Wire| async move {
            let mut page = 0;
            while let Some(request) = wire.asked().await {
                if request["method"] != "tools/list" {
                    wire.usual(&request).await;
                    continue;
                }
                let expected = if page == 0 { Value::Null } else { json!(format!("p{page}")) };
                assert_eq!(request["params"]["cursor"], expected);
                page += 1;
                let tools: Vec<Value> =
                    (0..entries).map(|n| tool(&format!("t{page}_{n}"), "")).collect();
                let next =
                    if entries == 2 && page == 3 { Value::Null } else { json!(format!("p{page}")) };
                wire.answer(&request, json!({"tools": tools, "nextCursor": next})).await;
            }
        })
    };
    let start =
        |actor| mcp(json!({"srv": {"command": "x", "restart": {"base_ms": 1}}}), outside(actor));
    let three = start(endless(2));
    let (offered, _) = composed(&three).await;
    assert_eq!(offered.len(), 6, "{offered:?}");
    three.close().await;
    assert_has(&down(&start(endless(0))).await, &["more than 64 pages"]);
    assert_has(&down(&start(endless(100))).await, &["more than 256 tools"]);
}

#[tokio::test]
async fn each_version_of_the_handshake_is_spoken_and_unknown_ones_are_refused() {
    let answering = |version: &'static str| {
        Actor::new(move |mut wire: Wire| async move {
            wire.tools = vec![tool("t", "")];
            let request = wire.until("initialize").await;
            wire.answer(&request, hello(&json!(version))).await;
            while let Some(request) = wire.asked().await {
                wire.usual(&request).await;
            }
        })
    };
    let start = |actor| mcp(json!({"srv": {"command": "x"}}), outside(actor));
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mcp = start(answering(version));
        assert_eq!(composed(&mcp).await.0, ["srv__t"], "{version}");
        mcp.close().await;
    }
    assert_has(&down(&start(answering("1999-01-01"))).await, &["`1999-01-01`", "not supported"]);
}

#[tokio::test]
async fn a_server_without_a_handshake_is_spoken_to_as_well() {
    let actor = Actor::new(|mut wire: Wire| async move {
        wire.tools = vec![tool("t", "")];
        while let Some(request) = wire.asked().await {
            let refuse = json!({"code": -32601, "message": "Method not found"});
            match request["method"].as_str() {
                Some("initialize") => {
                    let id = &request["id"];
                    wire.send(&json!({"jsonrpc": "2.0", "id": id, "error": refuse})).await;
                }
                Some("server/discover") => {
                    let found = json!({
                        "resultType": "complete",
                        "supportedVersions": ["2026-07-28"],
                        "capabilities": {"tools": {}},
                        "ttlMs": 0,
                        "cacheScope": "private",
                    });
                    wire.answer(&request, found).await;
                }
                Some(_) | None => {
                    let meta = &request["params"]["_meta"];
                    if request.get("id").is_some() {
                        let version = &meta["io.modelcontextprotocol/protocolVersion"];
                        assert_eq!(version, "2026-07-28", "{request}");
                    }
                    wire.usual(&request).await;
                }
            }
        }
    });
    let mcp = mcp(json!({"srv": {"command": "x"}}), outside(actor.clone()));
    assert_eq!(composed(&mcp).await.0, ["srv__t"]);
    assert_eq!(good(&mcp, "srv__t", json!({"a": 1})).await, r#"t {"a":1}"#);
    assert_eq!(actor.starts(), 2);
    mcp.close().await;
}
