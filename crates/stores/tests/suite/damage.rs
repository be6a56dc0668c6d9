//! Files that are not what we wrote: each is refused with words that say what to do.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::conformance::log::chain_end;
use engine::conformance::sample::{Pen, note, payload};
use engine::ports::{Commit, Store, StoreError};
use kernel::event::chain_root;
use rusqlite::Connection;
use stores::sqlite::{OpenError, Options, Sqlite};

struct Place {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        Place { _folder: folder, path }
    }

    fn open(&self) -> Result<Sqlite, OpenError> {
        Sqlite::open(&self.path, Options { busy_wait_ms: 2_000, ..Options::default() })
    }

    fn refusal(&self) -> String {
        self.open().expect_err("this file must be refused").to_string()
    }

    /// A closed file with one session of some hundred events.
    async fn written() -> (Self, Pen) {
        let place = Place::new();
        let store = place.open().unwrap();
        let mut pen = Pen::opened(&store, "t", 1).await.unwrap();
        for _ in 0..20 {
            let facts = (0..10).map(|n| note(&format!("{n} {}", "x".repeat(300)))).collect();
            pen.write(&store, pen.commit(facts)).await.unwrap();
        }
        let large = Commit { payloads: vec![payload(b"a payload")], ..pen.notes(1) };
        pen.write(&store, large).await.unwrap();
        store.close().await;
        (place, pen)
    }

    fn sql(&self, sql: &str) {
        let changed = Connection::open(&self.path).unwrap().execute_batch(sql);
        changed.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let place = Place::new();
    let text = "Dear diary, this is not a database at all.\n".repeat(100);
    fs::write(&place.path, &text).unwrap();
    let said = place.refusal();
    assert!(said.contains("not a database") && said.contains("hint:"), "{said}");
    assert_eq!(fs::read_to_string(&place.path).unwrap(), text);
}

#[test]
fn the_database_of_another_program_is_refused_and_left_alone() {
    let place = Place::new();
    place.sql("CREATE TABLE recipe (name TEXT); INSERT INTO recipe VALUES ('soup')");
    let before = fs::read(&place.path).unwrap();
    let said = place.refusal();
    assert!(said.contains("another program") && said.contains("hint:"), "{said}");
    assert_eq!(fs::read(&place.path).unwrap(), before);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let (place, _) = Place::written().await;
    place.sql("PRAGMA user_version = 99");
    let said = place.refusal();
    assert!(said.contains("version 99") && said.contains("hint:"), "{said}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let place = Place::new();
    fs::write(&place.path, "in the way").unwrap();
    let below = Sqlite::open(place.path.join("deep").join("store.db"), Options::default());
    let said = below.expect_err("a file is no folder").to_string();
    assert!(said.contains("store.db/deep") && said.contains("hint:"), "{said}");
}

#[test]
fn a_new_folder_is_private_and_kept_out_of_git() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("a").join(".windlass");
    drop(Sqlite::open(home.join("store.db"), Options::default()).unwrap());
    assert_eq!(fs::metadata(&home).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_to_string(home.join(".gitignore")).unwrap(), "*\n");
}

/// Overwrites the root of every table and index, and leaves the list of them whole, so that
/// the file still opens.
fn break_pages(path: &Path) {
    let db = Connection::open(path).unwrap();
    let mut roots = db.prepare("SELECT rootpage FROM sqlite_schema WHERE rootpage > 0").unwrap();
    let roots = roots.query_map([], |row| row.get::<_, u32>(0)).unwrap();
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    for root in roots {
        file.write_all_at(&[0xAB; 64], u64::from(root.unwrap() - 1) * 4_096).unwrap();
    }
}

#[tokio::test]
async fn a_broken_page_is_damage_with_words_for_readers_and_writers() {
    let (place, pen) = Place::written().await;
    break_pages(&place.path);
    let store = place.open().unwrap();
    let calls = [
        store.read(&pen.tenant, pen.session, 0, 999).await.map(drop),
        store.commit(pen.notes(1)).await.map(drop),
        store.check().await,
    ];
    for call in calls {
        let error = call.expect_err("a broken page must show");
        assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
        assert!(error.to_string().contains("hint:"), "{error}");
    }
}

#[tokio::test]
async fn a_whole_file_passes_its_check() {
    let (place, pen) = Place::written().await;
    let store = place.open().unwrap();
    store.check().await.unwrap();
    assert_eq!(chain_end(&store, &pen).await.unwrap(), (pen.seq, pen.head));
}

/// Every way to alter an event's row shows: in the chain, or in the head kept beside it.
#[tokio::test]
async fn an_altered_event_shows() {
    let edits = [
        "UPDATE event SET body = replace(body, 'x', 'y') WHERE seq = 7",
        "UPDATE event SET body = replace(body, '201', '203') WHERE seq = 202",
        "UPDATE event SET at = at + 1 WHERE seq = 7",
        "UPDATE event SET format = 0 WHERE seq = 7",
        "UPDATE event SET prev = zeroblob(32) WHERE seq = 7",
        "UPDATE event SET seq = seq + 1000 WHERE seq = 202",
        "DELETE FROM event WHERE seq = 7",
        "DELETE FROM event WHERE seq = 202",
        "DELETE FROM event WHERE seq > 100",
        "UPDATE session SET hash = zeroblob(32)",
        "UPDATE session SET seq = 5",
    ];
    for edit in edits {
        let (place, pen) = Place::written().await;
        assert_eq!(pen.seq, 202);
        place.sql(edit);
        let store = place.open().unwrap();
        let head = store.look(&pen.tenant, pen.session).await.unwrap().head;
        let end = chain_end(&store, &pen).await;
        let shows = end.as_ref().map_or(true, |end| *end != (head.seq, head.hash));
        assert!(shows, "{edit}: {end:?}");
    }
}

#[tokio::test]
async fn a_chain_begins_in_its_own_session() {
    let (place, pen) = Place::written().await;
    let other = Pen::new("t", 2);
    assert_ne!(chain_root(pen.session), chain_root(other.session));
    place.sql("UPDATE session SET id = x'00000000000000000000000000000002'");
    let store: Arc<dyn Store> = Arc::new(place.open().unwrap());
    let moved = chain_end(&*store, &other).await;
    assert!(moved.is_err(), "a log moved to another session must show: {moved:?}");
}

#[tokio::test]
async fn an_altered_payload_is_damage() {
    let (place, pen) = Place::written().await;
    place.sql("UPDATE payload SET bytes = x'00'");
    let store = place.open().unwrap();
    let error = store.payload(&pen.tenant, None, payload(b"a payload").hash).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
}
