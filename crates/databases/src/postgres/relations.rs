//! Which relations a statement really reads, by the locks that it took.
//!
//! PostgreSQL locks each relation that a plan names until the transaction ends. That list
//! is the server's own understanding of the statement. Allowed are: the listed relations,
//! their partitions, indexes and long values, and the tables under a listed view, but
//! those only if the role cannot read them directly: otherwise a lock does not tell which
//! way they were read.

use tokio_postgres::{Client, Error, SimpleQueryMessage};

use super::error::running;
use crate::DatabaseError;

/// A function alone: no relation is locked by asking.
const LOCKED: &str = "SELECT DISTINCT relation::pg_catalog.oid FROM pg_catalog.pg_lock_status() \
    WHERE locktype = 'relation' AND pid = pg_catalog.pg_backend_pid() ORDER BY 1";

const UNLISTED: &str = "
WITH RECURSIVE
listed(oid) AS (
  SELECT pg_catalog.to_regclass(name)::pg_catalog.oid FROM pg_catalog.unnest($1::text[]) AS name
  WHERE pg_catalog.to_regclass(name) IS NOT NULL
),
known(oid, listed) AS (
  SELECT oid, true FROM listed
  UNION
  SELECT next.oid, next.listed FROM known CROSS JOIN LATERAL (
    SELECT i.inhrelid AS oid, known.listed AS listed
    FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = known.oid
    UNION ALL
    SELECT d.refobjid, false FROM pg_catalog.pg_rewrite AS r
    JOIN pg_catalog.pg_depend AS d
      ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
      AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    WHERE r.ev_class = known.oid AND d.refobjid <> known.oid
  ) AS next
),
used(oid) AS (
  SELECT coalesce(owner.oid, main.oid) FROM pg_catalog.unnest($2::pg_catalog.oid[]) AS lock(oid)
  LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = lock.oid
  CROSS JOIN LATERAL (SELECT coalesce(i.indrelid, lock.oid) AS oid) AS main
  LEFT JOIN pg_catalog.pg_class AS owner ON owner.reltoastrelid = main.oid
)
SELECT used.oid::pg_catalog.regclass::text FROM used
WHERE NOT EXISTS (
  SELECT FROM known WHERE known.oid = used.oid
    AND (known.listed OR NOT pg_catalog.has_any_column_privilege(used.oid, 'SELECT'))
)
ORDER BY 1 LIMIT 1";

/// What the transaction has locked so far.
pub(super) async fn locked(client: &Client) -> Result<Vec<u32>, Error> {
    let mut oids = Vec::new();
    for message in client.simple_query(LOCKED).await? {
        if let SimpleQueryMessage::Row(row) = message {
            // What is no number is no relation that could be listed: zero never is.
            oids.push(row.get(0).and_then(|oid| oid.parse().ok()).unwrap_or(0));
        }
    }
    Ok(oids)
}

/// Refuses if one of them is not listed. Leaves no lock of its own.
pub(super) async fn check(
    client: &Client,
    locked: &[u32],
    tables: &[String],
) -> Result<(), DatabaseError> {
    let own = |error: Error| running(error, 0).blame(DatabaseError::Configuration);
    client.batch_execute("SAVEPOINT look").await.map_err(own)?;
    let unlisted = client.query_opt(UNLISTED, &[&tables, &locked]).await.map_err(own)?;
    client.batch_execute("ROLLBACK TO SAVEPOINT look").await.map_err(own)?;
    match unlisted {
        None => Ok(()),
        Some(row) => {
            let name: Option<String> = row.get(0);
            let name = name.unwrap_or_else(|| "?".to_owned());
            Err(DatabaseError::Denied(format!("the relation `{name}` is not listed")))
        }
    }
}
