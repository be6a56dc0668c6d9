//! Whose content sessions are, and erasing it. What writes runs within the writer's
//! transaction.

use async_trait::async_trait;
use engine::ports::{Content, Contents, Doomed, StoreError};
use kernel::units::{SessionId, Tenant};
use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::Sqlite;
use super::error::Failure;
use super::row::{in_order, instant};
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

    async fn erase(&self, tenant: &Tenant, which: &Doomed) -> Result<Vec<SessionId>, StoreError> {
        match self.writer.ask(Work::Erase(tenant.clone(), which.clone())).await? {
            Done::Erased(sessions) => Ok(sessions),
            Done::Nothing | Done::Head(_) | Done::Kept(_) | Done::Taken(_) | Done::Count(_) => {
                Ok(Vec::new())
            }
        }
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
        Ok((content, row.get::<_, bool>(4)?))
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
                 WHERE tenant = ?1 AND session = ?2 AND erased = 1)";
    let values = params![tenant.0, session.0.as_bytes()];
    db.prepare_cached(sql)?.query_row(values, |row| row.get(0))
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

/// Erases content: keys, payloads, titles, and events that were not sealed.
pub(super) fn erase(db: &Connection, tenant: &Tenant, which: &Doomed) -> Result<Vec<SessionId>> {
    let doomed = doomed(db, tenant, which)?;
    for (id, sealed) in &doomed {
        let values = params![tenant.0, id];
        for sql in [
            "UPDATE session_content SET wrapped = NULL, erased = 1
             WHERE tenant = ?1 AND session = ?2",
            "UPDATE session SET title = '' WHERE tenant = ?1 AND id = ?2",
            "DELETE FROM payload WHERE tenant = ?1 AND owner = ?2",
        ] {
            db.prepare_cached(sql)?.execute(values)?;
        }
        if !sealed {
            let sql = "UPDATE event SET body = '' WHERE session =
                         (SELECT key FROM session WHERE tenant = ?1 AND id = ?2)";
            db.prepare_cached(sql)?.execute(values)?;
        }
    }
    Ok(doomed.into_iter().map(|(id, _)| SessionId(uuid::Uuid::from_bytes(id))).collect())
}

/// The sessions that are meant and not erased yet, each with whether it is sealed.
fn doomed(db: &Connection, tenant: &Tenant, which: &Doomed) -> Result<Vec<([u8; 16], bool)>> {
    let (made, id);
    let (clause, values): (&str, Vec<&dyn ToSql>) = match which {
        Doomed::Session(session) => {
            id = session.0.into_bytes();
            ("session = ?2", vec![&id])
        }
        Doomed::User(user) => ("user = ?2", vec![user]),
        Doomed::Environment { name, before } => {
            made = in_order(*before);
            ("environment = ?2 AND made < ?3", vec![name, &made])
        }
    };
    let sql = format!(
        "SELECT session, wrapped IS NOT NULL FROM session_content
         WHERE tenant = ?1 AND erased = 0 AND {clause}"
    );
    let all: Vec<&dyn ToSql> = std::iter::once(&tenant.0 as &dyn ToSql).chain(values).collect();
    let mut statement = db.prepare_cached(&sql)?;
    statement.query_map(&all[..], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
