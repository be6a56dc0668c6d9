//! MariaDB: what the transaction, prepared statements, grants and the clock hold back.

use databases::{Cut, Database, DatabaseError, Limits, Settings};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use serde_json::json;

use super::servers::{PASSWORD, Server};
use super::{check_denied, check_rows, secret, settings, short, until};

/// One statement a line.
const SCHEMA: &str = "
CREATE DATABASE shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer varchar(20), amount decimal(20,4));
CREATE TABLE shop.secrets (id int, word varchar(20));
CREATE VIEW shop.leak AS SELECT word FROM shop.secrets;
CREATE SEQUENCE shop.numbers;
INSERT INTO shop.orders VALUES (1, 'ada', 1.5), (2, 'bob', 2);
INSERT INTO shop.secrets VALUES (1, 'xyzzy');
CREATE USER reader@'%' IDENTIFIED BY 'r3ader-pass';
GRANT SELECT ON shop.orders TO reader@'%';
GRANT SELECT ON shop.leak TO reader@'%';
CREATE USER writer@'%' IDENTIFIED BY 'r3ader-pass';
GRANT SELECT, INSERT ON shop.orders TO writer@'%';
CREATE USER filer@'%' IDENTIFIED BY 'r3ader-pass';
GRANT FILE ON *.* TO filer@'%';
CREATE USER wide@'%' IDENTIFIED BY 'r3ader-pass';
GRANT SELECT ON shop.* TO wide@'%';
CREATE ROLE everything;
GRANT ALL ON *.* TO everything;
CREATE USER climber@'%' IDENTIFIED BY 'r3ader-pass';
GRANT everything TO climber@'%';
";

/// What the server runs before it listens; nobody who could own things is there yet.
const FIRST: &str = "
CREATE USER admin@'%' IDENTIFIED BY 'open-sesame';
GRANT ALL ON *.* TO admin@'%' WITH GRANT OPTION;
";

struct Shop {
    admin: Conn,
    server: Server,
}

impl Shop {
    async fn open() -> Shop {
        let server = Server::mariadb(FIRST);
        let url =
            format!("mysql://admin:{PASSWORD}@127.0.0.1:{}/?prefer_socket=false", server.port);
        let mut admin = None;
        until("MariaDB takes clients", async || {
            admin = Conn::from_url(&url).await.ok();
            admin.is_some()
        })
        .await;
        let mut admin = admin.unwrap();
        for sql in SCHEMA.lines().filter(|line| !line.is_empty()) {
            admin.query_drop(sql).await.unwrap();
        }
        admin.query_drop("USE shop").await.unwrap();
        Shop { admin, server }
    }

    fn url(&self, user: &str, password: &str) -> String {
        format!("mysql://{user}:{password}@127.0.0.1:{}/shop", self.server.port)
    }

    fn reader(&self, settings: Settings) -> Database {
        Database::mysql(&secret(self.url("reader", "r3ader-pass")), settings).unwrap()
    }

