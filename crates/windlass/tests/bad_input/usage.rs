//! Wrong types on the command line, and what a model does wrong.

use std::net::TcpListener;

use crate::place::{BROKEN, FINISHED, Place, USAGE};

/// Arguments and what is said.
const WRONG: [(&[&str], &str); 12] = [
    (&[], "Usage:"),
    (&["fly"], "unrecognized subcommand 'fly'"),
    (&["run"], "<TASK>"),
    (&["run", "x", "--turns", "1"], "1 is not in 2..=10000"),
    (&["run", "x", "--turns", "many"], "invalid digit"),
    (&["run", "x", "--budget", "abc"], "`abc` is not an amount in dollars like `2.50`"),
    (&["run", "x", "--budget", "-1"], "unexpected argument '-1'"),
    (&["run", "x", "--budgte", "1"], "a similar argument exists: '--budget'"),
    (&["log", "last", "--follow", "--verify"], "cannot be used with"),
    (&["simulate", "--port", "99999"], "99999 is not in 0..=65535"),
    (&["spend", "--days", "0"], "0 is not in 1..=3660"),
    (&["completions", "tcsh"], "possible values: bash"),
];

#[test]
fn wrong_types_are_bad_usage() {
    let place = Place::new();
    for (arguments, words) in WRONG {
        place.run(arguments).code(USAGE).says(words);
    }
    assert!(!place.path(".windlass").exists(), "nothing was begun");
}

/// What a model asks for, and what it is told.
const ASKED: [(&str, &str); 4] = [
    ("{name: fly, input: {}}", "there is no tool `fly`; there are: "),
    ("{name: calculator, input: {expr: 1}}", "`expression` is missing"),
    ("{name: calculator, input: '{\"expression\": '}", "not"),
    ("{name: read, input: {path: ../../etc/passwd}}", "outside"),
];

#[test]
fn a_models_mistakes_go_back_to_it_and_the_run_finishes() {
    for (call, words) in ASKED {
        let place = Place::new();
        let script = format!(
            "turns:\n  - tools: [{call}]\n  - expect: \"{}\"\n    \
             tools: [{{name: end_task, input: {{result: done}}}}]\n",
            words.replace('"', "\\\"")
        );
        place.write("script.yaml", script);
        let ended = place.run(&["run", "--model", "script:script.yaml", "x"]).code(FINISHED);
        ended.answers("done").says("✗");
    }
}

#[test]
fn a_port_in_use_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it has one").port().to_string();
    let ended = Place::new().run(&["simulate", "--port", &port]).code(BROKEN);
    ended.says("choose another `--port`").says("Address already in use");
}

#[test]
fn a_store_that_cannot_be_written_is_told() {
    let place = Place::new();
    // Nobody, not even root, makes files there.
    let ended = place.run(&["--store", "/proc/self", "run", "x"]).code(BROKEN);
    ended.says("cannot open the store `/proc/self/windlass.db`").says("writable by this user");
    let ended = place.run(&["--store", "/proc/no/such", "run", "x"]).code(BROKEN);
    ended.says("cannot make the folder").says("choose another place");
}
