//! `windlass spend`: what was spent, by day, user, agent and model.

use anstream::{eprintln, println};
use comfy_table::{CellAlignment, Table, presets};
use engine::ports::SpendRow;
use kernel::units::{Money, UnixMs};
use serde_json::json;

use crate::cli::SpendArgs;
use crate::exit::End;
use crate::here::Here;
use crate::{assemble, show};

const DAY_MS: u64 = 86_400_000;

pub(crate) async fn spend(here: &Here, args: SpendArgs) -> anyhow::Result<End> {
    let engine = assemble::reader(here)?;
    let today = engine.world.now().0 / DAY_MS;
    let from = today.saturating_sub(args.days - 1);
    let rows = engine.store.spend(&here.tenant, from, today).await?;
    if args.json {
        for row in &rows {
            println!("{}", show::object(&json_row(row)));
        }
        return Ok(End::Finished);
    }
    if rows.is_empty() {
        eprintln!("nothing was spent in the last {} days", args.days);
        return Ok(End::Finished);
    }
    println!("{}", table(&rows));
    Ok(End::Finished)
}

fn day(row: &SpendRow) -> String {
    show::instant(UnixMs(row.day * DAY_MS))[..10].to_owned()
}

fn json_row(row: &SpendRow) -> serde_json::Value {
    json!({
        "day": day(row),
        "user": row.user,
        "agent": row.agent_id,
        "model": row.model,
        "calls": row.calls,
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "amount_nano_usd": row.amount,
        "estimated_nano_usd": row.estimated,
    })
}

fn table(rows: &[SpendRow]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["DAY", "AGENT", "MODEL", "CALLS", "IN", "OUT", "SPENT", "ESTIMATED"]);
    for row in rows {
        table.add_row([
            day(row),
            row.agent_id.clone(),
            row.model.clone(),
            show::count(row.calls),
            show::count(row.input_tokens),
            show::count(row.output_tokens),
            row.amount.to_string(),
            row.estimated.to_string(),
        ]);
    }
    let sum = |part: fn(&SpendRow) -> Money| {
        rows.iter().map(part).fold(Money::ZERO, Money::plus).to_string()
    };
    let count = |part: fn(&SpendRow) -> u64| show::count(rows.iter().map(part).sum());
    table.add_row([
        "all".to_owned(),
        String::new(),
        String::new(),
        count(|row| row.calls),
        count(|row| row.input_tokens),
        count(|row| row.output_tokens),
        sum(|row| row.amount),
        sum(|row| row.estimated),
    ]);
    for column in 3..8 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
