//! Balances of scopes. Arithmetic is the kernel's, on values read within the writer's
//! transaction; SQL only keeps them.

use std::collections::BTreeMap;

use engine::ports::{Moved, StoreError, check_settable, new_balance, pin};
use kernel::ledger::{Allowance, Amount, Balance, Scope, TASK};
use kernel::units::{Money, Tenant};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::error::Failure;
use super::row::whole;

/// The most rows that one list gives.
const LIST_ROWS_MAX: u32 = 1_000;

const BALANCE_COLUMNS: &str = "scope, pinned, cap, settled, held, \
     cap_tokens, settled_tokens, held_tokens, cap_requests, settled_requests, held_requests";

pub(super) fn balance(db: &Connection, tenant: &Tenant, scope: &Scope) -> Result<Option<Balance>> {
    let sql = format!("SELECT {BALANCE_COLUMNS} FROM balance WHERE tenant = ?1 AND scope = ?2");
    let key = params![tenant.0, scope.to_string()];
    db.prepare_cached(&sql)?.query_row(key, balance_row).optional()
}

/// The balance before a commit that may charge the scope for the first time.
pub(super) fn balance_or_new(db: &Connection, tenant: &Tenant, scope: &Scope) -> Result<Balance> {
    match balance(db, tenant, scope)? {
        Some(found) => Ok(found),
        None if scope.is_shared() => Ok(new_balance(balance(db, tenant, &scope.lasting())?)),
        None => Ok(Balance::default()),
    }
}

/// Reads a row of [`BALANCE_COLUMNS`].
fn balance_row(row: &Row<'_>) -> Result<Balance> {
    let cap = Allowance {
        money: limit(row, 2)?.map(Money),
        tokens: limit(row, 5)?,
        requests: limit(row, 8)?,
    };
    Ok(Balance { pinned: row.get(1)?, cap, settled: amount(row, 3)?, held: amount(row, 4)? })
}

fn limit(row: &Row<'_>, column: usize) -> Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(i64::cast_unsigned))
}

/// Money in this column, tokens three and requests six columns further.
fn amount(row: &Row<'_>, column: usize) -> Result<Amount> {
    let (money, tokens) = (Money(whole(row, column)?), whole(row, column + 3)?);
    Ok(Amount { money, tokens, requests: whole(row, column + 6)? })
}

pub(super) fn keep_balances(
    db: &Connection,
    tenant: &Tenant,
    balances: &BTreeMap<Scope, Moved>,
) -> Result<()> {
    balances.iter().try_for_each(|(scope, moved)| keep_balance(db, tenant, scope, &moved.after))
}

fn keep_balance(db: &Connection, tenant: &Tenant, scope: &Scope, row: &Balance) -> Result<()> {
    let sql = format!(
        "INSERT INTO balance (tenant, {BALANCE_COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT DO UPDATE SET pinned = ?3, cap = ?4, settled = ?5, held = ?6,
           cap_tokens = ?7, settled_tokens = ?8, held_tokens = ?9,
           cap_requests = ?10, settled_requests = ?11, held_requests = ?12"
    );
    let Balance { cap, pinned, settled, held } = row;
    db.prepare_cached(&sql)?.execute(params![
        tenant.0,
        scope.to_string(),
        pinned,
        cap.money.map(|money| money.0.cast_signed()),
        settled.money.0.cast_signed(),
        held.money.0.cast_signed(),
        cap.tokens.map(u64::cast_signed),
        settled.tokens.cast_signed(),
        held.tokens.cast_signed(),
        cap.requests.map(u64::cast_signed),
        settled.requests.cast_signed(),
        held.requests.cast_signed(),
    ])?;
    Ok(())
}

/// Sets the cap of a shared scope and, where it has no window, of all its windows.
pub(super) fn set_cap(
    db: &Connection,
    tenant: &Tenant,
    scope: &Scope,
    cap: Option<Allowance>,
) -> Result<(), Failure> {
    check_settable(scope)?;
    let mut rows = vec![(scope.clone(), balance_or_new(db, tenant, scope)?)];
    if *scope == scope.lasting() {
        // The windows' keys lie between this prefix and the next character after a slash.
        let prefix = format!("{scope}/");
        let after = format!("{scope}0");
        let sql = format!(
            "SELECT {BALANCE_COLUMNS} FROM balance
             WHERE tenant = ?1 AND scope >= ?2 AND scope < ?3"
        );
        let mut statement = db.prepare_cached(&sql)?;
        let found = statement.query_map(params![tenant.0, prefix, after], scoped_row)?;
        for row in found {
            rows.push(read_scope(row?)?);
        }
    }
    for (scope, mut balance) in rows {
        pin(&mut balance, cap);
        keep_balance(db, tenant, &scope, &balance)?;
    }
    Ok(())
}

/// The balances of a tenant's shared scopes, in the order of their keys.
pub(super) fn shared_balances(
    db: &Connection,
    tenant: &Tenant,
    after: &str,
    rows_max: u32,
) -> Result<Vec<(Scope, Balance)>, Failure> {
    // Runs have a row each; their keys are stepped over as a range of the primary key.
    let sql = format!(
        "SELECT * FROM (
           SELECT {BALANCE_COLUMNS} FROM balance
             WHERE tenant = ?1 AND scope > ?2 AND scope < ?3
           UNION ALL
           SELECT {BALANCE_COLUMNS} FROM balance
             WHERE tenant = ?1 AND scope > ?2 AND scope >= ?4)
         ORDER BY scope LIMIT ?5"
    );
    let (runs_begin, runs_end) = (format!("{TASK}/"), format!("{TASK}0"));
    let rows_max = rows_max.min(LIST_ROWS_MAX);
    let mut statement = db.prepare_cached(&sql)?;
    let key = params![tenant.0, after, runs_begin, runs_end, rows_max];
    let rows = statement.query_map(key, scoped_row)?;
    rows.map(|row| read_scope(row?)).collect()
}

fn scoped_row(row: &Row<'_>) -> Result<(String, Balance)> {
    Ok((row.get(0)?, balance_row(row)?))
}

fn read_scope((key, balance): (String, Balance)) -> Result<(Scope, Balance), Failure> {
    let scope = key.parse::<Scope>();
    let scope = scope.map_err(|why| StoreError::Damaged(format!("a balance: {why}")))?;
    Ok((scope, balance))
}
