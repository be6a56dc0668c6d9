//! Whose content sessions are, and erasing it. What writes runs within the writer's
//! transaction.

use std::time::Duration;

use async_trait::async_trait;
use engine::alerts;
use engine::ports::{Content, Contents, Doomed, ERASABLE_ROWS_MAX, Status, StoreError};
use kernel::units::{SessionId, Tenant};
use rusqlite::types::ToSql;
use rusqlite::{Connection, Error, OptionalExtension, Result, Row, ffi, params};

use super::Sqlite;
use super::error::Failure;
use super::row::{in_order, instant, status_code};
use super::schema::patiently;
use super::writer::{Done, Work};

#[async_trait]
impl Contents for Sqlite {
    async fn content(
        &self,
        tenant: &Tenant,
        session: SessionId,
    ) -> Result<Option<Content>, StoreError> {
        let tenant = tenant.clone();
        self.readers.read(move |db| content(db, &tenant, session)).await
    }

    async fn erasable(
        &self,
        tenant: &Tenant,
        which: &Doomed,
        after: Option<SessionId>,
        rows_max: u32,
    ) -> Result<Vec<SessionId>, StoreError> {
        let (tenant, which) = (tenant.clone(), which.clone());
        let rows_max = rows_max.min(ERASABLE_ROWS_MAX);
        self.readers.read(move |db| Ok(doomed(db, &tenant, &which, after, rows_max)?)).await
    }

    async fn erase(&self, tenant: &Tenant, which: &Doomed) -> Result<Vec<SessionId>, StoreError> {
        match self.writer.ask(Work::Erase(tenant.clone(), which.clone())).await? {
            Done::Erased(sessions) => Ok(sessions),
            Done::Nothing
            | Done::Head(_)
            | Done::Kept(_)
            | Done::Taken(_)
            | Done::Count(_)
            | Done::Asked(_) => Ok(Vec::new()),
        }
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.writer.scrub().await
    }
}

fn content(
    db: &Connection,
    tenant: &Tenant,
    session: SessionId,
) -> Result<Option<Content>, Failure> {
    let sql = "SELECT user, environment, made, wrapped, erased FROM session_content
               WHERE tenant = ?1 AND session = ?2";
    let mut statement = db.prepare_cached(sql)?;
    let found = statement.query_row(params![tenant.0, session.0.as_bytes()], |row| {
        let wrapped: Option<Vec<u8>> = row.get(3)?;
        let content = Content {
            user: row.get(0)?,
            environment: row.get(1)?,
            made: instant(row, 2)?,
            key: wrapped.map(Into::into),
        };
        Ok((content, row.get::<_, i64>(4)? > 0))
    });
    match found.optional()? {
        Some((_, true)) => Err(StoreError::Erased(session).into()),
        Some((content, false)) => Ok(Some(content)),
        None => Ok(None),
    }
}

/// Whether a session's content was erased.
pub(super) fn is_erased(db: &Connection, tenant: &Tenant, session: SessionId) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM session_content
                 WHERE tenant = ?1 AND session = ?2 AND erased > 0)";
    let values = params![tenant.0, session.0.as_bytes()];
    db.prepare_cached(sql)?.query_row(values, |row| row.get(0))
}

/// Refuses what would be written to a session whose content was erased.
pub(super) fn check_there(
    db: &Connection,
    tenant: &Tenant,
    session: Option<SessionId>,
) -> Result<(), Failure> {
    match session {
        Some(session) if is_erased(db, tenant, session)? => Err(StoreError::Erased(session).into()),
        Some(_) | None => Ok(()),
    }
}

/// Keeps what comes with a session's first facts.
pub(super) fn keep(
    db: &Connection,
    tenant: &Tenant,
    session: SessionId,
    content: &Content,
) -> Result<()> {
    let sql = "INSERT OR IGNORE INTO session_content
                 (tenant, session, user, environment, made, wrapped)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (id, made) = (session.0.as_bytes(), in_order(content.made));
    let Content { user, environment, key, .. } = content;
    let values = params![tenant.0, id, user, environment, made, key.as_deref()];
    db.prepare_cached(sql)?.execute(values).map(drop)
}

