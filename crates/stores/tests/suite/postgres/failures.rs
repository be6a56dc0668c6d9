//! A server that crashes, fails in the middle, or has others on it for too long.

use std::sync::Arc;
use std::time::Duration;

use engine::conformance::log::chain_end;
use engine::conformance::sample::{Pen, grant, scope, settle};
use engine::ports::{Commit, Store, StoreError};
use kernel::units::Money;
use stores::postgres::{Options, Postgres};

use super::super::server::Server;
use super::{open, options};

/// A server that crashes in the middle takes no answered fact with it. Meanwhile the store
/// says that it cannot be reached, and afterwards it goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_and_comes_is_got_over() {
    let mut server = Server::start().await;
    let store = Arc::new(open(&server, "store").await);
    let mut pen = Pen::new("t", 1);
    let moves = vec![grant(&scope(1), u64::MAX), settle(&scope(1), 0, 1)];
    pen.write(&*store, Commit { moves, ..pen.opening() }).await.unwrap();
    let writer = {
        let (store, mut pen) = (Arc::clone(&store), pen.clone());
        tokio::spawn(async move {
            loop {
                let commit = Commit { moves: vec![settle(&scope(1), 0, 1)], ..pen.notes(1) };
                let last = commit.events[0].hash;
                match store.commit(commit).await {
                    Ok(_) => (pen.seq, pen.head) = (pen.seq + 1, last),
                    Err(error) => return (pen, error),
                }
            }
        })
    };
    while store.look(&pen.tenant, pen.session).await.unwrap().head.seq < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.stop();
    let (mut pen, error) = writer.await.unwrap();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    for refused in [
        store.commit(pen.notes(1)).await.map(drop),
        store.read(&pen.tenant, pen.session, 0, 9).await.map(drop),
        store.claim(&pen.claim("a", 1, 2)).await.map(drop),
    ] {
        let error = refused.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert!(error.to_string().contains("hint:"), "{error}");
    }

    server.start_again().await;
    let head = store.look(&pen.tenant, pen.session).await.unwrap().head;
    // The last one was not answered: it is there whole, or not at all.
    assert!((pen.seq..=pen.seq + 1).contains(&head.seq), "{} {}", pen.seq, head.seq);
    let balance = store.balance(&pen.tenant, &scope(1)).await.unwrap().unwrap();
    assert_eq!(balance.settled.money, Money(head.seq), "money and facts are one commit");
    (pen.seq, pen.head) = (head.seq, head.hash);
    assert_eq!(chain_end(&*store, &pen).await.unwrap(), (pen.seq, pen.head));
    pen.write(&*store, pen.notes(1)).await.unwrap();
}

/// Makes the server fail in the middle of commits, as long as a sequence says so.
const FAILING: &str = "
    CREATE SEQUENCE {schema}.failures;
    CREATE FUNCTION {schema}.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('{schema}.failures') <= {times} THEN
        RAISE EXCEPTION 'as told' USING ERRCODE = '{code}';
      END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER fail BEFORE INSERT ON {schema}.event
      FOR EACH ROW EXECUTE FUNCTION {schema}.fail();";

/// What others' transactions take down is tried again a few times; a full disk is told as
/// one. Neither leaves a trace.
#[tokio::test]
async fn failures_in_the_middle_are_got_over_or_told_by_name() {
    type Right = fn(&Result<(), StoreError>) -> bool;
    let is_away: Right = |told| matches!(told, Err(StoreError::Unavailable(_)));
    let is_full: Right = |told| matches!(told, Err(StoreError::Full(_)));
    let cases: [(&str, u32, Right); 5] = [
        ("40P01", 3, Result::is_ok),
        ("40001", 3, Result::is_ok),
        ("40P01", 1_000, is_away),
        ("53100", 1, is_full),
        ("57P01", 1, is_away),
    ];
    let server = Server::start().await;
    let beside = server.client().await;
    for (number, (code, times, right)) in (1..).zip(cases) {
        let schema = format!("store_{number}");
        let store = open(&server, &schema).await;
        let mut pen = Pen::opened(&store, "t", 1).await.unwrap();
        let failing = FAILING.replace("{schema}", &schema).replace("{code}", code);
        beside.batch_execute(&failing.replace("{times}", &times.to_string())).await.unwrap();
        let commit = Commit { moves: vec![settle(&scope(1), 0, 1)], ..pen.notes(1) };
        let told = store.commit(commit).await.map(drop);
        assert!(right(&told), "{code} {times} times: {told:?}");
        let spent = store.balance(&pen.tenant, &scope(1)).await.unwrap();
        assert_eq!(spent.is_some(), told.is_ok(), "{code}: all or nothing");
        beside.batch_execute(&format!("DROP TRIGGER fail ON {schema}.event")).await.unwrap();
        let head = store.look(&pen.tenant, pen.session).await.unwrap().head;
        (pen.seq, pen.head) = (head.seq, head.hash);
        pen.write(&store, pen.notes(1)).await.unwrap();
    }
}

/// While others hold what a call needs for longer than it may wait, it says so; while all
/// connections are busy, too. Afterwards both go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_too_long_says_so_and_goes_on() {
    let server = Server::start().await;
    let patience =
        Options { connections_max: 1, answer_wait_ms: 400, place_wait_ms: 100, ..options("store") };
    let store = Postgres::open(&server.url(), patience).await.unwrap();
    let mut pen = Pen::opened(&store, "t", 1).await.unwrap();
    let beside = server.client().await;
    beside.batch_execute("BEGIN; SELECT 1 FROM store.session FOR UPDATE").await.unwrap();
    let (locked, crowded) = tokio::join!(store.commit(pen.notes(1)), store.tenants());
    for error in [locked.unwrap_err(), crowded.unwrap_err()] {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert!(error.to_string().contains("hint:"), "{error}");
    }
    beside.batch_execute("ROLLBACK").await.unwrap();
    pen.write(&store, pen.notes(1)).await.unwrap();
}

#[tokio::test]
async fn a_closed_store_takes_nothing() {
    let server = Server::start().await;
    let store = open(&server, "store").await;
    let pen = Pen::opened(&store, "t", 1).await.unwrap();
    store.close();
    let error = store.commit(pen.notes(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
}
