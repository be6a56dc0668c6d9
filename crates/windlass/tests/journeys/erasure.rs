//! Content that is sealed, erased, and let go by age, as an operator does it.

use std::path::Path;
use std::process::Command;

use crate::place::{BROKEN, Ended, FINISHED, Place, REFUSED, Running, USAGE, database};

/// A task with words that are looked for in files afterwards.
const TASK: &str = "What is 18.3% of 2345? Save the result as a note called marmalade.";

/// Words of it that stand in no file of ours for another reason.
const WORDS: [&str; 2] = ["18.3% of 2345", "marmalade"];

const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
const OTHER_KEY: &str = "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";

/// How many files of a folder hold these words.
fn files_with(folder: &Path, words: &str) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("it can be read") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            count += files_with(&path, words);
            continue;
        }
        let bytes = std::fs::read(&path).expect("it can be read");
        count += usize::from(bytes.windows(words.len()).any(|part| part == words.as_bytes()));
    }
    count
}

fn with_key(place: &Place, key: &str, arguments: &[&str]) -> Ended {
    let mut command: Command = place.command(arguments);
    command.env("WINDLASS_SECRET_CONTENT_KEY", key);
    Running::of(command, Vec::new()).end()
}

#[test]
fn a_users_words_are_erased_and_the_books_stay() {
    let place = Place::new();
    place.run(&["--user", "ada", "run", TASK]).code(FINISHED);
    place.run(&["--user", "bob", "run", "What is 9 * 8?"]).code(FINISHED);
    let store = place.path(".windlass");
    assert!(WORDS.iter().all(|words| files_with(&store, words) > 0), "the test shows nothing");
    let calls = |place: &Place| place.run(&["spend", "--by", "user", "--json"]).code(FINISHED).out;
    let spent = calls(&place);

    let refused = place.run(&["erase", "user", "ada"]).code(REFUSED);
    refused.says("nothing was erased").says("--yes").says("session");
    place.run(&["erase", "user", "ada", "--yes"]).code(FINISHED).says("erased the content of");
    for words in WORDS {
        assert_eq!(files_with(&store, words), 0, "`{words}` is left");
    }
    let listed = place.run(&["sessions", "list", "--json"]).code(FINISHED).json();
    let erased = listed.iter().find(|row| row["task"] == "").expect("one has no task any more");
    let id = erased["session"].as_str().expect("it has an id").to_owned();
    for command in [["log", &id], ["resume", &id]] {
        place.run(&command).code(REFUSED).says("was erased");
    }
    place.run(&["run", "--session", &id, "and times 4?"]).code(REFUSED).says("was erased");
    place.run(&["sessions", "show", &id]).code(FINISHED).says("erased").says("finished");
    place.run(&["sessions", "list"]).code(FINISHED).says("9 * 8");
    place.run(&["log", "last"]).code(FINISHED).says("9 * 8");
    place.run(&["audit", "verify"]).code(FINISHED).says("whole:");
    assert_eq!(calls(&place), spent, "spend stays");
    let told = place.run(&["audit", "search", "--action", "session.erase", "--json"]);
    let told = told.code(FINISHED).json();
    let outcomes: Vec<_> = told.iter().map(|entry| entry["outcome"].as_str()).collect();
    assert_eq!(outcomes, [Some("begun"), Some("done")]);
    assert!(told.iter().all(|entry| entry["subject"] == "user/ada"), "{told:?}");
    place.run(&["erase", "session", &id]).code(FINISHED).says("nothing is there");
}

#[test]
fn a_session_is_erased_with_its_forks() {
    let place = Place::new();
    place.run(&["run", TASK]).code(FINISHED);
    let fork = place.run(&["sessions", "fork", "last"]).code(FINISHED).out;
    let log = place.run(&["sessions", "list", "--json"]).json();
    let ids: Vec<_> = log.iter().filter_map(|row| row["session"].as_str()).collect();
    let origin = ids.into_iter().find(|id| *id != fork.trim()).expect("there are two").to_owned();
    place.run(&["erase", "session", &origin, "--yes"]).code(FINISHED).says("2 sessions");
    place.run(&["log", fork.trim()]).code(REFUSED).says("was erased");
    assert_eq!(files_with(&place.path(".windlass"), WORDS[0]), 0);
    place.run(&["erase", "session", "nowhere", "--yes"]).code(USAGE).says("no session");
}

