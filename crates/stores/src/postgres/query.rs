//! What is only read. Every query but that of due work is scoped by tenant (L27).

use bytes::Bytes;
use engine::ports::{Listed, Listing, StoreError};
use kernel::event::Stored;
use kernel::units::{ContentHash, SessionId, Tenant, UnixMs};
use uuid::Uuid;

use super::connection::Connection;
use super::error::{Failure, damaged};
use super::row::{
    SESSION_COLUMNS, get, in_order, listed, rows, session_id, status_code, stored, tenant,
};
use super::waits::{AWAITED, roomy};

/// The most rows that one list gives.
const LIST_ROWS_MAX: u32 = 1_000;

pub(super) fn missing(session: SessionId) -> StoreError {
    StoreError::Missing(format!("session {session}"))
}

pub(super) async fn look(
    db: &Connection,
    whose: &Tenant,
    id: SessionId,
) -> Result<Listed, Failure> {
    let sql = format!("SELECT {SESSION_COLUMNS} FROM session WHERE tenant = $1 AND id = $2");
    let row = db.row(&sql, &[&whose.0, &id.0]).await?;
    listed(&row.ok_or_else(|| missing(id))?)
}

/// One statement, so that it sees one moment: the session, whether its content was erased,
/// and behind them its events, or one row without any.
const EVENTS: &str = "SELECT event.seq, at, format, prev, body, EXISTS (
       SELECT FROM session_content AS content
       WHERE content.tenant = $1 AND content.session = $2 AND erased > 0)
     FROM session LEFT JOIN LATERAL (
       SELECT seq, at, format, prev, body FROM event
       WHERE event.session = session.key AND event.seq > $3 ORDER BY event.seq LIMIT $4)
       AS event ON true
     WHERE session.tenant = $1 AND session.id = $2 ORDER BY event.seq";

pub(super) async fn events(
    db: &Connection,
    tenant: &Tenant,
    id: SessionId,
    after: u64,
    rows_max: u32,
) -> Result<Vec<Stored>, Failure> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let found = db.rows(EVENTS, &[&tenant.0, &id.0, &after, &rows(rows_max)]).await?;
    let first = found.first().ok_or_else(|| missing(id))?;
    if get(first, 5)? {
        return Err(StoreError::Erased(id).into());
    }
    if get::<Option<i64>>(first, 0)?.is_none() {
        return Ok(Vec::new());
    }
    found.iter().map(stored).collect()
}

/// What is due. No row is locked: who wants one claims it, and of several one gets it.
pub(super) async fn due(
    db: &Connection,
    now: UnixMs,
    rows_max: u32,
) -> Result<Vec<(Tenant, SessionId)>, Failure> {
    let sql = "SELECT tenant, id FROM session WHERE due <= $1 AND lease_until <= $1
               ORDER BY due, key LIMIT $2";
    let (now, rows_max) = (in_order(now), rows(rows_max));
    let mut both = db.pipeline();
    let work = both.add(sql, vec![&now, &rows_max]);
    let awaited = both.add(AWAITED, vec![]);
    let brought = both.run().await?;
    let named = |row| Ok::<_, Failure>((tenant(row, 0)?, session_id(row, 1)?));
    let mut due: Vec<_> = brought.rows(work).iter().map(named).collect::<Result<_, _>>()?;
    let rows_left = rows_max.saturating_sub(i64::try_from(due.len()).unwrap_or(i64::MAX));
    let waiting = roomy(db, brought.rows(awaited), now, rows_left).await?;
    let more: Vec<_> = waiting.into_iter().filter(|found| !due.contains(found)).collect();
    due.extend(more);
    Ok(due)
}

/// Steps from tenant to tenant along an index, however many sessions each has.
pub(super) async fn tenants(db: &Connection) -> Result<Vec<Tenant>, Failure> {
    let sql = "WITH RECURSIVE known (tenant) AS (
                 (SELECT tenant FROM session ORDER BY tenant LIMIT 1)
                 UNION ALL
                 SELECT (SELECT session.tenant FROM session WHERE session.tenant > known.tenant
                         ORDER BY session.tenant LIMIT 1)
                 FROM known WHERE known.tenant IS NOT NULL)
               SELECT tenant FROM known WHERE tenant IS NOT NULL";
    db.rows(sql, &[]).await?.iter().map(|row| tenant(row, 0)).collect()
}

pub(super) async fn list(
    db: &Connection,
    whose: &Tenant,
    listing: &Listing,
) -> Result<Vec<Listed>, Failure> {
    let sql = format!(
        "SELECT {SESSION_COLUMNS} FROM session
         WHERE tenant = $1 AND ($2::uuid IS NULL OR id < $2)
           AND ($3::integer IS NULL OR status = $3)
         ORDER BY id DESC LIMIT $4"
    );
    let before = listing.before.map(|id| id.0);
    let (status, rows_max) = (listing.status.map(status_code), listing.rows_max.min(LIST_ROWS_MAX));
    let found = db.rows(&sql, &[&whose.0, &before, &status, &rows(rows_max)]).await?;
    found.iter().map(listed).collect()
}

pub(super) async fn payload(
    db: &Connection,
    tenant: &Tenant,
    owner: Option<SessionId>,
    hash: ContentHash,
) -> Result<Bytes, Failure> {
    let sql = "SELECT sealed, bytes FROM payload
               WHERE tenant = $1 AND owner IN ($2, $3) AND hash = $4
               ORDER BY owner DESC LIMIT 1";
    let (own, all) = (owner.map_or(Uuid::nil(), |owner| owner.0), Uuid::nil());
    let found = db.row(sql, &[&tenant.0, &own, &all, &&hash.0[..]]).await?;
    let row = found.ok_or_else(|| StoreError::Missing(format!("payload `{hash}`")))?;
    let (sealed, bytes): (bool, Vec<u8>) = (get(&row, 0)?, get(&row, 1)?);
    if !sealed && ContentHash::of(&bytes) != hash {
        return Err(damaged(format!("payload `{hash}` was altered")).into());
    }
    Ok(bytes.into())
}
