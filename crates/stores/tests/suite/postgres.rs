//! The PostgreSQL store keeps every law of the port, against a private server: with others
//! beside it, while the server goes and comes, and where rows are not what was written.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::conformance::audit::record;
use engine::conformance::log::chain_end;
use engine::conformance::sample::{Pen, dollars, grant, hold, scope, session, settle, shared};
use engine::conformance::{self};
use engine::ports::{Commit, Dispatch, Payload, Store, StoreError};
use kernel::units::{Money, SessionId, Tenant, UnixMs};
use secrets::Secret;
use stores::postgres::{Nudges, OpenError, Options, Postgres};
use stores::sealing::{Keyring, Sealing};

use super::server::Server;

/// Few, so that work waits for connections.
const CONNECTIONS_MAX: usize = 8;

fn options(schema: &str) -> Options {
    Options { schema: schema.to_owned(), connections_max: CONNECTIONS_MAX, ..Options::default() }
}

async fn open(server: &Server, schema: &str) -> Postgres {
    Postgres::open(&server.url(), options(schema)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_conforms() {
    let server = Server::start().await;
    let count = Cell::new(0);
    let make = async || {
        count.set(count.get() + 1);
        Arc::new(open(&server, &format!("store_{}", count.get())).await) as Arc<dyn Store>
    };
    conformance::all(make).await.unwrap_or_else(|broken| panic!("{broken}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms_behind_a_seal() {
    let server = Server::start().await;
    let count = Cell::new(0);
    let make = async || {
        count.set(count.get() + 1);
        let key = Secret::of_text(STANDARD.encode([7; 32])).unwrap();
        let store = open(&server, &format!("store_{}", count.get())).await;
        Arc::new(Sealing::new(Arc::new(store), Keyring::of(key))) as Arc<dyn Store>
    };
    conformance::all(make).await.unwrap_or_else(|broken| panic!("{broken}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_there_when_it_is_opened_again() {
    let server = Server::start().await;
    let make = async || Arc::new(open(&server, "store").await) as Arc<dyn Store>;
    conformance::reopened(make, async |store| drop(store))
        .await
        .unwrap_or_else(|broken| panic!("{broken}"));
}

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

#[tokio::test]
async fn what_is_not_ours_is_left_as_it_is() {
    let server = Server::start().await;
    let beside = server.client().await;
    let make = "CREATE SCHEMA theirs; CREATE TABLE theirs.thing (id int)";
    beside.batch_execute(make).await.unwrap();
    let error = Postgres::open(&server.url(), options("theirs")).await.unwrap_err();
    assert!(matches!(&error, OpenError::Foreign { schema } if schema == "theirs"), "{error}");

    drop(open(&server, "ours").await);
    beside.batch_execute("UPDATE ours.schema_version SET version = 99").await.unwrap();
    let error = Postgres::open(&server.url(), options("ours")).await.unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("hint: use the newer program"), "{error}");

    for name in ["", "Our\"s", "pg_ours", &"x".repeat(64)] {
        let error = Postgres::open(&server.url(), options(name)).await.unwrap_err();
        assert!(matches!(error, OpenError::Name { .. }), "{error}");
    }
    let url = Secret::of_text("postgres://user:hunter2@/x?colour=red".to_owned()).unwrap();
    let error = Postgres::open(&url, options("ours")).await.unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    beside
        .batch_execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        .await
        .unwrap();
    let latin = server.url().expose_text().unwrap().replace("/postgres", "/latin");
    let latin = Secret::of_text(latin).unwrap();
    let error = Postgres::open(&latin, options("ours")).await.unwrap_err();
    assert!(matches!(error, OpenError::Encoding { .. }), "{error}");
}

/// What cannot be read says so and takes nobody down.
#[tokio::test]
async fn rows_that_are_not_what_was_written_are_damage() {
    let server = Server::start().await;
    let store = open(&server, "store").await;
    let beside = server.client().await;
    let mut pen = Pen::new("t", 1);
    let payload = Payload::of(None, "bytes");
    let moves = vec![grant(&scope(1), 9)];
    let opening = Commit { payloads: vec![payload.clone()], moves, ..pen.opening() };
    pen.write(&store, opening).await.unwrap();
    for change in [
        "UPDATE payload SET bytes = 'other'",
        "UPDATE session SET hash = 'short'",
        "UPDATE balance SET scope = 'nothing'",
    ] {
        beside.batch_execute(&format!("SET search_path = store; {change}")).await.unwrap();
    }
    for told in [
        store.payload(&pen.tenant, None, payload.hash).await.map(drop),
        store.look(&pen.tenant, pen.session).await.map(drop),
        store.commit(pen.notes(1)).await.map(drop),
        store.shared_balances(&pen.tenant, "", 9).await.map(drop),
    ] {
        let error = told.unwrap_err();
        assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
    }
    beside.batch_execute("DROP TABLE store.request").await.unwrap();
    let error = store.answers().forget_answers(UnixMs(1), 1).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
}

/// PostgreSQL keeps no NUL in a text: what is shown loses it, what names something is
/// refused, and both leave the store as it was.
#[tokio::test]
async fn the_character_that_no_text_keeps_is_told() {
    let server = Server::start().await;
    let store = open(&server, "store").await;
    let mut pen = Pen::new("t", 1);
    pen.brief.title = "zero \0 in it".to_owned();
    pen.write(&store, pen.opening()).await.unwrap();
    let title = store.look(&pen.tenant, pen.session).await.unwrap().brief.title;
    assert_eq!(title, "zero \u{fffd} in it");
    pen.brief.user = "a\0b".to_owned();
    let error = store.commit(pen.notes(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Misused(_)), "{error:?}");
    pen.brief.user = "ab".to_owned();
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

/// A nudge comes to every process of its store, to no other store's, and again after the
/// server went and came.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nudges_reach_every_process_of_the_store() {
    let mut server = Server::start().await;
    let (here, there) = (open(&server, "store").await, open(&server, "store").await);
    let (here, there) = (here.nudges(), there.nudges());
    let elsewhere = open(&server, "other").await.nudges();
    let nudged = (Tenant("a tenant".into()), session(7));
    for _ in 0..2 {
        assert_eq!(insist(&here, &here, &nudged).await, nudged);
        assert_eq!(insist(&here, &there, &nudged).await, nudged);
        server.stop();
        server.start_again().await;
    }
    let unheard = tokio::time::timeout(Duration::from_millis(50), elsewhere.next()).await;
    assert!(unheard.is_err(), "{unheard:?}");
}

/// Nudges until somebody hears it: what is said while nobody listens is lost.
async fn insist(from: &Nudges, to: &Nudges, nudged: &(Tenant, SessionId)) -> (Tenant, SessionId) {
    for _ in 0..200 {
        from.nudge(&nudged.0, nudged.1).await;
        if let Ok(heard) = tokio::time::timeout(Duration::from_millis(50), to.next()).await {
            return heard;
        }
    }
    panic!("ten seconds passed and nobody heard");
}
