//! What was erased is in no file of the store's folder: not in the database, not in its
//! write-ahead log, whether it was sealed or not.
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::audit::{Entry, Record};
use engine::conformance::alerts::{alert, subscriptions};
use engine::conformance::audit::{content, verified};
use engine::conformance::sample::{Pen, charge, note};
use engine::ports::{Commit, Doomed, Payload, Store};
use kernel::units::{Tenant, UnixMs};
use secrets::Secret;
use stores::sealing::{Keyring, Sealing};
use stores::sqlite::{Options, Sqlite};

/// Sessions of ada and of bob, who write in turns.
const SESSIONS: u128 = 24;

/// Commits in each.
const COMMITS: usize = 12;

/// Words of somebody, in the length that makes rows move between pages and spill over.
fn words(user: &str, at: usize) -> String {
    format!("{user}-said-this ").repeat(1 + at * at * 9)
}

fn user(number: u128) -> &'static str {
    if number.is_multiple_of(2) { "ada" } else { "bob" }
}

/// Fills a store, all sessions in turns.
async fn fill(store: &dyn Store) {
    let mut pens: Vec<Pen> = Vec::new();
    for number in 0..SESSIONS {
        let tenant = if number < SESSIONS / 2 { "t" } else { "u" };
        let mut pen = Pen::new(tenant, number);
        let content = Some(content(user(number), "production", 10, false));
        pen.brief.title = String::new();
        let opening = Commit { content, ..pen.opening() };
        pen.write(store, opening).await.unwrap();
        pens.push(pen);
    }
    for at in 0..COMMITS {
        for (number, pen) in (0..).zip(&mut pens) {
            let said = words(user(number), at % 8);
            pen.brief.title = said.chars().take(10 + at * 9).collect();
            let mut entry = Entry::of(UnixMs(7), "tool.call", "read", user(number), "production");
            entry.session = Some(pen.session);
            let mut told = alert(&pen.tenant.0, &format!("{number}/{at}"), 5);
            (told.session, told.text) = (Some(pen.session), said.chars().take(200).collect());
            let commit = Commit {
                payloads: vec![Payload::of(Some(pen.session), format!("{at} {said}"))],
                audit: vec![Record { entry, content: Some(said.clone().into()) }],
                charges: vec![charge(5, user(number), 9, false)],
                alerts: vec![told],
                subscriptions: subscriptions(&["ops"]),
                ..pen.commit(vec![note(&said), note("ok")])
            };
            pen.write(store, commit).await.unwrap();
        }
    }
}

/// How often each piece of words is in the files of a folder.
fn found(folder: &Path, pieces: &[&str]) -> Vec<usize> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        all.push(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let count = |piece: &&str| {
        let times = |bytes: &Vec<u8>| {
            bytes.windows(piece.len()).filter(|window| *window == piece.as_bytes()).count()
        };
        all.iter().map(times).sum()
    };
    pieces.iter().map(count).collect()
}

async fn erase_ada(store: &dyn Store) {
    for tenant in ["t", "u"] {
        let tenant = Tenant(tenant.to_owned());
        let which = Doomed::User("ada".to_owned());
        let erased = store.contents().erase(&tenant, &which).await.unwrap();
        assert_eq!(erased.len() as u128, SESSIONS / 4);
    }
    store.contents().scrub().await.unwrap();
}

async fn check_the_rest(store: &dyn Store) {
    for tenant in ["t", "u"] {
        let tenant = Tenant(tenant.to_owned());
        let entries = verified(store, &tenant).await.unwrap();
        assert_eq!(entries.len(), SESSIONS as usize / 2 * COMMITS);
        let spend = store.spend(&tenant, 5, 5).await.unwrap();
        let calls: u64 = spend.iter().map(|row| row.calls).sum();
        assert_eq!(calls as usize, SESSIONS as usize / 2 * COMMITS, "spend stays");
    }
}

#[tokio::test]
async fn erased_words_that_were_not_sealed_are_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = Sqlite::open(&path, Options::default()).unwrap();
    fill(&store).await;
    let pieces = ["ada-said-this", "bob-said-this"];
    assert!(found(folder.path(), &pieces).iter().all(|times| *times > 1_000));
    erase_ada(&store).await;
    let left = found(folder.path(), &pieces);
    assert_eq!(left[0], 0, "ada's words are left");
    assert!(left[1] > 1_000, "bob's words are gone");
    check_the_rest(&store).await;
    store.check().await.unwrap();
    let mut pen = Pen::opened(&store, "t", 900).await.unwrap();
    pen.write(&store, pen.notes(1)).await.unwrap();
    store.close().await;
    assert_eq!(found(folder.path(), &pieces)[0], 0);
}

#[tokio::test]
async fn sealed_words_are_in_no_file_before_and_their_keys_in_none_after() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let inner = Arc::new(Sqlite::open(&path, Options::default()).unwrap());
    let key = Secret::of_text(STANDARD.encode([7; 32])).unwrap();
    let store = Sealing::new(Arc::clone(&inner) as Arc<dyn Store>, Keyring::of(key));
    fill(&store).await;
    let db = rusqlite::Connection::open(&path).unwrap();
    let one = "SELECT hex(wrapped), (SELECT body FROM event WHERE session = 1 AND seq = 5)
               FROM session_content WHERE session = zeroblob(16)";
    let (wrapped, body): (String, String) =
        db.query_row(one, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    drop(db);
    let wrapped: Vec<u8> = wrapped
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let contains = |needle: &[u8]| {
        std::fs::read_dir(folder.path()).unwrap().any(|entry| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            bytes.windows(needle.len()).any(|window| window == needle)
        })
    };
    // Alerts go to people and are not sealed; all else is.
    let alerts = SESSIONS as usize / 2 * COMMITS * 16;
    let before = found(folder.path(), &["ada-said-this"])[0];
    assert!(before <= 3 * alerts, "{before} words in the clear");
    assert!(contains(&wrapped) && contains(body.as_bytes()));
    erase_ada(&store).await;
    assert_eq!(found(folder.path(), &["ada-said-this"]), [0]);
    assert!(!contains(&wrapped), "a wrapped key is left");
    assert!(!contains(body.as_bytes()), "what it sealed is left");
    check_the_rest(&store).await;
}

/// An erasure without the overwriting is made up for by the next one.
#[tokio::test]
async fn traces_are_remembered_until_they_are_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = Sqlite::open(&path, Options::default()).unwrap();
    fill(&store).await;
    let which = Doomed::User("ada".to_owned());
    for tenant in ["t", "u"] {
        let tenant = Tenant(tenant.to_owned());
        store.contents().erase(&tenant, &which).await.unwrap();
    }
    store.close().await;
    let store = Sqlite::open(&path, Options::default()).unwrap();
    store.contents().scrub().await.unwrap();
    assert_eq!(found(folder.path(), &["ada-said-this"]), [0]);
}
