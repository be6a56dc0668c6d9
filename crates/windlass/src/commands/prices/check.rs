//! `windlass prices check`: every mistake of a price file, what it adds and replaces, and
//! which agents would be refused for want of a price.

use std::path::{Path, PathBuf};

use anstream::{eprintln, println};
use engine::ports::World as _;
use models::catalog::{Catalog, Row};
use owo_colors::OwoColorize;

use super::list::{figures, per_million};
use crate::assemble::{self, PriceOf, environment};
use crate::cli::HereArgs;
use crate::config::{self, PriceFile};
use crate::exit::{BadUsage, End};
use crate::here;
use crate::show;
use crate::world::Machine;

pub(super) fn check(flags: &HereArgs, agents: &[PathBuf]) -> anyhow::Result<End> {
    let builtin = Catalog::builtin();
    let catalog = match here::price_file(flags)? {
        Some(file) => {
            let own = config::load_prices(&file, &environment)?;
            println!("{}", summary(&file, &own));
            builtin.overlay(&own.version, own.rows)
        }
        None => {
            let (version, models) = (builtin.version(), builtin.names().len());
            println!("no price file is named: the built-in prices {version} hold, {models} models");
            builtin
        }
    };
    let plans_cap_money = here::installation(flags)?.caps.cap_money();
    let mut end = End::Finished;
    for file in agents {
        if let Err(error) = agent(file, &catalog, plans_cap_money) {
            end = End::Usage;
            eprintln!("{} {}", "error:".red().bold(), crate::words_of(&error).trim_end());
        }
    }
    Ok(end)
}

/// The price of every model of an agent. L13: one without a price is refused under a cap
/// on money, be it the runs' own or one that they share.
fn agent(file: &Path, catalog: &Catalog, plans_cap_money: bool) -> anyhow::Result<()> {
    let (config, _) = assemble::check(file, catalog)?;
    for PriceOf { model, from } in assemble::prices(&config, catalog) {
        if from.is_none() && plans_cap_money {
            return Err(BadUsage(format!(
                "`{}`: model `{model}` has no price, and plans cap money\n\
                 give its `price`, or a price file that has it",
                file.display()
            ))
            .into());
        }
        let from =
            from.unwrap_or_else(|| "has no price; its runs have no budget either".to_owned());
        println!("{}: model `{model}` {from}", file.display());
    }
    Ok(())
}

/// What a price file comes to, laid over the built-in prices.
pub(crate) fn summary(file: &Path, own: &PriceFile) -> String {
    let builtin = Catalog::builtin();
    let merged = builtin.overlay(&own.version, own.rows.clone());
    let mut lines = vec![format!(
        "{}: ok\n  prices {}, {} rows",
        file.display(),
        merged.version(),
        own.rows.len()
    )];
    let mut names: Vec<&str> = own.rows.iter().map(|row| row.model.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (before, after) = (last(&builtin, name), last(&merged, name));
        lines.push(match (before, after) {
            (Some(before), Some(after)) => {
                format!("  replaces  {}: {}", show::one_line(name), changes(before, after))
            }
            (_, Some(after)) => format!("  adds      {}: {}", show::one_line(name), said(after)),
            (_, None) => String::new(),
        });
    }
    lines.join("\n")
}

/// A model's price as of now, or the one that it is going to have.
fn last<'a>(catalog: &'a Catalog, model: &str) -> Option<&'a Row> {
    let rows = catalog.rows_of(model);
    let now = Machine.now();
    rows.iter().rev().find(|row| row.from.is_none_or(|from| from <= now)).or_else(|| rows.first())
}

fn said(row: &Row) -> String {
    let rates = figures(&row.rule.tiers[0].rates);
    let words: Vec<String> =
        rates.iter().map(|(figure, rate)| format!("{figure} {}", per_million(*rate))).collect();
    words.join(", ")
}

/// What a new row makes of the price that was there, as far as figures tell it.
fn changes(before: &Row, after: &Row) -> String {
    let (old, new) = (figures(&before.rule.tiers[0].rates), figures(&after.rule.tiers[0].rates));
    let mut words: Vec<String> = old
        .iter()
        .zip(&new)
        .filter(|(old, new)| old != new)
        .map(|((figure, old), (_, new))| {
            format!("{figure} {} → {}", per_million(*old), per_million(*new))
        })
        .collect();
    if before.rule.tiers.len() != after.rule.tiers.len() {
        let (old, new) = (before.rule.tiers.len(), after.rule.tiers.len());
        words.push(format!("tiers {old} → {new}"));
    }
    if words.is_empty() {
        return "the same rates".to_owned();
    }
    words.join(", ")
}
