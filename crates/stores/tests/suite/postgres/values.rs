//! What columns hold: every number of 64 bits, every text but one character; and rows that
//! are not what was written.

use engine::conformance::sample::{Pen, charge, grant, scope};
use engine::ports::{Commit, Payload, Store, StoreError};
use kernel::units::{Money, UnixMs};

use super::super::server::Server;
use super::open;

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

/// Sums of spend stop at the largest number, in one commit and over several.
#[tokio::test]
async fn sums_stop_at_the_largest_number() {
    let server = Server::start().await;
    let store = open(&server, "store").await;
    let mut pen = Pen::opened(&store, "t", 1).await.unwrap();
    let (day, nearly) = (5, u64::MAX - 1);
    for (amount, sum) in [(nearly, nearly), (0, nearly), (1, u64::MAX), (nearly, u64::MAX)] {
        let charges = vec![charge(day, "ada", amount, true)];
        pen.write(&store, Commit { charges, ..pen.notes(1) }).await.unwrap();
        let row = &store.spend(&pen.tenant, day, day).await.unwrap()[0];
        assert_eq!((row.amount, row.estimated), (Money(sum), Money(sum)));
    }
}