/// What goes with a session's content, as statements of its tenant and its id.
const ERASURES: [&str; 6] = [
    "UPDATE session_content SET wrapped = NULL, erased = 2 WHERE tenant = ?1 AND session = ?2",
    "UPDATE session SET title = '', due = NULL, waits_scope = NULL, waits_measure = NULL,
       waits_needed = NULL, status = CASE WHEN status IN (?3, ?4) THEN ?5 ELSE status END
     WHERE tenant = ?1 AND id = ?2",
    "DELETE FROM payload WHERE tenant = ?1 AND owner = ?2",
    "DELETE FROM event WHERE session = (SELECT key FROM session WHERE tenant = ?1 AND id = ?2)",
    "UPDATE audit SET content = NULL
     WHERE tenant = ?1 AND session = ?2 AND content IS NOT NULL",
    "UPDATE alert SET body = json_set(body, '$.text', ?6) WHERE tenant = ?1 AND session = ?2",
];

/// Erases content. What SQLite frees by it is overwritten at once; copies that it made
/// when it moved rows between pages are left to [`overwrite_traces`].
pub(super) fn erase(db: &Connection, tenant: &Tenant, which: &Doomed) -> Result<Vec<SessionId>> {
    db.execute_batch("PRAGMA secure_delete = ON")?;
    let erased = erase_all(db, tenant, which);
    db.execute_batch("PRAGMA secure_delete = OFF")?;
    erased
}

fn erase_all(db: &Connection, tenant: &Tenant, which: &Doomed) -> Result<Vec<SessionId>> {
    let doomed = doomed(db, tenant, which, None, u32::MAX)?;
    let [running, parked, cancelled] =
        [Status::Running, Status::Parked, Status::Cancelled].map(status_code);
    for session in &doomed {
        let id = session.0.as_bytes();
        let values: [&dyn ToSql; 6] =
            [&tenant.0, id, &running, &parked, &cancelled, &alerts::ERASED];
        for sql in ERASURES {
            let mut statement = db.prepare_cached(sql)?;
            let used = statement.parameter_count();
            statement.execute(&values[..used])?;
        }
    }
    Ok(doomed)
}

/// The sessions that are meant and not erased yet, in the order of their ids.
fn doomed(
    db: &Connection,
    tenant: &Tenant,
    which: &Doomed,
    after: Option<SessionId>,
    rows_max: u32,
) -> Result<Vec<SessionId>> {
    let (made, id);
    let (clause, values): (&str, Vec<&dyn ToSql>) = match which {
        Doomed::Session(session) => {
            id = session.0.into_bytes();
            ("session = ?4", vec![&id])
        }
        Doomed::User(user) => ("user = ?4", vec![user]),
        Doomed::Environment { name, before } => {
            made = in_order(*before);
            ("environment = ?4 AND made < ?5", vec![name, &made])
        }
    };
    let sql = format!(
        "SELECT session FROM session_content
         WHERE tenant = ?1 AND erased = 0 AND session > ?2 AND {clause}
         ORDER BY session LIMIT ?3"
    );
    let after = after.map_or_else(Vec::new, |after| after.0.into_bytes().to_vec());
    let first: [&dyn ToSql; 3] = [&tenant.0, &after, &rows_max];
    let all: Vec<&dyn ToSql> = first.into_iter().chain(values).collect();
    let mut statement = db.prepare_cached(&sql)?;
    let ids = statement.query_map(&all[..], |row| row.get(0))?;
    ids.map(|id| id.map(|id| SessionId(uuid::Uuid::from_bytes(id)))).collect()
}

/// Writes the whole file anew where erasures left traces in it, and empties the
/// write-ahead log, which has the pages as they were before.
///
/// SQLite does not overwrite what it leaves behind when it moves rows between pages; a
/// file that is written anew has nothing but rows that are there.
pub(super) fn overwrite_traces(db: &Connection, wait: Duration) -> Result<()> {
    let marked = patiently(wait, || {
        db.execute("UPDATE session_content SET erased = 3 WHERE erased > 1", [])
    })?;
    if marked > 0 {
        patiently(wait, || db.execute_batch("VACUUM"))?;
        patiently(wait, || {
            db.execute("UPDATE session_content SET erased = 1 WHERE erased = 3", [])
        })?;
    }
    patiently(wait, || {
        let busy = |row: &Row<'_>| row.get::<_, bool>(0);
        let in_the_way = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], busy)?;
        if in_the_way { Err(busy_log()) } else { Ok(()) }
    })
}

/// Others still read what is in the write-ahead log.
fn busy_log() -> Error {
    let words = "others are reading: the write-ahead log cannot be emptied".to_owned();
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), Some(words))
}
