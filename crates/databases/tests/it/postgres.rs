//! PostgreSQL: what the transaction, the cursor, the locks, the role and the clock hold back.

use databases::{Cut, Database, DatabaseError, Limits, Settings};
use serde_json::json;
use tokio_postgres::{Client, NoTls};

use super::servers::{PASSWORD, Server};
use super::{check_denied, check_rows, secret, settings, short, until};

const SCHEMA: &str = "
    CREATE TABLE orders (id int PRIMARY KEY, customer text, amount numeric(20, 4));
    CREATE TABLE secrets (id int, word text);
    CREATE TABLE private (id int, word text);
    CREATE VIEW open_orders AS SELECT id, customer FROM orders;
    CREATE VIEW leak AS SELECT word FROM secrets;
    CREATE VIEW shown AS SELECT id FROM private;
    CREATE TABLE parts (id int) PARTITION BY RANGE (id);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
    CREATE SEQUENCE numbers;
    CREATE FUNCTION peek() RETURNS text LANGUAGE plpgsql AS
      $$ BEGIN RETURN (SELECT word FROM secrets LIMIT 1); END $$;
    CREATE FUNCTION inlined() RETURNS SETOF text STABLE LANGUAGE sql AS $$ SELECT word FROM secrets $$;
    CREATE FUNCTION writer() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS
      $$ BEGIN INSERT INTO orders VALUES (99, 'x', 1); RETURN 1; END $$;
    INSERT INTO orders VALUES (1, 'ada', 1.5), (2, 'bob', 2);
    INSERT INTO secrets VALUES (1, 'xyzzy');
    INSERT INTO parts VALUES (3);
    CREATE ROLE reader LOGIN PASSWORD 'r3ader-pass';
    GRANT SELECT ON orders, secrets, open_orders, leak, shown, parts, numbers TO reader;
    CREATE ROLE writer LOGIN PASSWORD 'r3ader-pass';
    GRANT SELECT, INSERT ON orders TO writer;
    CREATE ROLE climber LOGIN NOINHERIT PASSWORD 'r3ader-pass' IN ROLE writer;
    CREATE ROLE spy LOGIN PASSWORD 'r3ader-pass' IN ROLE pg_read_server_files;";

struct Shop {
    admin: Client,
    server: Server,
}

impl Shop {
    async fn open() -> Shop {
        let server = Server::postgres();
        let address = format!(
            "host=127.0.0.1 port={} user=admin password={PASSWORD} dbname=postgres",
            server.port
        );
        // It listens a moment before it takes anyone in.
        let mut admin = None;
        until("PostgreSQL takes clients", async || {
            let config: tokio_postgres::Config = address.parse().unwrap();
            let stream = tokio::net::TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
            if let Ok((client, connection)) = config.connect_raw(stream, NoTls).await {
                tokio::spawn(connection);
                admin = Some(client);
            }
            admin.is_some()
        })
        .await;
        let admin = admin.unwrap();
        admin.batch_execute(SCHEMA).await.unwrap();
        Shop { admin, server }
    }

    fn url(&self, user: &str, password: &str) -> String {
        format!("postgres://{user}:{password}@127.0.0.1:{}/postgres", self.server.port)
    }

    fn reader(&self, settings: Settings) -> Database {
        Database::postgres(&secret(self.url("reader", "r3ader-pass")), settings).unwrap()
    }

    /// Statements of readers that the server works on.
    async fn running(&self) -> i64 {
        let sql =
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' AND state = 'active'";
        self.admin.query_one(sql, &[]).await.unwrap().get(0)
    }
}

