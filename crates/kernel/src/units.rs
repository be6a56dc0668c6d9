//! The quantities everything is counted in: ids, money, instants, hashes.
//!
//! All are integers or fixed bytes, so that equal things are equal bytes in the log.
//! None can be made from a clock or from chance here; the shell hands them in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// One conversation of one tenant's user with an agent. A UUID (version 7 when we make it).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SessionId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::from_str(text).map(SessionId)
    }
}

/// Who owns a session and pays for it. Every look-up is scoped by one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tenant(pub String);

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UnixMs(pub u64);

impl UnixMs {
    /// The instant `ms` milliseconds later, or the last one there is.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        UnixMs(self.0.saturating_add(ms))
    }
}

/// Which owner of a session wrote a fact. Grows by one with each new owner and
/// fences the ones before: the store refuses a commit under an older epoch.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// An amount of US dollars in nano-dollars (10⁻⁹ USD), so that the cheapest token of
/// the cheapest model is a whole number and sums are exact.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(pub u64);

impl Money {
    /// Nothing.
    pub const ZERO: Money = Money(0);
    /// Nano-dollars in one dollar.
    pub const PER_USD: u64 = 1_000_000_000;

    /// The sum, or `u64::MAX` nano-dollars (18 billion USD) where it would not fit.
    #[must_use]
    pub fn plus(self, other: Money) -> Money {
        Money(self.0.saturating_add(other.0))
    }

    /// The difference, or nothing where `other` is larger.
    #[must_use]
    pub fn less(self, other: Money) -> Money {
        Money(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Money {
    /// Dollars with at least two and at most nine decimals: `$0.50`, `$0.000021`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, nanos) = (self.0 / Self::PER_USD, self.0 % Self::PER_USD);
        let digits = format!("{nanos:09}");
        let kept = digits.trim_end_matches('0').len().max(2);
        write!(f, "${whole}.{}", &digits[..kept])
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not an amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount in dollars like `2.50` (at most nine decimals)")]
pub struct NotMoney(String);

impl FromStr for Money {
    type Err = NotMoney;

    /// Reads plain decimal dollars, exactly: `1`, `0.25`, `$3.000000001`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotMoney(text.to_owned());
        let bare = text.strip_prefix('$').unwrap_or(text);
        let (whole, decimals) = bare.split_once('.').unwrap_or((bare, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || decimals.len() > 9 {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let nanos: u64 = format!("{decimals:0<9}").parse().map_err(|_| wrong())?;
        whole
            .checked_mul(Self::PER_USD)
            .and_then(|n| n.checked_add(nanos))
            .map(Money)
            .ok_or_else(wrong)
    }
}

/// A BLAKE3 hash: of a payload's bytes (its content address) or of an event in the chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        ContentHash(*blake3::hash(bytes).as_bytes())
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(|hash| ContentHash(*hash.as_bytes()))
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ContentHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        ContentHash::from_hex(&text)
            .ok_or_else(|| serde::de::Error::custom("expected 64 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_and_writes_exactly() {
        for (text, nanos, shown) in [
            ("1", 1_000_000_000, "$1.00"),
            ("0.25", 250_000_000, "$0.25"),
            ("$0.000000001", 1, "$0.000000001"),
            ("12.3456", 12_345_600_000, "$12.3456"),
        ] {
            let money: Money = text.parse().unwrap();
            assert_eq!(money, Money(nanos), "{text}");
            assert_eq!(money.to_string(), shown, "{text}");
        }
        for wrong in ["", ".", "1.", "-1", "1e3", "0.0000000001", "99999999999999", "1,5", "$"] {
            assert!(wrong.parse::<Money>().is_err(), "{wrong}");
        }
    }
}
