//! Setting caps by hand.

use engine::audit::Record;
use engine::ports::{check_settable, new_balance, pin};
use kernel::ledger::{Allowance, Balance, Scope};
use kernel::units::Tenant;
use tokio_postgres::Row;

use super::audit::Chain;
use super::balances::{BALANCE_COLUMNS, BalanceColumns, place, scoped};
use super::connection::Connection;
use super::error::Failure;

/// Alone on the budget, so that no commit makes a window beside it meanwhile.
const LOCK_BUDGET: &str = "SELECT pg_advisory_xact_lock($1)";

const MAKE_MISSING: &str = "INSERT INTO balance (tenant, scope) VALUES ($1, $2)
     ON CONFLICT DO NOTHING RETURNING scope";

/// Sets the cap of a shared scope and, where it has no window, of all its windows.
pub(super) async fn set_cap(
    db: &Connection,
    tenant: &Tenant,
    scope: &Scope,
    cap: Option<Allowance>,
    told: &Record,
) -> Result<(), Failure> {
    check_settable(scope)?;
    let lasting = scope.lasting();
    let (place, key, budget) = (place(tenant, &lasting), scope.to_string(), lasting.to_string());
    // The windows' keys lie between a slash and the character after it.
    let (from, to) = if *scope == lasting {
        (format!("{key}/"), format!("{key}0"))
    } else {
        (String::new(), String::new())
    };
    let chain = Chain::of(tenant);
    let mut first = db.pipeline();
    first.add("BEGIN", vec![]);
    first.add(LOCK_BUDGET, vec![&place]);
    let new = first.add(MAKE_MISSING, vec![&tenant.0, &key]);
    let (rows, above) = (locking(), one());
    let rows = first.add(rows, vec![&tenant.0, &key, &from, &to]);
    let above = first.add(above, vec![&tenant.0, &budget]);
    let end = chain.lock(&mut first);
    let brought = first.run().await?;

    let is_new = brought.row(new).is_some();
    let above = brought.row(above).filter(|_| *scope != lasting).map(scoped).transpose()?;
    let above = above.map(|(_, balance)| balance);
    let columns = pinned(brought.rows(rows), is_new.then_some((scope, above)), cap)?;
    let links = chain.links(&brought, end, std::slice::from_ref(told))?;
    let mut second = db.pipeline();
    columns.write(tenant, &mut second);
    links.write(&mut second);
    second.add("COMMIT", vec![]);
    second.run().await.map(drop)
}

fn locking() -> String {
    format!(
        "SELECT {BALANCE_COLUMNS} FROM balance
         WHERE tenant = $1 AND (scope = $2 OR (scope >= $3 AND scope < $4))
         ORDER BY scope FOR UPDATE"
    )
}

fn one() -> String {
    format!("SELECT {BALANCE_COLUMNS} FROM balance WHERE tenant = $1 AND scope = $2")
}

/// The rows with their new cap. `new` is a row that was just made, with the balance of its
/// budget.
fn pinned(
    rows: &[Row],
    new: Option<(&Scope, Option<Balance>)>,
    cap: Option<Allowance>,
) -> Result<BalanceColumns, Failure> {
    let mut columns = BalanceColumns::default();
    for row in rows {
        let (scope, mut balance) = scoped(row)?;
        if let Some((made, above)) = new
            && *made == scope
        {
            balance = new_balance(above);
        }
        pin(&mut balance, cap);
        columns.push(&scope, &balance);
    }
    Ok(columns)
}
