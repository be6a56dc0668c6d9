//! Between the port's shapes and PostgreSQL's columns.
//!
//! Numbers that are only compared for equality or added up by us keep all their 64 bits;
//! instants, which SQL puts in order, end at 2⁶³ − 1.

use engine::ports::{Brief, Head, Listed, Status};
use kernel::event::Stored;
use kernel::units::{ContentHash, Epoch, Money, SessionId, Tenant, UnixMs};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use super::error::{Failure, damaged};
use super::waits::waits;

/// The columns of a session, in the order that [`listed`] reads.
pub(super) const SESSION_COLUMNS: &str = "id, seq, hash, epoch, owner, lease_until, updated, \
     status, due, title, agent_id, user_id, turns, spent, waits_scope, waits_measure, waits_needed";

/// A column's value; one of another shape is damage.
pub(super) fn get<'r, T: FromSql<'r>>(row: &'r Row, column: usize) -> Result<T, Failure> {
    row.try_get(column).map_err(|why| damaged(why).into())
}

pub(super) fn whole(row: &Row, column: usize) -> Result<u64, Failure> {
    get(row, column).map(i64::cast_unsigned)
}

/// A number of 32 bits, which PostgreSQL has no column for.
pub(super) fn small(row: &Row, column: usize) -> Result<u32, Failure> {
    let number: i64 = get(row, column)?;
    u32::try_from(number).map_err(|_| damaged(format!("{number} is not a count")).into())
}

pub(super) fn hash(row: &Row, column: usize) -> Result<ContentHash, Failure> {
    let bytes: &[u8] = get(row, column)?;
    let bytes = bytes.try_into().map_err(|_| damaged("a hash that is not 32 bytes long"))?;
    Ok(ContentHash(bytes))
}

pub(super) fn instant(row: &Row, column: usize) -> Result<UnixMs, Failure> {
    whole(row, column).map(UnixMs)
}

pub(super) fn session_id(row: &Row, column: usize) -> Result<SessionId, Failure> {
    get::<Uuid>(row, column).map(SessionId)
}

pub(super) fn tenant(row: &Row, column: usize) -> Result<Tenant, Failure> {
    get(row, column).map(Tenant)
}

/// Where a session stands, from `seq, hash, epoch`.
pub(super) fn head(row: &Row, first: usize) -> Result<Head, Failure> {
    let (seq, epoch) = (whole(row, first)?, Epoch(whole(row, first + 2)?));
    Ok(Head { seq, hash: hash(row, first + 1)?, epoch })
}

/// Reads a row of [`SESSION_COLUMNS`].
pub(super) fn listed(row: &Row) -> Result<Listed, Failure> {
    let (until, updated) = (instant(row, 5)?, instant(row, 6)?);
    let lease = if until > updated { Some((get(row, 4)?, until)) } else { None };
    let due: Option<i64> = get(row, 8)?;
    Ok(Listed {
        session: session_id(row, 0)?,
        brief: Brief {
            status: status(get(row, 7)?)?,
            due: due.map(|due| UnixMs(due.cast_unsigned())),
            title: get(row, 9)?,
            agent_id: get(row, 10)?,
            user: get(row, 11)?,
            turns: small(row, 12)?,
            spent: Money(whole(row, 13)?),
            waits: waits(row, 14)?,
        },
        head: head(row, 1)?,
        updated,
        lease,
    })
}

/// Reads `seq, at, format, prev, body`.
pub(super) fn stored(row: &Row) -> Result<Stored, Failure> {
    let format: i16 = get(row, 2)?;
    Ok(Stored {
        seq: whole(row, 0)?,
        at: instant(row, 1)?,
        format: u8::try_from(format).map_err(|_| damaged(format!("a format {format}")))?,
        prev: hash(row, 3)?,
        body: get(row, 4)?,
    })
}

/// An instant as a column that SQL compares.
pub(super) fn in_order(instant: UnixMs) -> i64 {
    i64::try_from(instant.0).unwrap_or(i64::MAX)
}

/// A number of rows for a `LIMIT`.
pub(super) fn rows(rows_max: u32) -> i64 {
    i64::from(rows_max)
}

/// Words that are only shown to people: the one character that PostgreSQL keeps in no text
/// becomes the sign for what cannot be shown.
pub(super) fn shown(words: &str) -> String {
    words.replace('\0', "\u{fffd}")
}

pub(super) fn status_code(status: Status) -> i32 {
    match status {
        Status::Idle => 0,
        Status::Running => 1,
        Status::Parked => 2,
        Status::Finished => 3,
        Status::Failed => 4,
        Status::Cancelled => 5,
    }
}

fn status(code: i32) -> Result<Status, Failure> {
    let known = [
        Status::Idle,
        Status::Running,
        Status::Parked,
        Status::Finished,
        Status::Failed,
        Status::Cancelled,
    ];
    let found = known.into_iter().find(|status| status_code(*status) == code);
    found.ok_or_else(|| damaged(format!("a status with the code {code}")).into())
}
