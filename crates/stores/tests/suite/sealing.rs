//! A sealing store keeps every law of the port over any store behind it; what people wrote
//! is in no file; a missing or wrong key is told by name and changes nothing.
use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::audit::{Entry, Record};
use engine::conformance::audit::{content, verified};
use engine::conformance::sample::{Pen, note, session};
use engine::conformance::{self};
use engine::memory::Memory;
use engine::ports::{Commit, Doomed, Listing, Payload, Store, StoreError};
use kernel::units::UnixMs;
use secrets::Secret;
use stores::sealing::{Keyring, SEALED_TITLE, Sealing};
use stores::sqlite::{Options, Sqlite};

/// Words that must not be found where nobody has the key.
const WORDS: &str = "marmalade at midnight";

fn secret(byte: u8) -> Secret {
    Secret::of_text(STANDARD.encode([byte; 32])).unwrap()
}

fn ring(byte: u8) -> Keyring {
    Keyring::of(secret(byte))
}

fn sealing(inner: &Arc<dyn Store>, keyring: Keyring) -> Arc<dyn Store> {
    Arc::new(Sealing::new(Arc::clone(inner), keyring))
}

fn sqlite(path: &Path) -> Arc<dyn Store> {
    Arc::new(Sqlite::open(path, Options::default()).unwrap())
}

/// A session with words in every place that holds any.
async fn wordy(store: &dyn Store, number: u128) -> Pen {
    let mut pen = Pen::new("t", number);
    pen.brief.title = WORDS.to_owned();
    let content = Some(content("ada", "production", 10, false));
    let opening = Commit { content, ..pen.opening() };
    pen.write(store, opening).await.unwrap();
    let mut entry = Entry::of(UnixMs(7), "tool.call", "read", "ada", "production");
    (entry.session, entry.event) = (Some(pen.session), Some(2));
    let said = Commit {
        payloads: vec![payload(&pen)],
        audit: vec![Record { entry, content: Some(WORDS.into()) }],
        ..pen.commit(vec![note(WORDS), note(WORDS)])
    };
    pen.write(store, said).await.unwrap();
    pen
}

fn payload(pen: &Pen) -> Payload {
    Payload::of(Some(pen.session), WORDS)
}

/// Where the words can be read, of the four places.
async fn readable(store: &dyn Store, pen: &Pen) -> Result<[bool; 4], StoreError> {
    let rows = store.read(&pen.tenant, pen.session, 0, 9).await?;
    let kept = store.payload(&pen.tenant, Some(pen.session), payload(pen).hash).await?;
    let title = store.look(&pen.tenant, pen.session).await?.brief.title;
    let mut said = Vec::new();
    for link in store.audit().links(&pen.tenant, 0, 9).await? {
        said.extend(store.audit().opened(&pen.tenant, &link).await?);
    }
    Ok([
        rows.iter().any(|row| row.body.contains(WORDS)),
        kept == WORDS.as_bytes(),
        title == WORDS,
        said.iter().any(|text| text == WORDS.as_bytes()),
    ])
}

fn is_locked(error: &StoreError, words: &[&str]) -> bool {
    let told = error.to_string();
    matches!(error, StoreError::Locked { .. }) && words.iter().all(|word| told.contains(word))
}

