//! What caps count: money, tokens and requests, always together.
//!
//! A call uses up some of each; a scope may limit each, or not. Whole numbers only, and
//! sums that would not fit stop at the largest number there is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::Money;

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Nano-dollars.
    #[default]
    Money,
    /// Tokens in and out, cached or not.
    Tokens,
    /// Model calls.
    Requests,
}

/// So much of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Money.
    pub money: Money,
    /// Tokens.
    pub tokens: u64,
    /// Model calls.
    pub requests: u64,
}

/// At most so much of each; `None` means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// Money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<Money>,
    /// Tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Model calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
}

impl Measure {
    /// All of them, in the order in which they are checked.
    pub const ALL: [Measure; 3] = [Measure::Money, Measure::Tokens, Measure::Requests];

    /// So much of this measure, for people: `$0.50`, `1200 tokens`, `1 request`.
    #[must_use]
    pub fn show(self, count: u64) -> String {
        match self {
            Measure::Money => Money(count).to_string(),
            Measure::Tokens => counted(count, "token"),
            Measure::Requests => counted(count, "request"),
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Measure::Money => "money",
            Measure::Tokens => "tokens",
            Measure::Requests => "requests",
        }
    }
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount { money: Money::ZERO, tokens: 0, requests: 0 };

    /// Money alone.
    #[must_use]
    pub fn of(money: Money) -> Self {
        Amount { money, ..Amount::ZERO }
    }

    /// How much of one measure.
    #[must_use]
    pub fn get(&self, measure: Measure) -> u64 {
        match measure {
            Measure::Money => self.money.0,
            Measure::Tokens => self.tokens,
            Measure::Requests => self.requests,
        }
    }

    /// The sum of each.
    #[must_use]
    pub fn plus(self, other: Amount) -> Amount {
        Amount {
            money: self.money.plus(other.money),
            tokens: self.tokens.saturating_add(other.tokens),
            requests: self.requests.saturating_add(other.requests),
        }
    }

    /// The difference of each, or nothing where `other` is larger.
    #[must_use]
    pub fn less(self, other: Amount) -> Amount {
        Amount {
            money: self.money.less(other.money),
            tokens: self.tokens.saturating_sub(other.tokens),
            requests: self.requests.saturating_sub(other.requests),
        }
    }
}

impl Allowance {
    /// No limit at all.
    pub const NONE: Allowance = Allowance { money: None, tokens: None, requests: None };

    /// A limit on money alone, or none.
    #[must_use]
    pub fn of(money: Option<Money>) -> Self {
        Allowance { money, ..Allowance::NONE }
    }

    /// The limit of one measure.
    #[must_use]
    pub fn get(&self, measure: Measure) -> Option<u64> {
        match measure {
            Measure::Money => self.money.map(|money| money.0),
            Measure::Tokens => self.tokens,
            Measure::Requests => self.requests,
        }
    }
}