#[tokio::test]
async fn postgres_writes_nothing_and_reads_what_is_listed() {
    let shop = Shop::open().await;
    let listed = settings(&["orders", "open_orders", "leak", "shown", "parts", "numbers", "gone"]);
    let database = shop.reader(listed.clone());
    database.check().await.unwrap();
    check_denied(&database, DENIED).await;
    check_rows(
        &database,
        "SELECT * FROM open_orders ORDER BY id DESC",
        json!([[2, "bob"], [1, "ada"]]),
    )
    .await;
    check_rows(&database, "SELECT id FROM shown", json!([])).await;
    check_rows(&database, "SELECT * FROM parts", json!([[3]])).await;
    check_rows(&database, "TABLE orders LIMIT 1; -- one", json!([[1, "ada", "1.5000"]])).await;
    check_rows(&database, "VALUES (1, 'a'), (2, NULL)", json!([[1, "a"], [2, null]])).await;
    for (sql, words) in [
        ("SELECT 1; SELECT 2", "multiple commands"),
        ("SELECT 1; COMMIT; DROP TABLE orders", "multiple commands"),
        ("SELECT nothing FROM orders", "\"nothing\" does not exist"),
        ("SELECT $1::int", "parameters"),
        ("SELECT 1/0", "division by zero"),
        ("SELECT dblink('x', 'y')", "does not exist"),
    ] {
        let told = database.query(sql).await;
        let right = matches!(&told, Err(DatabaseError::Statement(why)) if why.contains(words));
        assert!(right, "{sql}: {told:?}");
    }
    // The same transaction holds a superuser to reading, and to the list.
    let admin = Database::postgres(
        &secret(shop.url("admin", PASSWORD)),
        Settings { allow_powerful_role: true, ..listed },
    );
    check_denied(&admin.unwrap(), DENIED_TO_ADMIN).await;
    let left =
        shop.admin.query_one("SELECT count(*), (SELECT last_value FROM numbers) FROM orders", &[]);
    let left = left.await.unwrap();
    assert_eq!((left.get::<_, i64>(0), left.get::<_, i64>(1)), (2, 1));
}

const DENIED: &[(&str, &str)] = &[
    ("INSERT INTO orders VALUES (3, 'x', 1)", "only a query"),
    ("INSERT INTO orders VALUES (3, 'x', 1) RETURNING id", "only a query"),
    ("UPDATE orders SET amount = 0", "only a query"),
    ("DELETE FROM orders", "only a query"),
    ("WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone", "data-modifying"),
    ("SELECT * INTO copy FROM orders", ""),
    ("CREATE TABLE t (a int)", "only a query"),
    ("CREATE TEMP TABLE t (a int)", "only a query"),
    ("DROP TABLE orders", "only a query"),
    ("TRUNCATE orders", "only a query"),
    ("COPY orders TO '/tmp/x'", "only a query"),
    ("COPY orders TO PROGRAM 'cat'", "only a query"),
    ("DO $$ BEGIN END $$", "only a query"),
    ("SET ROLE admin", "only a query"),
    ("COMMIT", "only a query"),
    ("LOCK TABLE orders", "only a query"),
    ("NOTIFY channel", "only a query"),
    ("SELECT * FROM orders FOR UPDATE", "read-only transaction"),
    ("SELECT nextval('numbers')", ""),
    ("SELECT setval('numbers', 9)", ""),
    ("SELECT writer()", "read-only transaction"),
    ("SELECT * FROM secrets", "`secrets` is not listed"),
    ("SELECT 1 FROM orders WHERE EXISTS (SELECT FROM secrets)", "`secrets` is not listed"),
    ("SELECT 1 FROM secrets WHERE false", "`secrets` is not listed"),
    ("WITH orders AS (SELECT * FROM secrets) SELECT * FROM orders", "`secrets`"),
    ("SELECT * FROM leak", "`secrets` is not listed"),
    ("SELECT * FROM inlined()", "`secrets` is not listed"),
    ("SELECT peek()", "`secrets` is not listed"),
    ("SELECT * FROM private", "permission denied"),
    ("SELECT * FROM pg_class", "`pg_class` is not listed"),
    ("SELECT * FROM pg_catalog.pg_roles", "not listed"),
    ("SELECT * FROM information_schema.tables", "not listed"),
    ("SELECT pg_read_file('/etc/passwd')", "permission denied"),
    ("SELECT lo_import('/etc/passwd')", "permission denied"),
    ("SELECT query_to_xml('SELECT * FROM secrets', true, true, '')", "`secrets` is not listed"),
];

const DENIED_TO_ADMIN: &[(&str, &str)] = &[
    ("INSERT INTO orders VALUES (3, 'x', 1)", "only a query"),
    ("SELECT nextval('numbers')", "read-only transaction"),
    ("SELECT setval('numbers', 9)", "read-only transaction"),
    ("SELECT writer()", "read-only transaction"),
    ("SELECT * FROM private", "`private` is not listed"),
    ("SELECT id FROM shown", "`private` is not listed"),
];

