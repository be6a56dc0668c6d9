//! The simulated provider and our own clients, each held against the other's books.

use std::collections::BTreeSet;

use engine::ports::{Model, ModelCall, ModelError};
use kernel::event::FaultClass;
use kernel::json::Extra;
use kernel::message::{Block, Reply, Request, Stop, Usage, text_of};
use kernel::price::Spent;
use kernel::units::Money;
use serde_json::{Value, json};

use super::fault::Fault;
use super::*;
use crate::remote::{Endpoint, Key, Limits, Remote};
use crate::simulated::input_tokens;
use crate::testing::{Still, TODAY, Watched, call, chain_of};
use crate::{anthropic, openai};

/// A brain with much to say: 200 bytes, 50 tokens.
struct Talker;

const SPEECH: &str = "four";

impl Brain for Talker {
    fn name(&self) -> &'static str {
        "talker"
    }

    fn reply(&self, _request: &Request) -> Reply {
        Reply {
            content: vec![Block::text(SPEECH.repeat(50))],
            stop: Stop::EndTurn,
            usage: None,
            model: None,
            fallback: None,
            id: None,
            extra: Extra::new(),
        }
    }
}

/// A provider that runs until the test ends.
struct Running {
    base: String,
    meter: Arc<Meter>,
}

async fn run(settings: Settings) -> Running {
    let any = "127.0.0.1:0".parse().unwrap();
    let world = Arc::new(Still { chance: 0 });
    let server = Server::bind(any, Arc::new(Talker), settings, world).await.unwrap();
    let base = format!("http://{}", server.address());
    let meter = server.meter();
    tokio::spawn(server.serve(std::future::pending()));
    Running { base, meter }
}

fn plan(faults: &str) -> Settings {
    Settings { faults: faults.parse().unwrap(), drip_ms: 60_000, ..Settings::default() }
}

