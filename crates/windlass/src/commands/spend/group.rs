//! Rows of the books, summed by what somebody asks for. Nothing is rounded.

use std::collections::BTreeMap;

use clap::ValueEnum;
use engine::ports::SpendRow;
use kernel::units::Money;

use crate::show;

/// What spend can be summed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// Who pays.
    Tenant,
    /// Who acted.
    User,
    /// The agent.
    Agent,
    /// The model.
    Model,
    /// The day in UTC.
    Day,
    /// The month in UTC.
    Month,
    /// The version of the prices.
    Prices,
}

/// A row of the books with its tenant.
#[derive(Clone, Debug)]
pub(super) struct Spent {
    pub(super) tenant: String,
    pub(super) row: SpendRow,
}

/// Sums of the rows that share what they are summed by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// What they share, in the order in which it was asked for.
    pub(super) keys: Vec<(By, String)>,
    pub(super) calls: u64,
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u64,
    pub(super) amount: Money,
    /// The part of the amount that is an estimate.
    pub(super) estimated: Money,
}

impl By {
    /// The heading of its column, and its name in exports.
    pub(super) fn word(self) -> &'static str {
        match self {
            By::Tenant => "tenant",
            By::User => "user",
            By::Agent => "agent",
            By::Model => "model",
            By::Day => "day",
            By::Month => "month",
            By::Prices => "prices",
        }
    }

    fn is_time(self) -> bool {
        match self {
            By::Day | By::Month => true,
            By::Tenant | By::User | By::Agent | By::Model | By::Prices => false,
        }
    }

    fn of(self, spent: &Spent) -> String {
        let row = &spent.row;
        match self {
            By::Tenant => spent.tenant.clone(),
            By::User => row.user.clone(),
            By::Agent => row.agent_id.clone(),
            By::Model => row.model.clone(),
            By::Day => show::day(row.day),
            By::Month => show::day(row.day)[..7].to_owned(),
            By::Prices => row.prices.clone(),
        }
    }
}

impl Line {
    pub(super) fn key(&self, by: By) -> &str {
        self.keys.iter().find(|(key, _)| *key == by).map_or("", |(_, value)| value)
    }

    fn add(&mut self, row: &SpendRow) {
        self.calls = self.calls.saturating_add(row.calls);
        self.input_tokens = self.input_tokens.saturating_add(row.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(row.output_tokens);
        self.amount = self.amount.plus(row.amount);
        self.estimated = self.estimated.plus(row.estimated);
    }
}

/// The rows summed by `by`: in the order of its values where time is among them, and the
/// dearest first where it is not.
pub(super) fn lines(rows: &[Spent], by: &[By]) -> Vec<Line> {
    let mut sums: BTreeMap<Vec<String>, Line> = BTreeMap::new();
    for spent in rows {
        let values: Vec<String> = by.iter().map(|by| by.of(spent)).collect();
        let keys = || by.iter().copied().zip(values.clone()).collect();
        let line = || Line { keys: keys(), ..Line::default() };
        sums.entry(values.clone()).or_insert_with(line).add(&spent.row);
    }
    let mut lines: Vec<Line> = sums.into_values().collect();
    if !by.iter().any(|by| by.is_time()) {
        lines.sort_by_key(|line| std::cmp::Reverse(line.amount));
    }
    lines
}

/// The sum of all rows.
pub(super) fn total(lines: &[Line]) -> Line {
    lines.iter().fold(Line::default(), |mut sum, line| {
        sum.calls = sum.calls.saturating_add(line.calls);
        sum.input_tokens = sum.input_tokens.saturating_add(line.input_tokens);
        sum.output_tokens = sum.output_tokens.saturating_add(line.output_tokens);
        sum.amount = sum.amount.plus(line.amount);
        sum.estimated = sum.estimated.plus(line.estimated);
        sum
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn spent(tenant: &str, day: u64, user: &str, amount: u64) -> Spent {
        let row = SpendRow {
            day,
            user: user.to_owned(),
            agent_id: "a".to_owned(),
            model: "m".to_owned(),
            prices: "2026-11-21".to_owned(),
            calls: 1,
            input_tokens: 10,
            output_tokens: 3,
            amount: Money(amount),
            estimated: Money(amount / 2),
        };
        Spent { tenant: tenant.to_owned(), row }
    }

    #[test]
    fn rows_are_summed_by_what_is_asked_for_and_nothing_is_lost() {
        let rows = [
            spent("acme", 30, "ada", 5),
            spent("acme", 31, "ada", 7),
            spent("acme", 31, "bob", 100),
            spent("zoo", 31, "ada", 1),
        ];
        let sums = |by: &[By]| -> Vec<(String, u64)> {
            let words = |line: &Line| {
                let keys: Vec<&str> = line.keys.iter().map(|(_, value)| value.as_str()).collect();
                (keys.join(" "), line.amount.0)
            };
            lines(&rows, by).iter().map(words).collect()
        };
        let expect = |found: Vec<(String, u64)>, expected: &[(&str, u64)]| {
            let found: Vec<(&str, u64)> = found.iter().map(|(k, n)| (k.as_str(), *n)).collect();
            assert_eq!(found, expected);
        };
        expect(sums(&[By::User]), &[("bob", 100), ("ada", 13)]);
        expect(
            sums(&[By::Month, By::User]),
            &[("1970-01 ada", 5), ("1970-02 ada", 8), ("1970-02 bob", 100)],
        );
        expect(sums(&[By::Tenant]), &[("acme", 112), ("zoo", 1)]);
        expect(sums(&[]), &[("", 113)]);
        for by in [&[By::Day][..], &[By::Agent, By::Prices], &[]] {
            let all = total(&lines(&rows, by));
            assert_eq!((all.calls, all.input_tokens, all.output_tokens), (4, 40, 12));
            assert_eq!((all.amount, all.estimated), (Money(113), Money(2 + 3 + 50)));
        }
    }
}
