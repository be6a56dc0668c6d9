//! The shape of the built-in price file.
//!
//! JSON, because JSON is read fastest at start. An operator's file has the same shape and
//! is read by the binary, which points at each mistake; tests look for those here.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::price::{Rates, Rule, Tier};
use kernel::units::{Money, UnixMs};
use serde::Deserialize;

use super::rate::Rate;
use super::{Catalog, Row};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFile {
    version: String,
    vendors: Vec<Vendor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vendor {
    name: String,
    #[serde(default)]
    batch_percent_off: u8,
    web_search_per_1000: Option<Rate>,
    per_1000_requests: Option<Rate>,
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

/// The first instant of a price: midnight UTC of its day.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Day(UnixMs);

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let day: Date = text.parse().map_err(|_| format!("`{text}` is not a day"))?;
        let start = day.to_zoned(TimeZone::UTC).map_err(|_| format!("`{text}` is too far off"))?;
        let ms = u64::try_from(start.timestamp().as_millisecond());
        ms.map(|ms| Day(UnixMs(ms))).map_err(|_| format!("`{text}` is before 1970"))
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
pub(super) fn builtin(text: &str) -> Result<Catalog, serde_json::Error> {
    let file: PriceFile = serde_json::from_str(text)?;
    let mut rows: Vec<Row> = Vec::new();
    for vendor in &file.vendors {
        for priced in &vendor.rows {
            rows.extend(priced.models.iter().map(|model| row(vendor, priced, model)));
        }
    }
    Ok(Catalog::new(file.version, rows))
}

fn row(vendor: &Vendor, priced: &PriceRow, model: &str) -> Row {
    Row {
        model: model.to_owned(),
        vendor: vendor.name.clone(),
        from: priced.from.map(|Day(from)| from),
        rule: rule(vendor, priced),
        context_tokens: priced.context_tokens,
        verify: vendor.verify.iter().chain(&priced.verify).cloned().collect(),
    }
}

fn rule(vendor: &Vendor, priced: &PriceRow) -> Rule {
    let cached = [priced.cache_write_5m, priced.cache_write_1h, priced.cache_read];
    let rates_0 = rates(priced.input, priced.output, cached);
    let mut tiers = vec![Tier { prompt_tokens_over: 0, rates: rates_0 }];
    for above in &priced.above {
        let cached = [above.cache_write_5m, above.cache_write_1h, above.cache_read];
        let rates = rates(above.input, above.output, cached);
        tiers.push(Tier { prompt_tokens_over: above.prompt_tokens, rates });
    }
    // A rate's number, read as dollars for a thousand things, is micro-dollars for one.
    let each = |rate: Option<Rate>| Money(rate.map_or(0, |rate| rate.0.saturating_mul(1_000)));
    Rule {
        tiers,
        per_request: each(vendor.per_1000_requests),
        per_web_search: each(vendor.web_search_per_1000),
        percent_off: 0,
        batch_percent_off: vendor.batch_percent_off,
    }
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
