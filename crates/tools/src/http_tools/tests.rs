//! Declared tools against a server that answers well, badly, and not at all.

use std::ffi::OsString;
use std::net::IpAddr;

use kernel::json::RawJson;
use kernel::units::{SessionId, Tenant};
use secrets::{Environment, Granted, Grants, Limits, Shelf};
use serde_json::json;
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

/// Every name leads to this machine, but for one that does not resolve.
#[derive(Debug)]
struct ToHere;

#[async_trait]
impl Resolve for ToHere {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        if name == "nobody.test" {
            Err("no such name".into())
        } else {
            Ok(vec![[127, 0, 0, 1].into()])
        }
    }
}

fn variables(name: &str) -> Option<OsString> {
    (name == "T_SHOP").then(|| "s3cret-of-the-shop".into())
}

fn outside() -> HttpOutside {
    let source = Environment::new("T_", variables).unwrap();
    let shelf = Shelf { source: Arc::new(source), tenant: None };
    let grants = Grants([("shop".parse().unwrap(), Granted::All)].into());
    HttpOutside {
        secrets: Secrets::new(vec![shelf], grants, Limits::default()),
        resolver: Arc::new(ToHere),
        now: || UnixMs(1),
    }
}

fn tool(verb: Method, url: &str) -> HttpTool {
    HttpTool {
        name: "order".to_owned(),
        description: "Orders a thing.".to_owned(),
        input: json!({"type": "object", "properties": {"id": {}, "note": {}}}),
        method: verb,
        url: Template::read(url).unwrap(),
        headers: Vec::new(),
        body: None,
        effect: Effect::Effect,
        secret: Some(SecretHeader {
            handle: "secret://shop".parse().unwrap(),
            header: HeaderName::from_static("authorization"),
            prefix: "Bearer ".to_owned(),
        }),
        idempotency_header: Some(HeaderName::from_static("idempotency-key")),
        reconcile_url: None,
        timeout_ms: 1_000,
        allow_private: true,
        untrusted: true,
        sensitive: false,
        output_bytes_max: 32_768,
    }
}

fn at(server: &MockServer, path: &str) -> String {
    format!("http://shop.test:{}{path}", server.address().port())
}

fn call(tool: &HttpTool, input: Value) -> ToolCall {
    ToolCall {
        tenant: Tenant("t".to_owned()),
        session: "01890000-0000-7000-8000-000000000001".parse::<SessionId>().unwrap(),
        spec: tool.spec(),
        arguments: RawJson::of(&input),
        workdir: None,
        key: "key-1".to_owned(),
    }
}

async fn run(tool: HttpTool, input: Value) -> String {
    let call = call(&tool, input);
    let tools = HttpTools::new(vec![tool], outside());
    match tools.run(&call).await {
        Ok(ToolOutput { content, is_error: false, .. }) => format!("ok: {content}"),
        Ok(ToolOutput { content, .. }) => format!("error: {content}"),
        Err(ToolError::Unavailable(words)) => format!("unavailable: {words}"),
        Err(ToolError::OutcomeUnknown(words)) => format!("unknown: {words}"),
        Err(ToolError::Gone(words)) => format!("gone: {words}"),
    }
}

async fn answers(server: &MockServer, verb: &str, at: &str, reply: ResponseTemplate) {
    Mock::given(method(verb)).and(path(at)).respond_with(reply).mount(server).await;
}

#[tokio::test]
async fn a_call_carries_its_key_and_the_secret_and_shows_neither() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/orders/a%2Fb"))
        .and(header("authorization", "Bearer s3cret-of-the-shop"))
        .and(header("idempotency-key", "key-1"))
        .and(header("content-type", "application/json"))
        .and(body_json(json!({"note": "soon"})))
        .respond_with(
            ResponseTemplate::new(201)
                .set_body_json(json!({"order": 7, "echo": "Bearer s3cret-of-the-shop"})),
        )
        .expect(1)
        .mount(&server)
        .await;
    let tool = tool(Method::POST, &at(&server, "/orders/{id}"));
    let told = run(tool, json!({"id": "a/b", "note": "soon"})).await;
    assert_eq!(told, r#"ok: {"order":7,"echo":"Bearer [secret]"}"#);
}

#[tokio::test]
async fn what_an_answer_means_hangs_on_the_class() {
    for (status, read, effect) in [
        (200, "ok: done: status 200", "ok: done: status 200"),
        (302, "unavailable: ", "unknown: "),
        (400, "error: ", "error: "),
        (403, "unavailable: ", "unavailable: "),
        (404, "error: ", "error: "),
        (409, "error: ", "error: "),
        (429, "unavailable: ", "unavailable: "),
        (500, "unavailable: ", "unknown: "),
        (503, "unavailable: ", "unknown: "),
    ] {
        let server = MockServer::start().await;
        answers(&server, "POST", "/x", ResponseTemplate::new(status)).await;
        for (class, wanted) in [(Effect::Read, read), (Effect::Effect, effect)] {
            let tool = HttpTool { effect: class, ..tool(Method::POST, &at(&server, "/x")) };
            let told = run(tool, json!({})).await;
            assert!(told.starts_with(wanted), "{status} {class:?}: {told}");
        }
    }
}

