//! Files of older versions are brought to the present one, and keep what they have.

use engine::conformance::alerts::alert;
use engine::ports::{Outbox, Store};
use kernel::units::Tenant;
use stores::sqlite::{Options, Sqlite};

/// The steps as they were when each version was the newest.
const STEPS: [&str; 2] =
    [include_str!("../src/sqlite/schema/0001.sql"), include_str!("../src/sqlite/schema/0002.sql")];

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
