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
    /// Taken off the price of tokens, in percent, at most 100. Fees stay whole.
    #[serde(default)]
    pub percent_off: u8,
    /// What `percent_off` is for a call that is part of a batch.
    #[serde(default)]
    pub batch_percent_off: u8,
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

/// How long a prompt may be. Models count differently: what one of them counted bounds
/// what the same one will count, and for another a token is at least a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prompt<'a> {
    /// The most tokens by the count of `by`.
    pub counted: u64,
    /// Who counted: a fallback's name, or the agent's own model.
    pub by: Option<&'a str>,
    /// All of it in bytes.
    pub bytes: u64,
}

impl Prompt<'_> {
    /// A prompt of at most so many tokens, whoever counts them.
    #[must_use]
    pub fn of(tokens_max: u64) -> Self {
        Prompt { counted: tokens_max, by: None, bytes: tokens_max }
    }

    /// The most tokens that this candidate counts.
    #[must_use]
    pub fn tokens_max(&self, candidate: Option<&str>) -> u64 {
        if candidate == self.by { self.counted } else { self.counted.max(self.bytes) }
    }
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
    pub fn worst(&self, prompt: &Prompt<'_>, output_tokens_max: u64) -> Money {
        let worst = self
            .candidates()
            .map(|(name, rule)| rule.worst(prompt.tokens_max(name), output_tokens_max));
        worst.max().unwrap_or_default()
    }

    /// The most tokens that a whole prompt can count, whoever answers.
    #[must_use]
    pub fn prompt_tokens_max(&self, prompt: &Prompt<'_>) -> u64 {
        self.candidates().map(|(name, _)| prompt.tokens_max(name)).max().unwrap_or_default()
    }

    /// The longest answer that `money` can pay for after the input, whoever answers.
    /// `None` where not even the input can be paid.
    #[must_use]
    pub fn output_tokens_for(&self, money: Money, prompt: &Prompt<'_>) -> Option<u64> {
        let affordable = self
            .candidates()
            .map(|(name, rule)| rule.output_tokens_for(money, prompt.tokens_max(name)));
        affordable.min().flatten()
    }

    fn candidates(&self) -> impl Iterator<Item = (Option<&str>, &Rule)> {
        let fallbacks = self.fallbacks.iter().map(|one| (Some(one.model.as_str()), &one.rule));
        std::iter::once((None, &self.rule)).chain(fallbacks)
    }
}

impl Rule {
    /// A rule with one tier and no fees.
    #[must_use]
    pub fn flat(rates: Rates) -> Self {
        let tiers = vec![Tier { prompt_tokens_over: 0, rates }];
        let (per_request, per_web_search) = (Money::ZERO, Money::ZERO);
        Rule { tiers, per_request, per_web_search, percent_off: 0, batch_percent_off: 0 }
    }

    /// The rule for calls that are sent as a batch.
    #[must_use]
    pub fn batch(&self) -> Self {
        Rule { percent_off: self.percent_off.max(self.batch_percent_off), ..self.clone() }
    }

    /// What tokens of this list price cost: the discount is taken from the sum and rounded
    /// up once, so that a bill is never below the truth.
    fn discounted(&self, list_price: u64) -> Money {
        let paid = u128::from(list_price) * u128::from(self.percent_paid());
        Money(u64::try_from(paid.div_ceil(100)).unwrap_or(u64::MAX))
    }

