//! The spend table: what calls cost, summed for reports. SQL adds up, so that nobody waits
//! for a row between a read and a write of it; sums stop at the largest number of 64 bits.

use std::collections::BTreeMap;

use engine::ports::{Charge, SpendRow};
use kernel::units::{Money, Tenant};
use tokio_postgres::Row;

use super::connection::{Connection, Pipeline};
use super::error::{Failure, damaged};
use super::row::{get, whole};

/// What a commit adds to the table, as columns: a row for each key, in their order, which is
/// the order of locks. Numbers go as text, which every number of 64 bits fits into.
#[derive(Default)]
pub(super) struct SpendColumns {
    days: Vec<i64>,
    names: [Vec<String>; 4],
    sums: [Vec<String>; 5],
}

impl SpendColumns {
    pub(super) fn of(charges: &[Charge]) -> Self {
        let mut rows: BTreeMap<_, SpendRow> = BTreeMap::new();
        for charge in charges {
            let Charge { user, agent_id, model, prices, .. } = charge;
            let key = (charge.day(), user, agent_id, model, prices);
            rows.entry(key).or_insert_with(|| SpendRow::of(charge)).add(charge);
        }
        let mut columns = SpendColumns::default();
        rows.into_values().for_each(|row| columns.push(row));
        columns
    }

    fn push(&mut self, row: SpendRow) {
        let SpendRow { day, user, agent_id, model, prices, .. } = row;
        let sums = [row.calls, row.input_tokens, row.output_tokens, row.amount.0, row.estimated.0];
        self.days.push(day.cast_signed());
        for (column, name) in self.names.iter_mut().zip([user, agent_id, model, prices]) {
            column.push(name);
        }
        for (column, sum) in self.sums.iter_mut().zip(sums) {
            column.push(sum.to_string());
        }
    }

    pub(super) fn write<'a>(&'a self, tenant: &'a Tenant, pipeline: &mut Pipeline<'a>) {
        if self.days.is_empty() {
            return;
        }
        let [users, agents, models, prices] = &self.names;
        let [calls, input, output, amounts, estimated] = &self.sums;
        pipeline.add(
            ADD,
            vec![
                &tenant.0, &self.days, users, agents, models, prices, calls, input, output,
                amounts, estimated,
            ],
        );
    }
}

const ADD: &str = "INSERT INTO spend (tenant, day, user_id, agent_id, model, prices,
       calls, input_tokens, output_tokens, amount, estimated)
     SELECT $1, day, user_id, agent_id, model, prices, calls::numeric, input_tokens::numeric,
       output_tokens::numeric, amount::numeric, estimated::numeric
     FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
         $8::text[], $9::text[], $10::text[], $11::text[]) WITH ORDINALITY
       AS new (day, user_id, agent_id, model, prices, calls, input_tokens, output_tokens,
         amount, estimated, number)
     ORDER BY number
     ON CONFLICT (tenant, day, user_id, agent_id, model, prices) DO UPDATE SET
       calls = least(spend.calls + excluded.calls, 18446744073709551615),
       input_tokens = least(spend.input_tokens + excluded.input_tokens, 18446744073709551615),
       output_tokens = least(spend.output_tokens + excluded.output_tokens, 18446744073709551615),
       amount = least(spend.amount + excluded.amount, 18446744073709551615),
       estimated = least(spend.estimated + excluded.estimated, 18446744073709551615)";

pub(super) async fn spend(
    db: &Connection,
    tenant: &Tenant,
    from_day: u64,
    to_day: u64,
) -> Result<Vec<SpendRow>, Failure> {
    let sql = "SELECT day, user_id, agent_id, model, prices, calls::text, input_tokens::text,
                 output_tokens::text, amount::text, estimated::text
               FROM spend WHERE tenant = $1 AND day BETWEEN $2 AND $3
               ORDER BY day, user_id, agent_id, model, prices";
    let day = |day: u64| i64::try_from(day).unwrap_or(i64::MAX);
    let rows = db.rows(sql, &[&tenant.0, &day(from_day), &day(to_day)]).await?;
    rows.iter().map(spend_row).collect()
}

fn spend_row(row: &Row) -> Result<SpendRow, Failure> {
    Ok(SpendRow {
        day: whole(row, 0)?,
        user: get(row, 1)?,
        agent_id: get(row, 2)?,
        model: get(row, 3)?,
        prices: get(row, 4)?,
        calls: sum(row, 5)?,
        input_tokens: sum(row, 6)?,
        output_tokens: sum(row, 7)?,
        amount: Money(sum(row, 8)?),
        estimated: Money(sum(row, 9)?),
    })
}

fn sum(row: &Row, column: usize) -> Result<u64, Failure> {
    let text: &str = get(row, column)?;
    text.parse().map_err(|_| damaged(format!("a sum of spend: `{text}`")).into())
}
