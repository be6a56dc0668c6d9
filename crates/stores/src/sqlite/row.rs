//! Between the port's shapes and SQLite's columns.
//!
//! Numbers that are only compared for equality or added up by us keep all their 64 bits;
//! instants, which SQL puts in order, end at 2⁶³ − 1.

use engine::ports::{Brief, Head, Listed, Status};
use kernel::event::Stored;
use kernel::units::{ContentHash, Epoch, Money, SessionId, UnixMs};
use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};

use super::waits::waits;

/// The columns of a session, in the order that [`Session::from_row`] and [`listed`] read.
pub(super) const SESSION_COLUMNS: &str = "key, id, seq, hash, epoch, owner, lease_until, updated, \
     status, due, title, agent_id, user, turns, spent, waits_scope, waits_measure, waits_needed";

/// What a writer must know of a session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) key: i64,
    pub(super) head: Head,
    pub(super) owner: String,
    pub(super) lease_until: UnixMs,
}

impl Session {
    /// Reads a row of [`SESSION_COLUMNS`].
    pub(super) fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Session {
            key: row.get(0)?,
            head: head(row)?,
            owner: row.get(5)?,
            lease_until: instant(row, 6)?,
        })
    }
}

fn head(row: &Row<'_>) -> Result<Head> {
    Ok(Head { seq: whole(row, 2)?, hash: hash(row, 3)?, epoch: Epoch(whole(row, 4)?) })
}

/// Reads a row of [`SESSION_COLUMNS`] for a list.
pub(super) fn listed(row: &Row<'_>) -> Result<Listed> {
    let (until, updated) = (instant(row, 6)?, instant(row, 7)?);
    let lease = if until > updated { Some((row.get(5)?, until)) } else { None };
    let due: Option<i64> = row.get(9)?;
    Ok(Listed {
        session: SessionId(uuid::Uuid::from_bytes(row.get(1)?)),
        brief: Brief {
            status: status(row.get(8)?)?,
            due: due.map(|due| UnixMs(due.cast_unsigned())),
            title: row.get(10)?,
            agent_id: row.get(11)?,
            user: row.get(12)?,
            turns: row.get(13)?,
            spent: Money(whole(row, 14)?),
            waits: waits(row, 15)?,
        },
        head: head(row)?,
        updated,
        lease,
    })
}

/// Reads a row of `seq, at, format, prev, body`.
pub(super) fn stored(row: &Row<'_>) -> Result<Stored> {
    Ok(Stored {
        seq: whole(row, 0)?,
        at: UnixMs(whole(row, 1)?),
        format: row.get(2)?,
        prev: hash(row, 3)?,
        body: row.get(4)?,
    })
}

pub(super) fn whole(row: &Row<'_>, column: usize) -> Result<u64> {
    row.get(column).map(i64::cast_unsigned)
}

pub(super) fn hash(row: &Row<'_>, column: usize) -> Result<ContentHash> {
    row.get(column).map(ContentHash)
}

pub(super) fn instant(row: &Row<'_>, column: usize) -> Result<UnixMs> {
    whole(row, column).map(UnixMs)
}

/// An instant as a column that SQL compares.
pub(super) fn in_order(instant: UnixMs) -> i64 {
    i64::try_from(instant.0).unwrap_or(i64::MAX)
}

pub(super) fn status_code(status: Status) -> i64 {
    match status {
        Status::Idle => 0,
        Status::Running => 1,
        Status::Parked => 2,
        Status::Finished => 3,
        Status::Failed => 4,
        Status::Cancelled => 5,
    }
}

fn status(code: i64) -> Result<Status> {
    let known = [
        Status::Idle,
        Status::Running,
        Status::Parked,
        Status::Finished,
        Status::Failed,
        Status::Cancelled,
    ];
    let found = known.into_iter().find(|status| status_code(*status) == code);
    found.ok_or_else(|| {
        let unknown = format!("a status with the code {code}");
        Error::FromSqlConversionFailure(8, Type::Integer, unknown.into())
    })
}
