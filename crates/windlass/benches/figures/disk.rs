//! What a session weighs on disk, for short ones and long ones: it must not grow faster
//! than what was said.

use std::path::Path;
use std::sync::Arc;

use kernel::event::Purpose;
use kernel::message::Request;
use kernel::run::{Calling, State};
use kernel::units::{Epoch, Money};

use super::house::{Instantly, agent, engine_with, finish, open, tenant};

/// Sessions per measurement, so that page borders and the schema weigh little.
const EVENTS_MIN: u32 = 4_000;

pub(crate) struct Size {
    /// Bytes of the database for each turn.
    pub(crate) stored: f64,
    /// Bytes of the messages that each turn adds to the conversation, as they are sent.
    pub(crate) payload: f64,
}

pub(crate) async fn bytes_per_turn(turns: u32, result_bytes: usize) -> Size {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let engine = engine_with(folder.path(), Arc::new(Instantly::new(turns)), result_bytes);
    let agent = agent(turns);
    let sessions = (EVENTS_MIN / turns).max(1);
    let mut sent = 0;
    for _ in 0..sessions {
        let session = open(&engine, &agent).await;
        finish(&engine, session).await;
        let state = engine.state(&tenant(), session).await.expect("it was just finished");
        sent += bytes_sent(&state);
    }
    drop(engine);
    let all = f64::from(sessions * turns);
    Size { stored: bytes_in(folder.path()) as f64 / all, payload: sent as f64 / all }
}

/// The conversation's messages as Anthropic's API takes them, prompt and tools excluded.
fn bytes_sent(state: &State) -> u64 {
    let calling = Calling {
        epoch: Epoch(0),
        turn: 1,
        max_tokens: 1,
        hold: Money::ZERO,
        tokens: 0,
        tools_off: false,
        purpose: Purpose::Answer,
    };
    let request = state.request(&calling);
    let whole = wire::anthropic::write_request(&request, false).len();
    let bare = Request { messages: Vec::new(), ..request };
    (whole - wire::anthropic::write_request(&bare, false).len()) as u64
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
