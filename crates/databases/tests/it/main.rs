//! The connections against real engines: SQLite in the process, PostgreSQL and MariaDB as
//! private servers that are started for a test and stopped with it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod mariadb;
mod postgres;
mod servers;
mod sqlite;

use databases::{Answer, Database, DatabaseError, Limits, Settings};
use secrecy::SecretString;

/// The relations that tests may read, unless they say otherwise.
fn settings(tables: &[&str]) -> Settings {
    Settings { tables: tables.iter().map(|&name| name.to_owned()).collect(), ..Settings::default() }
}

fn short(statement_ms: u64) -> Limits {
    Limits { statement_ms, ..Limits::default() }
}

fn secret(text: impl Into<String>) -> SecretString {
    SecretString::from(text.into())
}

/// Each statement is refused as not permitted, with these words in the refusal.
async fn check_denied(database: &Database, cases: &[(&str, &str)]) {
    for (sql, words) in cases {
        let told = database.query(sql).await;
        let right = matches!(&told, Err(DatabaseError::Denied(why)) if why.contains(words));
        assert!(right, "{sql}\nwanted {words}\ngot {told:?}");
    }
}

/// One row, as JSON with its types.
async fn check_rows(database: &Database, sql: &str, rows: serde_json::Value) -> Answer {
    let answer = database.query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert_eq!(serde_json::to_value(&answer.rows).unwrap(), rows, "{sql}");
    answer
}

/// Polls the real world: something in another process comes true, or ten seconds pass.
async fn until(what: &str, mut true_now: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if true_now().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("ten seconds passed and not: {what}");
}
