//! The SQLite store keeps every law of the port.

use std::cell::Cell;
use std::sync::Arc;

use engine::conformance;
use engine::ports::Store;
use stores::sqlite::{Options, Sqlite};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let count = Cell::new(0);
    let make = async || {
        count.set(count.get() + 1);
        let path = folder.path().join(format!("{}.db", count.get()));
        Arc::new(Sqlite::open(path, Options::default()).unwrap()) as Arc<dyn Store>
    };
    conformance::all(make).await.unwrap_or_else(|broken| panic!("{broken}"));
}

#[tokio::test]
async fn what_was_answered_is_there_after_the_store_was_dropped_without_closing() {
    let folder = tempfile::tempdir().unwrap();
    let open = async || {
        let store = Sqlite::open(folder.path().join("store.db"), Options::default()).unwrap();
        Arc::new(store) as Arc<dyn Store>
    };
    conformance::reopened(open, async |store| drop(store))
        .await
        .unwrap_or_else(|broken| panic!("{broken}"));
}
