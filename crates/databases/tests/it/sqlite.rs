//! SQLite: what the authorizer, the read-only file and the clock hold back.

use std::path::Path;

use databases::{Cut, Database, DatabaseError, Limits, Settings};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use super::{check_denied, check_rows, settings, short};

const SCHEMA: &str = "
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, amount REAL);
    CREATE TABLE secrets (id INTEGER PRIMARY KEY, word TEXT);
    CREATE VIEW open_orders AS SELECT id, customer FROM orders;
    CREATE VIEW leak AS SELECT word FROM secrets;
    CREATE TABLE log (line TEXT);
    CREATE TRIGGER watch AFTER INSERT ON orders BEGIN INSERT INTO log VALUES ('x'); END;
    INSERT INTO orders (customer, amount) VALUES ('ada', 1.5), ('bob', 2);
    INSERT INTO secrets (word) VALUES ('xyzzy');";

fn shop() -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    Connection::open(&file).unwrap().execute_batch(SCHEMA).unwrap();
    (folder, file)
}

fn open(file: &Path, settings: Settings) -> Database {
    Database::sqlite(file, settings).unwrap()
}

#[tokio::test]
async fn nothing_is_written_and_nothing_unlisted_is_read() {
    let (_folder, file) = shop();
    let database = open(&file, settings(&["orders", "open_orders", "leak"]));
    let before = std::fs::read(&file).unwrap();
    check_denied(
        &database,
        &[
            ("INSERT INTO orders VALUES (9, 'x', 1)", "more than read"),
            ("UPDATE orders SET amount = 0", "more than read"),
            ("DELETE FROM orders", "more than read"),
            ("CREATE TABLE t (a)", "more than read"),
            ("CREATE TEMP TABLE t (a)", "more than read"),
            ("CREATE TEMP VIEW v AS SELECT 1", "more than read"),
            ("DROP TABLE orders", "more than read"),
            ("ALTER TABLE orders ADD b", "more than read"),
            ("ATTACH 'other.db' AS other", "no other file"),
            ("DETACH main", "more than read"),
            ("VACUUM INTO '/tmp/copy.db'", ""),
            ("VACUUM", ""),
            ("PRAGMA query_only = OFF", "pragmas"),
            ("PRAGMA table_info(secrets)", "pragmas"),
            ("BEGIN IMMEDIATE", "more than read"),
            ("SAVEPOINT s", "more than read"),
            ("REINDEX", "only a query"),
            ("ANALYZE", "more than read"),
            ("SELECT * FROM secrets", "`secrets` is not listed"),
            ("SELECT * FROM main.secrets", "`secrets` is not listed"),
            ("SELECT * FROM \"SECRETS\"", "not listed"),
            ("SELECT count(*) FROM secrets", "`secrets` is not listed"),
            ("SELECT 1 FROM orders WHERE EXISTS (SELECT 1 FROM secrets)", "`secrets`"),
            ("SELECT (SELECT word FROM secrets) FROM orders", "`secrets`"),
            ("SELECT * FROM orders UNION ALL SELECT id, word, 1 FROM secrets", "`secrets`"),
            ("WITH a AS (SELECT * FROM secrets) SELECT * FROM a", "`secrets`"),
            // A table expression with the name of a listed view is not that view.
            ("WITH open_orders AS (SELECT * FROM secrets) SELECT * FROM open_orders", "`secrets`"),
            ("SELECT o.id FROM orders o JOIN secrets USING (id)", "`secrets`"),
            ("SELECT id FROM orders ORDER BY (SELECT word FROM secrets)", "`secrets`"),
            (
                "SELECT sum(amount) OVER (ORDER BY (SELECT word FROM secrets)) FROM orders",
                "`secrets`",
            ),
            // Listing a view does not list its tables.
            ("SELECT * FROM leak", "`secrets`"),
            ("SELECT * FROM sqlite_master", "`sqlite_master`"),
            ("SELECT * FROM sqlite_schema", "`sqlite_"),
            ("SELECT * FROM temp.sqlite_master", "not listed"),
            ("SELECT * FROM pragma_table_info('secrets')", "not listed"),
            ("SELECT * FROM pragma_database_list", "not listed"),
            ("SELECT count(*) FROM pragma_table_info('secrets')", "not listed"),
            ("SELECT count(*) FROM sqlite_schema", "not listed"),
            ("SELECT count(*) FROM dbstat", "not listed"),
            ("SELECT 1 FROM orders, secrets", "`secrets`"),
            ("SELECT load_extension('x')", "`load_extension`"),
            ("SELECT sqlite_version()", "`sqlite_version`"),
            ("SELECT fts3_tokenizer('simple')", ""),
            ("SELECT 1; SELECT 2", "one statement"),
            ("SELECT 1; DROP TABLE orders", "one statement"),
            ("EXPLAIN SELECT * FROM secrets", "`secrets`"),
        ],
    )
    .await;
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn what_is_listed_is_answered() {
    let (_folder, file) = shop();
    let database = open(&file, settings(&["MAIN.Orders", "open_orders"]));
    database.check().await.unwrap();
    check_rows(
        &database,
        "SELECT id, upper(customer) FROM orders",
        json!([[1, "ADA"], [2, "BOB"]]),
    )
    .await;
    check_rows(&database, "SELECT * FROM open_orders;  -- all", json!([[1, "ada"], [2, "bob"]]))
        .await;
    check_rows(&database, "SELECT value FROM json_each('[1,\"a\"]')", json!([[1], ["a"]])).await;
    let counting = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n";
    check_rows(&database, counting, json!([[1], [2], [3]])).await;
    let counted = "WITH a AS (SELECT * FROM orders) SELECT count(*) FROM a x, a y";
    check_rows(&database, counted, json!([[4]])).await;
    let answer = check_rows(
        &database,
        "SELECT NULL, 9223372036854775807, 0.1, 9e999, 'é', x'00ff', 7 AS amount",
        json!([[null, i64::MAX, 0.1, "inf", "é", {"hex": "00ff"}, 7]]),
    )
    .await;
    assert_eq!(answer.columns[6].name, "amount");
    let kinds = database.query("SELECT * FROM orders LIMIT 0").await.unwrap().columns;
    assert_eq!(
        kinds.iter().map(|c| c.kind.as_str()).collect::<Vec<_>>(),
        ["integer", "text", "real"]
    );
    for (sql, words) in [
        ("SELEC 1", "near \"SELEC\": syntax error"),
        ("SELECT missing FROM orders", "no such column: missing"),
        ("SELECT \"ada\"", "no such column"),
        ("SELECT ?1", "parameters"),
        ("", "no statement"),
    ] {
        let told = database.query(sql).await;
        let right = matches!(&told, Err(DatabaseError::Statement(why)) if why.contains(words));
        assert!(right, "{sql}: {told:?}");
    }
}

#[tokio::test]
async fn bombs_end_at_their_limits() {
    let (_folder, file) = shop();
    let database = open(&file, Settings { limits: short(200), ..settings(&["orders"]) });
    let endless = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) ";
    for tail in
        ["SELECT max(i) FROM n", "SELECT count(*) FROM n a, n b", "SELECT i FROM n ORDER BY i"]
    {
        let told = database.query(&format!("{endless}{tail}")).await;
        assert_eq!(told, Err(DatabaseError::Deadline(200)), "{tail}");
    }
    let first = database.query(&format!("{endless}SELECT i FROM n")).await.unwrap();
    assert_eq!((first.rows.len(), first.cut), (200, Some(Cut::RowsMax(200))));
    let wide = database.query(&format!("{endless}SELECT printf('%.*c', 4000, 'x') FROM n")).await;
    let wide = wide.unwrap();
    assert_eq!((wide.rows.len(), wide.cut), (16, Some(Cut::AnswerBytesMax(65_536))));
    let long = database.query("SELECT hex(zeroblob(5000))").await.unwrap();
    assert_eq!(long.cells_cut, 1);
    let told = database.query("SELECT zeroblob(100000000)").await;
    assert!(matches!(told, Err(DatabaseError::TooLarge(_))), "{told:?}");
    let deep = format!("SELECT {}1{}", "(1+".repeat(300), ")".repeat(300));
    assert!(matches!(database.query(&deep).await, Err(DatabaseError::Statement(_))));
    let long = format!("SELECT '{}'", "x".repeat(70_000));
    assert!(matches!(database.query(&long).await, Err(DatabaseError::Statement(_))));
}

