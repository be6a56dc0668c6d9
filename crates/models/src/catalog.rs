//! What models are called and what they cost: dated prices, kept as data.
//!
//! The built-in catalogue is `data/prices.json`, read once when it is first asked. Rows
//! of an operator ([`Catalog::overlay`]) add models or replace all prices of a model.
//! Prices are USD per million tokens in the file and nano-dollars per token here; they
//! are read as decimal text and never pass through a floating number.

mod file;
mod rate;

use std::sync::{Arc, LazyLock};

use kernel::price::{Quote, Rule};
use kernel::units::UnixMs;

/// Names and prices of models. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Catalog {
    version: Arc<str>,
    /// Ordered by model, then by date: undated rows first.
    rows: Arc<[Row]>,
}

/// What one model costs from one day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The model's name as its provider knows it.
    pub model: String,
    /// Who sells it.
    pub vendor: String,
    /// The first instant of the price: midnight UTC of its day. `None`: since ever.
    pub from: Option<UnixMs>,
    /// How calls are priced.
    pub rule: Rule,
    /// Longest prompt and answer together, in tokens, where it is known.
    pub context_tokens: Option<u64>,
    /// Fields whose figure comes from a second-hand source.
    pub verify: Vec<String>,
}

/// Longest edit distance at which a name is still offered as a suggestion.
const EDITS_MAX: usize = 3;

/// Shortest text that is looked for inside longer names, in bytes.
const PART_BYTES_MIN: usize = 4;

impl Catalog {
    /// The prices that ship with the program.
    #[must_use]
    pub fn builtin() -> Self {
        static BUILTIN: LazyLock<Catalog> = LazyLock::new(|| {
            let text = include_str!("../data/prices.json");
            file::builtin(text).expect("INVARIANT: a test reads the built-in prices")
        });
        BUILTIN.clone()
    }

    /// This catalogue with an operator's rows laid over it. A model that they name loses
    /// all its rows here; the version tells both apart.
    #[must_use]
    pub fn overlay(&self, version: &str, added: Vec<Row>) -> Self {
        let replaced = |row: &&Row| !added.iter().any(|new| new.model == row.model);
        let mut rows: Vec<Row> = self.rows.iter().filter(replaced).cloned().collect();
        rows.extend(added);
        Catalog::new(format!("{}+{version}", self.version), rows)
    }

    fn new(version: String, mut rows: Vec<Row>) -> Self {
        rows.sort_by(|a, b| (&a.model, a.from).cmp(&(&b.model, b.from)));
        Catalog { version: version.into(), rows: rows.into() }
    }

    /// The version, stamped on every ledger row.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How a call of the model is priced at `now`. `None`: nobody knows.
    #[must_use]
    pub fn quote(&self, model: &str, now: UnixMs) -> Option<Quote> {
        let row = self.row(model, now)?;
        let context_tokens = row.context_tokens;
        Some(Quote { context_tokens, ..Quote::of(&*self.version, row.rule.clone()) })
    }

    /// The model's row in force at `now`: the newest that is not later. A dated snapshot
    /// (`claude-haiku-4-5-20251001`) without rows of its own has those of its model.
    #[must_use]
    pub fn row(&self, model: &str, now: UnixMs) -> Option<&Row> {
        let known = if self.rows_of(model).is_empty() { undated(model)? } else { model };
        self.rows_of(known).iter().rev().find(|row| row.from.is_none_or(|from| from <= now))
    }

    /// The most that a prompt and its answer may hold together, in tokens, where known.
    #[must_use]
    pub fn context_tokens(&self, model: &str, now: UnixMs) -> Option<u64> {
        self.row(model, now)?.context_tokens
    }

    /// All rows of exactly this name, oldest first.
    #[must_use]
    pub fn rows_of(&self, model: &str) -> &[Row] {
        let first = self.rows.partition_point(|row| row.model.as_str() < model);
        let after = self.rows.partition_point(|row| row.model.as_str() <= model);
        &self.rows[first..after]
    }

    /// All model names, in alphabetical order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.rows.iter().map(|row| row.model.as_str()).collect();
        names.dedup();
        names
    }

    /// The known name that was probably meant.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&str> {
        let edits = |known: &&str| strsim::osa_distance(known, name);
        let names = self.names();
        let close = names.iter().copied().min_by_key(edits).filter(|k| edits(k) <= EDITS_MAX);
        let part = |known: &&str| name.len() >= PART_BYTES_MIN && known.contains(name);
        close.or_else(|| names.iter().copied().find(part))
    }
}

/// The name without the day of a snapshot: eight digits after a hyphen.
fn undated(model: &str) -> Option<&str> {
    let (name, day) = model.rsplit_once('-')?;
    (day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit())).then_some(name)
}

#[cfg(test)]
mod tests;
