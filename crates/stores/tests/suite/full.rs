//! A disk without room: commits are refused with words and change nothing, reads go on,
//! and so does the store as soon as there is room again.

use engine::conformance::log::chain_end;
use engine::conformance::sample::{Pen, note, scope, settle};
use engine::ports::{Commit, Payload, Store, StoreError};
use stores::sqlite::{Options, Sqlite};

/// About 800 KB.
const PAGES_MAX: u32 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_changes_nothing_and_is_got_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let options = Options { pages_max: Some(PAGES_MAX), ..Options::default() };
    let store = Sqlite::open(&path, options).unwrap();
    small_commits_pass_beside_large_ones(&store).await;
    let mut pen = Pen::opened(&store, "t", 1).await.unwrap();
    let error = loop {
        let ballast = vec![u8::try_from(pen.seq % 251).unwrap(); 20_000 + pen.seq as usize];
        let payloads = vec![Payload::of(None, ballast)];
        let commit = Commit { payloads, ..pen.notes(1) };
        let last = commit.events[0].hash;
        match store.commit(commit).await {
            Ok(_) => (pen.seq, pen.head) = (pen.seq + 1, last),
            Err(error) => break error,
        }
        assert!(pen.seq < 1_000, "the file must become full");
    };
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    assert!(error.to_string().contains("hint: free some space"), "{error}");
    assert_eq!(chain_end(&store, &pen).await.unwrap(), (pen.seq, pen.head), "nothing changed");

    let outside = rusqlite::Connection::open(&path).unwrap();
    outside.execute_batch("DELETE FROM payload").unwrap();
    let again = pen.commit(vec![note(&"z".repeat(100_000))]);
    pen.write(&store, again).await.unwrap();
    assert_eq!(chain_end(&store, &pen).await.unwrap(), (pen.seq, pen.head));
}

/// In one group a commit that does not fit does not take the others with it.
async fn small_commits_pass_beside_large_ones(store: &Sqlite) {
    let pens: Vec<_> = (10..26).map(|number| Pen::new("t", number)).collect();
    let commits = pens.iter().map(|pen| {
        let mut commit = pen.opening();
        if pen.session.0.as_u128() % 2 == 0 {
            let bytes = vec![7_u8; 1_000_000];
            commit.payloads.push(Payload::of(None, bytes));
            commit.moves.push(settle(&scope(9), 0, 1));
        }
        store.commit(commit)
    });
    let results = futures::future::join_all(commits).await;
    for (pen, result) in pens.iter().zip(results) {
        match pen.session.0.as_u128() % 2 {
            0 => assert!(matches!(result, Err(StoreError::Full(_))), "{result:?}"),
            _ => drop(result.unwrap()),
        }
    }
    let tenant = &pens[0].tenant;
    assert_eq!(
        store.balance(tenant, &scope(9)).await.unwrap(),
        None,
        "no move of a refused commit"
    );
}
