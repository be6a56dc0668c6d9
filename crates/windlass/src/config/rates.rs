//! Prices as people write them: decimal dollars for a million tokens, or for a thousand
//! things. Read exactly; what would have to be rounded is a mistake.

use kernel::price::Rates;
use kernel::units::Money;

use super::expect::{Reader, Section};
use super::provider::optional;
use super::yaml::Entry;

/// The keys of rates, in the order in which people list them.
pub(super) const RATES: [&str; 5] =
    ["input", "output", "cache_write_5m", "cache_write_1h", "cache_read"];

/// The rates in a section. Cached input without a price of its own costs what plain input
/// costs. Every one is read before any is asked for, so that all mistakes are found.
pub(super) fn read(reader: &mut Reader, section: &Section) -> Option<Rates> {
    let mut rate = |key: &str| optional(section.get(key), |entry| per_token(reader, entry));
    let [input, output, write_5m, write_1h, cache_read] = RATES.map(&mut rate);
    let input = input??;
    Some(Rates {
        input,
        output: output??,
        cache_write_5m: write_5m?.unwrap_or(input),
        cache_write_1h: write_1h?.unwrap_or(input),
        cache_read: cache_read?.unwrap_or(input),
    })
}

/// Dollars per million tokens as whole nano-dollars per token.
fn per_token(reader: &mut Reader, entry: &Entry) -> Option<u64> {
    let per_million = reader.money(entry)?;
    if per_million.0.is_multiple_of(1_000_000) {
        return Some(per_million.0 / 1_000_000);
    }
    let words = format!("`{}` is finer than a thousandth of a dollar", entry.key);
    let hint = "prices per million tokens have at most three decimals";
    reader.wrong(entry.value.span.clone(), words, hint)
}

/// Dollars for a thousand things as whole nano-dollars for one.
pub(super) fn per_thousand(reader: &mut Reader, entry: &Entry) -> Option<Money> {
    let per_thousand = reader.money(entry)?;
    if per_thousand.0.is_multiple_of(1_000) {
        return Some(Money(per_thousand.0 / 1_000));
    }
    let words = format!("`{}` is finer than a millionth of a dollar", entry.key);
    let hint = "prices of a thousand have at most six decimals";
    reader.wrong(entry.value.span.clone(), words, hint)
}
