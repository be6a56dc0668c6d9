//! Outages: short ones are waited out, longer ones park the run, and what only a person
//! can mend is said.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use rustix::process::Signal;

use crate::place::{FINISHED, PARKED, Place, nobody};

/// A provider's faults, the agent's protocol, and what a person reads.
const SURVIVED: [(&str, &str, &str); 7] = [
    ("429", "openai", "finished"),
    ("529", "anthropic", "finished"),
    ("500", "openai", "finished"),
    ("cut", "anthropic", "finished"),
    ("cut", "openai", "finished"),
    ("malformed", "anthropic", "finished"),
    ("ok,refused", "openai", "finished"),
];

#[test]
fn short_outages_are_survived() {
    thread::scope(|scope| {
        for (faults, kind, words) in SURVIVED {
            scope.spawn(move || {
                let place = Place::new();
                let provider = place.provider(&["--faults", faults]);
                place.agent(kind, &provider.address, "budget_usd: none\n");
                let asked = ["run", "--agent", "agent.yaml", "What is 2 + 3?"];
                place.run(&asked).code(FINISHED).answers("2 + 3 = 5").says(words);
                let met = provider.meter()["total"]["faults"].to_string();
                let fault = faults.trim_start_matches("ok,");
                assert!(met.contains(fault), "{kind} never met {fault}: {met}");
            });
        }
    });
}

#[test]
fn an_outage_beyond_the_retries_is_waited_out_with_words() {
    let place = Place::new();
    let provider = place.provider(&["--faults", "529"]);
    place.agent("anthropic", &provider.address, "max_retries: 0\n");
    let ended = place.run(&["run", "--agent", "agent.yaml", "What is 2 + 3?"]).code(FINISHED);
    let failed = ended.err.find("model call failed:");
    let waits = ended.err.find("trying again in");
    assert!(failed.is_some() && failed < waits, "first what happened, then the wait: {ended}");
    assert!(place.facts().contains(&"run_parked".to_owned()));
}

#[test]
fn a_provider_that_is_down_parks_the_run_and_resuming_works_when_it_is_up() {
    let place = Place::new();
    place.agent("openai", &nobody(), "max_retries: 0\n");
    let mut running = place.start(&["run", "--agent", "agent.yaml", "What is 2 + 3?"]);
    running.until("trying again in");
    running.strike(Signal::INT);
    let parked = running.end().code(PARKED).says("the provider is out: cannot connect to");

    let provider = place.provider(&[]);
    place.agent("openai", &provider.address, "max_retries: 0\n");
    place.type_in(&parked.resume_command()).code(FINISHED).answers("2 + 3 = 5");
}

#[test]
fn l14_a_fallback_answers_where_the_model_is_out_and_the_log_says_who() {
    let place = Place::new();
    place.agent("openai", &nobody(), "max_retries: 0\nfallbacks: [planner]\n");
    let asked = ["run", "--agent", "agent.yaml", "What is 2 + 3?"];
    place.run(&asked).code(FINISHED).answers("2 + 3 = 5");
    let log = place.run(&["log", "last", "--json"]).code(FINISHED).json();
    let replies = log.iter().filter_map(|line| line.pointer("/fact/model_replied/reply/fallback"));
    let by: Vec<_> = replies.filter_map(serde_json::Value::as_str).collect();
    assert!(!by.is_empty() && by.iter().all(|name| *name == "planner"), "{by:?}");
}

#[test]
fn a_wrong_key_parks_the_run_and_says_so() {
    let place = Place::new();
    let address = always(
        "401 Unauthorized",
        r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
    );
    place.agent("anthropic", &address, "");
    let parked = place.run(&["run", "--agent", "agent.yaml", "What is 2 + 3?"]).code(PARKED);
    let parked = parked.says("invalid x-api-key").says("parked").does_not_say("trying again");
    let shown = place.run(&["sessions", "show", "last"]).code(FINISHED);
    shown.says("invalid x-api-key");

    let provider = place.provider(&[]);
    place.agent("anthropic", &provider.address, "");
    place.type_in(&parked.resume_command()).code(FINISHED).answers("2 + 3 = 5");
}

/// A server with one answer to everything.
fn always(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it has one").to_string();
    thread::spawn(move || {
        for line in listener.incoming().flatten() {
            let mut line = line;
            let mut request = [0; 65_536];
            // Whatever was asked: the answer is the same.
            let _ = line.read(&mut request);
            let _ = write!(
                line,
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    address
}
