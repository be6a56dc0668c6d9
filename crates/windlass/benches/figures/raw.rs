//! The yardstick: how many durable one-row transactions this machine's disk and SQLite
//! can do, one after the other.

use std::time::Instant;

use super::MEASURE;

pub(crate) fn commits_per_second() -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = rusqlite::Connection::open(folder.path().join("raw.db")).expect("a fresh database");
    let set_up = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
                  CREATE TABLE row(id INTEGER PRIMARY KEY, body TEXT NOT NULL);";
    db.execute_batch(set_up).expect("a fresh database takes a schema");
    let mut insert = db.prepare("INSERT INTO row(body) VALUES (?1)").expect("valid SQL");
    let body = "x".repeat(512);
    let (began, mut commits) = (Instant::now(), 0_u32);
    while began.elapsed() < MEASURE {
        insert.execute([&body]).expect("the disk has room");
        commits += 1;
    }
    f64::from(commits) / began.elapsed().as_secs_f64()
}
