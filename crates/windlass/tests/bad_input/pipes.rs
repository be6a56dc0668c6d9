//! What comes in and goes out: huge, odd, or to nobody.

use crate::place::{FINISHED, Place, Running, USAGE};

/// Standard input of `run -`, the exit code, and what is said.
#[test]
fn tasks_of_every_kind_come_from_standard_input() {
    let huge = vec![b'a'; 5_000_000];
    let cases: [(&[u8], i32, &str); 4] = [
        (&huge, USAGE, "longer than 4194304 bytes\nput it in a file that the agent can read"),
        (b"\xff\xfe", USAGE, "the task is not UTF-8 text"),
        (b"", 5, "the task is empty\nsay in words what is to be done"),
        (&huge[..3_000_000], FINISHED, "I did not understand"),
    ];
    let place = Place::new();
    for (input, code, words) in cases {
        place.feed(&["run", "-"], input).code(code).says(words);
    }
    place.run(&["log", "last", "--verify"]).code(FINISHED).says("intact: 7 events");
}

#[test]
fn nobody_listening_is_no_failure() {
    let place = Place::new();
    place.run(&["run", "What is 2 + 3?"]).code(FINISHED);
    let asked: [&[&str]; 5] = [
        &["log", "last", "--json"],
        &["sessions", "export", "last"],
        &["run", "What is 2 + 4?"],
        &["tools", "list"],
        &["completions", "bash"],
    ];
    for arguments in asked {
        let mut child = place.command(arguments).spawn().expect("it starts");
        drop(child.stdout.take());
        drop(child.stderr.take());
        let status = child.wait().expect("it ends");
        assert_eq!(status.code(), Some(FINISHED), "{arguments:?}");
    }
    place.run(&["sessions", "list"]).says("2 + 4").does_not_say("cut off");
}

#[test]
fn a_broken_talk_line_is_told() {
    let place = Place::new();
    let mut command = place.command(&["chat"]);
    command.stdin(std::process::Stdio::piped());
    let ended = Running::of(command, b"What is 2 + 3?\n\xff\xfe\n".to_vec()).end();
    ended.code(USAGE).says("2 + 3 = 5").says("not UTF-8");
}