#[test]
fn a_run_that_is_under_way_is_not_erased() {
    let place = Place::new();
    let provider = place.provider(&["--latency-ms", "2500"]);
    place.agent("openai", &provider.address, "");
    let running = place.start(&["run", "--agent", "agent.yaml", "What is 2+3?"]);
    let refused = place.start_when_there(&["erase", "user", "local", "--yes"]).end();
    refused.code(REFUSED).says("a run is under way").says("sessions cancel");
    running.end().code(FINISHED);
    place.run(&["erase", "user", "local", "--yes"]).code(FINISHED);
}

#[test]
fn sealed_words_are_in_no_file_and_need_their_key() {
    let place = Place::new();
    place.write("windlass.yaml", "encryption: {key: \"env:content-key\"}\n");
    let task = "What is 18.3% of 2345?";
    with_key(&place, KEY, &["run", task]).code(FINISHED).says("429.135");
    let store = place.path(".windlass");
    assert_eq!(files_with(&store, WORDS[0]), 0);
    with_key(&place, KEY, &["log", "last", "--verify"]).code(FINISHED).says("intact");
    with_key(&place, KEY, &["sessions", "list"]).code(FINISHED).says(WORDS[0]);
    let found = with_key(&place, KEY, &["audit", "search", "--json"]).code(FINISHED);
    assert!(found.json().iter().any(|entry| entry["content"].is_object()), "{found}");

    let wrong = with_key(&place, OTHER_KEY, &["log", "last"]).code(BROKEN);
    wrong.says("it needs the key").says("configured is").says("nothing was changed");
    let none = place.run(&["log", "last"]).code(BROKEN);
    none.says("there is no secret `env:content-key`").does_not_say(KEY);
    place.run(&["sessions", "list"]).code(FINISHED).says("(sealed)");
    place.run(&["audit", "verify"]).code(FINISHED).says("whole:");
    with_key(&place, KEY, &["log", "last", "--verify"]).code(FINISHED).says("intact");

    with_key(&place, KEY, &["audit", "export", "--out", "sealed.jsonl"]).code(FINISHED);
    with_key(&place, KEY, &["audit", "export", "--open", "--out", "open.jsonl"]).code(FINISHED);
    assert!(!place.read("sealed.jsonl").contains("opened"));
    assert!(place.read("open.jsonl").contains("\"opened\":\"{"));
    for file in ["sealed.jsonl", "open.jsonl"] {
        place.run(&["audit", "verify", file]).code(FINISHED).says("whole:");
    }
    // The key is lost: a user's content can be erased all the same.
    place.run(&["erase", "user", "local", "--yes"]).code(FINISHED);
    with_key(&place, KEY, &["log", "last"]).code(REFUSED).says("was erased");
    place.run(&["audit", "verify"]).code(FINISHED).says("whole:");
}

#[test]
fn what_has_a_time_goes_when_that_is_over() {
    let place = Place::new();
    place.run(&["retention", "apply"]).code(USAGE).says("nothing has a time");
    place
        .write("windlass.yaml", "retention:\n  development: {content_days: 30, audit_days: 400}\n");
    place.run(&["run", TASK]).code(FINISHED);
    place.run(&["retention", "apply"]).code(FINISHED).says("0 sessions older than 30 days erased");
    place.run(&["log", "last"]).code(FINISHED);
    let db = rusqlite::Connection::open(database(&place)).expect("it opens");
    db.execute("UPDATE session_content SET made = 0", []).expect("it can be changed");
    drop(db);
    let dry = place.run(&["retention", "apply", "--dry-run", "--all-tenants"]).code(FINISHED);
    dry.says("older than 30 days would be erased");
    place.run(&["log", "last"]).code(FINISHED);
    let applied = place.run(&["retention", "apply", "--all-tenants"]).code(FINISHED);
    applied.says("older than 30 days erased");
    place.run(&["log", "last"]).code(REFUSED).says("was erased");
    assert!(WORDS.iter().all(|words| files_with(&place.path(".windlass"), words) == 0));
    place.run(&["audit", "search", "--action", "retention.apply"]).code(FINISHED).says("done");
    place.run(&["audit", "verify"]).code(FINISHED).says("whole:");
}
