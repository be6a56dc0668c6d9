//! A run trips, and whoever is named in the installation's file hears of it, signed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use webhooks::Secret;

use crate::place::{BROKEN, Ended, FINISHED, PARKED, Place, Running, USAGE, nobody};

/// At two dollars for a million tokens in and ten out, each turn costs a cent.
const SCRIPT: &str = "turns:
  - tools: [{name: calculator, input: {expression: 1 + 1}}]
    usage: {input: 4000, output: 200}
";

const LIMITS: &str = "budget_usd: 0.028\nmax_tokens: 1000\n";

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The longest wait for a request.
const PATIENCE: Duration = Duration::from_secs(20);

/// Takes requests, checks their signatures, and gives their bodies.
fn receiver(listener: TcpListener) -> Receiver<serde_json::Value> {
    let (tell, told) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let body = request(&stream.expect("a connection"));
            if tell.send(body).is_err() {
                return;
            }
        }
    });
    told
}

fn request(stream: &TcpStream) -> serde_json::Value {
    let mut reader = BufReader::new(stream);
    let (mut id, mut seconds, mut signature, mut length) = Default::default();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        match line.trim_end().split_once(": ") {
            Some(("webhook-id", value)) => id = value.to_owned(),
            Some(("webhook-timestamp", value)) => seconds = value.parse().expect("a number"),
            Some(("webhook-signature", value)) => signature = value.to_owned(),
            Some(("content-length", value)) => length = value.parse().expect("a number"),
            Some(_) => {}
            None if line.trim_end().is_empty() => break,
            None => assert!(line.starts_with("POST /hook HTTP/1.1"), "{line}"),
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let (id, seconds, signature): (String, u64, String) = (id, seconds, signature);
    assert_eq!(Secret::read(SECRET).expect("a secret").sign(&id, seconds, &body), signature);
    let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["id"], id);
    let mut stream = stream;
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
        .expect("it listens");
    body
}

/// A place whose runs trip after one turn, and which tells this address.
fn place(address: &str) -> (Place, crate::place::Provider) {
    let place = Place::new();
    place.write("script.yaml", SCRIPT);
    let provider = place.provider(&["--brain", "script:script.yaml"]);
    place.agent("openai", &provider.address, LIMITS);
    let hook = format!("{{url: \"http://{address}/hook\", secret_env: HOOK_SECRET}}");
    let file = format!("limits: {{warn_at: [0.3]}}\nalerts: {{webhooks: {{ops: {hook}}}}}\n");
    place.write("windlass.yaml", file);
    (place, provider)
}

/// Runs with the secret in the environment.
fn run(place: &Place, arguments: &[&str]) -> Ended {
    let mut command = place.command(arguments);
    command.env("HOOK_SECRET", SECRET);
    Running::of(command, Vec::new()).end()
}

#[test]
fn a_trip_and_its_warning_are_told_before_the_command_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (place, _provider) = place(&listener.local_addr().unwrap().to_string());
    let told = receiver(listener);
    run(&place, &["run", "--agent", "agent.yaml", "add"]).code(PARKED);
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let alert = told.recv_timeout(PATIENCE).expect("two alerts come");
        assert_eq!((&alert["tenant"], &alert["user"]), (&"local".into(), &"local".into()));
        assert_eq!(alert["cap"]["max"], 28_000_000);
        kinds.push(alert["kind"].as_str().expect("a kind").to_owned());
    }
    kinds.sort();
    assert_eq!(kinds, ["cap_warning", "cost_cap_exceeded"]);
    let listed = place.run(&["alerts", "list"]).code(FINISHED);
    listed.says("ops: delivered").says("30% of the cap of $0.028").does_not_say("waiting");

    run(&place, &["alerts", "test"]).code(FINISHED).answers("ops: it answered 200: ok");
    assert_eq!(told.recv_timeout(PATIENCE).expect("the sample comes")["kind"], "test");
    run(&place, &["alerts", "test", "opps"]).code(USAGE).says("there are: ops");
    assert!(told.try_recv().is_err(), "each alert came once");
}

#[test]
fn what_nobody_took_is_told_by_a_later_process() {
    let address = nobody();
    let (place, _provider) = place(&address);
    run(&place, &["run", "--agent", "agent.yaml", "add"]).code(PARKED);
    let rows = place.run(&["alerts", "list", "--json"]).code(FINISHED).json();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row["copies"][0]["standing"] == "waiting"), "{rows:?}");
    run(&place, &["alerts", "test"]).code(BROKEN).says("ops: failed, it cannot be reached");

    let told = receiver(TcpListener::bind(&address).expect("the port is still free"));
    // Failed tries are due again within seconds; a later process looks when it ends.
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "a later process tells it");
        run(&place, &["alerts", "retry"]).code(FINISHED);
        let rows = place.run(&["alerts", "list", "--json"]).code(FINISHED).json();
        if rows.iter().all(|row| row["copies"][0]["standing"] == "delivered") {
            break;
        }
    }
    let first = told.recv_timeout(PATIENCE).expect("both come")["id"].clone();
    assert_ne!(told.recv_timeout(PATIENCE).expect("both come")["id"], first);
    assert!(told.try_recv().is_err(), "each alert came once");
}

#[test]
fn a_secret_that_is_missing_or_wrong_is_said_before_anything_runs() {
    let (place, _provider) = place("127.0.0.1:9");
    let refused = place.run(&["run", "--agent", "agent.yaml", "add"]).code(USAGE);
    refused.says("the webhook `ops` needs its secret").says("`HOOK_SECRET`");
    let mut command = place.command(&["alerts", "test"]);
    command.env("HOOK_SECRET", "hunter2");
    let wrong = Running::of(command, Vec::new()).end().code(USAGE);
    wrong.says("`HOOK_SECRET`: a secret is `whsec_`").does_not_say("hunter2");
    place.run(&["sessions", "list"]).code(USAGE).says("there is no store");
}
