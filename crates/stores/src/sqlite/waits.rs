//! Parked sessions that wait until a shared scope has room again.

use engine::ports::{StoreError, Waits};
use kernel::ledger::{Measure, Scope};
use kernel::units::{SessionId, Tenant};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Result, Row, params};

use super::balances::balance;
use super::error::Failure;
use super::row::whole;

/// Sessions that nobody owns at `now` and that wait for room which is there.
pub(super) fn roomy(
    db: &Connection,
    now: i64,
    rows_max: u32,
) -> Result<Vec<(Tenant, SessionId)>, Failure> {
    let mut found = Vec::new();
    for (tenant, scope) in awaited(db)? {
        let key: Scope =
            scope.parse().map_err(|why| StoreError::Damaged(format!("a session waits: {why}")))?;
        let balance = balance(db, &tenant, &key)?;
        for measure in Measure::ALL {
            let rows_left = rows_max.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
            let free = balance.as_ref().and_then(|balance| balance.free(measure));
            let free = free.map_or(i64::MAX, |free| i64::try_from(free).unwrap_or(i64::MAX));
            let sql = "SELECT id FROM session
                       WHERE tenant = ?1 AND waits_scope = ?2 AND waits_measure = ?3
                         AND waits_needed <= ?4 AND lease_until <= ?5
                       ORDER BY key LIMIT ?6";
            let key = params![tenant.0, scope, measure_code(measure), free, now, rows_left];
            let mut statement = db.prepare_cached(sql)?;
            let ids = statement.query_map(key, |row| row.get(0))?;
            for id in ids {
                found.push((tenant.clone(), SessionId(uuid::Uuid::from_bytes(id?))));
            }
        }
    }
    Ok(found)
}

/// The scopes that somebody waits for.
fn awaited(db: &Connection) -> Result<Vec<(Tenant, String)>> {
    let sql = "SELECT DISTINCT tenant, waits_scope FROM session WHERE waits_scope IS NOT NULL";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((Tenant(row.get(0)?), row.get(1)?)))?;
    rows.collect()
}

pub(super) fn measure_code(measure: Measure) -> i64 {
    match measure {
        Measure::Money => 0,
        Measure::Tokens => 1,
        Measure::Requests => 2,
    }
}

/// Reads the three columns of what a session waits for.
pub(super) fn waits(row: &Row<'_>, first: usize) -> Result<Option<Waits>> {
    let Some(key) = row.get::<_, Option<String>>(first)? else { return Ok(None) };
    let unreadable = |why: String| Error::FromSqlConversionFailure(first, Type::Text, why.into());
    let scope = key.parse().map_err(|why| unreadable(format!("{why}")))?;
    let code: i64 = row.get(first + 1)?;
    let measure = Measure::ALL.into_iter().find(|measure| measure_code(*measure) == code);
    let measure = measure.ok_or_else(|| unreadable(format!("a measure with the code {code}")))?;
    // Kept in the order that SQL compares, so that the largest is the largest.
    let needed = whole(row, first + 2)?;
    Ok(Some(Waits { scope, measure, needed }))
}
