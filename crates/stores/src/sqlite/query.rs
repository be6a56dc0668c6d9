//! What readers ask. Every query but that of due work is scoped by tenant (L27).

use bytes::Bytes;
use engine::ports::{Listed, Listing, StoreError};
use kernel::event::Stored;
use kernel::units::{ContentHash, SessionId, Tenant, UnixMs};
use rusqlite::{Connection, OptionalExtension, params};

use super::commit::ALL;
use super::contents::is_erased;
use super::error::{Failure, HOW_TO_RESTORE};
use super::row::{SESSION_COLUMNS, Session, in_order, listed, status_code, stored};
use super::waits::roomy;

/// The most rows that one list gives.
const LIST_ROWS_MAX: u32 = 1_000;

pub(super) fn missing(session: SessionId) -> StoreError {
    StoreError::Missing(format!("session {session}"))
}

/// A session as a writer sees it.
pub(super) fn session(
    db: &Connection,
    tenant: &Tenant,
    session: SessionId,
) -> rusqlite::Result<Option<Session>> {
    let mut statement = db.prepare_cached(&one_session())?;
    statement.query_row(params![tenant.0, session.0.as_bytes()], Session::from_row).optional()
}

fn one_session() -> String {
    format!("SELECT {SESSION_COLUMNS} FROM session WHERE tenant = ?1 AND id = ?2")
}

pub(super) fn look(db: &Connection, tenant: &Tenant, id: SessionId) -> Result<Listed, Failure> {
    let mut statement = db.prepare_cached(&one_session())?;
    let row = statement.query_row(params![tenant.0, id.0.as_bytes()], listed).optional()?;
    Ok(row.ok_or_else(|| missing(id))?)
}

pub(super) fn events(
    db: &Connection,
    tenant: &Tenant,
    id: SessionId,
    after: u64,
    rows_max: u32,
) -> Result<Vec<Stored>, Failure> {
    let sql = "SELECT key FROM session WHERE tenant = ?1 AND id = ?2";
    let key: Option<i64> = db
        .prepare_cached(sql)?
        .query_row(params![tenant.0, id.0.as_bytes()], |row| row.get(0))
        .optional()?;
    let key = key.ok_or_else(|| missing(id))?;
    if is_erased(db, tenant, id)? {
        return Err(StoreError::Erased(id).into());
    }
    let sql = "SELECT seq, at, format, prev, body FROM event
               WHERE session = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
    let mut statement = db.prepare_cached(sql)?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![key, after, rows_max], stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn due(
    db: &Connection,
    now: UnixMs,
    rows_max: u32,
) -> Result<Vec<(Tenant, SessionId)>, Failure> {
    let sql = "SELECT tenant, id FROM session WHERE due <= ?1 AND lease_until <= ?1
               ORDER BY due, key LIMIT ?2";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params![in_order(now), rows_max], |row| {
        Ok((Tenant(row.get(0)?), SessionId(uuid::Uuid::from_bytes(row.get(1)?))))
    })?;
    let mut due: Vec<(Tenant, SessionId)> = rows.collect::<Result<_, _>>()?;
    let rows_left = rows_max.saturating_sub(u32::try_from(due.len()).unwrap_or(u32::MAX));
    let waiting = roomy(db, in_order(now), rows_left)?;
    due.extend(waiting.into_iter().filter(|found| !due.contains(found)).collect::<Vec<_>>());
    Ok(due)
}

pub(super) fn tenants(db: &Connection) -> Result<Vec<Tenant>, Failure> {
    let mut statement = db.prepare_cached("SELECT DISTINCT tenant FROM session ORDER BY tenant")?;
    let rows = statement.query_map([], |row| row.get(0).map(Tenant))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn list(
    db: &Connection,
    tenant: &Tenant,
    listing: &Listing,
) -> Result<Vec<Listed>, Failure> {
    let sql = format!(
        "SELECT {SESSION_COLUMNS} FROM session
         WHERE tenant = ?1 AND id < coalesce(?2, x'ffffffffffffffffffffffffffffffffff')
           AND (?3 IS NULL OR status = ?3)
         ORDER BY id DESC LIMIT ?4"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let before = listing.before.map(|id| id.0.into_bytes());
    let (status, rows_max) = (listing.status.map(status_code), listing.rows_max.min(LIST_ROWS_MAX));
    let rows = statement.query_map(params![tenant.0, before, status, rows_max], listed)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn payload(
    db: &Connection,
    tenant: &Tenant,
    owner: Option<SessionId>,
    hash: ContentHash,
) -> Result<Bytes, Failure> {
    let sql = "SELECT sealed, bytes FROM payload
               WHERE tenant = ?1 AND owner IN (?2, ?3) AND hash = ?4
               ORDER BY owner DESC LIMIT 1";
    let mut statement = db.prepare_cached(sql)?;
    let own = owner.map_or(ALL, |owner| owner.0.into_bytes());
    let found: Option<(bool, Vec<u8>)> = statement
        .query_row(params![tenant.0, own, ALL, hash.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (sealed, bytes) = found.ok_or_else(|| StoreError::Missing(format!("payload `{hash}`")))?;
    if !sealed && ContentHash::of(&bytes) != hash {
        let what = format!("payload `{hash}` was altered\nhint: put a backup in its place");
        return Err(StoreError::Damaged(what).into());
    }
    Ok(bytes.into())
}

/// Asks SQLite whether the file's structure holds.
pub(super) fn check(db: &Connection) -> Result<(), Failure> {
    let found: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    Err(StoreError::Damaged(format!("{found}{HOW_TO_RESTORE}")).into())
}