    /// Statements of readers that the server works on.
    async fn running(&mut self) -> u64 {
        let sql = "SELECT count(*) FROM information_schema.processlist \
                   WHERE user = 'reader' AND command IN ('Query', 'Execute')";
        self.admin.query_first(sql).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn mariadb_writes_nothing_and_reads_what_is_granted() {
    let mut shop = Shop::open().await;
    let listed = settings(&["orders", "shop.leak"]);
    let database = shop.reader(listed.clone());
    database.check().await.unwrap();
    check_denied(
        &database,
        &[
            ("SELECT * FROM secrets", "denied"),
            ("SELECT * FROM mysql.global_priv", "denied"),
            ("SELECT * FROM orders UNION SELECT id, word, 1 FROM secrets", "denied"),
            ("WITH orders AS (SELECT * FROM secrets) SELECT * FROM orders", "denied"),
            ("SELECT * FROM orders INTO OUTFILE '/tmp/x'", ""),
            ("SELECT * INTO @a FROM (SELECT 1) t", "only a query"),
            ("INSERT INTO orders VALUES (3, 'x', 1)", ""),
            ("SET GLOBAL general_log = 1", ""),
            ("SET @a = 1", "only a query"),
            ("DO 1", "only a query"),
            ("COMMIT", "only a query"),
        ],
    )
    .await;
    check_rows(&database, "SELECT * FROM leak", json!([["xyzzy"]])).await;
    check_rows(
        &database,
        "SELECT * FROM orders ORDER BY id DESC;",
        json!([[2, "bob", "2.0000"], [1, "ada", "1.5000"]]),
    )
    .await;
    for (sql, words) in [
        ("SELECT 1; SELECT 2", "syntax"),
        ("SELECT 1; DROP TABLE orders", "syntax"),
        ("SELECT nothing FROM orders", "Unknown column 'nothing'"),
        ("SELECT ?", "parameters"),
        ("SELECT 'a' FROM", "syntax"),
    ] {
        let told = database.query(sql).await;
        let right = matches!(&told, Err(DatabaseError::Statement(why)) if why.contains(words));
        assert!(right, "{sql}: {told:?}");
    }
    check_rows(&database, "SELECT LOAD_FILE('/etc/passwd')", json!([[null]])).await;

    // The same transaction holds an administrator to reading.
    let powerful = Settings { allow_powerful_role: true, ..listed };
    let admin = Database::mysql(&secret(shop.url("admin", PASSWORD)), powerful).unwrap();
    check_denied(
        &admin,
        &[
            ("INSERT INTO orders VALUES (3, 'x', 1)", ""),
            ("INSERT INTO orders VALUES (3, 'x', 1) RETURNING id", "READ ONLY"),
            ("DELETE FROM orders RETURNING id", "READ ONLY"),
            ("UPDATE orders SET amount = 0", ""),
            ("DROP TABLE orders", ""),
            ("CREATE TABLE t (a int)", ""),
            ("TRUNCATE orders", ""),
            ("LOAD DATA INFILE '/etc/passwd' INTO TABLE orders", ""),
            ("SELECT * FROM orders INTO OUTFILE '/tmp/windlass-must-not-be'", "only a query"),
            ("SET GLOBAL general_log = 1", "only a query"),
            ("SELECT NEXTVAL(numbers)", "READ ONLY"),
            ("SELECT * FROM orders FOR UPDATE", ""),
            ("KILL 1", "only a query"),
        ],
    )
    .await;
    assert!(!std::path::Path::new("/tmp/windlass-must-not-be").exists());
    let left: Option<u64> = shop.admin.query_first("SELECT count(*) FROM orders").await.unwrap();
    assert_eq!(left, Some(2));
}

#[tokio::test]
async fn mariadb_values_keep_their_exact_form() {
    let mut shop = Shop::open().await;
    shop.admin
        .query_drop(
            "CREATE TABLE kinds (tiny tinyint, big bigint unsigned, exact decimal(40,20), f float,
             d double, word varchar(9), bin varbinary(9), long_text text, bytes blob, day date,
             moment datetime(6), stamp timestamp, span time(1), y year, bits bit(9),
             kind enum('a','b'), several set('x','y'), doc json, nothing int)",
        )
        .await
        .unwrap();
    shop.admin
        .query_drop(
            "INSERT INTO kinds VALUES (-5, 18446744073709551615, 12345678901234567890.12345678901234567890,
             0.1, 0.1, 'é', x'00ff', 'long', x'01', '2026-01-02', '2026-01-02 03:04:05.678901',
             '2026-01-02 03:04:05', '-34:05:06.5', 2026, b'100000001', 'b', 'x,y', '{\"a\": [1]}', NULL)",
        )
        .await
        .unwrap();
    shop.admin.query_drop("GRANT SELECT ON shop.kinds TO reader@'%'").await.unwrap();
    shop.admin.query_drop("SET GLOBAL time_zone = '+09:00'").await.unwrap();
    let database = shop.reader(settings(&["orders", "leak", "kinds"]));
    let answer = database.query("SELECT * FROM kinds").await.unwrap();
    let cell = |name: &str| {
        let at = answer.columns.iter().position(|column| column.name == name).unwrap();
        (answer.columns[at].kind.as_str(), answer.rows[0][at].clone())
    };
    let stamp: Option<String> = shop
        .admin
        .query_first("SELECT CONVERT_TZ(stamp, @@time_zone, '+00:00') FROM kinds")
        .await
        .unwrap();
    let stamp = format!("{}Z", stamp.unwrap().replace(' ', "T"));
    for (name, kind, value) in [
        ("tiny", "tinyint", json!(-5)),
        ("big", "bigint", json!(u64::MAX)),
        ("exact", "decimal", json!("12345678901234567890.12345678901234567890")),
        ("f", "float", json!(0.1)),
        ("d", "double", json!(0.1)),
        ("word", "varchar", json!("é")),
        ("bin", "varbinary", json!({"hex": "00ff"})),
        ("long_text", "text", json!("long")),
        ("bytes", "blob", json!({"hex": "01"})),
        ("day", "date", json!("2026-01-02")),
        ("moment", "datetime", json!("2026-01-02T03:04:05.678901")),
        ("stamp", "timestamp", json!(stamp)),
        ("span", "time", json!("-34:05:06.500000")),
        ("y", "year", json!(2026)),
        ("bits", "bit", json!(257)),
        ("kind", "enum", json!("b")),
        ("several", "set", json!("x,y")),
        // MariaDB's JSON is text with a check.
        ("doc", "text", json!("{\"a\": [1]}")),
        ("nothing", "int", json!(null)),
    ] {
        assert_eq!(cell(name), (kind, value), "{name}");
    }
}