#[tokio::test]
async fn it_conforms_over_memory_with_a_key_and_without() {
    for keyring in [ring(7), Keyring::empty()] {
        let make = async || {
            let inner = Arc::new(Memory::new()) as Arc<dyn Store>;
            sealing(&inner, keyring.clone())
        };
        conformance::all(make).await.unwrap_or_else(|broken| panic!("{broken}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms_over_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let count = Cell::new(0);
    let make = async || {
        count.set(count.get() + 1);
        sealing(&sqlite(&folder.path().join(format!("{}.db", count.get()))), ring(7))
    };
    conformance::all(make).await.unwrap_or_else(|broken| panic!("{broken}"));
}

#[tokio::test]
async fn what_was_answered_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let open = async || sealing(&sqlite(&folder.path().join("store.db")), ring(7));
    conformance::reopened(open, async |store| drop(store))
        .await
        .unwrap_or_else(|broken| panic!("{broken}"));
}

#[tokio::test]
async fn the_store_behind_sees_no_words_and_the_chain_verifies_without_a_key() {
    let inner = Arc::new(Memory::new()) as Arc<dyn Store>;
    let store = sealing(&inner, ring(7));
    let pen = wordy(&*store, 1).await;
    assert_eq!(readable(&*store, &pen).await.unwrap(), [true; 4]);
    assert_eq!(readable(&*inner, &pen).await.unwrap(), [false; 4]);
    let listing = Listing { rows_max: 9, ..Listing::default() };
    let listed = store.list(&pen.tenant, &listing).await.unwrap();
    assert_eq!(listed[0].brief.title, WORDS);
    for store in [&store, &inner, &sealing(&inner, Keyring::empty())] {
        assert_eq!(verified(&**store, &pen.tenant).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_missing_or_another_key_is_told_by_name_and_nothing_is_lost() {
    let inner = Arc::new(Memory::new()) as Arc<dyn Store>;
    let pen = wordy(&*sealing(&inner, ring(7)), 1).await;
    let [own, other] = [7, 8].map(|byte| {
        let text = STANDARD.encode([byte; 32]);
        secrets::Key::read(text.as_bytes()).unwrap().id().0
    });
    for (keyring, words) in [
        (Keyring::empty(), [own.as_str(), "no key is configured"]),
        (ring(8), [own.as_str(), other.as_str()]),
    ] {
        let store = sealing(&inner, keyring);
        let error = readable(&*store, &pen).await.unwrap_err();
        assert!(is_locked(&error, &words), "{error}");
        assert!(is_locked(&error, &["hint:", "`encryption`"]), "{error}");
        let error = store.commit(pen.notes(1)).await.unwrap_err();
        assert!(is_locked(&error, &words), "{error}");
        let error = store.keep(&pen.tenant, payload(&pen)).await.unwrap_err();
        assert!(is_locked(&error, &words), "{error}");
        let listing = Listing { rows_max: 9, ..Listing::default() };
        let listed = store.list(&pen.tenant, &listing).await.unwrap();
        assert_eq!(listed[0].brief.title, SEALED_TITLE, "lists go on");
        assert_eq!(listed[0].head.seq, 3, "nothing was added");
    }
    let unusable = Keyring::of(Secret::of_text("hunter2".to_owned()).unwrap());
    let error = sealing(&inner, unusable).commit(Pen::new("t", 2).opening()).await.unwrap_err();
    assert!(is_locked(&error, &["32 bytes in base64"]), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");

    let fetch = |byte| -> stores::sealing::Fetch {
        Arc::new(move |_| Box::pin(async move { Ok(secret(byte)) }))
    };
    let rotated = sealing(&inner, Keyring::new(fetch(8), vec![fetch(7)]));
    assert_eq!(readable(&*rotated, &pen).await.unwrap(), [true; 4], "a former key opens");
    let new = wordy(&*rotated, 2).await;
    let [first, second] = [&pen, &new].map(|pen| (pen.tenant.clone(), pen.session));
    for ((tenant, session), id) in [(first, own), (second, other)] {
        let wrapped = inner.contents().content(&tenant, session).await.unwrap().unwrap().key;
        let wrapped = wrapped.expect("it is sealed");
        assert_eq!(&wrapped[1..17], id.as_bytes(), "new sessions are sealed under the new key");
    }
}

#[tokio::test]
async fn a_session_keeps_the_form_that_it_was_begun_in() {
    let inner = Arc::new(Memory::new()) as Arc<dyn Store>;
    let mut pen = wordy(&*sealing(&inner, Keyring::empty()), 1).await;
    pen.brief.title = format!("~{WORDS}");
    let store = sealing(&inner, ring(7));
    pen.write(&*store, pen.commit(vec![note(WORDS)])).await.unwrap();
    let rows = inner.read(&pen.tenant, pen.session, 0, 9).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.body.contains(WORDS)).count(), 3);
    let title = store.look(&pen.tenant, pen.session).await.unwrap().brief.title;
    assert_eq!(title, format!("~{WORDS}"), "words may look like a sealed piece");
    let sealed = wordy(&*store, 2).await;
    assert_eq!(readable(&*store, &sealed).await.unwrap(), [true; 4]);
    assert!(!readable(&*inner, &sealed).await.unwrap()[0]);
}

#[tokio::test]
async fn pieces_that_are_swapped_or_replaced_are_damage() {
    for (swap, place) in [
        ("UPDATE event SET body = (SELECT body FROM event WHERE session = 1 AND seq = 3)
          WHERE session = 1 AND seq = 2", 0),
        ("UPDATE event SET body = (SELECT body FROM event WHERE session = 2 AND seq = 2)
          WHERE session = 1 AND seq = 2", 0),
        ("UPDATE event SET body = '{}' WHERE session = 1 AND seq = 2", 0),
        ("UPDATE payload SET bytes = (SELECT bytes FROM payload WHERE owner =
            x'00000000000000000000000000000002') WHERE owner = x'00000000000000000000000000000001'", 1),
        ("UPDATE session SET title = (SELECT title FROM session WHERE key = 2) WHERE key = 1", 2),
        ("UPDATE session_content SET wrapped = (SELECT wrapped FROM session_content WHERE session =
            x'00000000000000000000000000000002') WHERE session = x'00000000000000000000000000000001'", 0),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let inner = sqlite(&path);
        let store = sealing(&inner, ring(7));
        let pen = wordy(&*store, 1).await;
        wordy(&*store, 2).await;
        let changed = rusqlite::Connection::open(&path).unwrap().execute(swap, []).unwrap();
        assert_eq!(changed, 1, "{swap}");
        let anew = sealing(&inner, ring(7));
        let error = match place {
            0 => anew.read(&pen.tenant, pen.session, 0, 9).await.unwrap_err(),
            1 => anew.payload(&pen.tenant, Some(pen.session), payload(&pen).hash).await.unwrap_err(),
            _ => anew.look(&pen.tenant, pen.session).await.unwrap_err(),
        };
        assert!(matches!(error, StoreError::Damaged(_)), "{swap}: {error}");
    }
}

/// A process that has the key in memory does nothing with it once another one erased it.
#[tokio::test]
async fn an_erasure_counts_in_every_process() {
    let inner = Arc::new(Memory::new()) as Arc<dyn Store>;
    let [here, there] = [(); 2].map(|()| sealing(&inner, ring(7)));
    let pen = wordy(&*here, 1).await;
    assert_eq!(readable(&*there, &pen).await.unwrap(), [true; 4]);
    let links = inner.audit().links(&pen.tenant, 0, 9).await.unwrap();
    here.contents().erase(&pen.tenant, &Doomed::Session(session(1))).await.unwrap();
    for store in [&here, &there] {
        let erased = |error: &StoreError| matches!(error, StoreError::Erased(_));
        let error = readable(&**store, &pen).await.unwrap_err();
        assert!(erased(&error), "{error}");
        let error = store.commit(pen.notes(1)).await.unwrap_err();
        assert!(erased(&error), "{error}");
        let opened = store.audit().opened(&pen.tenant, &links[0]).await.unwrap();
        assert_eq!(opened, None, "a copy of an entry stays closed");
        let mut late = Record {
            entry: Entry::of(UnixMs(9), "session.note", "x", "ada", "production"),
            content: Some(WORDS.into()),
        };
        late.entry.session = Some(pen.session);
        store.audit().append(&pen.tenant, vec![late]).await.unwrap();
    }
    let links = inner.audit().links(&pen.tenant, 0, 9).await.unwrap();
    assert!(links.iter().all(|link| link.content.is_none()), "nothing more is kept");
    assert_eq!(verified(&*here, &pen.tenant).await.unwrap().len(), 3);
}