impl Running {
    /// Clients of both protocols, each with its own key.
    fn clients(&self) -> [(&'static str, Remote); 2] {
        self.clients_that_wait(60_000)
    }

    fn clients_that_wait(&self, between_bytes_ms: u64) -> [(&'static str, Remote); 2] {
        let limits = Limits { between_bytes_ms, ..Limits::default() };
        let endpoint = |base: &str, key| {
            let key = Some(Key::new(key).unwrap());
            Endpoint::new(base, key).unwrap().with_limits(limits)
        };
        let v1 = format!("{}/v1", self.base);
        [
            ("key-a", anthropic::client(endpoint(&self.base, "key-a"), Catalog::builtin())),
            ("key-o", openai::client(endpoint(&v1, "key-o"), Catalog::builtin())),
        ]
    }

    fn billed(&self, key: &str) -> meter::Account {
        self.meter.accounts().get(&meter::key_name(Some(key))).cloned().unwrap_or_default()
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let client = reqwest_client();
        let mut request = client.post(format!("{}{path}", self.base)).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap_or_default())
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let response = reqwest_client().get(format!("{}{path}", self.base)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

fn reqwest_client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

const MODEL: &str = "claude-opus-5";

fn asking() -> ModelCall {
    call(MODEL, 60_000, 4)
}

#[tokio::test]
async fn both_protocols_bring_the_whole_answer_and_both_books_agree() {
    let running = run(Settings::default()).await;
    for (key, client) in running.clients() {
        let watched = Watched::new();
        let reply = client.call(&asking(), &|delta| watched.see(delta)).await.unwrap();
        assert_eq!(text_of(&reply.content), SPEECH.repeat(50));
        assert_eq!(watched.text(), SPEECH.repeat(50));
        assert!(watched.pieces() > 1, "it came in pieces");
        assert_eq!(reply.stop, Stop::EndTurn);
        let input = input_tokens(&asking().request);
        let usage = Usage { input, output: 50, ..Usage::default() };
        assert_eq!(reply.usage, Some(usage));
        let account = running.billed(key);
        assert_eq!((account.requests, account.input_tokens, account.output_tokens), (1, input, 50));
        let cost = client.quote(MODEL, TODAY).unwrap().rule.cost(&usage);
        assert_eq!(Money(account.nano_usd), cost);
    }
}

#[tokio::test]
async fn each_fault_reaches_a_client_as_its_class() {
    use FaultClass::*;
    let cases = [
        ("429", RateLimited, Some(1_000)),
        ("529", Overloaded, None),
        ("500", Server, None),
        ("cut", Cut, None),
        ("malformed", Malformed, None),
        ("drip", Timeout, None),
        ("refused", Network, None),
    ];
    for (name, class, retry_after_ms) in cases {
        let running = run(plan(&format!("{name},{name},ok,ok"))).await;
        let patience_ms = if class == Timeout { 200 } else { 60_000 };
        for (key, client) in running.clients_that_wait(patience_ms) {
            let error = client.call(&asking(), &|_| {}).await.unwrap_err();
            let fault = &error.fault;
            assert_eq!((fault.class, fault.retry_after_ms), (class, retry_after_ms), "{fault:?}");
            covered(&error, &running.billed(key), name);
            assert_eq!(running.billed(key).faults[name], 1);
        }
        for (_, client) in running.clients() {
            client.call(&asking(), &|_| {}).await.unwrap();
        }
    }
}

/// L11: what a client books for a failed try is never below what the provider bills.
fn covered(error: &ModelError, account: &meter::Account, name: &str) {
    let booked = match error.spent {
        Spent::Nothing => Usage::default(),
        Spent::Told(usage) | Spent::Estimated(usage) => usage,
        Spent::Unknown => panic!("{name}: nobody knows"),
    };
    assert!(booked.input >= account.input_tokens, "{name}: {booked:?} {account:?}");
    assert!(booked.output >= account.output_tokens, "{name}: {booked:?} {account:?}");
    let cut = [Fault::Cut, Fault::Malformed, Fault::Drip].iter().any(|f| f.name() == name);
    assert_eq!(account.input_tokens > 0, cut, "{name}: prompts of answers that began are billed");
    assert!(!cut || account.output_tokens < 50, "{name}: not all of the answer went out");
}

#[tokio::test]
async fn l11_tokens_before_a_cut_are_billed() {
    let running = run(plan("cut")).await;
    let [(key, client), _] = running.clients();
    let error = client.call(&asking(), &|_| {}).await.unwrap_err();
    assert_eq!(error.fault.class, FaultClass::Cut);
    let account = running.billed(key);
    assert!((1..50).contains(&account.output_tokens), "{account:?}");
    assert!(account.nano_usd > 0);
}

#[tokio::test]
async fn a_chain_of_one_gets_through_an_outage() {
    let running = run(plan("529,500,refused,cut,ok")).await;
    let [(_, client), _] = running.clients();
    let chain = chain_of("planner", client);
    // A free model: a cut costs nothing, so it may be tried again.
    let reply = chain.call(&call("planner", 60_000, 5), &|_| {}).await.unwrap();
    assert_eq!(text_of(&reply.content), SPEECH.repeat(50));
    assert_eq!(running.meter.total().requests, 5);
}

#[tokio::test]
async fn a_request_can_ask_for_its_own_fault() {
    let running = run(Settings::default()).await;
    let body =
        json!({"model": "m", "max_tokens": 90, "messages": [{"role": "user", "content": "hi"}]});
    let body = body.to_string();
    let path = "/v1/messages";
    let force = |fault| [("x-simulate-fault", fault)];
    for (fault, status) in [("529", 529), ("500", 500), ("429", 429), ("ok", 200), ("drop", 400)] {
        assert_eq!(running.post(path, &force(fault), &body).await.0, status, "{fault}");
    }
    let (status, text) = running.post(path, &force("malformed"), &body).await;
    assert_eq!(status, 200);
    assert!(serde_json::from_str::<Value>(&text).is_err(), "{text}");
    let (status, text) = running.post(path, &[], &body).await;
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, answer["stop_reason"].as_str()), (200, Some("end_turn")));
    let (_, text) = running.post("/v1/chat/completions", &[], &body).await;
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], SPEECH.repeat(50));
}

