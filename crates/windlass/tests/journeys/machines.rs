//! A service on PostgreSQL, as processes that share a database and nothing else: one that
//! answers, others that work, one of which dies.

use std::time::Duration;

use reqwest::StatusCode;
use rustix::process::Signal;
use serde_json::json;

use crate::house::{House, json_of};
use crate::place::{FINISHED, Place, Running, USAGE};
use crate::server::Server;

/// Tasks that are given at once.
const TASKS: usize = 6;

/// A worker with a store's folder of its own, as on another machine.
fn hire(place: &Place, name: &str) -> Running {
    let work = ["--store", name, "worker", "--agents", "agents", "--listen", "127.0.0.1:0"];
    let mut worker = place.start(&work);
    worker.until("works on");
    worker
}

#[tokio::test(flavor = "multi_thread")]
async fn l3_a_worker_that_dies_strands_and_doubles_nothing() {
    let server = Server::start().await;
    let url = server.url();
    let url = url.expose_text().expect("an address is text");
    let place = Place::new().with("WINDLASS_DATABASE", url);
    let provider = place.provider(&["--latency-ms", "600"]);
    place.agent("anthropic", &provider.address, "");
    std::fs::create_dir(place.path("agents")).expect("the folder takes one");
    std::fs::rename(place.path("agent.yaml"), place.path("agents/tested.yaml")).expect("so");
    let mut house = House::in_place(place, &["--no-work"]);
    let doomed = hire(&house.place, "one");
    let body = json!({"agent": "tested", "input": "What is 17.5% of 2340? Note it as tip."});
    let mut begun = Vec::new();
    for _ in 0..TASKS {
        let session = house.post("/v1/sessions", body.clone());
        let session = json_of(session, StatusCode::CREATED).await;
        begun.push(session["id"].as_str().expect("it has an id").to_owned());
    }
    tokio::time::sleep(Duration::from_millis(900)).await;
    doomed.strike(Signal::KILL);
    drop(doomed);
    let other = hire(&house.place, "two");
    for id in &begun {
        let path = format!("/v1/sessions/{id}?wait_s=60");
        let done = json_of(house.get(&path), StatusCode::OK).await;
        assert_eq!(done["status"], "finished", "{done}");
        assert!(done["run"]["result"].to_string().contains("409.5"), "{done}");
        house.place.run(&["--tenant", "acme", "log", id, "--verify"]).code(FINISHED);
        let log = house.place.run(&["--tenant", "acme", "log", id, "--json"]).code(FINISHED);
        let count = |name: &str| log.out.matches(&format!("{{\"{name}\"")).count();
        assert_eq!(count("run_finished"), 1, "{}", log.out);
        assert_eq!(count("tool_begun"), 1, "the note was written once: {}", log.out);
    }
    house.place.run(&["--tenant", "acme", "audit", "verify"]).code(FINISHED);
    let spent = house.place.run(&["--tenant", "acme", "spend", "--json"]).code(FINISHED);
    assert!(spent.out.contains("claude-sonnet-5-5"), "{}", spent.out);
    // Nothing was kept in files but what belongs to a machine.
    assert!(!house.place.path(".windlass/windlass.db").exists());
    other.strike(Signal::TERM);
    other.end().code(FINISHED);
    house.strike(Signal::TERM).code(FINISHED);
}

#[test]
fn an_address_that_is_wrong_is_not_repeated() {
    let wrong = ["mysql://ann:hush@h/d", "postgres://ann:hush@127.0.0.1:1/d", "hush"];
    for url in wrong {
        let place = Place::new().with("WINDLASS_DATABASE", url);
        let ended = place.run(&["sessions", "list"]).does_not_say("hush");
        assert_ne!(ended.code, Some(FINISHED), "{ended}");
    }
    let place = Place::new().with("WINDLASS_DATABASE", "");
    place.run(&["sessions", "list"]).code(USAGE);
}