#[tokio::test]
async fn what_was_not_sent_did_not_happen() {
    let server = MockServer::start().await;
    answers(&server, "POST", "/x", ResponseTemplate::new(200)).await;
    let port = server.address().port();
    for (change, wanted) in [
        (
            HttpTool {
                url: Template::read(&format!("http://nobody.test:{port}/")).unwrap(),
                ..tool(Method::POST, &at(&server, "/x"))
            },
            "unavailable: `nobody.test` does not resolve",
        ),
        (
            HttpTool { allow_private: false, ..tool(Method::POST, &at(&server, "/x")) },
            "error: `shop.test` resolves to 127.0.0.1",
        ),
        (
            HttpTool {
                secret: Some(SecretHeader {
                    handle: "secret://other".parse().unwrap(),
                    header: HeaderName::from_static("authorization"),
                    prefix: String::new(),
                }),
                ..tool(Method::POST, &at(&server, "/x"))
            },
            "unavailable: the secret of the tool `order` is not set",
        ),
        (
            HttpTool {
                url: Template::read("http://shop.test:1/").unwrap(),
                ..tool(Method::POST, &at(&server, "/x"))
            },
            "unavailable: `shop.test` cannot be reached",
        ),
    ] {
        let told = run(change, json!({})).await;
        assert!(told.starts_with(wanted), "{told}");
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_lost_effect_is_known_where_its_server_can_be_asked() {
    let slow = ResponseTemplate::new(200).set_delay(std::time::Duration::from_secs(30));
    for (found, in_run, after_a_crash) in [
        (ResponseTemplate::new(200).set_body_string("order 7"), "ok: order 7", "done"),
        (ResponseTemplate::new(404), "unknown: ", "not done"),
        (ResponseTemplate::new(500), "unknown: ", "unknown"),
    ] {
        let server = MockServer::start().await;
        answers(&server, "POST", "/x", slow.clone()).await;
        answers(&server, "GET", "/by-key/key-1", found).await;
        let reconcile_url = Template::read(&at(&server, "/by-key/{idempotency_key}")).unwrap();
        let tool = HttpTool {
            reconcile_url: Some(reconcile_url),
            timeout_ms: 300,
            ..tool(Method::POST, &at(&server, "/x"))
        };
        let told = run(tool.clone(), json!({})).await;
        assert!(told.starts_with(in_run), "{told}");

        let asked = call(&tool, json!({}));
        let found = HttpTools::new(vec![tool], outside()).reconcile(&asked).await;
        let found = match found {
            Reconciled::Done(output) => {
                assert_eq!(output, ToolOutput::ok("order 7"));
                "done"
            }
            Reconciled::NotDone => "not done",
            Reconciled::Unknown(_) => "unknown",
        };
        assert_eq!(found, after_a_crash);
    }
}

#[tokio::test]
async fn without_a_place_for_the_key_nothing_is_idempotent() {
    let server = MockServer::start().await;
    let declared = HttpTool { effect: Effect::Idempotent, ..tool(Method::PUT, &at(&server, "/x")) };
    let placeless = HttpTool { idempotency_header: None, ..declared.clone() };
    let url = Template::read(&at(&server, "/x/{idempotency_key}")).unwrap();
    let in_url = HttpTool { url, ..placeless.clone() };
    assert_eq!(declared.class(), Effect::Idempotent);
    assert_eq!(placeless.class(), Effect::Effect);
    assert_eq!(in_url.class(), Effect::Idempotent);
    // A session that began when there was a place does not send without one.
    let frozen = call(&declared, json!({}));
    let tools = HttpTools::new(vec![placeless], outside());
    assert!(matches!(tools.run(&frozen).await, Err(ToolError::Unavailable(_))));
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_call_is_examined_from_its_letters() {
    let tool = tool(Method::POST, "http://shop.test/orders/{id}");
    let tools = HttpTools::new(vec![tool.clone()], outside());
    let good = tools.examine(&call(&tool, json!({"id": 1}))).await;
    assert_eq!(good.judgement.verdict, Verdict::Allow);
    assert!(good.hosts.contains("shop.test"));
    let bad = tools.examine(&call(&tool, json!({"id": ".."}))).await;
    assert_eq!(bad.judgement.verdict, Verdict::Deny);
}