#[tokio::test]
async fn what_a_vendor_would_refuse_is_refused() {
    let running = run(Settings { body_bytes_max: 2_000, ..Settings::default() }).await;
    let orphan = json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "x", "input": {}}]},
        {"role": "user", "content": "no result"},
    ]});
    let cases = [
        // L4: a call without its result is refused for ever.
        (orphan.to_string(), 400),
        ("{".to_owned(), 400),
        ("{}".to_owned(), 400),
        (format!("\"{}\"", "x".repeat(2_000)), 413),
    ];
    for (body, status) in cases {
        let (got, text) = running.post("/v1/messages", &[], &body).await;
        assert_eq!(got, status, "{text}");
        let error: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(error["type"], "error", "{text}");
    }
    assert_eq!(running.meter.total().rejected, 4);
    assert_eq!(running.meter.total().input_tokens, 0);
}

#[tokio::test]
async fn the_small_paths_answer() {
    let running = run(Settings::default()).await;
    assert_eq!(running.get("/healthz").await, (200, "ok".to_owned()));
    let models: Value = serde_json::from_str(&running.get("/v1/models").await.1).unwrap();
    assert_eq!(models["data"][0]["id"], "talker");
    assert_eq!(running.get("/nowhere").await.0, 404);
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "12345"}]});
    let counted = running.post("/v1/messages/count_tokens", &[], &body.to_string()).await;
    assert_eq!(counted, (200, r#"{"input_tokens":2}"#.to_owned()));
    let meter: Value = serde_json::from_str(&running.get("/simulate/meter").await.1).unwrap();
    assert_eq!(meter["total"]["requests"], 0, "counting is no request for an answer");
}

#[tokio::test]
async fn every_answer_says_that_no_language_model_is_behind_it() {
    let running = run(Settings::default()).await;
    let url = format!("{}/v1/chat/completions", running.base);
    let body = json!({"model": "gpt-x", "messages": [{"role": "user", "content": "hi"}]});
    let response = reqwest_client().post(url).body(body.to_string()).send().await.unwrap();
    let label = response.headers()["x-simulated-model"].to_str().unwrap();
    assert_eq!(label, "talker; no language model");
    assert!(response.headers().contains_key("x-request-id"));
}

#[tokio::test]
async fn answers_beyond_the_limit_are_told_that_it_is_overloaded() {
    let settings = Settings { in_flight_max: 0, ..Settings::default() };
    let running = run(settings).await;
    let [(_, client), _] = running.clients();
    let error = client.call(&asking(), &|_| {}).await.unwrap_err();
    assert_eq!(error.fault.class, FaultClass::Overloaded);
}

#[tokio::test]
async fn latency_is_waited_before_the_answer() {
    let latency = Latency { first_ms: 30, per_token_ms: 1 };
    let running = run(Settings { latency, ..Settings::default() }).await;
    for (_, client) in running.clients() {
        let start = std::time::Instant::now();
        client.call(&asking(), &|_| {}).await.unwrap();
        assert!(start.elapsed() >= Duration::from_millis(30 + 50));
    }
}

#[tokio::test]
async fn it_stops_when_it_is_told_to() {
    let any = "127.0.0.1:0".parse().unwrap();
    let world = Arc::new(Still { chance: 0 });
    let server = Server::bind(any, Arc::new(Talker), Settings::default(), world).await.unwrap();
    let address = server.address();
    server.serve(async {}).await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn answers_have_ids_of_their_own() {
    let running = run(Settings::default()).await;
    let mut ids = BTreeSet::new();
    for (_, client) in running.clients().into_iter().chain(running.clients()) {
        ids.insert(client.call(&asking(), &|_| {}).await.unwrap().id.unwrap());
    }
    assert_eq!(ids.len(), 4);
}
