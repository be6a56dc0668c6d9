//! Damaged stores: a page that rotted, a log that somebody altered. Reading and resuming
//! both notice, nothing is written, and the words say what to do.

use std::fs;

use crate::place::{BROKEN, FINISHED, PARKED, Place, copy, database};

const SCRIPT: &str = "turns:
  - tools: [{name: calculator, input: {expression: 1 + 1}}]
  - text: Half of it.
  - tools: [{name: end_task, input: {result: done}}]
";

/// A store with one parked session, and no other file than the database.
fn parked() -> Place {
    let place = Place::new();
    place.write("script.yaml", SCRIPT);
    place.run(&["run", "--model", "script:script.yaml", "--turns", "2", "x"]).code(PARKED);
    // Whoever closes a database last moves its write-ahead log into it.
    let db = rusqlite::Connection::open(database(&place)).expect("a database");
    db.query_row("SELECT count(*) FROM event", [], |_| Ok(())).expect("it can be read");
    drop(db);
    assert!(!place.path(".windlass/windlass.db-wal").exists(), "the log was not moved in");
    place
}

/// What somebody does to the log, and the words that notice it.
const ALTERED: [(&str, &str, &str); 5] = [
    (
        "a word in the middle",
        "UPDATE event SET body = replace(body, '1 + 1', '1 + 2') WHERE seq = 4",
        "event 5 does not continue the chain: it, or one before it, was altered",
    ),
    (
        "the last row",
        "UPDATE event SET body = replace(body, '\"turns_max\":2', '\"turns_max\":9') \
         WHERE seq = (SELECT max(seq) FROM event)",
        "does not continue the chain",
    ),
    ("a row is gone", "DELETE FROM event WHERE seq = 5", "event 5 is missing (found 6)"),
    (
        "the end is cut off",
        "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)",
        "is missing (found",
    ),
    (
        "no JSON any more",
        "UPDATE event SET body = 'x' || body WHERE seq = (SELECT max(seq) FROM event)",
        "is damaged",
    ),
];

#[test]
fn an_altered_log_is_noticed_before_anything_goes_on() {
    for (what, sql, words) in ALTERED {
        let place = parked();
        let db = rusqlite::Connection::open(database(&place)).expect("a database");
        assert_eq!(db.execute(sql, []).expect("it can be altered"), 1, "{what}");
        drop(db);
        let before = fs::read(database(&place)).expect("it can be read");
        for command in
            [&["log", "last", "--verify"][..], &["log", "last"], &["sessions", "export", "last"]]
        {
            let ended = place.run(command).code(BROKEN).says(words);
            ended.says("nothing was changed").says("restore it from a backup");
        }
        place.run(&["resume", "last"]).code(BROKEN).says(words);
        let after = fs::read(database(&place)).expect("it can be read");
        assert!(before == after, "{what}: looking at it wrote to the file");
        // The rest of the store works on.
        place.run(&["run", "What is 2 + 3?"]).code(FINISHED);
    }
}

#[test]
fn a_rotten_page_is_told_or_does_not_matter() {
    let whole = parked();
    let pages = fs::read(database(&whole)).expect("it can be read").len() / 4096;
    let mut told = 0;
    for page in 0..pages {
        let place = Place::new();
        copy(&whole.path(".windlass"), &place.path(".windlass"));
        copy(&whole.path("."), &place.path("."));
        let mut bytes = fs::read(database(&place)).expect("it can be read");
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(database(&place), bytes).expect("it can be written");
        let ended = place.run(&["resume", "last"]);
        match ended.code {
            Some(FINISHED) => {
                let answer = ended.answers("done");
                place.run(&["log", "last", "--verify"]).code(FINISHED).says("intact");
                drop(answer);
            }
            Some(BROKEN) => {
                told += 1;
                ended.says("damaged").says("backup");
            }
            _ => panic!("page {page} of {pages}: {ended}"),
        }
    }
    assert!(told > 3, "only {told} of {pages} pages mattered");
}
