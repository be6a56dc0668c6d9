//! What a call costs: a rule, not four numbers.
//!
//! Rates depend on the date (which rule applies is the catalogue's business), on the
//! length of the prompt, and on who wrote or read the cache; some things cost per
//! request. All sums are integers in nano-dollars; nothing here knows a model's name.

use serde::{Deserialize, Serialize};

use crate::message::Usage;
use crate::units::Money;

/// Nano-dollars per token. One dollar per million tokens is 1,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// Uncached input.
    pub input: u64,
    /// Output.
    pub output: u64,
    /// Writes to the five-minute cache.
    pub cache_write_5m: u64,
    /// Writes to the one-hour cache.
    pub cache_write_1h: u64,
    /// Reads from the cache.
    pub cache_read: u64,
}

/// The rates from a prompt length upward. They hold for every token of that request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// Prompts longer than this many tokens fall in this tier. 0 for the first.
    pub prompt_tokens_over: u64,
    /// The rates.
    pub rates: Rates,
}

/// How a model's calls are priced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Tiers in ascending order; the first begins at 0.
    pub tiers: Vec<Tier>,
    /// For each request.
    #[serde(default)]
    pub per_request: Money,
    /// For each web search that the vendor runs.
    #[serde(default)]
    pub per_web_search: Money,
}

/// What a call may cost, whoever of the fallback chain answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The catalogue's version, stamped on every ledger row.
    pub version: String,
    /// The rule of the agent's own model.
    pub rule: Rule,
    /// The fallbacks, by the names that they have in the agent.
    pub fallbacks: Vec<Fallback>,
    /// The most that a prompt and its answer may hold together, in tokens, where it is
    /// known: the smallest of the chain.
    pub context_tokens: Option<u64>,
}

/// A model that answers where the one before it does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// Its name.
    pub model: String,
    /// Its rule.
    pub rule: Rule,
}

/// What a call that brought no whole answer cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// Nothing: it was refused before any token was read.
    Nothing,
    /// This much, by the provider's word.
    Told(Usage),
    /// This much, by our estimate; an upper bound where one is known.
    Estimated(Usage),
    /// Nobody knows; the whole hold is settled.
    Unknown,
}

impl Quote {
    /// A price without fallbacks.
    #[must_use]
    pub fn of(version: impl Into<String>, rule: Rule) -> Self {
        Quote { version: version.into(), rule, fallbacks: Vec::new(), context_tokens: None }
    }

    /// The rule of whoever answered. `None`: no such fallback is known any more.
    #[must_use]
    pub fn rule_of(&self, fallback: Option<&str>) -> Option<&Rule> {
        match fallback {
            None => Some(&self.rule),
            Some(name) => self.fallbacks.iter().find(|one| one.model == name).map(|one| &one.rule),
        }
    }

    /// The most that a whole call can cost, whoever answers (L14).
    #[must_use]
    pub fn worst(&self, input_tokens_max: u64, output_tokens_max: u64) -> Money {
        let worst = self.rules().map(|rule| rule.worst(input_tokens_max, output_tokens_max));
        worst.max().unwrap_or_default()
    }

    /// The longest answer that `money` can pay for after the input, whoever answers.
    /// `None` where not even the input can be paid.
    #[must_use]
    pub fn output_tokens_for(&self, money: Money, input_tokens_max: u64) -> Option<u64> {
        self.rules().map(|rule| rule.output_tokens_for(money, input_tokens_max)).min().flatten()
    }

    fn rules(&self) -> impl Iterator<Item = &Rule> {
        std::iter::once(&self.rule).chain(self.fallbacks.iter().map(|one| &one.rule))
    }
}

impl Rule {
    /// A rule with one tier and no fees.
    #[must_use]
    pub fn flat(rates: Rates) -> Self {
        let tiers = vec![Tier { prompt_tokens_over: 0, rates }];
        Rule { tiers, per_request: Money::ZERO, per_web_search: Money::ZERO }
    }

    fn rates_for(&self, prompt_tokens: u64) -> Rates {
        let reached =
            |tier: &&Tier| tier.prompt_tokens_over == 0 || prompt_tokens > tier.prompt_tokens_over;
        self.tiers.iter().rev().find(reached).map(|tier| tier.rates).unwrap_or_default()
    }

