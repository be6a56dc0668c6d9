//! Erased words are in no table's file once the store was scrubbed.

use std::fs;
use std::path::Path;

use engine::alerts::Alert;
use engine::audit::{Entry, Record};
use engine::conformance::alerts::alert;
use engine::conformance::audit::content;
use engine::conformance::sample::{Pen, note};
use engine::ports::{Commit, Doomed, Payload, Store};
use kernel::units::UnixMs;

use super::super::server::Server;
use super::open;

const WORDS: &str = "marmalade at midnight";

#[tokio::test]
async fn erased_words_are_in_no_table_after_a_scrub() {
    let server = Server::start().await;
    let store = open(&server, "store").await;
    let mut pen = Pen::new("t", 1);
    pen.brief.title = WORDS.to_owned();
    let content = Some(content("ada", "production", 10, false));
    pen.write(&store, Commit { content, ..pen.opening() }).await.unwrap();
    let mut entry = Entry::of(UnixMs(7), "tool.call", "read", "ada", "production");
    entry.session = Some(pen.session);
    let said = Alert { session: Some(pen.session), text: WORDS.to_owned(), ..alert("t", "a", 5) };
    let wordy = Commit {
        payloads: vec![Payload::of(Some(pen.session), WORDS)],
        audit: vec![Record { entry, content: Some(WORDS.into()) }],
        alerts: vec![said],
        ..pen.commit(vec![note(WORDS)])
    };
    pen.write(&store, wordy).await.unwrap();
    assert_eq!(files_with_words(&server).await, 5, "event, payload, title, audit and alert");
    store.contents().erase(&pen.tenant, &Doomed::Session(pen.session)).await.unwrap();
    assert!(files_with_words(&server).await > 0, "former rows are kept until their room is used");
    store.contents().scrub().await.unwrap();
    assert_eq!(files_with_words(&server).await, 0);
}

/// Files of tables that show the words, as they are on disk.
async fn files_with_words(server: &Server) -> usize {
    server.client().await.batch_execute("CHECKPOINT").await.unwrap();
    let mut folders = vec![server.data().join("base")];
    let mut found = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => found += usize::from(shows_words(&entry.path())),
            }
        }
    }
    found
}

fn shows_words(file: &Path) -> bool {
    let bytes = fs::read(file).unwrap_or_default();
    bytes.windows(WORDS.len()).any(|window| window == WORDS.as_bytes())
}
