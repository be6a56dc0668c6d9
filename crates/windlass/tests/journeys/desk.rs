//! The desk work: sessions, logs, tools, configuration, completions, and where it is kept.

use crate::place::{FAILED, FINISHED, Place, REFUSED, USAGE};

#[test]
fn sessions_are_listed_shown_forked_cancelled_and_exported() {
    let place = Place::new();
    place.run(&["run", "What is 2 + 3?"]).code(FINISHED);
    place.run(&["sessions", "list"]).code(FINISHED).says("finished").says("What is 2 + 3?");
    place.run(&["sessions", "show", "last"]).code(FINISHED).says("1 · 2 of 25 turns");

    let fork = place.run(&["sessions", "fork", "last", "--at", "3"]).code(FINISHED);
    let id = fork.out.trim().to_owned();
    assert_eq!(fork.resume_command(), format!("windlass resume {id}"));
    place.run(&["sessions", "list", "--status", "parked"]).code(FINISHED).says(&id);
    place.run(&["resume", &id]).code(FINISHED).answers("2 + 3 = 5");

    let fork = place.run(&["sessions", "fork", "last", "--at", "3"]).code(FINISHED);
    let id = fork.out.trim().to_owned();
    place.run(&["sessions", "cancel", &id]).code(FINISHED).says("cancelled");
    place.run(&["sessions", "cancel", &id]).code(REFUSED).says("no run to cancel");
    place.run(&["sessions", "show", &id]).code(FINISHED).says("cancelled").says("fork of");

    let whole = place.run(&["sessions", "export", &id]).code(FINISHED);
    let lines = whole.json();
    assert_eq!(lines[0]["type"], "session", "{whole}");
    assert_eq!(lines[0]["head"], lines.last().expect("it has events")["hash"], "{whole}");
    place.run(&["sessions", "export", &id, "--out", "x.jsonl"]).code(FINISHED);
    assert_eq!(place.read("x.jsonl"), whole.out);
    place.run(&["run", "--session", &id, "What is 4 + 4?"]).code(FINISHED).says("4 + 4 = 8");
}

#[test]
fn a_running_session_is_followed_from_a_second_process() {
    let place = Place::new();
    let provider = place.provider(&["--latency-ms", "300"]);
    place.agent("openai", &provider.address, "");
    let asked = ["run", "--json", "--agent", "agent.yaml", "What is 2 + 3?"];
    let mut running = place.start(&asked);
    running.until("model_begun");
    let mut follower = place.start(&["log", "last", "--follow"]);
    follower.until("model_begun");
    let followed = follower.end().code(FINISHED);
    running.end().code(FINISHED);
    assert!(followed.out.trim_end().ends_with("run_finished    2 + 3 = 5"), "{followed}");
    let all = place.run(&["log", "last"]).code(FINISHED);
    assert_eq!(followed.out, all.out);
    let verified = place.run(&["log", "last", "--verify", "--json"]).code(FINISHED).json();
    assert_eq!(verified[0]["intact"], true);
}

/// Arguments after `tools`, standard input, the exit code, and what is said.
const TOOL_CALLS: [(&[&str], &str, i32, &str); 7] = [
    (&["list"], "", FINISHED, "calculator"),
    (&["call", "calculator", "--input", r#"{"expression":"5 miles to km"}"#], "", FINISHED, "8.04"),
    (&["call", "calculator", "--input", "-"], r#"{"expression":"6*7"}"#, FINISHED, "42"),
    (&["call", "calculator", "--input", r#"{"expression":"1/0"}"#], "", FAILED, "division by zero"),
    (&["call", "calculator", "--input", r#"{"x":1}"#], "", FAILED, "`expression` is missing"),
    (&["call", "calculator", "--input", "{bad"], "", USAGE, "give it like --input '{"),
    (&["call", "calculatr"], "", USAGE, "did you mean `calculator`?"),
];

#[test]
fn tools_can_be_called_one_by_one() {
    let place = Place::new();
    for (arguments, input, code, words) in TOOL_CALLS {
        let arguments: Vec<&str> = [&["tools"], arguments].concat();
        let ended = place.feed(&arguments, input).code(code).says(words);
        assert_eq!(ended.out.is_empty(), code != FINISHED, "{ended}");
    }
    for line in place.run(&["tools", "list", "--json"]).code(FINISHED).json() {
        assert!(line["input_schema"].is_object(), "{line}");
    }
    assert!(!place.path(".windlass").exists(), "looking at tools makes no store");
}

#[test]
fn configuration_is_checked_before_it_costs_anything() {
    let place = Place::new();
    place.agent("openai", "127.0.0.1:1", "");
    place.run(&["config", "check", "agent.yaml"]).code(FINISHED).says("agent.yaml: ok");
    place.write("wrong.yaml", "agent_id: x\nmodel: planner\nsystem_promt: Hi.\n");
    let both = place.run(&["config", "check", "agent.yaml", "wrong.yaml"]).code(USAGE);
    both.says("agent.yaml: ok").says("did you mean `system_prompt`?");
}

#[test]
fn completions_know_every_command() {
    let script = Place::new().run(&["completions", "bash"]).code(FINISHED);
    for command in ["run", "chat", "resume", "sessions", "log", "spend", "tools", "simulate"] {
        assert!(
            script.out.contains(&format!("windlass__{command}"))
                || script.out.contains(&format!("windlass__subcmd__{command}")),
            "no {command}"
        );
    }
}

#[test]
fn every_command_helps_with_an_example() {
    let place = Place::new();
    let commands = [
        "run",
        "chat",
        "resume",
        "sessions",
        "sessions list",
        "sessions show",
        "sessions fork",
        "sessions cancel",
        "sessions export",
        "log",
        "caps",
        "caps list",
        "caps set",
        "caps raise",
        "prices",
        "prices list",
        "prices check",
        "spend",
        "tools",
        "tools list",
        "tools call",
        "simulate",
        "config",
        "config check",
        "completions",
    ];
    for command in commands {
        let mut words: Vec<&str> = command.split(' ').collect();
        words.push("--help");
        place.run(&words).code(FINISHED).says(&format!("Example:  windlass {command}"));
    }
    let codes = "Exit codes: 0 finished";
    place.run(&["--help"]).code(FINISHED).says(codes);
}

#[test]
fn the_store_is_where_it_was_asked_for() {
    let place = Place::new();
    let sum = ["run", "What is 2 + 3?"];
    place.run(&[&["--store", "by_flag"], &sum[..]].concat()).code(FINISHED);
    let mut command = place.command(&sum);
    command.env("WINDLASS_STORE", "by_variable");
    crate::place::Running::of(command, Vec::new()).end().code(FINISHED);
    for (store, there) in [("by_flag", true), ("by_variable", true), (".windlass", false)] {
        assert_eq!(place.path(store).join("windlass.db").exists(), there, "{store}");
    }
    place.run(&["--store", "by_flag", "log", "last", "--verify"]).code(FINISHED).says("intact");
}
