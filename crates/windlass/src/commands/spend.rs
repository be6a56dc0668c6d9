//! `windlass spend`: what was spent, summed as it is asked for: a table with bars for
//! people, CSV and JSON for billing.
//!
//! Days and months are those of UTC, whatever offset the caps have.

mod export;
mod group;
mod period;
mod table;

use anstream::{eprintln, print, println};
use engine::Engine;
use kernel::units::Tenant;

use crate::cli::SpendArgs;
use crate::exit::{BadUsage, End};
use crate::here::Here;
use crate::{assemble, show};
use group::{Spent, lines};

pub(crate) use group::By;
pub(crate) use period::Period;

pub(crate) async fn spend(here: &Here, args: SpendArgs) -> anyhow::Result<End> {
    let engine = assemble::reader(here).await?;
    let (first, last) = days(&args, engine.world.now().0 / period::DAY_MS)?;
    let tenants = if args.all_tenants || args.by.contains(&By::Tenant) {
        engine.store.tenants().await?
    } else {
        vec![here.tenant.clone()]
    };
    let rows = rows(&engine, &tenants, first, last).await?;
    let span = format!("from {} to {}", show::day(first), show::day(last));
    if args.csv {
        print!("{}", export::csv(&lines(&rows, &export::keys(&args.by))));
    } else if args.json {
        print!("{}", export::json(&lines(&rows, &export::keys(&args.by))));
    }
    if rows.is_empty() {
        eprintln!("nothing was spent {span}");
        return Ok(End::Finished);
    }
    if !args.csv && !args.json {
        let by = if args.by.is_empty() { &[By::Day, By::Agent, By::Model][..] } else { &args.by };
        println!("{}", table::table(&lines(&rows, by), by));
        let whose = match tenants.as_slice() {
            [one] => format!("tenant {}", show::one_line(&one.0)),
            _ => "all tenants".to_owned(),
        };
        eprintln!("{whose}, {span}");
    }
    Ok(End::Finished)
}

/// The days that are asked for, both included, counted from 1970-01-01.
fn days(args: &SpendArgs, today: u64) -> Result<(u64, u64), BadUsage> {
    if args.from.is_none() && args.to.is_none() {
        return Ok((today.saturating_sub(args.days - 1), today));
    }
    let first = args.from.map_or(0, |period| period.first);
    let last = args.to.map_or(today, |period| period.last);
    if first > last {
        let (first, last) = (show::day(first), show::day(last));
        return Err(BadUsage(format!("`--from` {first} is after `--to` {last}")));
    }
    Ok((first, last))
}

async fn rows(
    engine: &Engine,
    tenants: &[Tenant],
    first: u64,
    last: u64,
) -> anyhow::Result<Vec<Spent>> {
    let mut all = Vec::new();
    for tenant in tenants {
        let rows = engine.store.spend(tenant, first, last).await?;
        all.extend(rows.into_iter().map(|row| Spent { tenant: tenant.0.clone(), row }));
    }
    Ok(all)
}
