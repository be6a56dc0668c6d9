//! An operator's price file: its keys, their limits, and what makes no sense in one.
//!
//! The same shape as the built-in prices, in YAML or JSON. Prices are dollars per million
//! tokens; fees are dollars for a thousand.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::price::{Rule, Tier};
use kernel::units::{ContentHash, UnixMs};
use models::catalog::Row;

use super::expect::{Keys, Reader, Section};
use super::mistake::{Broken, Source, Span};
use super::provider::optional;
use super::rates::{self, per_thousand};
use super::yaml::{Entry, Node, Value};
use super::{Environment, suggest};

/// A price file, checked.
#[derive(Clone, Debug)]
pub(crate) struct PriceFile {
    /// What it calls itself, or the beginning of the hash of its bytes.
    pub(crate) version: String,
    /// Its prices, in the order of the file.
    pub(crate) rows: Vec<Row>,
}

/// Longest version, in characters: it stands on every row of the ledger.
const VERSION_CHARS_MAX: usize = 64;

/// Digits of a hash that stand for a version.
const FINGERPRINT_DIGITS: usize = 8;

const FILE: Keys = Keys { of: "the file", known: &["version", "vendors"], required: &["vendors"] };

const VENDOR: Keys = Keys {
    of: "a vendor",
    known: &[
        "name",
        "batch_percent_off",
        "web_search_per_1000",
        "per_1000_requests",
        "verify",
        "rows",
    ],
    required: &["name", "rows"],
};

const ROW: Keys = Keys {
    of: "a row",
    known: &[
        "models",
        "from",
        "input",
        "output",
        "cache_write_5m",
        "cache_write_1h",
        "cache_read",
        "above",
        "context_tokens",
        "verify",
    ],
    required: &["models", "input", "output"],
};

const TIER: Keys = Keys {
    of: "a tier in `above`",
    known: &["prompt_tokens", "input", "output", "cache_write_5m", "cache_write_1h", "cache_read"],
    required: &["prompt_tokens", "input", "output"],
};

/// The figures that may be marked as second-hand.
const FIGURES: [&str; 9] = [
    "input",
    "output",
    "cache_write_5m",
    "cache_write_1h",
    "cache_read",
    "batch_percent_off",
    "web_search_per_1000",
    "per_1000_requests",
    "context_tokens",
];

/// What all rows of a vendor share.
struct Vendor {
    name: String,
    /// A rule without tiers: fees and discounts.
    fees: Rule,
    verify: Vec<String>,
}

/// Reads the whole file.
pub(super) fn read(source: &Source, environment: Environment) -> Result<PriceFile, Broken> {
    super::expect::file(source, environment, &FILE, |reader, file| {
        let version = optional(file.get("version"), |entry| version(reader, entry));
        let rows = rows(reader, file.get("vendors")?);
        let fingerprint = || {
            let mut hash = ContentHash::of(source.text.as_bytes()).to_string();
            hash.truncate(FINGERPRINT_DIGITS);
            hash
        };
        Some(PriceFile { version: version?.unwrap_or_else(fingerprint), rows: rows? })
    })
}

fn version(reader: &mut Reader, entry: &Entry) -> Option<String> {
    let said = reader.text(entry)?;
    if said.len() <= VERSION_CHARS_MAX && said.chars().all(|c| c.is_ascii_graphic()) {
        return Some(said);
    }
    let words = "`version` is one word of plain characters";
    let hint = format!("like `acme-2026-11`, at most {VERSION_CHARS_MAX} characters");
    reader.wrong(entry.value.span.clone(), words, hint)
}

fn rows(reader: &mut Reader, vendors: &Entry) -> Option<Vec<Row>> {
    let mut all: Vec<Row> = Vec::new();
    for node in reader.list(vendors)? {
        let Some(section) = reader.section(node, node.span.clone(), &VENDOR) else { continue };
        let vendor = vendor(reader, &section);
        let Some(listed) = section.get("rows").and_then(|entry| reader.list(entry)) else {
            continue;
        };
        for node in listed {
            // A row is read also where its vendor is wrong, to name all mistakes.
            if let (Some(found), Some(vendor)) = (row(reader, node), &vendor) {
                keep(reader, &mut all, vendor, found);
            }
        }
    }
    Some(all)
}

fn vendor(reader: &mut Reader, section: &Section) -> Option<Vendor> {
    let name = section.get("name").and_then(|entry| reader.text(entry));
    let percent = optional(section.get("batch_percent_off"), |entry| {
        reader.whole(entry, 0..=100_u8, "percent")
    });
    let mut fee = |key: &str| optional(section.get(key), |entry| per_thousand(reader, entry));
    let (search, request) = (fee("web_search_per_1000"), fee("per_1000_requests"));
    let verify = figures(reader, section.get("verify"));
    let fees = Rule {
        tiers: Vec::new(),
        per_request: request?.unwrap_or_default(),
        per_web_search: search?.unwrap_or_default(),
        percent_off: 0,
        batch_percent_off: percent?.unwrap_or_default(),
    };
    Some(Vendor { name: name?, fees, verify: verify? })
}

