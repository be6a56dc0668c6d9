//! Balances of scopes. Arithmetic is the kernel's, on rows that this transaction has
//! locked; SQL only keeps them.
//!
//! Locks are taken in one order (L18): first a lock on the budget of each window that has no
//! row yet, shared among commits and held alone by who sets a cap, so that no window is made
//! beside a cap that is being set for all of them; then rows, in the order of their keys.

use std::collections::{BTreeMap, BTreeSet};

use engine::ports::{Moved, new_balance};
use kernel::ledger::{Allowance, Amount, Balance, Move, Scope, TASK};
use kernel::units::{ContentHash, Money, Tenant};
use tokio_postgres::Row;

use super::connection::{Brought, Connection, Pipeline, Step};
use super::error::{Failure, damaged};
use super::row::{get, rows, whole};

/// The most rows that one list gives.
const LIST_ROWS_MAX: u32 = 1_000;

/// The columns of a balance, in the order that [`scoped`] reads.
pub(super) const BALANCE_COLUMNS: &str = "scope, pinned, cap, settled, held, \
     cap_tokens, settled_tokens, held_tokens, cap_requests, settled_requests, held_requests";

/// The rows that a commit's moves need.
#[derive(Default)]
pub(super) struct Wanted {
    /// In their order.
    keys: Vec<String>,
    /// Keys of windows among them, and the place of the lock on each one's budget.
    windows: Vec<String>,
    places: Vec<i64>,
    /// The budgets of those windows.
    lasting: Vec<String>,
}

/// Where the answers stand.
pub(super) struct Asked {
    new: Step,
    rows: Step,
    lasting: Option<Step>,
}

impl Wanted {
    pub(super) fn of(tenant: &Tenant, moves: &[Move]) -> Self {
        let scopes: BTreeSet<&Scope> = moves.iter().map(|change| &change.scope).collect();
        let mut wanted = Wanted::default();
        for scope in scopes {
            wanted.keys.push(scope.to_string());
            let lasting = scope.lasting();
            if lasting != *scope {
                wanted.windows.push(scope.to_string());
                wanted.places.push(place(tenant, &lasting));
                wanted.lasting.push(lasting.to_string());
            }
        }
        wanted.keys.sort_unstable();
        wanted
    }

    /// Makes the rows that are missing, and locks all. `None`: there is nothing to do.
    pub(super) fn ask<'a>(
        &'a self,
        tenant: &'a Tenant,
        pipeline: &mut Pipeline<'a>,
    ) -> Option<Asked> {
        if self.keys.is_empty() {
            return None;
        }
        let has_windows = !self.windows.is_empty();
        if has_windows {
            pipeline.add(LOCK_BUDGETS, vec![&tenant.0, &self.windows, &self.places]);
        }
        let new = pipeline.add(MAKE_MISSING, vec![&tenant.0, &self.keys]);
        let sql =
            format!("SELECT {BALANCE_COLUMNS} FROM balance WHERE tenant = $1 AND scope = ANY ($2)");
        let rows =
            pipeline.add(format!("{sql} ORDER BY scope FOR UPDATE"), vec![&tenant.0, &self.keys]);
        let lasting = has_windows.then(|| pipeline.add(sql, vec![&tenant.0, &self.lasting]));
        Some(Asked { new, rows, lasting })
    }
}

const LOCK_BUDGETS: &str = "SELECT pg_advisory_xact_lock_shared(place) FROM (
       SELECT DISTINCT place FROM unnest($2::text[], $3::bigint[]) AS wanted (scope, place)
       WHERE NOT EXISTS (SELECT FROM balance
         WHERE balance.tenant = $1 AND balance.scope = wanted.scope)
       ORDER BY place) AS missing";

const MAKE_MISSING: &str = "INSERT INTO balance (tenant, scope)
     SELECT $1, scope FROM unnest($2::text[]) WITH ORDINALITY AS wanted (scope, number)
     ORDER BY number
     ON CONFLICT DO NOTHING RETURNING scope";

