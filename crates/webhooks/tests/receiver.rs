//! Real requests to a real receiver, which checks them as the documentation says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use engine::conformance::alerts::alert;
use engine::ports::{Courier, Undelivered};
use kernel::units::UnixMs;
use tokio::net::TcpListener;
use webhooks::{Hook, Secret, Shape, Webhooks, address};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_bm90IHRoZSBzZWNyZXQgb2YgdGhlIHJlY2VpdmVy";
const NOW: UnixMs = UnixMs(1_795_000_000_123);

/// Ids and bodies of what came with a good signature, and the paths of everything.
#[derive(Default)]
struct Seen {
    good: Mutex<HashMap<String, String>>,
    paths: Mutex<Vec<&'static str>>,
}

struct Receiver {
    base: String,
    seen: Arc<Seen>,
}

impl Receiver {
    async fn start() -> Self {
        let seen = Arc::new(Seen::default());
        let router = Router::new()
            .route("/signed", post(signed))
            .route("/elsewhere", post(elsewhere))
            .route("/gone", post(async || StatusCode::GONE))
            .route(
                "/busy",
                post(async || (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "7")])),
            )
            .route("/slow", post(slow))
            .route("/endless", post(async || "no ".repeat(1 << 20)))
            .with_state(Arc::clone(&seen));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("it works");
        let base = format!("http://{}", listener.local_addr().expect("it has one"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Receiver { base, seen }
    }

    fn hooks(&self, path: &str, secret: &str) -> Webhooks {
        let hook = Hook {
            name: "ops".to_owned(),
            url: address(&format!("{}{path}", self.base)).expect("an address"),
            secret: Some(Secret::read(secret).expect("a secret")),
            shape: Shape::Full,
        };
        Webhooks::new(vec![hook]).expect("a client").within(400)
    }
}

/// Takes what is signed with its own secret and not old, and nothing else.
async fn signed(State(seen): State<Arc<Seen>>, headers: HeaderMap, body: Bytes) -> Response {
    seen.paths.lock().expect("nobody panics here").push("/signed");
    let header = |name: &str| headers[name].to_str().expect("a text").to_owned();
    let (id, seconds) =
        (header("webhook-id"), header("webhook-timestamp").parse().expect("a number"));
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(seconds, NOW.0 / 1_000);
    if header("webhook-signature")
        != Secret::read(SECRET).expect("a secret").sign(&id, seconds, &body)
    {
        return (StatusCode::UNAUTHORIZED, "bad\nsignature").into_response();
    }
    seen.good
        .lock()
        .expect("nobody panics here")
        .insert(id, String::from_utf8(body.to_vec()).expect("UTF-8"));
    StatusCode::NO_CONTENT.into_response()
}

async fn elsewhere(State(seen): State<Arc<Seen>>) -> Response {
    seen.paths.lock().expect("nobody panics here").push("/elsewhere");
    (StatusCode::TEMPORARY_REDIRECT, [("location", "/signed")]).into_response()
}

async fn slow() -> StatusCode {
    tokio::time::sleep(Duration::from_secs(30)).await;
    StatusCode::OK
}

#[tokio::test]
async fn a_receiver_takes_what_is_signed_with_its_secret_and_knows_it_again() {
    let receiver = Receiver::start().await;
    let alert = alert("t", "a", 5);
    let hooks = receiver.hooks("/signed", SECRET);
    for _twice in 0..2 {
        hooks.bring("ops", &alert, NOW).await.expect("it works");
    }
    let good = receiver.seen.good.lock().expect("nobody panics here");
    assert_eq!(good.len(), 1, "the same id both times");
    let body: serde_json::Value = serde_json::from_str(&good[&alert.id()]).unwrap();
    assert_eq!((&body["id"], &body["kind"]), (&alert.id().into(), &"faulted".into()));
    assert_eq!(body["text"], alert.text);
}

#[tokio::test]
async fn each_failure_says_what_is_done_next_and_never_the_address() {
    let receiver = Receiver::start().await;
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Receiver {
            base: format!("http://{}", listener.local_addr().expect("it has one")),
            seen: Arc::default(),
        }
    };
    let rejected = |why: &str| Undelivered::Rejected { why: why.to_owned() };
    let unreachable = |why: &str, retry_after_ms| Undelivered::Unreachable {
        why: why.to_owned(),
        retry_after_ms,
    };
    let alert = alert("t", "a", 5);
    for (at, path, secret, expected) in [
        (&receiver, "/signed", OTHER, rejected("it answered 401: bad signature")),
        (&receiver, "/elsewhere", SECRET, rejected("it answered 307")),
        (&receiver, "/nowhere", SECRET, rejected("it answered 404")),
        (&receiver, "/gone", SECRET, Undelivered::Gone { why: "it answered 410".to_owned() }),
        (&receiver, "/busy", SECRET, unreachable("it answered 503", Some(7_000))),
        (&receiver, "/slow", SECRET, unreachable("it did not answer in time", None)),
    ] {
        let found = at.hooks(path, secret).bring("ops", &alert, NOW).await.unwrap_err();
        assert_eq!(found, expected, "{path}");
    }
    let refused = nobody.hooks("/x", SECRET).bring("ops", &alert, NOW).await.unwrap_err();
    let address = nobody.base.strip_prefix("http://").unwrap();
    assert!(matches!(refused, Undelivered::Unreachable { .. }), "{refused:?}");
    assert!(!refused.to_string().contains(address), "{refused}");
    let paths = receiver.seen.paths.lock().expect("nobody panics here").clone();
    assert_eq!(paths, ["/signed", "/elsewhere"], "a redirect is not followed");
}

#[tokio::test]
async fn an_endless_answer_is_read_no_further_than_it_says_something() {
    let receiver = Receiver::start().await;
    let hooks = receiver.hooks("/endless", SECRET);
    let answer = hooks.post("ops", &alert("t", "a", 5), NOW).await.expect("it works");
    assert_eq!((answer.status, answer.words.chars().count()), (200, 121));
    let unknown = hooks.post("nobody", &alert("t", "a", 5), NOW).await.unwrap_err();
    assert!(matches!(unknown, Undelivered::Rejected { .. }), "{unknown:?}");
}