#[tokio::test]
async fn postgres_values_keep_their_exact_form() {
    let shop = Shop::open().await;
    shop.admin
        .batch_execute(
            "CREATE TYPE mood AS ENUM ('sad', 'it''s ok'); CREATE DOMAIN cents AS bigint;
             CREATE TYPE pair AS (a int, b text);
             ALTER ROLE reader SET datestyle = 'German'; ALTER ROLE reader SET timezone = 'Asia/Tokyo';
             ALTER ROLE reader SET bytea_output = 'escape'; ALTER ROLE reader SET search_path = pg_catalog",
        )
        .await
        .unwrap();
    let database = shop.reader(settings(&[]));
    for (sql, kind, value) in [
        ("NULL::int", "int4", json!(null)),
        ("true", "bool", json!(true)),
        ("9223372036854775807::bigint", "int8", json!(i64::MAX)),
        ("0.10::numeric", "numeric", json!("0.10")),
        (
            "12345678901234567890.12345678901234567890::numeric",
            "numeric",
            json!("12345678901234567890.12345678901234567890"),
        ),
        ("'NaN'::numeric", "numeric", json!("NaN")),
        ("0.1::float8", "float8", json!(0.1)),
        ("0.1::float4", "float4", json!(0.1)),
        ("'-Infinity'::float8", "float8", json!("-Infinity")),
        ("'a\nb'::text", "text", json!("a\nb")),
        ("'ab'::char(4)", "bpchar", json!("ab  ")),
        ("'\\x00ff'::bytea", "bytea", json!({"hex": "00ff"})),
        ("'2026-01-02'::date", "date", json!("2026-01-02")),
        ("'03:04:05.5'::time", "time", json!("03:04:05.5")),
        (
            "'2026-01-02 03:04:05.123456'::timestamp",
            "timestamp",
            json!("2026-01-02T03:04:05.123456"),
        ),
        ("'2026-01-02 03:04:05+02'::timestamptz", "timestamptz", json!("2026-01-02T01:04:05Z")),
        ("'infinity'::timestamptz", "timestamptz", json!("infinity")),
        ("'0044-03-15 00:00:00 BC'::timestamp", "timestamp", json!("0044-03-15 00:00:00 BC")),
        ("'1 year 2 days 03:00'::interval", "interval", json!("P1Y2DT3H")),
        (
            "'6f2c1c1e-0000-4000-8000-000000000001'::uuid",
            "uuid",
            json!("6f2c1c1e-0000-4000-8000-000000000001"),
        ),
        ("'10.0.0.0/8'::cidr", "cidr", json!("10.0.0.0/8")),
        ("'::1'::inet", "inet", json!("::1")),
        ("'{\"b\": [1, null], \"a\": 1.5}'::jsonb", "jsonb", json!({"a": 1.5, "b": [1, null]})),
        (
            "'{\"a\": 0.12345678901234567890}'::jsonb",
            "jsonb",
            json!("{\"a\": 0.12345678901234567890}"),
        ),
        ("'it''s ok'::public.mood", "mood", json!("it's ok")),
        ("5::public.cents", "int8", json!(5)),
        ("ROW(1, 'x y')::public.pair", "pair", json!("(1,\"x y\")")),
        ("ARRAY[1, NULL, 3]", "int4[]", json!([1, null, 3])),
        ("ARRAY[['a', 'b,'], ['\"', 'NULL']]", "text[]", json!([["a", "b,"], ["\"", "NULL"]])),
        ("ARRAY[1.50::numeric]", "numeric[]", json!(["1.50"])),
        ("ARRAY['sad'::public.mood]", "mood[]", json!(["sad"])),
        (
            "ARRAY['2026-01-02 00:00+00'::timestamptz]",
            "timestamptz[]",
            json!(["2026-01-02T00:00:00Z"]),
        ),
        ("ARRAY['\\x01'::bytea]", "bytea[]", json!([{"hex": "01"}])),
        ("int4range(1, 5)", "int4range", json!("[1,5)")),
        ("'(1,2)'::point", "point", json!("(1,2)")),
        ("B'101'", "bit", json!("101")),
        ("'1.20'::money", "money", json!("$1.20")),
    ] {
        let answer = check_rows(&database, &format!("SELECT {sql} AS v"), json!([[value]])).await;
        let column = &answer.columns[0];
        assert_eq!((column.name.as_str(), column.kind.as_str()), ("v", kind), "{sql}");
    }
}

