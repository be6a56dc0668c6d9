//! Several stores and many callers on one database.

use std::sync::Arc;
use std::time::Duration;

use engine::conformance::audit::record;
use engine::conformance::log::chain_end;
use engine::conformance::sample::{Pen, dollars, hold, scope, settle, shared};
use engine::ports::{Commit, Store, StoreError};
use kernel::units::{Money, Tenant};
use stores::postgres::{Options, Postgres};

use super::super::server::Server;
use super::{open, options};

/// As many as start at once find one set of tables, and write beside each other: nothing is
/// lost, and together they pass no cap.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_stores_make_and_share_one_schema() {
    const STORES: u64 = 6;
    const COMMITS: u64 = 20;
    let server = Server::start().await;
    let options = || Options { connections_max: 2, ..options("shared") };
    let url = server.url();
    let opened = (0..STORES).map(|_| Postgres::open(&url, options()));
    let stores = futures::future::try_join_all(opened).await.unwrap();
    let written = (1..).zip(stores).map(|(number, store)| async move {
        let mut pen = Pen::opened(&store, "t", number).await.unwrap();
        for _ in 0..COMMITS {
            let held = Commit { moves: vec![hold(&scope(0), 5)], ..pen.notes(1) };
            pen.write(&store, held).await.unwrap();
            let settled = Commit { moves: vec![settle(&scope(0), 5, 1)], ..pen.notes(1) };
            pen.write(&store, settled).await.unwrap();
        }
        assert_eq!(chain_end(&store, &pen).await.unwrap(), (pen.seq, pen.head));
    });
    let tasks: Vec<_> = written.map(tokio::spawn).collect();
    for task in tasks {
        task.await.unwrap();
    }
    let store = open(&server, "shared").await;
    let balance = store.balance(&Tenant("t".into()), &scope(0)).await.unwrap().unwrap();
    let settled = Money(STORES * COMMITS);
    assert_eq!((balance.settled.money, balance.held.money), (settled, Money::ZERO));
}

/// Moves that name scopes in opposite orders do not lock each other out (L18): without one
/// order PostgreSQL would break the deadlock after a second, many times over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opposite_moves_wait_in_one_order() {
    let server = Server::start().await;
    let store = Arc::new(open(&server, "store").await);
    let tasks: Vec<_> = (1..=8_u64)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut pen = Pen::opened(&*store, "t", number.into()).await.unwrap();
                for _ in 0..10 {
                    let mut moves: Vec<_> = (900..904).map(|n| settle(&scope(n), 0, 1)).collect();
                    if number % 2 == 0 {
                        moves.reverse();
                    }
                    pen.write(&*store, Commit { moves, ..pen.notes(1) }).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let balance = store.balance(&Tenant("t".into()), &scope(900)).await.unwrap().unwrap();
    assert_eq!(balance.settled.money, Money(80));
    let told = server.client().await;
    let sql = "SELECT sum(deadlocks)::bigint FROM pg_stat_database";
    let deadlocks: i64 = told.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(deadlocks, 0);
}

/// A window that is charged for the first time while somebody sets the cap of its budget has
/// that cap, whichever was first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_window_is_made_beside_a_cap_that_is_being_set() {
    let server = Server::start().await;
    let store = Arc::new(open(&server, "store").await);
    let tenant = Tenant("t".into());
    for round in 0..20_u64 {
        let budget = shared("user-day", &format!("user-{round}"), None);
        let windows: Vec<_> = (1..=4)
            .map(|day| {
                shared("user-day", &format!("user-{round}"), Some(&format!("2026-11-0{day}")))
            })
            .collect();
        let charged = windows.clone().into_iter().zip(1_u64..).map(|(window, number)| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut pen = Pen::new("t", (round * 10 + number).into());
                let moves = vec![settle(&window, 0, 1)];
                pen.write(&*store, Commit { moves, ..pen.opening() }).await.unwrap();
            })
        });
        let charged: Vec<_> = charged.collect();
        let told = record(1, "production", None);
        store.set_cap(&tenant, &budget, Some(dollars(7)), told).await.unwrap();
        for task in charged {
            task.await.unwrap();
        }
        for window in windows {
            let balance = store.balance(&tenant, &window).await.unwrap().unwrap();
            let seen = (balance.pinned, balance.cap, balance.settled.money);
            assert_eq!(seen, (true, dollars(7), Money(1)), "{window}");
        }
    }
}

/// A commit whose caller went away in the middle leaves no lock and nothing half done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_leaves_nothing_open() {
    let server = Server::start().await;
    let store = open(&server, "store").await;
    let mut pen = Pen::opened(&store, "t", 1).await.unwrap();
    for wait_us in (0..60).map(|step| step * 100) {
        let commit = Commit { moves: vec![settle(&scope(1), 0, 1)], ..pen.notes(1) };
        let left = tokio::time::timeout(Duration::from_micros(wait_us), store.commit(commit)).await;
        drop(left);
        let head = store.look(&pen.tenant, pen.session).await.unwrap().head;
        (pen.seq, pen.head) = (head.seq, head.hash);
    }
    // Behind the last lock that was left, if any.
    let mut last = pen.notes(1);
    while let Err(StoreError::Stale { head }) = store.commit(last.clone()).await {
        (pen.seq, pen.head) = (head.seq, head.hash);
        last = pen.notes(1);
    }
    let head = store.look(&pen.tenant, pen.session).await.unwrap().head;
    pen.seq = head.seq;
    assert_eq!(chain_end(&store, &pen).await.unwrap(), (head.seq, head.hash));
}
