//! The tables, and how older ones become newer ones.
//!
//! The one row of `schema_version` says how many steps were taken; steps are only ever
//! added. Many processes may start at once: one takes the steps, under a lock of the whole
//! database's, the others wait and find them taken. PostgreSQL takes back a step that fails.

use super::connection::Connection;
use super::error::Failure;
use super::open::OpenError;
use super::row::get;

/// Each step from one version to the next.
const STEPS: [&str; 1] = [include_str!("schema/0001.sql")];

/// The version that this program writes.
pub(super) const VERSION: usize = STEPS.len();

/// What is there.
enum Found {
    /// The present tables.
    Present,
    /// None yet, or older ones after so many steps.
    Steps(usize),
}

/// Brings the schema's tables to the present version. A store that is up to date needs no
/// right to make any.
pub(super) async fn migrate(db: &Connection, schema: &str) -> Result<(), OpenError> {
    refuse_encoding(db).await?;
    if let Found::Present = look(db, schema).await? {
        return Ok(());
    }
    db.script("BEGIN").await?;
    match take_steps(db, schema).await {
        Ok(()) => Ok(db.script("COMMIT").await?),
        Err(error) => {
            db.script("ROLLBACK").await?;
            Err(error)
        }
    }
}

async fn refuse_encoding(db: &Connection) -> Result<(), OpenError> {
    let row = db.row("SELECT current_setting('server_encoding')", &[]).await?;
    let encoding: String = row.as_ref().map_or(Ok(String::new()), |row| get(row, 0))?;
    if encoding == "UTF8" { Ok(()) } else { Err(OpenError::Encoding { encoding }) }
}

/// Reads the version, or refuses what is not ours.
async fn look(db: &Connection, schema: &str) -> Result<Found, OpenError> {
    let sql = "SELECT count(*), count(*) FILTER (WHERE relname = 'schema_version')
               FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
               WHERE nspname = $1 AND relkind IN ('r', 'p', 'v', 'm', 'f')";
    let row = db.row(sql, &[&schema]).await?;
    let (tables, versions): (i64, i64) = match &row {
        Some(row) => (get(row, 0)?, get(row, 1)?),
        None => (0, 0),
    };
    match (tables, versions) {
        (0, _) => Ok(Found::Steps(0)),
        (_, 0) => Err(OpenError::Foreign { schema: schema.to_owned() }),
        (..) => read_version(db, schema).await,
    }
}

async fn read_version(db: &Connection, schema: &str) -> Result<Found, OpenError> {
    let row = db.row("SELECT version FROM schema_version", &[]).await?;
    let found: i64 = row.as_ref().map_or(Ok(0), |row| get(row, 0))?;
    match usize::try_from(found) {
        Ok(VERSION) => Ok(Found::Present),
        Ok(steps) if steps < VERSION => Ok(Found::Steps(steps)),
        Ok(_) | Err(_) => Err(OpenError::Newer { schema: schema.to_owned(), found }),
    }
}

/// Within a transaction: waits for whoever is migrating, looks again, and goes on there.
async fn take_steps(db: &Connection, schema: &str) -> Result<(), OpenError> {
    let sql = "SELECT pg_advisory_xact_lock(hashtextextended('windlass ' || $1, 0))";
    db.rows(sql, &[&schema]).await?;
    let Found::Steps(taken) = look(db, schema).await? else { return Ok(()) };
    db.script(&format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\"")).await?;
    for step in &STEPS[taken..] {
        db.script(step).await?;
    }
    note_version(db).await?;
    Ok(())
}

async fn note_version(db: &Connection) -> Result<(), Failure> {
    db.script("CREATE TABLE IF NOT EXISTS schema_version (version bigint NOT NULL)").await?;
    db.script("DELETE FROM schema_version").await?;
    let version = i64::try_from(VERSION).unwrap_or(i64::MAX);
    db.change("INSERT INTO schema_version VALUES ($1)", &[&version]).await.map(drop)
}
