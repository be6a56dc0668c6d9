//! Several processes on one file, and processes that are killed.
//!
//! Each test starts its own binary again, with a place in the environment: then it plays
//! one of the processes.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use engine::conformance::log::chain_end;
use engine::conformance::sample::{Pen, grant, hold, scope, settle};
use engine::ports::{Commit, Store, StoreError};
use kernel::units::{Money, Tenant};
use stores::sqlite::{Options, Sqlite};

/// Where a played process finds its file, and which one it is.
const PLACE: &str = "STORE_TEST_PLACE";
const NUMBER: &str = "STORE_TEST_NUMBER";

const PROCESSES: u128 = 8;
const COMMITS: u64 = 40;

fn played() -> Option<(PathBuf, u128)> {
    let place = PathBuf::from(env::var_os(PLACE)?);
    Some((place, env::var(NUMBER).unwrap().parse().unwrap()))
}

fn play(test: &str, place: &Path, number: u128) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([&format!("processes::{test}"), "--exact", "--nocapture", "--test-threads=1"])
        .env(PLACE, place)
        .env(NUMBER, number.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// L35: eight processes make and write one file at once. All succeed, nothing is lost,
/// and together they pass no cap.
#[tokio::test]
async fn eight_processes_share_one_file() {
    if let Some((place, number)) = played() {
        return write_beside_others(&place, number).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("store.db");
    let children: Vec<_> =
        (0..PROCESSES).map(|n| play("eight_processes_share_one_file", &place, n)).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let store = Sqlite::open(&place, Options::default()).unwrap();
    for number in 0..PROCESSES {
        let log = store.read(&Tenant("t".into()), Pen::new("t", number).session, 0, 999).await;
        assert_eq!(log.unwrap().len() as u64, 2 * COMMITS + 1, "process {number}");
    }
    let balance = store.balance(&Tenant("t".into()), &scope(0)).await.unwrap().unwrap();
    let settled = Money(COMMITS * u64::try_from(PROCESSES).unwrap());
    assert_eq!((balance.settled.money, balance.held.money), (settled, Money::ZERO));
}

async fn write_beside_others(place: &Path, number: u128) {
    let store = Sqlite::open(place, Options::default()).unwrap();
    let mut pen = Pen::opened(&store, "t", number).await.unwrap();
    for _ in 0..COMMITS {
        let held = Commit { moves: vec![hold(&scope(0), 5)], ..pen.notes(1) };
        pen.write(&store, held).await.unwrap();
        let settled = Commit { moves: vec![settle(&scope(0), 5, 1)], ..pen.notes(1) };
        pen.write(&store, settled).await.unwrap();
    }
    assert_eq!(chain_end(&store, &pen).await.unwrap(), (pen.seq, pen.head));
}

/// What was answered with success is there after SIGKILL, whole and in order.
#[tokio::test]
async fn a_killed_process_loses_nothing_that_was_answered() {
    if let Some((place, _)) = played() {
        return write_until_killed(&place).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("store.db");
    for _ in 0..5 {
        let mut child = play("a_killed_process_loses_nothing_that_was_answered", &place, 0);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let answered = lines.filter_map(|line| line.strip_prefix("answered ")?.parse::<u64>().ok());
        let last = answered.take(30).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();

        let store = Sqlite::open(&place, Options::default()).unwrap();
        let pen = Pen::new("t", 1);
        let head = store.look(&pen.tenant, pen.session).await.unwrap().head;
        assert!(head.seq >= last, "event {last} was answered and the log ends at {}", head.seq);
        assert_eq!(chain_end(&store, &pen).await.unwrap(), (head.seq, head.hash));
        let balance = store.balance(&pen.tenant, &scope(1)).await.unwrap().unwrap();
        assert_eq!(balance.settled.money, Money(head.seq), "money and facts are one commit");
        store.close().await;
    }
}

async fn write_until_killed(place: &Path) {
    let store = Sqlite::open(place, Options::default()).unwrap();
    let mut pen = Pen::new("t", 1);
    match store.look(&pen.tenant, pen.session).await {
        Ok(listed) => (pen.seq, pen.head) = (listed.head.seq, listed.head.hash),
        Err(StoreError::Missing(_)) => {
            let moves = vec![grant(&scope(1), u64::MAX), settle(&scope(1), 0, 1)];
            pen.write(&store, Commit { moves, ..pen.opening() }).await.unwrap();
        }
        Err(error) => panic!("{error}"),
    }
    loop {
        let moves = vec![settle(&scope(1), 0, 3)];
        pen.write(&store, Commit { moves, ..pen.notes(3) }).await.unwrap();
        println!("answered {}", pen.seq);
    }
}

/// While others write for longer than one may wait, reads go on and commits say why they
/// do not; afterwards they do.
#[tokio::test]
async fn a_writer_that_waited_too_long_says_so_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("store.db");
    let store = Sqlite::open(&place, Options { busy_wait_ms: 20, ..Options::default() }).unwrap();
    let mut pen = Pen::opened(&store, "t", 1).await.unwrap();
    let other = rusqlite::Connection::open(&place).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.commit(pen.notes(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert!(error.to_string().contains("hint:"), "{error}");
    assert_eq!(chain_end(&store, &pen).await.unwrap(), (pen.seq, pen.head));
    other.execute_batch("ROLLBACK").unwrap();
    pen.write(&store, pen.notes(1)).await.unwrap();
}

/// A closed store says so.
#[tokio::test]
async fn a_closed_store_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path().join("store.db"), Options::default()).unwrap();
    let pen = Pen::opened(&store, "t", 1).await.unwrap();
    store.close().await;
    let refused = [
        store.commit(pen.notes(1)).await.map(drop),
        store.read(&pen.tenant, pen.session, 0, 9).await.map(drop),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect();
    assert_eq!(left.len(), 1, "everything is in the one file: {left:?}");
}
