//! `windlass prices list`: a table of the prices in force, or of one model's over time.

use anstream::{eprintln, println};
use comfy_table::{CellAlignment, Table, presets};
use engine::ports::World as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::price::{Rates, Tier};
use kernel::units::{Money, UnixMs};
use models::catalog::{Catalog, Row};
use owo_colors::OwoColorize;
use serde_json::{Value, json};

use crate::exit::{BadUsage, End};
use crate::world::Machine;
use crate::{bar, show};

/// Stands behind a figure that comes from a second-hand source.
const SECOND_HAND: &str = "?";

pub(super) fn list(
    catalog: &Catalog,
    model: Option<&str>,
    at: Option<Date>,
    json: bool,
) -> anyhow::Result<End> {
    let at = at.map_or_else(|| Ok(Machine.now()), midnight)?;
    let rows = match model {
        None => catalog.names().into_iter().filter_map(|name| catalog.row(name, at)).collect(),
        Some(name) => of_model(catalog, name)?,
    };
    if json {
        for row in rows {
            println!("{}", show::object(&object(catalog, row, at)));
        }
        return Ok(End::Finished);
    }
    if rows.is_empty() {
        eprintln!("no model had a price on {}", day(at));
        return Ok(End::Finished);
    }
    println!("{}", table(catalog, &rows, at, model.is_some()));
    let marked = if rows.iter().any(|row| !row.verify.is_empty()) {
        format!("; `{SECOND_HAND}` marks a second-hand figure: verify it")
    } else {
        String::new()
    };
    let words = format!("prices {}, in dollars per million tokens{marked}", catalog.version());
    eprintln!("{}", words.dimmed());
    Ok(End::Finished)
}

/// The first instant of a day in UTC.
fn midnight(day: Date) -> anyhow::Result<UnixMs> {
    let start = day.to_zoned(TimeZone::UTC)?.timestamp().as_millisecond();
    let words = "there are no prices before 1970";
    Ok(UnixMs(u64::try_from(start).map_err(|_| BadUsage(words.to_owned()))?))
}

fn day(at: UnixMs) -> String {
    show::instant(at)[..10].to_owned()
}

/// All rows of a model, or of the model that a dated snapshot belongs to.
fn of_model<'a>(catalog: &'a Catalog, name: &str) -> Result<Vec<&'a Row>, BadUsage> {
    let known = catalog.row(name, UnixMs(u64::MAX)).ok_or_else(|| {
        let hint = catalog.nearest(name).map_or_else(
            || "`windlass prices list` shows those that it knows".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        BadUsage(format!("the price list does not know the model `{name}`\n{hint}"))
    })?;
    Ok(catalog.rows_of(&known.model).iter().collect())
}

/// Whether a row is the one that holds for its model at that instant.
fn in_force(catalog: &Catalog, row: &Row, at: UnixMs) -> bool {
    catalog.row(&row.model, at) == Some(row)
}

/// Columns that are shown only where some row has something in them, and where there is
/// room.
#[derive(Clone, Copy, Default)]
struct Extras {
    vendors: bool,
    requests: bool,
    searches: bool,
    batches: bool,
    windows: bool,
}

impl Extras {
    /// All that the rows have something in, and then fewer and fewer.
    fn ever_fewer(rows: &[&Row]) -> [Extras; 3] {
        let any = |has: fn(&Row) -> bool| rows.iter().any(|row| has(row));
        let all = Extras {
            vendors: true,
            requests: any(|row| row.rule.per_request > Money::ZERO),
            searches: any(|row| row.rule.per_web_search > Money::ZERO),
            batches: any(|row| row.rule.batch_percent_off > 0),
            windows: any(|row| row.context_tokens.is_some()),
        };
        let fees = Extras { vendors: false, windows: false, ..all };
        [all, fees, Extras::default()]
    }
}

/// The table with as many columns as the terminal has room for.
fn table(catalog: &Catalog, rows: &[&Row], at: UnixMs, over_time: bool) -> Table {
    let [all, fewer, fewest] = Extras::ever_fewer(rows);
    let fits = |table: &Table| bar::known_width().is_none_or(|width| bar::width_of(table) <= width);
    let drawn = |extras| drawn(catalog, rows, at, over_time, extras);
    [all, fewer].into_iter().map(drawn).find(fits).unwrap_or_else(|| drawn(fewest))
}

