//! The shape of a price file, and everything that can be wrong in one.
//!
//! The built-in file is JSON because JSON is read fastest at start; a user's file is
//! YAML (which JSON is too), with line and column for each mistake. Both have the same
//! shape, and unknown keys are refused in both.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::price::{Rates, Rule, Tier};
use kernel::units::{ContentHash, Money, UnixMs};
use serde::Deserialize;

use super::rate::Rate;
use super::{Catalog, Row};

/// Why a price file is not used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// It is not a price file.
    #[error("the price file cannot be read: {message}")]
    Unreadable {
        /// What is wrong.
        message: String,
        /// Where, as line and column from 1.
        at: Option<(u64, u64)>,
    },
    /// It reads well and makes no sense.
    #[error("the prices of `{model}` make no sense: {wrong}")]
    Senseless {
        /// Whose prices.
        model: String,
        /// What is wrong, with a hint on its own line.
        wrong: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFile {
    version: Option<String>,
    vendors: Vec<Vendor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vendor {
    name: String,
    #[serde(default)]
    batch_percent_off: u8,
    web_search_per_1000: Option<Rate>,
    #[serde(default)]
    verify: Vec<String>,
    rows: Vec<PriceRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceRow {
    models: Vec<String>,
    from: Option<Day>,
    input: Rate,
    output: Rate,
    cache_write_5m: Option<Rate>,
    cache_write_1h: Option<Rate>,
    cache_read: Option<Rate>,
    #[serde(default)]
    above: Vec<PriceTier>,
    context_tokens: Option<u64>,
    #[serde(default)]
    verify: Vec<String>,
}

/// The day from which a price holds.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Day(Date);

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let wrong = |_| format!("`{text}` is not a day: write it like `2026-11-09`");
        text.parse().map(Day).map_err(wrong)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceTier {
    prompt_tokens: u64,
    input: Rate,
    output: Rate,
    cache_write_5m: Option<Rate>,
    cache_write_1h: Option<Rate>,
    cache_read: Option<Rate>,
}

/// Reads the file that ships with the program.
pub(super) fn builtin(text: &str) -> Result<Catalog, CatalogError> {
    let file: PriceFile = serde_json::from_str(text).map_err(|error| {
        let at = Some((error.line() as u64, error.column() as u64));
        CatalogError::Unreadable { message: error.to_string(), at }
    })?;
    let version = file.version.unwrap_or_default();
    Ok(Catalog::new(version, rows(file.vendors)?))
}

/// Reads a user's file: its version (made from its bytes where it names none) and rows.
pub(super) fn users(text: &str) -> Result<(String, Vec<Row>), CatalogError> {
    let options = serde_saphyr::options! { with_snippet: false };
    let file: PriceFile = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let at = error.location().map(|place| (place.line(), place.column()));
        CatalogError::Unreadable { message: error.to_string(), at }
    })?;
    let fingerprint = || ContentHash::of(text.as_bytes()).to_string()[..8].to_owned();
    let version = file.version.unwrap_or_else(fingerprint);
    Ok((version, rows(file.vendors)?))
}

fn rows(vendors: Vec<Vendor>) -> Result<Vec<Row>, CatalogError> {
    let mut rows: Vec<Row> = Vec::new();
    for vendor in &vendors {
        for priced in &vendor.rows {
            for model in &priced.models {
                let row = row(vendor, priced, model)?;
                if rows.iter().any(|r| r.model == row.model && r.from == row.from) {
                    return Err(senseless(model, "two rows begin on the same day"));
                }
                rows.push(row);
            }
        }
    }
    Ok(rows)
}

fn senseless(model: &str, wrong: &'static str) -> CatalogError {
    CatalogError::Senseless { model: model.to_owned(), wrong }
}

fn row(vendor: &Vendor, priced: &PriceRow, model: &str) -> Result<Row, CatalogError> {
    if model.trim().is_empty() {
        return Err(senseless(model, "a model needs a name"));
    }
    if vendor.batch_percent_off > 100 {
        let wrong = "`batch_percent_off` is above 100\nhint: 50 means half the price";
        return Err(senseless(model, wrong));
    }
    Ok(Row {
        model: model.to_owned(),
        vendor: vendor.name.clone(),
        from: priced.from.map(|Day(day)| midnight(model, day)).transpose()?,
        rule: rule(vendor, priced, model)?,
        batch_percent_off: vendor.batch_percent_off,
        context_tokens: priced.context_tokens,
        verify: vendor.verify.iter().chain(&priced.verify).cloned().collect(),
    })
}

fn midnight(model: &str, day: Date) -> Result<UnixMs, CatalogError> {
    let start = day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_millisecond());
    let ms = start.and_then(|ms| u64::try_from(ms).ok());
    ms.map(UnixMs).ok_or_else(|| senseless(model, "its `from` is before 1970"))
}

fn rule(vendor: &Vendor, priced: &PriceRow, model: &str) -> Result<Rule, CatalogError> {
    let mut tiers = vec![Tier {
        prompt_tokens_over: 0,
        rates: rates(
            priced.input,
            priced.output,
            [priced.cache_write_5m, priced.cache_write_1h, priced.cache_read],
        ),
    }];
    for above in &priced.above {
        if tiers.last().is_some_and(|last| above.prompt_tokens <= last.prompt_tokens_over) {
            let wrong = "its tiers do not ascend\nhint: order `above` by `prompt_tokens`";
            return Err(senseless(model, wrong));
        }
        let cached = [above.cache_write_5m, above.cache_write_1h, above.cache_read];
        let rates = rates(above.input, above.output, cached);
        tiers.push(Tier { prompt_tokens_over: above.prompt_tokens, rates });
    }
    // A rate's number, read as dollars for a thousand things, is micro-dollars for one.
    let search = vendor.web_search_per_1000.map_or(0, |rate| rate.0.saturating_mul(1_000));
    Ok(Rule { tiers, per_request: Money::ZERO, per_web_search: Money(search) })
}

/// Cached input without a price of its own costs what plain input costs: too dear
/// rather than too cheap.
fn rates(input: Rate, output: Rate, [write_5m, write_1h, read]: [Option<Rate>; 3]) -> Rates {
    let or_input = |rate: Option<Rate>| rate.unwrap_or(input).0;
    Rates {
        input: input.0,
        output: output.0,
        cache_write_5m: or_input(write_5m),
        cache_write_1h: or_input(write_1h),
        cache_read: or_input(read),
    }
}
