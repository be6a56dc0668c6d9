//! A service under way: the real binary, called over HTTP as its users would.

use std::sync::Once;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::place::{Ended, FINISHED, Place, Running};

/// The longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service with the key of its first admin.
pub(crate) struct House {
    pub(crate) place: Place,
    pub(crate) url: String,
    pub(crate) key: String,
    running: Option<Running>,
    client: Client,
}

impl House {
    /// Opens a service in a new folder.
    pub(crate) fn open() -> Self {
        House::in_place(Place::new(), &[])
    }

    /// Opens one in a folder that was prepared.
    pub(crate) fn in_place(place: Place, arguments: &[&str]) -> Self {
        let key = key(place.run(&["--tenant", "acme", "--user", "ann", "init"]));
        let mut house = House { place, url: String::new(), key, running: None, client: client() };
        house.start(arguments);
        house
    }

    /// Starts it, anew if it ran before.
    pub(crate) fn start(&mut self, arguments: &[&str]) {
        let mut all = vec!["--tenant", "acme", "serve", "--listen", "127.0.0.1:0"];
        all.extend(arguments);
        let mut running = self.place.start(&all);
        let line = running.until("windlass ");
        let url = line.rsplit(" on ").next().expect("it says where").trim().to_owned();
        // It says how to call it last: from then on it listens.
        running.until("try");
        (self.url, self.running) = (url, Some(running));
    }

    pub(crate) fn strike(&mut self, signal: Signal) -> Ended {
        let running = self.running.take().expect("it runs");
        running.strike(signal);
        running.end()
    }

    /// Another key of the tenant.
    pub(crate) fn key_for(&self, arguments: &[&str]) -> String {
        let mut all = vec!["--tenant", "acme", "--user", "ann", "keys", "create"];
        all.extend(arguments);
        key(self.place.run(&all))
    }

    /// A user of the tenant with a role, and their key.
    pub(crate) fn user(&self, name: &str, role: &str) -> String {
        let set = ["--tenant", "acme", "users", "set", name, "--role", role];
        self.place.run(&set).code(FINISHED);
        self.key_for(&["--for", name])
    }

    /// The first key of another tenant.
    pub(crate) fn stranger(&self) -> String {
        key(self.place.run(&["--tenant", "other", "--user", "eve", "init"]))
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        request.timeout(PATIENCE).bearer_auth(&self.key)
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.ask(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> RequestBuilder {
        self.ask(Method::POST, path).json(&body)
    }

    /// Gives the general agent a task, and waits until it is at rest.
    pub(crate) async fn work(&self, task: &str) -> Value {
        let body = json!({"agent": "default", "input": task});
        json_of(self.post("/v1/sessions?wait_s=60", body), StatusCode::CREATED).await
    }
}

/// A client of its own, which trusts nobody by itself.
pub(crate) fn client() -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider().install_default().expect("it is the first");
    });
    Client::builder().no_proxy().build().expect("a client can be made")
}

fn key(made: Ended) -> String {
    made.code(FINISHED).out.trim().to_owned()
}

/// Sends a request, asks for a status, and reads the answer.
#[track_caller]
pub(crate) fn json_of(request: RequestBuilder, status: StatusCode) -> impl Future<Output = Value> {
    let place = std::panic::Location::caller();
    async move {
        let response = request.send().await.expect("it answers");
        let (found, request_id) = (response.status(), header(&response, "request-id"));
        let text = response.text().await.expect("an answer has an end");
        assert_eq!(found, status, "{place}: {text}");
        assert!(!request_id.is_empty(), "{place}: an answer has an id");
        serde_json::from_str(&text).unwrap_or_else(|why| panic!("{place}: {why}: {text}"))
    }
}

/// Sends a request that is refused, and tells the code of the problem.
#[track_caller]
pub(crate) fn problem(request: RequestBuilder, status: StatusCode) -> impl Future<Output = String> {
    let place = std::panic::Location::caller();
    async move {
        let response = request.send().await.expect("it answers");
        let (found, kind) = (response.status(), header(&response, "content-type"));
        let retry = header(&response, "x-should-retry");
        let text = response.text().await.expect("an answer has an end");
        assert_eq!(found, status, "{place}: {text}");
        assert_eq!(kind, "application/problem+json", "{place}: {text}");
        assert!(["true", "false"].contains(&retry.as_str()), "{place}: L17: {text}");
        let told: Value = serde_json::from_str(&text).expect("a problem is JSON");
        assert_eq!(told["status"], found.as_u16(), "{place}: {text}");
        assert!(told["detail"].as_str().is_some_and(|words| !words.is_empty()), "{place}: {text}");
        told["code"].as_str().expect("it has a code").to_owned()
    }
}

pub(crate) fn header(response: &Response, name: &str) -> String {
    let value = response.headers().get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}
