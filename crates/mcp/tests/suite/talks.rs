//! What goes back and forth in a call.

use std::sync::Arc;

use futures::future::join_all;
use kernel::agent::Effect;
use mcp::{Outside, TenantTools};
use serde_json::{Value, json};

use crate::actor::{Actor, Wire, text, tool};
use crate::stage::{
    Secrets, assert_has, call, call_as, composed, end, end_of, good, mcp, outside, tenant,
};
use engine::ports::{Reconciled, Toolbox};

/// A server whose tool `t` does with each call what `acts` does.
fn acting<F, P>(acts: F) -> Actor
where
    F: Fn(Wire, Value) -> P + Send + Sync + Clone + 'static,
    P: Future<Output = Wire> + Send + 'static,
{
    Actor::new(move |mut wire: Wire| {
        let acts = acts.clone();
        async move {
            wire.tools = vec![tool("t", "")];
            loop {
                let request = wire.until("tools/call").await;
                if request.is_null() {
                    return;
                }
                wire = acts(wire, request).await;
            }
        }
    })
}

fn started(actor: &Actor) -> Arc<mcp::Mcp> {
    mcp(json!({"srv": {"command": "x"}}), outside(actor.clone()))
}

#[tokio::test]
async fn what_a_server_asks_for_is_refused_and_a_ping_is_answered() {
    let actor = acting(|mut wire, request| async move {
        let asks = [
            ("sampling/createMessage", json!({"messages": [], "maxTokens": 5})),
            (
                "sampling/createMessage",
                json!({"messages": [
                {"role": "user", "content": {"type": "text", "text": "hi"}}], "maxTokens": 5}),
            ),
            (
                "elicitation/create",
                json!({"message": "Your password?", "requestedSchema":
                {"type": "object", "properties": {}}}),
            ),
            ("roots/list", json!({})),
            ("made/up", json!({})),
            ("ping", json!({})),
        ];
        for (n, (method, params)) in asks.iter().enumerate() {
            let id = format!("ask-{n}");
            wire.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
                .await;
            let answer = wire.asked().await.unwrap();
            assert_eq!(answer["id"], id, "{answer}");
            if *method == "ping" {
                assert_eq!(answer["result"], json!({}), "{answer}");
            } else {
                assert_eq!(answer["error"]["code"], -32601, "{method}: {answer}");
            }
        }
        wire.answer(&request, text(&request)).await;
        wire
    });
    let mcp = started(&actor);
    assert_eq!(good(&mcp, "srv__t", json!({})).await, "t {}");
    let hello = &actor.heard("initialize")[0]["params"];
    assert_eq!(hello["capabilities"], json!({}), "nothing is offered");
    mcp.close().await;
}

#[tokio::test]
async fn only_the_answer_with_the_right_id_counts_and_only_once() {
    let actor = acting(|mut wire, request| async move {
        let forged = json!({"content": [{"type": "text", "text": "forged"}]});
        for id in [json!(999), json!("999"), json!(null), json!(-1)] {
            wire.send(&json!({"jsonrpc": "2.0", "id": id, "result": forged})).await;
            let error = json!({"code": 1, "message": "forged"});
            wire.send(&json!({"jsonrpc": "2.0", "id": id, "error": error})).await;
        }
        wire.raw(b"Listening on stdio\n\n\r\n{]\n\xff\xfe\n").await;
        wire.answer(&request, text(&request)).await;
        wire.answer(&request, forged).await;
        wire
    });
    let mcp = started(&actor);
    for n in 0..5 {
        assert_eq!(good(&mcp, "srv__t", json!({ "n": n })).await, format!("t {{\"n\":{n}}}"));
    }
    assert_eq!(actor.starts(), 1);
    mcp.close().await;
}

#[tokio::test]
async fn calls_at_once_get_their_own_answers_in_any_order() {
    let actor = Actor::new(|mut wire: Wire| async move {
        wire.tools = vec![tool("t", "")];
        let mut waiting = Vec::new();
        while let Some(request) = wire.asked().await {
            if request["method"] == "tools/call" {
                waiting.push(request);
            } else {
                wire.usual(&request).await;
            }
            if waiting.len() == 8 {
                for request in waiting.drain(..).rev() {
                    wire.answer(&request, text(&request)).await;
                }
            }
        }
    });
    let mcp = started(&actor);
    composed(&mcp).await;
    let calls = (0..8).map(|n| good(&mcp, "srv__t", json!({ "n": n })));
    let answers = join_all(calls).await;
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(*answer, format!("t {{\"n\":{n}}}"));
    }
    assert_eq!(actor.starts(), 1, "one process serves all of them");
    mcp.close().await;
}

#[tokio::test]
async fn the_first_calls_of_many_sessions_start_one_process() {
    let actor = Actor::with_tools(&["t"]);
    let mcp = started(&actor);
    let calls = (0..20).map(|n| good(&mcp, "srv__t", json!({ "n": n })));
    assert_eq!(join_all(calls).await.len(), 20);
    assert_eq!(actor.starts(), 1);
    assert_eq!(actor.heard("tools/list").len(), 1);
    mcp.close().await;
}