#[tokio::test]
async fn mariadb_is_told_to_stop() {
    let mut shop = Shop::open().await;
    let listed = settings(&["orders", "leak"]);
    let quick = shop.reader(Settings { limits: short(300), ..listed.clone() });
    for sql in [
        "SELECT SLEEP(60) FROM orders",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) \
         SELECT count(*) FROM n a, n b, n c, n d",
        "SELECT BENCHMARK(100000000000, SHA2('x', 256))",
    ] {
        let told = quick.query(sql).await;
        assert_eq!(told, Err(DatabaseError::Deadline(300)), "{sql}");
    }
    until("the server works on nothing", async || shop.running().await == 0).await;

    let patient = shop.reader(Settings { limits: short(600_000), ..listed });
    let asking = tokio::spawn(async move { patient.query("SELECT SLEEP(600)").await });
    until("the server works", async || shop.running().await == 1).await;
    asking.abort();
    until("a dropped query is gone", async || shop.running().await == 0).await;
}

#[tokio::test]
async fn mariadb_answers_stay_small() {
    let shop = Shop::open().await;
    let limits = Limits { received_bytes_max: 1_000_000, ..Limits::default() };
    let database = shop.reader(Settings { limits, ..settings(&["orders", "leak"]) });
    let count =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT ";
    let many = database.query(&format!("{count} i FROM n")).await.unwrap();
    assert_eq!((many.rows.len(), many.cut), (200, Some(Cut::RowsMax(200))));
    let wide = database.query(&format!("{count} repeat('x', 4000) FROM n")).await.unwrap();
    assert_eq!((wide.rows.len(), wide.cut), (16, Some(Cut::AnswerBytesMax(65_536))));
    let long = database.query("SELECT repeat('x', 100000)").await.unwrap();
    assert_eq!((long.rows.len(), long.cells_cut), (1, 1));
    let huge = database.query("SELECT repeat('x', 10000000)").await;
    assert_eq!(huge, Err(DatabaseError::TooLarge(1_000_000)));
    let (one, two) = tokio::join!(database.query("SELECT 1"), database.query("SELECT 2"));
    assert_eq!((&one.unwrap().rows[0][0], &two.unwrap().rows[0][0]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn mariadb_accounts_that_could_do_more_are_refused() {
    let shop = Shop::open().await;
    for (user, password, words) in [
        ("admin", PASSWORD, ""),
        ("writer", "r3ader-pass", "INSERT on `shop.orders`"),
        ("filer", "r3ader-pass", "FILE on `*.*`"),
        ("wide", "r3ader-pass", "`shop.*`"),
        ("climber", "r3ader-pass", "role"),
    ] {
        let url = format!("mysql://{user}:{password}@127.0.0.1:{}/", shop.server.port);
        let database = Database::mysql(&secret(url), settings(&["shop.orders"])).unwrap();
        let told = database.query("SELECT 1").await;
        let right = matches!(&told, Err(DatabaseError::PowerfulRole(why)) if why.contains(words));
        assert!(right, "{user}: {told:?}");
        assert!(!format!("{told:?}").contains("PASSWORD"), "{told:?}");
    }
    // Less is listed than what the account may read.
    let told = shop.reader(settings(&["orders"])).check().await;
    assert!(matches!(told, Err(DatabaseError::PowerfulRole(_))), "{told:?}");
}

#[tokio::test]
async fn mariadb_outages_are_told_without_the_password() {
    let mut shop = Shop::open().await;
    let wrong = Database::mysql(&secret(shop.url("reader", "hunter2")), settings(&[])).unwrap();
    let told = wrong.query("SELECT 1").await.unwrap_err();
    assert!(matches!(told, DatabaseError::Login(_)), "{told:?}");
    assert!(!format!("{told} {told:?} {wrong:?}").contains("hunter2"));
    for url in ["mysql://u:hunter2@h/x?nonsense=hunter2", "hunter2", "http://u:hunter2@h/"] {
        let told = Database::mysql(&secret(url), settings(&[])).unwrap_err();
        assert!(matches!(told, DatabaseError::Configuration(_)), "{url}");
        assert!(!format!("{told} {told:?}").contains("hunter2"), "{told}");
    }
    let tls = format!("{}?require_ssl=true", shop.url("reader", "r3ader-pass"));
    let told = Database::mysql(&secret(tls), settings(&[])).unwrap().query("SELECT 1").await;
    assert!(matches!(told, Err(DatabaseError::Unreachable(_))), "{told:?}");

    let database = shop.reader(settings(&["orders", "leak"]));
    let asking = tokio::spawn({
        let database = database.clone();
        async move { database.query("SELECT SLEEP(600)").await }
    });
    until("the server works", async || shop.running().await == 1).await;
    let find = "SELECT id FROM information_schema.processlist WHERE user = 'reader'";
    let id: Option<u64> = shop.admin.query_first(find).await.unwrap();
    shop.admin.query_drop(format!("KILL CONNECTION {}", id.unwrap())).await.unwrap();
    let told = asking.await.unwrap();
    assert!(matches!(told, Err(DatabaseError::Lost(_))), "{told:?}");

    shop.server.stop();
    let told = database.query("SELECT 1").await;
    assert!(matches!(told, Err(DatabaseError::Unreachable(_))), "{told:?}");
}
