//! The guards, tried on recorded traffic from the command line.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::place::{FINISHED, Place, Running, USAGE};

/// The detector's own cases: each line is one that `windlass guard loop` reads, with the
/// verdict in it, which the guard does not look at.
const CASES: [&str; 3] = [
    include_str!("../../../kernel/tests/loops/trips.jsonl"),
    include_str!("../../../kernel/tests/loops/honest.jsonl"),
    include_str!("../../../kernel/tests/loops/held_out.jsonl"),
];

const THREE_EQUAL: &str = r#"{"id":"a","calls":[{"name":"f","args_json":"{}","result":"x"},{"name":"f","args_json":{},"result":"x"},{"name":"f","args_json":" { } ","result":"x"}]}"#;

#[test]
fn l20_the_guard_says_what_the_detector_says() {
    let all = CASES.concat();
    let ended = Place::new().feed(&["guard", "loop"], all.as_str()).code(FINISHED);
    let answers = ended.json();
    assert_eq!(answers.len(), all.lines().count());
    for (line, answer) in all.lines().zip(answers) {
        let case: Value = serde_json::from_str(line).expect("a case is JSON");
        assert_eq!((&answer["id"], &answer["verdict"]), (&case["id"], &case["verdict"]));
        assert_eq!(answer["at"].is_u64(), case["verdict"] == "trip", "{answer}");
        assert_eq!(answer["reason"].is_string(), case["verdict"] == "trip", "{answer}");
    }
}

/// Lines that cannot be judged, what is said of each, and the id that is given back.
const WRONG: [(&str, &str, &str); 12] = [
    ("nonsense", "write one object a line, without a list around them", "null"),
    ("[]", "write one object a line, without a list around them", "null"),
    (r#"{"id":1,"calls":["#, "write each object on one line", "null"),
    (r#"{"id":1}"#, "`calls` is missing; there is `id`", "1"),
    (r#"{"id":"x","calls":{}}"#, "`calls` is not a list", "\"x\""),
    (r#"{"id":2,"calls":[3]}"#, "`calls[0]` is not an object", "2"),
    (
        r#"{"id":3,"calls":[{"name":"f","arguments":{},"result":""}]}"#,
        "`calls[0].args_json` is missing; there is `arguments`, `name`, `result`",
        "3",
    ),
    (r#"{"id":4,"calls":[{"args_json":"","result":""}]}"#, "`calls[0].name` is missing", "4"),
    (r#"{"id":5,"calls":[{"name":1,"args_json":"","result":""}]}"#, "is not a text", "5"),
    (r#"{"id":6,"calls":[{"name":"f","args_json":""}]}"#, "`calls[0].result` is missing", "6"),
    (r#"{"id":7,"calls":[],"parallel":"yes"}"#, "`parallel` is neither true nor false", "7"),
    (
        r#"{"id":[8],"calls":[{"name":"f","args_json":"","result":"","is_error":0}]}"#,
        "`calls[0].is_error` is neither true nor false",
        "[8]",
    ),
];

#[test]
fn lines_that_cannot_be_judged_are_answered_and_the_others_too() {
    let place = Place::new();
    let lines: Vec<&str> = WRONG.iter().flat_map(|(line, ..)| [*line, THREE_EQUAL]).collect();
    let ended = place.feed(&["guard", "loop"], lines.join("\r\n\n")).code(USAGE);
    let answers = ended.json();
    assert_eq!(answers.len(), lines.len());
    for (pair, (line, words, id)) in answers.chunks(2).zip(WRONG) {
        let error = pair[0]["error"].as_str().unwrap_or_default();
        assert!(error.contains(words), "{line}: {error}");
        assert_eq!(pair[0]["id"].to_string(), id, "{line}");
        assert_eq!(pair[1]["verdict"], "trip");
    }
    ended.says("12 of 24 lines could not be judged");
    place.feed(&["guard", "loop"], &b"\xff\xfe\n"[..]).code(USAGE).says("is not UTF-8 text");
    place.feed(&["guard", "loop"], "").code(FINISHED).answers("");
    place.run(&["guard", "loop", "--window", "3"]).code(USAGE).says("3 is not in 4..=100");
    place.run(&["guard"]).code(USAGE).says("loop");
}

#[test]
fn a_line_of_sixteen_mebibytes_is_judged_and_a_longer_one_is_not() {
    let run = |bytes: usize| {
        let text = "x ".repeat(bytes / 6);
        let call = json!({"name": "f", "args_json": "{}", "result": text});
        json!({"id": "long", "calls": [call, call, call]}).to_string()
    };
    let lines = [run(15_900_000), run(17_000_000), THREE_EQUAL.to_owned()].join("\n");
    let ended = Place::new().feed(&["guard", "loop"], lines).code(USAGE);
    let answers = ended.json();
    assert_eq!(answers[0]["at"], 2);
    assert!(answers[1]["error"].as_str().is_some_and(|words| words.contains("more than 16777216")));
    assert_eq!(answers[2]["id"], "a");
}

#[test]
fn each_line_is_answered_before_the_next_one_comes() {
    let place = Place::new();
    let mut command = place.command(&["guard", "loop"]);
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    command.stdin(Stdio::from(reader));
    let mut running = Running::of(command, Vec::new());
    for id in ["one", "two"] {
        writeln!(writer, r#"{{"id":"{id}","calls":[]}}"#).expect("it is read");
        let answer = running.until(id);
        assert!(answer.contains(r#""verdict":"no_trip","at":null,"reason":null"#), "{answer}");
    }
    drop(writer);
    running.end().code(FINISHED);
}

#[test]
fn thresholds_can_be_set() {
    let place = Place::new();
    let verdict = |flags: &[&str]| {
        let arguments = [&["guard", "loop"], flags].concat();
        place.feed(&arguments, THREE_EQUAL).code(FINISHED).json()[0]["at"].clone()
    };
    assert_eq!(verdict(&[]), 2);
    assert_eq!(verdict(&["--same-result", "2"]), 1);
    assert_eq!(verdict(&["--same-result", "4"]), Value::Null);
    assert_eq!(verdict(&["--same-result", "4", "--stale-steps", "2"]), 2);
}