    fn percent_paid(&self) -> u8 {
        100_u8.saturating_sub(self.percent_off)
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
        ];
        let tokens = parts
            .iter()
            .map(|(count, rate)| count.saturating_mul(*rate))
            .fold(0_u64, u64::saturating_add);
        let searches = Money(usage.web_searches.saturating_mul(self.per_web_search.0));
        self.discounted(tokens).plus(searches).plus(self.per_request)
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
        let tokens = input_tokens_max.saturating_mul(dearest.unwrap_or(0));
        self.discounted(tokens).plus(self.per_request)
    }

    /// The dearest list price of one output token after at most this much input.
    fn output_rate_worst(&self, input_tokens_max: u64) -> u64 {
        self.reachable(input_tokens_max).map(|rates| rates.output).max().unwrap_or(0)
    }

    /// The most that a whole call can cost.
    #[must_use]
    pub fn worst(&self, input_tokens_max: u64, output_tokens_max: u64) -> Money {
        let rate = self.output_rate_worst(input_tokens_max);
        let output = self.discounted(output_tokens_max.saturating_mul(rate));
        self.input_worst(input_tokens_max).plus(output)
    }

    /// The longest answer that `money` can pay for after the input. `None` where not even
    /// the input can be paid.
    fn output_tokens_for(&self, money: Money, input_tokens_max: u64) -> Option<u64> {
        let input = self.input_worst(input_tokens_max);
        let left = (input <= money).then(|| money.less(input))?;
        let rate = self.output_rate_worst(input_tokens_max);
        // Hundredths of nano-dollars on both sides, so that nothing is rounded.
        let affordable = (u128::from(left.0) * 100)
            .checked_div(u128::from(rate) * u128::from(self.percent_paid()));
        Some(affordable.map_or(u64::MAX, |tokens| u64::try_from(tokens).unwrap_or(u64::MAX)))
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
        let per_web_search = Money(10_000_000);
        Rule { tiers, per_web_search, batch_percent_off: 50, ..Rule::flat(Rates::default()) }
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
    fn fees_come_once_a_request_and_once_a_search() {
        let rule = Rule { per_request: Money(7), ..tiered() };
        let cost = |web_searches| rule.cost(&Usage { input: 1, web_searches, ..Usage::default() });
        assert_eq!(cost(0), Money(100 + 7));
        assert_eq!(cost(3), Money(100 + 7 + 3 * 10_000_000));
        assert_eq!(rule.worst(1, 0), Money(125 + 7), "a request that was refused its answer too");
    }

    #[test]
    fn a_batch_takes_its_share_off_tokens_and_rounds_up_once() {
        let usage = |input, cache_write_5m, web_searches| Usage {
            input,
            cache_write_5m,
            web_searches,
            ..Usage::default()
        };
        // usage, percent off, nano-dollars
        let cases = [
            (usage(3, 0, 0), 50, 150),
            (usage(0, 1, 0), 50, 63),
            (usage(0, 2, 0), 50, 125),
            (usage(1, 1, 0), 33, 151),
            (usage(1, 0, 2), 50, 50 + 20_000_000),
            (usage(9, 9, 0), 100, 0),
            (usage(3, 0, 0), 0, 300),
            (usage(100_001, 0, 0), 50, 100_001 * 250),
        ];
        for (usage, batch_percent_off, nanos) in cases {
            let batch = Rule { batch_percent_off, ..tiered() }.batch();
            assert_eq!(batch.cost(&usage), Money(nanos), "{usage:?} with {batch_percent_off} off");
        }
        let fee = Rule { per_request: Money(9), ..tiered() }.batch();
        assert_eq!(fee.cost(&usage(1, 0, 0)), Money(50 + 9));
    }

    #[test]
    fn l14_what_one_model_counted_does_not_bound_another() {
        let cheap = Rule::flat(rates(100, 500));
        let other = Fallback { model: "other".into(), rule: cheap.clone() };
        let chain = Quote { fallbacks: vec![other], ..Quote::of("1", cheap.clone()) };
        let prompt = |by| Prompt { counted: 1_000, by, bytes: 4_000 };
        let (short, long) = (cheap.worst(1_000, 10), cheap.worst(4_000, 10));
        assert_eq!(Quote::of("1", cheap).worst(&prompt(None), 10), short, "alone");
        assert_eq!(chain.worst(&prompt(None), 10), long, "the fallback may count denser");
        assert_eq!(chain.worst(&prompt(Some("other")), 10), long, "and so may the own model");
        assert_eq!(chain.prompt_tokens_max(&prompt(None)), 4_000);
    }

    #[test]
    fn what_money_can_pay_for_costs_no_more_than_it() {
        for rule in [tiered(), tiered().batch(), Rule { batch_percent_off: 33, ..tiered() }.batch()]
        {
            for money in [0, 1, 12_499, 12_500, 12_501, 50_000, 1_000_003, 77_777_777] {
                for input in [0, 100, 100_001] {
                    let quote = Quote::of("1", rule.clone());
                    let Some(output) = quote.output_tokens_for(Money(money), &Prompt::of(input))
                    else {
                        assert!(rule.input_worst(input) > Money(money));
                        continue;
                    };
                    assert!(rule.worst(input, output) <= Money(money), "{money} for {input}");
                    assert!(rule.worst(input, output + 1) > Money(money), "{money} for {input}");
                }
            }
        }
    }

    #[test]
    fn a_long_prompt_makes_every_token_dearer_and_the_border_is_still_short() {
        let at = |input| tiered().cost(&Usage { input, output: 1, ..Usage::default() });
        assert_eq!(at(100_000), Money(100_000 * 100 + 500));
        assert_eq!(at(100_001), Money(100_001 * 500 + 2_500));
    }

    #[test]
    fn the_worst_case_is_never_below_the_truth() {
        for rule in [tiered(), tiered().batch()] {
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
}