#[tokio::test]
async fn a_dropped_query_frees_its_place_and_its_thread() {
    let (_folder, file) = shop();
    let limits = Limits { statement_ms: 600_000, connections_max: 1, ..Limits::default() };
    let database = open(&file, Settings { limits, ..settings(&[]) });
    let endless =
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    let patience = std::time::Duration::from_millis(100);
    assert!(tokio::time::timeout(patience, database.query(endless)).await.is_err());
    check_rows(&database, "SELECT 1", json!([[1]])).await;
    // The runtime of this test waits for its threads: it would never end if one went on.
}

#[tokio::test]
async fn a_log_beside_the_file_is_read_and_left() {
    let (_folder, file) = shop();
    let writer = Connection::open(&file).unwrap();
    writer.pragma_update(None, "journal_mode", "wal").unwrap();
    writer.execute("INSERT INTO orders (customer) VALUES ('eve')", []).unwrap();
    let database = open(&file, settings(&["orders"]));
    check_rows(&database, "SELECT count(*) FROM orders", json!([[3]])).await;
    writer.execute_batch("BEGIN IMMEDIATE; INSERT INTO orders (customer) VALUES ('mel')").unwrap();
    check_rows(&database, "SELECT count(*) FROM orders", json!([[3]])).await;
    writer.execute_batch("COMMIT").unwrap();
    drop(writer);
    check_rows(&database, "SELECT count(*) FROM orders", json!([[4]])).await;
}

#[tokio::test]
async fn a_file_that_is_none_is_told_when_it_is_configured() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.db");
    let told = Database::sqlite(&missing, Settings::default()).unwrap_err();
    assert!(matches!(told, DatabaseError::Configuration(_)), "{told:?}");
    assert!(!missing.exists());
    assert!(Database::sqlite(folder.path(), Settings::default()).is_err());
    let text = folder.path().join("text.db");
    std::fs::write(&text, "hello ".repeat(1_000)).unwrap();
    let told = open(&text, Settings::default()).check().await;
    assert!(matches!(told, Err(DatabaseError::Configuration(_))), "{told:?}");
}
