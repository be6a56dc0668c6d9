//! The keys of sessions' content. What writes runs within the writer's transaction.

use async_trait::async_trait;
use engine::ports::{Doomed, Keys, SessionKey, StoreError};
use kernel::units::{SessionId, Tenant};
use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::Sqlite;
use super::row::{in_order, instant};
use super::writer::{Done, Work};

#[async_trait]
impl Keys for Sqlite {
    async fn key(
        &self,
        tenant: &Tenant,
        session: SessionId,
    ) -> Result<Option<SessionKey>, StoreError> {
        let tenant = tenant.clone();
        self.readers.read(move |db| Ok(key(db, &tenant, session)?)).await
    }

    async fn destroy(&self, tenant: &Tenant, which: &Doomed) -> Result<Vec<SessionId>, StoreError> {
        match self.writer.ask(Work::Destroy(tenant.clone(), which.clone())).await? {
            Done::Destroyed(sessions) => Ok(sessions),
            Done::Nothing | Done::Head(_) | Done::Kept(_) | Done::Taken(_) | Done::Count(_) => {
                Ok(Vec::new())
            }
        }
    }
}

fn key(db: &Connection, tenant: &Tenant, session: SessionId) -> Result<Option<SessionKey>> {
    let sql = "SELECT user, environment, made, wrapped FROM session_key
               WHERE tenant = ?1 AND session = ?2 AND wrapped IS NOT NULL";
    let mut statement = db.prepare_cached(sql)?;
    let found = statement.query_row(params![tenant.0, session.0.as_bytes()], |row| {
        let wrapped: Vec<u8> = row.get(3)?;
        Ok(SessionKey {
            user: row.get(0)?,
            environment: row.get(1)?,
            made: instant(row, 2)?,
            wrapped: wrapped.into(),
        })
    });
    found.optional()
}

/// Keeps the key that comes with a session's first facts.
pub(super) fn keep(
    db: &Connection,
    tenant: &Tenant,
    session: SessionId,
    key: &SessionKey,
) -> Result<()> {
    let sql = "INSERT OR IGNORE INTO session_key VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (id, made) = (session.0.as_bytes(), in_order(key.made));
    let values = params![tenant.0, id, key.user, key.environment, made, &key.wrapped[..]];
    db.prepare_cached(sql)?.execute(values).map(drop)
}

/// Destroys keys and blanks the titles of their sessions.
pub(super) fn destroy(db: &Connection, tenant: &Tenant, which: &Doomed) -> Result<Vec<SessionId>> {
    let made;
    let id;
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
        "UPDATE session_key SET wrapped = NULL
         WHERE tenant = ?1 AND wrapped IS NOT NULL AND {clause} RETURNING session"
    );
    let all: Vec<&dyn ToSql> = std::iter::once(&tenant.0 as &dyn ToSql).chain(values).collect();
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(&all[..], |row| row.get::<_, [u8; 16]>(0))?;
    let ids: Vec<[u8; 16]> = rows.collect::<Result<_>>()?;
    for id in &ids {
        let sql = "UPDATE session SET title = '' WHERE tenant = ?1 AND id = ?2";
        db.prepare_cached(sql)?.execute(params![tenant.0, id])?;
    }
    Ok(ids.into_iter().map(|id| SessionId(uuid::Uuid::from_bytes(id))).collect())
}
