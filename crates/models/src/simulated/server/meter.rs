//! The provider's own books: requests, faults, tokens and money for each key.
//!
//! They are kept apart from the client's, so that a ledger can be compared with what was
//! really sent: tokens that went out before a cut are billed, those after it are not.
//! Keys appear by the beginning of their hash only.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::message::Usage;
use kernel::price::Rule;
use kernel::units::{ContentHash, Money};
use serde::Serialize;

use super::fault::Fault;

/// Keys that are counted one by one; those that come later share one row.
const KEYS_MAX: usize = 10_000;

/// Under this name are requests that showed no key.
const NO_KEY: &str = "none";

/// Under this name are the keys beyond [`KEYS_MAX`].
const OTHERS: &str = "others";

/// The books.
#[derive(Debug, Default)]
pub struct Meter(Mutex<BTreeMap<String, Account>>);

/// One key's sums.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Requests for an answer, whatever became of them.
    pub requests: u64,
    /// Requests that were not what the protocol says.
    pub rejected: u64,
    /// Faults that were played, by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens sent.
    pub output_tokens: u64,
    /// Money for them, in nano-dollars, where the model has a price.
    pub nano_usd: u64,
}

/// The name under which the meter keeps a key: the first twelve digits of its hash.
#[must_use]
pub fn key_name(key: Option<&str>) -> String {
    match key {
        Some(key) => ContentHash::of(key.as_bytes()).to_string()[..12].to_owned(),
        None => NO_KEY.to_owned(),
    }
}

impl Meter {
    /// All accounts by [`key_name`].
    #[must_use]
    pub fn accounts(&self) -> BTreeMap<String, Account> {
        self.books().clone()
    }

    /// The sum of all accounts.
    #[must_use]
    pub fn total(&self) -> Account {
        let mut total = Account::default();
        for account in self.books().values() {
            total.requests += account.requests;
            total.rejected += account.rejected;
            total.input_tokens += account.input_tokens;
            total.output_tokens += account.output_tokens;
            total.nano_usd = total.nano_usd.saturating_add(account.nano_usd);
            for (fault, count) in &account.faults {
                *total.faults.entry(fault).or_default() += count;
            }
        }
        total
    }

    pub(super) fn requested(&self, key: &str, fault: Option<Fault>) {
        self.change(key, |account| {
            account.requests += 1;
            if let Some(fault) = fault {
                *account.faults.entry(fault.name()).or_default() += 1;
            }
        });
    }

    pub(super) fn rejected(&self, key: &str) {
        self.change(key, |account| account.rejected += 1);
    }

    fn billed(&self, key: &str, input: u64, output: u64, money: Money) {
        self.change(key, |account| {
            account.input_tokens += input;
            account.output_tokens += output;
            account.nano_usd = account.nano_usd.saturating_add(money.0);
        });
    }

    fn change(&self, key: &str, change: impl FnOnce(&mut Account)) {
        let mut books = self.books();
        let counted = books.contains_key(key) || books.len() < KEYS_MAX;
        let name = if counted { key } else { OTHERS };
        change(books.entry(name.to_owned()).or_default());
    }

    /// A panic elsewhere cannot leave sums half changed: each change is one addition.
    fn books(&self) -> MutexGuard<'_, BTreeMap<String, Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one answer has cost so far. Each part is booked before it is sent, so that every
/// end is billed: the last word, a cut, or a client that has gone.
pub(super) struct Tab {
    meter: Arc<Meter>,
    key: String,
    rule: Option<Rule>,
    usage: Usage,
}

impl Tab {
    /// Books the input of an answer that begins.
    pub(super) fn open(meter: Arc<Meter>, key: String, rule: Option<Rule>, input: Usage) -> Self {
        let tab = Tab { meter, key, rule, usage: Usage { output: 0, ..input } };
        tab.meter.billed(&tab.key, tab.usage.input_total(), 0, tab.cost());
        tab
    }

    /// Output tokens booked so far.
    pub(super) fn output(&self) -> u64 {
        self.usage.output
    }

    /// Books output up to `tokens` in all.
    pub(super) fn sent(&mut self, tokens: u64) {
        let (before, more) = (self.cost(), tokens.saturating_sub(self.usage.output));
        self.usage.output += more;
        self.meter.billed(&self.key, 0, more, self.cost().less(before));
    }

    fn cost(&self) -> Money {
        self.rule.as_ref().map_or(Money::ZERO, |rule| rule.cost(&self.usage))
    }
}

#[cfg(test)]
mod tests {
    use kernel::price::Rates;

    use super::*;

    #[test]
    fn a_tab_is_booked_part_by_part_under_its_keys_hash() {
        let meter = Arc::new(Meter::default());
        let key = key_name(Some("sk-secret"));
        meter.requested(&key, Some(Fault::Cut));
        let rule = Some(Rule::flat(Rates { input: 2, output: 10, ..Rates::default() }));
        let usage = Usage { input: 5, output: 9, ..Usage::default() };
        let mut tab = Tab::open(meter.clone(), key.clone(), rule, usage);
        assert_eq!(meter.total().nano_usd, 10, "the input, and no output yet");
        for tokens in [2, 3, 3, 1] {
            tab.sent(tokens);
        }
        assert_eq!(tab.output(), 3);
        let account = &meter.accounts()[&key];
        assert_eq!((account.requests, account.input_tokens, account.output_tokens), (1, 5, 3));
        assert_eq!(account.nano_usd, 5 * 2 + 3 * 10);
        assert_eq!(account.faults["cut"], 1);
        let shown = format!("{meter:?}{}", serde_json::to_string(&meter.accounts()).unwrap());
        assert!(!shown.contains("sk-secret"));
    }

    #[test]
    fn keys_beyond_the_limit_share_a_row() {
        let meter = Meter::default();
        for number in 0..KEYS_MAX + 5 {
            meter.requested(&key_name(Some(&number.to_string())), None);
        }
        assert_eq!(meter.accounts().len(), KEYS_MAX + 1);
        assert_eq!(meter.accounts()[OTHERS].requests, 5);
        assert_eq!(meter.total().requests, KEYS_MAX as u64 + 5);
    }
}
