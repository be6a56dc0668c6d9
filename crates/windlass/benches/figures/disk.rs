//! What a session weighs on disk, for short ones and long ones: it must not grow faster
//! than what was said.

use std::path::Path;
use std::sync::Arc;

use super::house::{Instantly, PAYLOAD_BYTES, agent, engine, finish, open};

/// Sessions per measurement, so that page borders and the schema weigh little.
const EVENTS_MIN: u32 = 4_000;

pub(crate) struct Size {
    /// Bytes of the database for each turn.
    pub(crate) stored: f64,
    /// Bytes of content for each turn.
    pub(crate) payload: f64,
}

pub(crate) async fn bytes_per_turn(turns: u32) -> Size {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let engine = engine(folder.path(), Arc::new(Instantly::new(turns)));
    let agent = agent(turns);
    let sessions = (EVENTS_MIN / turns).max(1);
    for _ in 0..sessions {
        let session = open(&engine, &agent).await;
        finish(&engine, session).await;
    }
    drop(engine);
    let stored = bytes_in(folder.path()) as f64 / f64::from(sessions * turns);
    Size { stored, payload: PAYLOAD_BYTES as f64 }
}

/// The files of the folder after the log was folded into the database.
fn bytes_in(folder: &Path) -> u64 {
    let db = rusqlite::Connection::open(folder.join("bench.db")).expect("the store was closed");
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("nobody else reads");
    drop(db);
    std::fs::read_dir(folder)
        .expect("the folder is there")
        .filter_map(Result::ok)
        .filter_map(|entry| entry.metadata().ok())
        .map(|entry| entry.len())
        .sum()
}
