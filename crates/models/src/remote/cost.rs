//! What a try cost that ended before the provider told it.
//!
//! An estimate errs to the dear side and is never zero: a provider charges for a stream
//! that was cut. What it told stands; what it did not tell is counted from bytes. A stream
//! that goes on past what was held for it is cut, by a count that errs to the cheap side:
//! no honest answer is cut for being long.

use kernel::message::Usage;
use kernel::price::{Rule, Spent};
use kernel::units::Money;

/// Fewest bytes that a token stands for. Tokenizers in use average three to four on
/// text and code; two leaves room for what is dense.
const BYTES_PER_TOKEN_MIN: u64 = 2;

/// Most bytes that a token stands for on the average of a whole answer.
const BYTES_PER_TOKEN_MAX: u64 = 8;

/// What a try may cost.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    pub(super) rule: Rule,
    /// What was reserved for it.
    pub(super) hold: Money,
}

impl Budget {
    /// Whether an answer that goes on has passed what was held: by what was told, and at
    /// the least by what `output_bytes` of it imply.
    pub(super) fn is_passed(&self, told: Option<Usage>, output_bytes: u64) -> bool {
        let mut usage = told.unwrap_or_default();
        usage.output = usage.output.max(output_bytes / BYTES_PER_TOKEN_MAX);
        self.rule.cost(&usage) > self.hold
    }

    /// An estimate within the hold, unless the provider itself told more: the hold was
    /// the bound of everything that we asked for.
    pub(super) fn bound(&self, told: Option<Usage>, estimate: Usage) -> Spent {
        let passes = |usage: &Usage| self.rule.cost(usage) > self.hold;
        match told {
            _ if !passes(&estimate) => Spent::Estimated(estimate),
            Some(told) if passes(&told) => Spent::Estimated(told),
            // The whole hold is settled.
            Some(_) | None => Spent::Unknown,
        }
    }
}

/// The size of what was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// The request as sent, in bytes.
    pub(super) bytes: u64,
    /// The longest answer that it allows, in tokens.
    pub(super) max_tokens: u32,
}

impl Asked {
    /// The tokens of an answer that ended early: what was told so far, and what
    /// `output_bytes` of it imply.
    pub(super) fn estimate(&self, told: Option<Usage>, output_bytes: u64) -> Usage {
        let mut usage = told.unwrap_or_default();
        if usage.input_total() == 0 {
            usage.input = self.bytes.div_ceil(BYTES_PER_TOKEN_MIN).max(1);
        }
        let heard = output_bytes.div_ceil(BYTES_PER_TOKEN_MIN);
        usage.output = usage.output.max(heard.min(u64::from(self.max_tokens)));
        usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l11_an_estimate_passes_the_hold_only_where_the_provider_told_so() {
        let rates = kernel::price::Rates { input: 1, output: 10, ..Default::default() };
        let budget = Budget { rule: Rule::flat(rates), hold: Money(100) };
        let usage = |input, output| Usage { input, output, ..Usage::default() };
        let cases = [
            (None, usage(10, 9), Spent::Estimated(usage(10, 9))),
            (None, usage(10, 10), Spent::Unknown),
            (Some(usage(10, 1)), usage(10, 10), Spent::Unknown),
            (Some(usage(10, 20)), usage(10, 20), Spent::Estimated(usage(10, 20))),
        ];
        for (told, estimate, spent) in cases {
            assert_eq!(budget.bound(told, estimate), spent, "{told:?}, {estimate:?}");
        }
        assert!(!budget.is_passed(Some(usage(20, 1)), 64), "eight tokens at the least");
        assert!(budget.is_passed(Some(usage(20, 1)), 72));
        assert!(budget.is_passed(Some(usage(101, 0)), 0));
        assert!(!budget.is_passed(None, 80));
    }

    #[test]
    fn l11_an_estimate_keeps_what_was_told_and_is_never_zero() {
        let asked = Asked { bytes: 100, max_tokens: 30 };
        let usage = |input, output| Usage { input, output, ..Usage::default() };
        let cached = Usage { cache_read: 40, output: 1, ..Usage::default() };
        let cases = [
            (None, 0, usage(50, 0)),
            (None, 21, usage(50, 11)),
            (Some(usage(17, 1)), 0, usage(17, 1)),
            (Some(usage(17, 1)), 20, usage(17, 10)),
            (Some(usage(17, 25)), 20, usage(17, 25)),
            (Some(cached), 4, Usage { cache_read: 40, output: 2, ..Usage::default() }),
            (None, 1_000_000, usage(50, 30)),
        ];
        for (told, bytes, expected) in cases {
            assert_eq!(asked.estimate(told, bytes), expected, "{told:?} and {bytes} bytes");
        }
        assert_eq!(Asked { bytes: 0, max_tokens: 1 }.estimate(None, 0), usage(1, 0));
    }
}
