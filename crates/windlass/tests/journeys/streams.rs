//! Watching a session: nothing twice, nothing missed, whoever comes back; and leaving
//! cancels nothing (L30).

use futures::StreamExt;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::house::{House, json_of, problem};
use crate::place::{FINISHED, Place, Provider, REFUSED};

/// A frame of server-sent events.
#[derive(Debug, Default, PartialEq)]
struct Frame {
    id: Option<u64>,
    event: String,
    data: String,
}

/// Reads a stream until `enough` says so, and leaves.
async fn follow(request: RequestBuilder, enough: impl Fn(&[Frame]) -> bool) -> Vec<Frame> {
    let response = request.header("accept", "text/event-stream").send().await.expect("it answers");
    assert_eq!(response.status(), StatusCode::OK);
    let mut bytes = response.bytes_stream();
    let (mut text, mut frames) = (String::new(), Vec::new());
    while !enough(&frames) {
        let piece = bytes.next().await.expect("the stream stays open").expect("and whole");
        text.push_str(std::str::from_utf8(&piece).expect("frames are not cut inside a letter"));
        while let Some((frame, rest)) = text.split_once("\n\n") {
            frames.extend(read(frame));
            text = rest.to_owned();
        }
    }
    frames
}

fn read(frame: &str) -> Option<Frame> {
    let mut read = Frame::default();
    for line in frame.lines() {
        match line.split_once(": ")? {
            ("id", id) => read.id = id.parse().ok(),
            ("event", event) => read.event = event.to_owned(),
            ("data", data) => read.data = data.to_owned(),
            _ => return None,
        }
    }
    Some(read)
}

fn numbers(frames: &[Frame]) -> Vec<u64> {
    frames.iter().filter_map(|frame| frame.id).collect()
}

fn is_over(frames: &[Frame]) -> bool {
    frames.iter().any(|frame| frame.event == "run_finished")
}

/// A house whose agent's model speaks slowly.
fn slow_house() -> (House, Provider) {
    let place = Place::new();
    let provider = place.provider(&["--latency-ms", "200", "--token-ms", "20"]);
    place.agent("anthropic", &provider.address, "");
    std::fs::create_dir(place.path("agents")).expect("the folder takes one");
    std::fs::rename(place.path("agent.yaml"), place.path("agents/tested.yaml")).expect("so");
    (House::in_place(place, &[]), provider)
}

async fn begin(house: &House) -> String {
    let body = json!({"agent": "tested", "input": "What is 17.5% of 2340? Note it as tip."});
    let begun = json_of(house.post("/v1/sessions", body), StatusCode::CREATED).await;
    begun["id"].as_str().expect("it has an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn l30_leaving_cancels_nothing_and_coming_back_repeats_nothing() {
    let (house, _provider) = slow_house();
    let id = begin(&house).await;
    let path = format!("/v1/sessions/{id}/events");
    // Leaves in the middle, again and again, and goes on from the last number.
    let (mut all, mut pieces) = (Vec::new(), 0);
    while !is_over(&all) {
        let last = numbers(&all).last().copied().unwrap_or(0);
        let request = house.get(&path).header("last-event-id", last.to_string());
        let more = follow(request, |frames| numbers(frames).len() >= 2 || is_over(frames)).await;
        pieces += more.iter().filter(|frame| frame.event == "delta").count();
        all.extend(more);
    }
    let seen = numbers(&all);
    assert_eq!(seen, (1..=seen.len() as u64).collect::<Vec<_>>(), "each once, in order");
    assert!(pieces > 0, "pieces of answers were seen on their way");
    // A finished run is told again to whoever asks for it, to the byte.
    let again = follow(house.get(&path), is_over).await;
    let facts = |frames: Vec<Frame>| {
        frames.into_iter().filter(|frame| frame.id.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(facts(again), facts(all));
    let listed = json_of(house.get(&format!("{path}?limit=500")), StatusCode::OK).await;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(seen.len()));
    let wrong = house.get(&path).header("accept", "text/event-stream");
    let wrong = wrong.header("last-event-id", "seven");
    assert_eq!(problem(wrong, StatusCode::BAD_REQUEST).await, "bad_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_commits_is_seen_too() {
    let (house, _provider) = slow_house();
    let session = json_of(
        house.post("/v1/sessions?wait_s=60", json!({"agent": "tested", "input": "What is 2 + 2?"})),
        StatusCode::CREATED,
    )
    .await;
    let id = session["id"].as_str().expect("it has an id");
    let after = session["events"].as_u64().expect("it has events");
    let request = house.get(&format!("/v1/sessions/{id}/events?after={after}"));
    let watching = tokio::spawn(follow(request, is_over));
    let run = house.place.run(&["--tenant", "acme", "run", "--session", id, "What is 3 + 3?"]);
    // Whoever is first does it: the command, or the service's worker.
    assert!([Some(FINISHED), Some(REFUSED)].contains(&run.code), "{run}");
    let frames = watching.await.expect("it sees the end");
    assert_eq!(numbers(&frames).first(), Some(&(after + 1)), "{frames:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_tells_the_same_as_a_stream() {
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;

    let (house, _provider) = slow_house();
    let id = begin(&house).await;
    let url = house.url.replacen("http", "ws", 1);
    let mut request =
        format!("{url}/v1/sessions/{id}/ws").into_client_request().expect("it is an address");
    let key = format!("Bearer {}", house.key).parse().expect("it is a header");
    request.headers_mut().insert("authorization", key);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.expect("it opens");
    let (mut seen, mut pieces) = (Vec::new(), 0);
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message.expect("the socket stays open") else { continue };
        let told: Value = serde_json::from_str(&text).expect("it is JSON");
        match told["type"].as_str() {
            Some("event") => seen.push(told["event"].clone()),
            Some("delta") => pieces += 1,
            other => panic!("{other:?} in {text}"),
        }
        if seen.last().is_some_and(|event| event["fact"].get("run_finished").is_some()) {
            break;
        }
    }
    assert!(pieces > 0, "pieces of answers were seen on their way");
    let listed = json_of(house.get(&format!("/v1/sessions/{id}/events?limit=500")), StatusCode::OK);
    assert_eq!(listed.await["data"], Value::Array(seen));
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_when_the_service_stops() {
    let (mut house, _provider) = slow_house();
    let id = begin(&house).await;
    let request = house.get(&format!("/v1/sessions/{id}/events"));
    let response = request.header("accept", "text/event-stream").send().await.expect("it answers");
    let reading = tokio::spawn(response.text());
    house.strike(rustix::process::Signal::TERM).code(FINISHED);
    // One that was only cut would have no end of its own.
    let text = reading.await.expect("it ends").expect("and well");
    assert!(text.starts_with("id: 1\nevent: session_opened\n"), "{text}");
}
