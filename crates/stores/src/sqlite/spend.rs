//! The spend table: what calls cost, summed for reports.

use std::collections::BTreeMap;

use engine::ports::{Charge, SpendRow};
use kernel::units::{Money, Tenant};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::error::Failure;
use super::row::whole;

/// Tenant and day; user, agent, model and version of the prices.
type SpendKey = (Tenant, u64, [String; 4]);

/// Charges of one transaction, summed before they are written: the commits of a group
/// mostly belong to the same few rows.
#[derive(Debug, Default)]
pub(super) struct Charges(BTreeMap<SpendKey, SpendRow>);

impl Charges {
    pub(super) fn add(&mut self, tenant: &Tenant, charge: &Charge) {
        let Charge { user, agent_id, model, prices, .. } = charge;
        let names = [user, agent_id, model, prices].map(String::clone);
        let key = (tenant.clone(), charge.day(), names);
        self.0.entry(key).or_insert_with(|| SpendRow::of(charge)).add(charge);
    }

    /// Forgets what belonged to a transaction that failed.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds the sums to the table.
    pub(super) fn write(&mut self, db: &Connection) -> Result<()> {
        for ((tenant, ..), row) in std::mem::take(&mut self.0) {
            add_row(db, &tenant, row)?;
        }
        Ok(())
    }
}

const SPEND_COLUMNS: &str =
    "day, user, agent_id, model, prices, calls, input_tokens, output_tokens, amount, estimated";

fn spend_row(row: &Row<'_>) -> Result<SpendRow> {
    Ok(SpendRow {
        day: whole(row, 0)?,
        user: row.get(1)?,
        agent_id: row.get(2)?,
        model: row.get(3)?,
        prices: row.get(4)?,
        calls: whole(row, 5)?,
        input_tokens: whole(row, 6)?,
        output_tokens: whole(row, 7)?,
        amount: Money(whole(row, 8)?),
        estimated: Money(whole(row, 9)?),
    })
}

fn add_row(db: &Connection, tenant: &Tenant, mut row: SpendRow) -> Result<()> {
    let sql = format!(
        "SELECT {SPEND_COLUMNS} FROM spend
         WHERE tenant = ?1 AND day = ?2 AND user = ?3 AND agent_id = ?4 AND model = ?5
           AND prices = ?6"
    );
    let day = row.day.cast_signed();
    let key = params![tenant.0, day, row.user, row.agent_id, row.model, row.prices];
    if let Some(before) = db.prepare_cached(&sql)?.query_row(key, spend_row).optional()? {
        row.calls = row.calls.saturating_add(before.calls);
        row.input_tokens = row.input_tokens.saturating_add(before.input_tokens);
        row.output_tokens = row.output_tokens.saturating_add(before.output_tokens);
        row.amount = row.amount.plus(before.amount);
        row.estimated = row.estimated.plus(before.estimated);
    }
    let sql = format!(
        "INSERT INTO spend (tenant, {SPEND_COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT DO UPDATE SET calls = ?7, input_tokens = ?8, output_tokens = ?9,
           amount = ?10, estimated = ?11"
    );
    db.prepare_cached(&sql)?.execute(params![
        tenant.0,
        day,
        row.user,
        row.agent_id,
        row.model,
        row.prices,
        row.calls.cast_signed(),
        row.input_tokens.cast_signed(),
        row.output_tokens.cast_signed(),
        row.amount.0.cast_signed(),
        row.estimated.0.cast_signed(),
    ])?;
    Ok(())
}

pub(super) fn spend(
    db: &Connection,
    tenant: &Tenant,
    from_day: u64,
    to_day: u64,
) -> Result<Vec<SpendRow>, Failure> {
    let sql = format!(
        "SELECT {SPEND_COLUMNS} FROM spend WHERE tenant = ?1 AND day BETWEEN ?2 AND ?3
         ORDER BY day, user, agent_id, model, prices"
    );
    let day = |day: u64| i64::try_from(day).unwrap_or(i64::MAX);
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![tenant.0, day(from_day), day(to_day)], spend_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