/// A row of the file: a price of several models.
struct Found {
    models: Vec<(String, Span)>,
    from: Option<UnixMs>,
    tiers: Vec<Tier>,
    context_tokens: Option<u64>,
    verify: Vec<String>,
}

fn row(reader: &mut Reader, node: &Node) -> Option<Found> {
    let section = reader.section(node, node.span.clone(), &ROW)?;
    let models = section.get("models").and_then(|entry| models(reader, entry));
    let from = optional(section.get("from"), |entry| day(reader, entry));
    let first = rates::read(reader, &section);
    let above = section.get("above").map_or(Some(Vec::new()), |entry| tiers(reader, entry));
    let context_tokens = optional(section.get("context_tokens"), |entry| {
        reader.whole(entry, 1..=u64::from(u32::MAX), "tokens")
    });
    let verify = figures(reader, section.get("verify"));
    let mut tiers = vec![Tier { prompt_tokens_over: 0, rates: first? }];
    tiers.extend(above?);
    Some(Found {
        models: models?,
        from: from?,
        tiers,
        context_tokens: context_tokens?,
        verify: verify?,
    })
}

fn models(reader: &mut Reader, entry: &Entry) -> Option<Vec<(String, Span)>> {
    let models = reader.texts(entry)?;
    if models.is_empty() {
        let hint = "name the models that this price is for";
        return reader.wrong(entry.key_span.clone(), "`models` names none", hint);
    }
    Some(models)
}

/// The first instant of a day in UTC.
fn day(reader: &mut Reader, entry: &Entry) -> Option<UnixMs> {
    let said = reader.text(entry)?;
    let midnight = said.parse::<Date>().ok().and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    let ms = midnight.and_then(|at| u64::try_from(at.timestamp().as_millisecond()).ok());
    let words = format!("`{said}` is no day since 1970");
    ms.map(UnixMs)
        .or_else(|| reader.wrong(entry.value.span.clone(), words, "write it like `2026-11-09`"))
}

fn tiers(reader: &mut Reader, above: &Entry) -> Option<Vec<Tier>> {
    let mut tiers: Vec<Tier> = Vec::new();
    for node in reader.list(above)? {
        let section = reader.section(node, node.span.clone(), &TIER)?;
        let rates = rates::read(reader, &section);
        let border = section.get("prompt_tokens")?;
        let over = reader.whole(border, 1..=u64::from(u32::MAX), "tokens")?;
        if tiers.last().is_some_and(|last| over <= last.prompt_tokens_over) {
            let words = "the tiers in `above` do not ascend";
            return reader.wrong(border.value.span.clone(), words, "order them by `prompt_tokens`");
        }
        tiers.push(Tier { prompt_tokens_over: over, rates: rates? });
    }
    Some(tiers)
}

/// Names of figures that are second-hand.
fn figures(reader: &mut Reader, entry: Option<&Entry>) -> Option<Vec<String>> {
    let Some(entry) = entry else { return Some(Vec::new()) };
    let named = reader.texts(entry)?;
    for (name, span) in &named {
        if !FIGURES.contains(&name.as_str()) {
            let words = format!("`{name}` is no figure of a price");
            reader.wrong::<()>(span.clone(), words, suggest::hint(name, &FIGURES));
        }
    }
    Some(named.into_iter().map(|(name, _)| name).collect())
}

/// Makes a row for each model, unless the model has one of that day already.
fn keep(reader: &mut Reader, rows: &mut Vec<Row>, vendor: &Vendor, found: Found) {
    let rule = Rule { tiers: found.tiers, ..vendor.fees.clone() };
    for (model, span) in found.models {
        if rows.iter().any(|row| row.model == model && row.from == found.from) {
            let words = format!("`{model}` has a price from the same day already");
            let hint = "keep one of the rows, or give one of them another `from`";
            reader.wrong::<()>(span, words, hint);
            continue;
        }
        rows.push(Row {
            model,
            vendor: vendor.name.clone(),
            from: found.from,
            rule: rule.clone(),
            context_tokens: found.context_tokens,
            verify: vendor.verify.iter().chain(&found.verify).cloned().collect(),
        });
    }
}

/// Whether a file with these keys at its top is a price file.
pub(super) fn is_told_by(root: &Node) -> bool {
    matches!(&root.value, Value::Map(entries) if entries.iter().any(|one| one.key == "vendors"))
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    [&FILE, &VENDOR, &ROW, &TIER].into_iter().flat_map(|keys| keys.known.iter().copied())
}
