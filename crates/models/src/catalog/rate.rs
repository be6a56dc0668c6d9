//! A price as people write it: decimal dollars per million tokens.
//!
//! One dollar per million tokens is 1,000 nano-dollars per token, so three decimals are
//! exact and a fourth is refused instead of rounded.

use serde::Deserialize;

/// Nano-dollars per token in one dollar per million tokens.
const NANOS_PER_USD: u64 = 1_000;

/// Dollars per million tokens, held as nano-dollars per token. The same number is
/// micro-dollars for one of a thousand things sold together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Rate(pub(super) u64);

impl TryFrom<String> for Rate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        parse(&text).map(Rate).ok_or_else(|| {
            format!(
                "`{text}` is not a price: write dollars with at most three decimals, like `0.125`"
            )
        })
    }
}

fn parse(text: &str) -> Option<u64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    // Zeros at the end say nothing.
    let kept = decimals.trim_end_matches('0');
    if !digits(whole) || !digits(decimals) || kept.len() > 3 {
        return None;
    }
    let thousandths: u64 = format!("{kept:0<3}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(NANOS_PER_USD)?.checked_add(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_exactly_or_not_at_all() {
        let cases = [
            ("0", Some(0)),
            ("8", Some(8_000)),
            ("0.20", Some(200)),
            ("0.125", Some(125)),
            ("12.50", Some(12_500)),
            ("0.0010000", Some(1)),
            ("0.0001", None),
            ("", None),
            (".5", None),
            ("1.", None),
            ("-1", None),
            ("1e3", None),
            ("1,5", None),
            ("99999999999999999999", None),
        ];
        for (text, nanos) in cases {
            assert_eq!(parse(text), nanos, "{text}");
        }
    }
}