    /// What a call with this usage costs.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> Money {
        let rates = self.rates_for(usage.input_total());
        let parts = [
            (usage.input, rates.input),
            (usage.output, rates.output),
            (usage.cache_read, rates.cache_read),
            (usage.cache_write_5m, rates.cache_write_5m),
            (usage.cache_write_1h, rates.cache_write_1h),
            (usage.web_searches, self.per_web_search.0),
        ];
        parts
            .iter()
            .map(|(count, rate)| Money(count.saturating_mul(*rate)))
            .fold(self.per_request, Money::plus)
    }

    /// The most that a call can cost with at most this much input, before any output:
    /// every token at the dearest way in (plain, or written to the five-minute cache, the
    /// only one that our requests ask for), in the dearest tier that such a prompt can
    /// reach.
    #[must_use]
    pub fn input_worst(&self, input_tokens_max: u64) -> Money {
        let dearest = self
            .reachable(input_tokens_max)
            .map(|r| r.input.max(r.cache_write_5m).max(r.cache_read))
            .max();
        Money(input_tokens_max.saturating_mul(dearest.unwrap_or(0))).plus(self.per_request)
    }

    /// The most that one output token can cost after at most this much input.
    #[must_use]
    pub fn output_rate_worst(&self, input_tokens_max: u64) -> u64 {
        self.reachable(input_tokens_max).map(|rates| rates.output).max().unwrap_or(0)
    }

    /// The most that a whole call can cost.
    #[must_use]
    pub fn worst(&self, input_tokens_max: u64, output_tokens_max: u64) -> Money {
        let rate = self.output_rate_worst(input_tokens_max);
        self.input_worst(input_tokens_max).plus(Money(output_tokens_max.saturating_mul(rate)))
    }

    /// The longest answer that `money` can pay for after the input. `None` where not even
    /// the input can be paid.
    fn output_tokens_for(&self, money: Money, input_tokens_max: u64) -> Option<u64> {
        let input = self.input_worst(input_tokens_max);
        let left = (input <= money).then(|| money.less(input))?;
        match self.output_rate_worst(input_tokens_max) {
            0 => Some(u64::MAX),
            rate => Some(left.0 / rate),
        }
    }

    fn reachable(&self, input_tokens_max: u64) -> impl Iterator<Item = Rates> + '_ {
        self.tiers
            .iter()
            .filter(move |tier| {
                tier.prompt_tokens_over == 0 || input_tokens_max > tier.prompt_tokens_over
            })
            .map(|tier| tier.rates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(input: u64, output: u64) -> Rates {
        Rates {
            input,
            output,
            cache_write_5m: input * 5 / 4,
            cache_write_1h: input * 2,
            cache_read: input / 10,
        }
    }

    /// The rule of claude-haiku-5-5: beyond 100k prompt tokens, every token is dearer.
    fn tiered() -> Rule {
        let tiers = vec![
            Tier { prompt_tokens_over: 0, rates: rates(100, 500) },
            Tier { prompt_tokens_over: 100_000, rates: rates(500, 2_500) },
        ];
        Rule { tiers, per_request: Money::ZERO, per_web_search: Money(10_000_000) }
    }

    #[test]
    fn each_kind_of_token_has_its_own_rate() {
        let usage = Usage {
            input: 10,
            output: 20,
            cache_read: 1_000,
            cache_write_5m: 100,
            cache_write_1h: 200,
            web_searches: 2,
        };
        let by_hand = 10 * 100 + 20 * 500 + 1_000 * 10 + 100 * 125 + 200 * 200 + 2 * 10_000_000;
        assert_eq!(tiered().cost(&usage), Money(by_hand));
    }

    #[test]
    fn a_long_prompt_makes_every_token_dearer_and_the_border_is_still_short() {
        let at = |input| tiered().cost(&Usage { input, output: 1, ..Usage::default() });
        assert_eq!(at(100_000), Money(100_000 * 100 + 500));
        assert_eq!(at(100_001), Money(100_001 * 500 + 2_500));
    }

    #[test]
    fn the_worst_case_is_never_below_the_truth() {
        let rule = tiered();
        for input_total in [0, 1, 99_999, 100_000, 100_001, 500_000] {
            for split in 0..3 {
                let mut usage = Usage { output: 77, ..Usage::default() };
                match split {
                    0 => usage.input = input_total,
                    1 => usage.cache_read = input_total,
                    _ => usage.cache_write_5m = input_total,
                }
                assert!(rule.cost(&usage) <= rule.worst(input_total, 77));
                assert!(rule.cost(&usage) <= rule.worst(input_total + 50, 100));
            }
        }
    }
}