fn drawn(catalog: &Catalog, rows: &[&Row], at: UnixMs, over_time: bool, extras: Extras) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut header = vec!["MODEL"];
    header.extend(extras.vendors.then_some("VENDOR"));
    header.extend(["FROM", "PROMPT"]);
    let words = header.len();
    header.extend(["INPUT", "OUTPUT", "WRITE 5M", "WRITE 1H", "READ"]);
    header.extend(extras.requests.then_some("REQUEST"));
    header.extend(extras.searches.then_some("SEARCH"));
    header.extend(extras.batches.then_some("BATCH"));
    header.extend(extras.windows.then_some("WINDOW"));
    let columns = header.len();
    header.extend(over_time.then_some("IN FORCE"));
    table.set_header(header);
    for row in rows {
        for tier in 0..row.rule.tiers.len() {
            let mut cells = tier_cells(row, tier, extras);
            if over_time && tier == 0 && in_force(catalog, row, at) {
                cells.push(format!("on {}", day(at)));
            }
            table.add_row(cells);
        }
    }
    for column in words..columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// One line of the table. What all tiers share is said in the line of the first.
fn tier_cells(row: &Row, tier: usize, extras: Extras) -> Vec<String> {
    let marked = |figure: &str, words: String| match row.verify.iter().any(|one| one == figure) {
        true => format!("{words}{SECOND_HAND}"),
        false => words,
    };
    let once = |words: String| if tier == 0 { words } else { String::new() };
    let fee = |figure, money: Money| match money {
        Money::ZERO => String::new(),
        money => once(marked(figure, money.to_string())),
    };
    let from = row.from.map_or_else(|| "always".to_owned(), day);
    let mut cells = vec![once(show::one_line(&row.model))];
    if extras.vendors {
        cells.push(once(show::one_line(&row.vendor)));
    }
    cells.extend([once(from), prompts(&row.rule.tiers, tier)]);
    cells.extend(
        figures(&row.rule.tiers[tier].rates)
            .map(|(figure, rate)| marked(figure, per_million(rate).to_string())),
    );
    if extras.requests {
        cells.push(fee("per_1000_requests", row.rule.per_request));
    }
    if extras.searches {
        cells.push(fee("web_search_per_1000", row.rule.per_web_search));
    }
    if extras.batches {
        cells.push(match row.rule.batch_percent_off {
            0 => String::new(),
            percent => once(marked("batch_percent_off", format!("-{percent}%"))),
        });
    }
    if extras.windows {
        let window = row.context_tokens.map(show::count).unwrap_or_default();
        cells.push(once(marked("context_tokens", window)));
    }
    cells
}

/// Which prompts fall in a tier, where there is more than one.
fn prompts(tiers: &[Tier], tier: usize) -> String {
    match (tiers.get(tier + 1), tiers[tier].prompt_tokens_over) {
        (None, 0) => String::new(),
        (Some(next), 0) => format!("≤ {}", show::count(next.prompt_tokens_over)),
        (_, over) => format!("> {}", show::count(over)),
    }
}

/// Each rate under the name that it has in price files.
pub(super) fn figures(rates: &Rates) -> [(&'static str, u64); 5] {
    [
        ("input", rates.input),
        ("output", rates.output),
        ("cache_write_5m", rates.cache_write_5m),
        ("cache_write_1h", rates.cache_write_1h),
        ("cache_read", rates.cache_read),
    ]
}

/// Nano-dollars per token as dollars per million tokens.
pub(super) fn per_million(rate: u64) -> Money {
    Money(rate.saturating_mul(1_000_000))
}

/// A row for programs: amounts are exact decimals in dollars.
fn object(catalog: &Catalog, row: &Row, at: UnixMs) -> Value {
    let tier = |tier: &Tier| {
        let rates: serde_json::Map<String, Value> = figures(&tier.rates)
            .iter()
            .map(|(figure, rate)| ((*figure).to_owned(), json!(show::decimal(per_million(*rate)))))
            .collect();
        json!({"prompt_tokens_over": tier.prompt_tokens_over, "usd_per_million": rates})
    };
    json!({
        "version": catalog.version(),
        "model": row.model,
        "vendor": row.vendor,
        "from": row.from.map(day),
        "in_force": in_force(catalog, row, at),
        "tiers": row.rule.tiers.iter().map(tier).collect::<Vec<_>>(),
        "usd_per_request": show::decimal(row.rule.per_request),
        "usd_per_web_search": show::decimal(row.rule.per_web_search),
        "batch_percent_off": row.rule.batch_percent_off,
        "context_tokens": row.context_tokens,
        "verify": row.verify,
    })
}
