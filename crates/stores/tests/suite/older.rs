//! Files of older versions are brought to the present one, and keep what they have.

use engine::conformance::alerts::alert;
use engine::conformance::sample::{Pen, dollars, scope, shared};
use engine::ports::{Commit, Listing, Outbox, Store};
use kernel::ledger::{Amount, Balance, Move, MoveKind};
use kernel::units::{Money, Tenant, UnixMs};
use stores::sqlite::{Options, Sqlite};

/// The steps as they were when each version was the newest.
const STEPS: [&str; 4] = [
    include_str!("../../src/sqlite/schema/0001.sql"),
    include_str!("../../src/sqlite/schema/0002.sql"),
    include_str!("../../src/sqlite/schema/0003.sql"),
    include_str!("../../src/sqlite/schema/0004.sql"),
];

#[tokio::test]
async fn every_older_file_is_brought_to_the_present_version() {
    for version in 1..=STEPS.len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        let db = rusqlite::Connection::open(&path).unwrap();
        db.execute_batch(&STEPS[..version].concat()).unwrap();
        db.pragma_update(None, "application_id", 0x576e_646c).unwrap();
        db.pragma_update(None, "user_version", i64::try_from(version).unwrap()).unwrap();
        let row = "INSERT INTO session (tenant, id, seq, hash, epoch, owner, lease_until, updated,
                     status, title, agent_id, user, turns, spent)
                   VALUES ('old', zeroblob(16), 1, zeroblob(32), 0, '', 0, 0, 0, '', '', '', 0, 0)";
        db.execute(row, []).unwrap();
        drop(db);
        let store = Sqlite::open(&path, Options::default()).unwrap();
        assert_eq!(store.tenants().await.unwrap(), [Tenant("old".into())], "version {version}");
        assert!(store.raise(alert("old", "a", 1), vec!["ops".into()]).await.unwrap());
        assert_eq!(store.alerts(None, 9).await.unwrap().len(), 1);
    }
}

/// The tables of the first version, with a parked session, a capped run and a day's spend.
const FIRST: &str = concat!(
    include_str!("../../src/sqlite/schema/0001.sql"),
    "
    PRAGMA application_id = 0x576e646c;
    PRAGMA user_version = 1;
    INSERT INTO session VALUES
      (1, 't', x'00000000000000000000000000000001', 3, zeroblob(32), 2, '', 0, 5, 2, 9000,
       'a title', 'reference', 'ada', 1, 40);
    INSERT INTO balance VALUES ('t', 'task/00000000-0000-0000-0000-000000000001/1', 100, 40, 7);
    INSERT INTO spend VALUES ('t', 20000, 'ada', 'reference', 'planner', 2, 30, 4, 40, 9);
    "
);

#[tokio::test]
async fn balances_and_spend_of_the_first_version_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch(FIRST).unwrap();
    for _opened_again in 0..2 {
        let store = Sqlite::open(&path, Default::default()).unwrap();
        let tenant = Tenant("t".to_owned());
        let held = Amount::of(Money(7));
        let settled = Amount::of(Money(40));
        let expected = Balance { settled, held, ..Balance::with_cap(dollars(100)) };
        assert_eq!(store.balance(&tenant, &scope(1)).await.unwrap(), Some(expected));
        let rows = store.spend(&tenant, 0, u64::MAX).await.unwrap();
        assert_eq!((rows.len(), rows[0].amount, rows[0].estimated), (1, Money(40), Money(9)));
        assert_eq!(rows[0].prices, "", "nobody wrote down which prices they were");
        let listed = store.list(&tenant, &Listing { rows_max: 9, ..Default::default() }).await;
        let listed = listed.unwrap().pop().unwrap();
        assert_eq!((listed.head.seq, listed.brief.waits), (3, None));
        assert_eq!(store.due(UnixMs(9_000), 9).await.unwrap().len(), 1);
        store.close().await;
    }
    let store = Sqlite::open(&path, Default::default()).unwrap();
    let mut pen = Pen::opened(&store, "t", 2).await.unwrap();
    let day = shared("user-day", "ada", Some("2026-11-21"));
    let kind = MoveKind::Hold { amount: Amount::of(Money(5)), cap: Some(dollars(9)) };
    let moves = vec![Move { scope: day, kind }];
    pen.write(&store, Commit { moves, ..pen.notes(1) }).await.unwrap();
}