/// The place of the lock on a budget, among all of the database's.
pub(super) fn place(tenant: &Tenant, lasting: &Scope) -> i64 {
    let name = format!("windlass budget\0{}\0{lasting}", tenant.0);
    let ContentHash(bytes) = ContentHash::of(name.as_bytes());
    let [a, b, c, d, e, f, g, h, ..] = bytes;
    i64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// The balances that a transaction has locked.
#[derive(Default)]
pub(super) struct Locked(BTreeMap<Scope, Balance>);

impl Locked {
    pub(super) fn read(brought: &Brought, asked: &Asked) -> Result<Self, Failure> {
        let keys = brought.rows(asked.new).iter().map(|row| get::<&str>(row, 0));
        let new: BTreeSet<&str> = keys.collect::<Result<_, _>>()?;
        let lasting = asked.lasting.map_or(&[][..], |step| brought.rows(step));
        let lasting: BTreeMap<Scope, Balance> =
            lasting.iter().map(scoped).collect::<Result<_, Failure>>()?;
        let mut locked = BTreeMap::new();
        for row in brought.rows(asked.rows) {
            let (scope, mut balance) = scoped(row)?;
            if new.contains(get::<&str>(row, 0)?) && scope.is_shared() {
                balance = new_balance(lasting.get(&scope.lasting()).copied());
            }
            locked.insert(scope, balance);
        }
        Ok(Locked(locked))
    }

    pub(super) fn get(&self, scope: &Scope) -> Result<Balance, Failure> {
        let found = self.0.get(scope).copied();
        found.ok_or_else(|| damaged(format!("the balance of `{scope}` is not there")).into())
    }
}

/// Balances on their way to the table, as columns.
#[derive(Default)]
pub(super) struct BalanceColumns {
    scopes: Vec<String>,
    pinned: Vec<bool>,
    caps: [Vec<Option<i64>>; 3],
    settled: [Vec<i64>; 3],
    held: [Vec<i64>; 3],
}

impl BalanceColumns {
    pub(super) fn of(moved: &BTreeMap<Scope, Moved>) -> Self {
        let mut columns = BalanceColumns::default();
        moved.iter().for_each(|(scope, moved)| columns.push(scope, &moved.after));
        columns
    }

    pub(super) fn push(&mut self, scope: &Scope, balance: &Balance) {
        let Balance { cap, pinned, settled, held } = balance;
        let caps = [cap.money.map(|money| money.0), cap.tokens, cap.requests];
        self.scopes.push(scope.to_string());
        self.pinned.push(*pinned);
        for (column, cap) in self.caps.iter_mut().zip(caps) {
            column.push(cap.map(u64::cast_signed));
        }
        for (columns, amount) in [(&mut self.settled, settled), (&mut self.held, held)] {
            let numbers = [amount.money.0, amount.tokens, amount.requests];
            for (column, number) in columns.iter_mut().zip(numbers) {
                column.push(number.cast_signed());
            }
        }
    }

    /// Writes rows that are there and locked.
    pub(super) fn write<'a>(&'a self, tenant: &'a Tenant, pipeline: &mut Pipeline<'a>) {
        if self.scopes.is_empty() {
            return;
        }
        let [cap, cap_tokens, cap_requests] = &self.caps;
        let [settled, settled_tokens, settled_requests] = &self.settled;
        let [held, held_tokens, held_requests] = &self.held;
        pipeline.add(
            KEEP,
            vec![
                &tenant.0,
                &self.scopes,
                &self.pinned,
                cap,
                settled,
                held,
                cap_tokens,
                settled_tokens,
                held_tokens,
                cap_requests,
                settled_requests,
                held_requests,
            ],
        );
    }
}