#[tokio::test]
async fn errors_of_tools_and_of_the_protocol_are_words_for_the_model() {
    let actor = acting(|mut wire, request| async move {
        let id = &request["id"];
        match request["params"]["arguments"]["kind"].as_str() {
            Some("tool") => {
                let error = json!({"content": [{"type": "text", "text": "no"}], "isError": true});
                wire.answer(&request, error).await;
            }
            Some("protocol") => {
                let error = json!({"code": -32602, "message": "a\nis\u{1b} missing"});
                wire.send(&json!({"jsonrpc": "2.0", "id": id, "error": error})).await;
            }
            Some("shape") => {
                wire.send(&json!({"jsonrpc": "1.0", "id": id, "result": {}})).await;
            }
            _ => wire.answer(&request, json!({"resultType": "input_required"})).await,
        }
        wire
    });
    let mcp = started(&actor);
    for (kind, wanted) in [
        ("tool", "error: no"),
        ("protocol", "error: the server `srv` refused the call: a is missing (code -32602)"),
        ("shape", "unknown: the server `srv` gave no answer: its answer is against the protocol"),
        ("", "error: the server `srv` wants to ask somebody"),
    ] {
        let end = end(mcp.run(&call("srv__t", &json!({ "kind": kind }))).await);
        assert!(end.starts_with(wanted), "{end}");
    }
    let no_object = call("srv__t", &json!([1]));
    assert_has(&end(mcp.run(&no_object).await), &["error: the input must be one JSON object"]);
    mcp.close().await;
}

#[tokio::test]
async fn an_idempotent_call_carries_its_key_and_no_other_does() {
    let actor = acting(|mut wire, request| async move {
        let meta = request["params"]["_meta"]["example.com/key"].clone();
        let said = json!({"content": [{"type": "text", "text": meta.to_string()}]});
        wire.answer(&request, said).await;
        wire
    });
    let settings = json!({
        "command": "x", "idempotency_meta": "example.com/key", "effect": {"t": "idempotent"},
    });
    let mcp = mcp(json!({ "srv": settings }), outside(actor.clone()));
    let offer = mcp.compose(&tenant("ada")).await.offers.remove(0);
    let mut keyed = call_as("ada", "srv__t", Effect::Idempotent, &json!({}));
    keyed.spec = offer.spec;
    let twice = [mcp.run(&keyed).await, mcp.run(&keyed).await].map(end);
    assert_eq!(twice, [(); 2].map(|()| format!("ok: \"{}\"", keyed.key)));
    assert_eq!(end_of(&mcp, "srv__t", Effect::Effect).await, "ok: null");
    assert!(matches!(mcp.reconcile(&keyed).await, Reconciled::Unknown(_)));
    let read = call_as("ada", "srv__t", Effect::Read, &json!({}));
    assert_eq!(mcp.reconcile(&read).await, Reconciled::NotDone);
    mcp.close().await;

    let placeless = started(&actor);
    let end = end(placeless.run(&keyed).await);
    assert_has(&end, &["unavailable", "no place for its key"]);
    placeless.close().await;
}

#[tokio::test]
async fn each_tenant_has_a_process_of_its_own_with_its_own_secrets_and_nothing_else() {
    let actor = Actor::with_tools(&["t"]);
    let settings = json!({
        "command": "x", "env": {"MODE": "safe", "TOKEN": {"secret": "github"}},
    });
    let secrets = Secrets::default();
    let outside = Outside { credentials: Arc::new(secrets.clone()), ..outside(actor.clone()) };
    let mcp = mcp(json!({ "srv": settings }), outside);
    for whose in ["ada", "bob", "ada"] {
        let call = call_as(whose, "srv__t", Effect::Effect, &json!({}));
        assert_eq!(end(mcp.run(&call).await), "ok: t {}");
    }
    let env = |token: &str| {
        vec![("MODE".to_owned(), "safe".to_owned()), ("TOKEN".to_owned(), token.to_owned())]
    };
    let starts = actor.life.starts.lock().unwrap().clone();
    assert_eq!(starts, [env("github-of-ada-0"), env("github-of-bob-0")]);
    mcp.close().await;
    assert_eq!(actor.ends(), 2);
}

#[tokio::test]
async fn one_tenants_toolbox_serves_nobody_else() {
    let actor = Actor::with_tools(&["b", "a"]);
    let tools = TenantTools::compose(started(&actor), tenant("ada")).await;
    let names: Vec<String> = tools.specs().into_iter().map(|spec| spec.name).collect();
    assert_eq!(names, ["srv__a", "srv__b"]);
    assert_eq!(end(tools.run(&call("srv__a", &json!({}))).await), "ok: a {}");
    let foreign = call_as("bob", "srv__a", Effect::Read, &json!({}));
    assert_eq!(end(tools.run(&foreign).await), "gone: srv__a");
    assert_eq!(actor.starts(), 1);
}