#[tokio::test]
async fn postgres_is_told_to_stop() {
    let shop = Shop::open().await;
    let quick = shop.reader(Settings { limits: short(300), ..settings(&["orders"]) });
    for sql in [
        "SELECT pg_sleep(60)",
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
        "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b",
    ] {
        assert_eq!(quick.query(sql).await, Err(DatabaseError::Deadline(300)), "{sql}");
    }
    until("the server works on nothing", async || shop.running().await == 0).await;
    // A lock that somebody holds is waited for no longer than a statement may take.
    shop.admin.batch_execute("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let told = quick.query("SELECT * FROM orders").await.unwrap_err();
    assert!(matches!(told, DatabaseError::Deadline(_) | DatabaseError::Busy(_)), "{told:?}");
    shop.admin.batch_execute("ROLLBACK").await.unwrap();

    let patient = shop.reader(Settings { limits: short(600_000), ..settings(&["orders"]) });
    let asking = tokio::spawn(async move { patient.query("SELECT pg_sleep(600)").await });
    until("the server works", async || shop.running().await == 1).await;
    asking.abort();
    until("a dropped query is gone", async || shop.running().await == 0).await;
}

#[tokio::test]
async fn postgres_answers_stay_small() {
    let shop = Shop::open().await;
    let limits = Limits { received_bytes_max: 1_000_000, ..Limits::default() };
    let database = shop.reader(Settings { limits, ..settings(&["orders"]) });
    let many = database.query("SELECT generate_series(1, 1000000000)").await.unwrap();
    assert_eq!((many.rows.len(), many.cut), (200, Some(Cut::RowsMax(200))));
    assert_eq!(many.rows[199][0], json!(200));
    let wide =
        database.query("SELECT repeat('x', 4000) FROM generate_series(1, 1000000)").await.unwrap();
    assert_eq!((wide.rows.len(), wide.cut), (16, Some(Cut::AnswerBytesMax(65_536))));
    let long = database.query("SELECT repeat('x', 100000)").await.unwrap();
    assert_eq!((long.rows.len(), long.cells_cut), (1, 1));
    let huge = database.query("SELECT repeat('x', 50000000)").await;
    assert_eq!(huge, Err(DatabaseError::TooLarge(1_000_000)));
    let exactly = database.query("SELECT generate_series(1, 200)").await.unwrap();
    assert_eq!((exactly.rows.len(), exactly.cut), (200, None));
    until("nothing goes on", async || shop.running().await == 0).await;
    let (one, two) = tokio::join!(database.query("SELECT 1"), database.query("SELECT 2"));
    assert_eq!((&one.unwrap().rows[0][0], &two.unwrap().rows[0][0]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn postgres_roles_that_could_write_are_refused() {
    let shop = Shop::open().await;
    for (user, password, words) in [
        ("admin", PASSWORD, "superuser"),
        ("writer", "r3ader-pass", "may write `orders`"),
        ("climber", "r3ader-pass", "may write `orders`"),
        ("spy", "r3ader-pass", "`pg_read_server_files`"),
    ] {
        let url = secret(shop.url(user, password));
        let database = Database::postgres(&url, settings(&["orders"])).unwrap();
        let told = database.query("SELECT 1").await;
        let right = matches!(&told, Err(DatabaseError::PowerfulRole(why)) if why.contains(words));
        assert!(right, "{user}: {told:?}");
        let allowed = Settings { allow_powerful_role: true, ..settings(&["orders"]) };
        let database = Database::postgres(&url, allowed).unwrap();
        check_rows(&database, "SELECT 1", json!([[1]])).await;
    }
}

#[tokio::test]
async fn postgres_outages_are_told_without_the_password() {
    let mut shop = Shop::open().await;
    let wrong = Database::postgres(&secret(shop.url("reader", "hunter2")), settings(&[])).unwrap();
    let told = wrong.query("SELECT 1").await.unwrap_err();
    assert!(matches!(told, DatabaseError::Login(_)), "{told:?}");
    assert!(!format!("{told} {told:?} {wrong:?}").contains("hunter2"));
    for url in ["postgres://u:hunter2@h/x?nonsense=hunter2", "hunter2", "postgres://u:hunter2@[/x"]
    {
        let told = Database::postgres(&secret(url), settings(&[])).unwrap_err();
        assert!(matches!(told, DatabaseError::Configuration(_)), "{url}");
        assert!(!format!("{told} {told:?}").contains("hunter2"), "{told}");
    }

    let tls = format!("{}?sslmode=require", shop.url("reader", "r3ader-pass"));
    let told = Database::postgres(&secret(tls), settings(&[])).unwrap().query("SELECT 1").await;
    assert!(matches!(told, Err(DatabaseError::Unreachable(_))), "{told:?}");

    let database = shop.reader(settings(&[]));
    let asking = tokio::spawn({
        let database = database.clone();
        async move { database.query("SELECT pg_sleep(600)").await }
    });
    until("the server works", async || shop.running().await == 1).await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'";
    shop.admin.query(cut, &[]).await.unwrap();
    let told = asking.await.unwrap();
    assert!(matches!(told, Err(DatabaseError::Lost(_))), "{told:?}");

    shop.server.stop();
    let told = database.query("SELECT 1").await;
    assert!(matches!(told, Err(DatabaseError::Unreachable(_))), "{told:?}");
}