const KEEP: &str = "UPDATE balance SET pinned = new.pinned,
       cap = new.cap, settled = new.settled, held = new.held,
       cap_tokens = new.cap_tokens, settled_tokens = new.settled_tokens,
       held_tokens = new.held_tokens, cap_requests = new.cap_requests,
       settled_requests = new.settled_requests, held_requests = new.held_requests
     FROM unnest($2::text[], $3::boolean[], $4::bigint[], $5::bigint[], $6::bigint[],
         $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[])
       AS new (scope, pinned, cap, settled, held, cap_tokens, settled_tokens, held_tokens,
         cap_requests, settled_requests, held_requests)
     WHERE balance.tenant = $1 AND balance.scope = new.scope";

/// Reads a row of [`BALANCE_COLUMNS`].
pub(super) fn scoped(row: &Row) -> Result<(Scope, Balance), Failure> {
    let scope = get::<&str>(row, 0)?.parse();
    let scope = scope.map_err(|why| damaged(format!("a balance: {why}")))?;
    Ok((scope, balance_at(row, 0)?))
}

/// Reads [`BALANCE_COLUMNS`] from a column on, where all may be absent.
pub(super) fn maybe_balance(row: &Row, first: usize) -> Result<Option<Balance>, Failure> {
    match get::<Option<&str>>(row, first)? {
        Some(_) => balance_at(row, first).map(Some),
        None => Ok(None),
    }
}

fn balance_at(row: &Row, first: usize) -> Result<Balance, Failure> {
    let cap = Allowance {
        money: limit(row, first + 2)?.map(Money),
        tokens: limit(row, first + 5)?,
        requests: limit(row, first + 8)?,
    };
    let pinned = get(row, first + 1)?;
    Ok(Balance { pinned, cap, settled: amount(row, first + 3)?, held: amount(row, first + 4)? })
}

fn limit(row: &Row, column: usize) -> Result<Option<u64>, Failure> {
    Ok(get::<Option<i64>>(row, column)?.map(i64::cast_unsigned))
}

/// Money in this column, tokens three and requests six columns further.
fn amount(row: &Row, column: usize) -> Result<Amount, Failure> {
    let (money, tokens) = (Money(whole(row, column)?), whole(row, column + 3)?);
    Ok(Amount { money, tokens, requests: whole(row, column + 6)? })
}

pub(super) async fn balance(
    db: &Connection,
    tenant: &Tenant,
    scope: &Scope,
) -> Result<Option<Balance>, Failure> {
    let sql = format!("SELECT {BALANCE_COLUMNS} FROM balance WHERE tenant = $1 AND scope = $2");
    let row = db.row(&sql, &[&tenant.0, &scope.to_string()]).await?;
    row.map(|row| scoped(&row).map(|(_, balance)| balance)).transpose()
}

/// The balances of a tenant's shared scopes, in the order of their keys. Runs have a row
/// each; their keys are stepped over as a range of the primary key.
pub(super) async fn shared_balances(
    db: &Connection,
    tenant: &Tenant,
    after: &str,
    rows_max: u32,
) -> Result<Vec<(Scope, Balance)>, Failure> {
    let sql = format!(
        "SELECT * FROM (
           (SELECT {BALANCE_COLUMNS} FROM balance
             WHERE tenant = $1 AND scope > $2 AND scope < $3 ORDER BY scope LIMIT $5)
           UNION ALL
           (SELECT {BALANCE_COLUMNS} FROM balance
             WHERE tenant = $1 AND scope > $2 AND scope >= $4 ORDER BY scope LIMIT $5)
         ) AS shared ORDER BY scope LIMIT $5"
    );
    let (runs_begin, runs_end) = (format!("{TASK}/"), format!("{TASK}0"));
    let rows_max = rows(rows_max.min(LIST_ROWS_MAX));
    let found = db.rows(&sql, &[&tenant.0, &after, &runs_begin, &runs_end, &rows_max]).await?;
    found.iter().map(scoped).collect()
}
