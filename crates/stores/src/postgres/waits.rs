//! Parked sessions that wait until a shared scope has room again.

use engine::ports::{Brief, Waits};
use kernel::ledger::{Balance, Measure};
use kernel::units::{SessionId, Tenant};
use tokio_postgres::Row;

use super::balances::maybe_balance;
use super::connection::{Connection, Value};
use super::error::{Failure, damaged};
use super::row::{get, session_id, tenant, whole};

/// The scopes that somebody waits for, with their balances.
pub(super) const AWAITED: &str =
    "SELECT awaited.tenant, awaited.waits_scope, balance.scope, pinned, cap, settled, held,
       cap_tokens, settled_tokens, held_tokens, cap_requests, settled_requests, held_requests
     FROM (SELECT DISTINCT tenant, waits_scope FROM session WHERE waits_scope IS NOT NULL)
       AS awaited
     LEFT JOIN balance ON balance.tenant = awaited.tenant
       AND balance.scope = awaited.waits_scope";

/// How much is free where, as columns.
#[derive(Default)]
struct Room {
    tenants: Vec<String>,
    scopes: Vec<String>,
    measures: Vec<i32>,
    free: Vec<i64>,
}

impl Room {
    fn add(&mut self, tenant: &str, scope: &str, balance: Option<Balance>) {
        for measure in Measure::ALL {
            let free = balance.as_ref().and_then(|balance| balance.free(measure));
            let free = free.map_or(i64::MAX, |free| i64::try_from(free).unwrap_or(i64::MAX));
            self.tenants.push(tenant.to_owned());
            self.scopes.push(scope.to_owned());
            self.measures.push(measure_code(measure));
            self.free.push(free);
        }
    }
}

/// Sessions that nobody owns at `now` and that wait for room which is there. `awaited` are
/// the rows of [`AWAITED`].
pub(super) async fn roomy(
    db: &Connection,
    awaited: &[Row],
    now: i64,
    rows_max: i64,
) -> Result<Vec<(Tenant, SessionId)>, Failure> {
    if awaited.is_empty() || rows_max <= 0 {
        return Ok(Vec::new());
    }
    let mut room = Room::default();
    for row in awaited {
        room.add(get(row, 0)?, get(row, 1)?, maybe_balance(row, 2)?);
    }
    let sql = "SELECT session.tenant, session.id
               FROM unnest($1::text[], $2::text[], $3::integer[], $4::bigint[])
                 AS room (tenant, scope, measure, free)
               JOIN session ON session.tenant = room.tenant
                 AND session.waits_scope = room.scope
                 AND session.waits_measure = room.measure
                 AND session.waits_needed <= room.free
               WHERE session.lease_until <= $5
               ORDER BY session.key LIMIT $6";
    let values: [Value<'_>; 6] =
        [&room.tenants, &room.scopes, &room.measures, &room.free, &now, &rows_max];
    let rows = db.rows(sql, &values).await?;
    rows.iter().map(|row| Ok((tenant(row, 0)?, session_id(row, 1)?))).collect()
}

pub(super) fn measure_code(measure: Measure) -> i32 {
    match measure {
        Measure::Money => 0,
        Measure::Tokens => 1,
        Measure::Requests => 2,
    }
}

/// What a session waits for, as columns.
#[derive(Default)]
pub(super) struct WaitsColumns {
    pub(super) scope: Option<String>,
    pub(super) measure: Option<i32>,
    pub(super) needed: Option<i64>,
}

impl WaitsColumns {
    pub(super) fn of(brief: &Brief) -> Self {
        brief.waits.as_ref().map_or_else(WaitsColumns::default, |waits| WaitsColumns {
            scope: Some(waits.scope.to_string()),
            measure: Some(measure_code(waits.measure)),
            needed: Some(i64::try_from(waits.needed).unwrap_or(i64::MAX)),
        })
    }
}

/// Reads the three columns of what a session waits for.
pub(super) fn waits(row: &Row, first: usize) -> Result<Option<Waits>, Failure> {
    let Some(key) = get::<Option<&str>>(row, first)? else { return Ok(None) };
    let scope = key.parse().map_err(|why| damaged(format!("a session waits: {why}")))?;
    let code: i32 = get(row, first + 1)?;
    let measure = Measure::ALL.into_iter().find(|measure| measure_code(*measure) == code);
    let measure = measure.ok_or_else(|| damaged(format!("a measure with the code {code}")))?;
    Ok(Some(Waits { scope, measure, needed: whole(row, first + 2)? }))
}
