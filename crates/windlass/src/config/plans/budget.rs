//! One budget of a plan: whose calls it counts together, for how long, and how much.
//!
//! Its name says what it counts: `user_month` is counted per user and month, `team_week`
//! per value of the label `team` and week. Any other name says both in `per` and `window`.
//! In the ledger `_` is written `-`.

use kernel::ledger::{Allowance, Budget, Per, TASK, Window, is_budget_name};

use super::super::expect::{Keys, Reader, Section};
use super::super::provider::optional;
use super::super::yaml::Entry;

/// The keys of a budget.
pub(super) const KEYS: Keys =
    Keys { of: "a budget", known: &["per", "window", "usd", "tokens", "requests"], required: &[] };

const WINDOWS: [(&str, Window); 5] = [
    ("hour", Window::Hour),
    ("day", Window::Day),
    ("week", Window::Week),
    ("month", Window::Month),
    ("ever", Window::Ever),
];

/// What a budget counts together, where it is no label.
const PERS: [(&str, Per); 3] =
    [("tenant", Per::Tenant), ("user", Per::User), ("agent", Per::Agent)];

/// The largest cap on tokens or requests.
const COUNT_MAX: u64 = 1_000_000_000_000_000;

/// Reads the budget that an entry of a plan names.
pub(super) fn budget(reader: &mut Reader, entry: &Entry) -> Option<Budget> {
    let name = entry.key.replace('_', "-");
    let section = reader.section(&entry.value, entry.key_span.clone(), &KEYS)?;
    let named = is_budget_name(&name);
    if !named {
        let words = format!("`{}` cannot be the name of a budget", entry.key);
        let hint = format!("use lower-case letters, digits and `_`, and not `{TASK}`");
        reader.wrong::<()>(entry.key_span.clone(), words, hint);
    }
    let counts = counts(reader, entry, &name, &section);
    let usd = optional(section.get("usd"), |entry| reader.money(entry));
    let mut whole = |key: &str, unit: &str| {
        optional(section.get(key), |entry| reader.whole(entry, 0..=COUNT_MAX, unit))
    };
    let (tokens, requests) = (whole("tokens", "tokens"), whole("requests", "requests"));
    let allowance = Allowance { money: usd?, tokens: tokens?, requests: requests? };
    if allowance == Allowance::NONE {
        let words = format!("`{}` caps nothing", entry.key);
        let hint = "give it `usd`, `tokens` or `requests`, or remove it";
        return reader.wrong(entry.key_span.clone(), words, hint);
    }
    let (per, window) = counts?;
    named.then_some(Budget { name, per, window, allowance })
}

/// Whose calls a budget counts together and for how long: told by its name, or said.
fn counts(
    reader: &mut Reader,
    entry: &Entry,
    name: &str,
    section: &Section,
) -> Option<(Per, Window)> {
    let told = told(name);
    let per = optional(section.get("per"), |entry| per(reader, entry));
    let window = optional(section.get("window"), |entry| {
        let word = reader.choice(entry, &WINDOWS.map(|(word, _)| word))?;
        WINDOWS.iter().find(|(known, _)| *known == word).map(|(_, window)| *window)
    });
    let (per, window) = (per?, window?);
    let here = entry.key_span.clone();
    if let Some((told_per, told_window)) = told {
        if per.is_some_and(|per| per != told_per) || window.is_some_and(|said| said != told_window)
        {
            let words =
                format!("`{}` says by its name what it counts, and then otherwise", entry.key);
            return reader.wrong(here, words, "change the name, or leave out `per` and `window`");
        }
        return Some((told_per, told_window));
    }
    match (per, window) {
        (Some(per), Some(window)) => Some((per, window)),
        (per, _) => {
            let lacks = if per.is_none() { "per" } else { "window" };
            let words = format!("the budget `{}` lacks `{lacks}`", entry.key);
            let hint = "add it, or choose a name that says both, like `user_day`";
            reader.wrong(here, words, hint)
        }
    }
}

/// What a name like `user-day` says.
fn told(name: &str) -> Option<(Per, Window)> {
    let (per, window) = name.rsplit_once('-')?;
    let (_, window) = WINDOWS.iter().find(|(word, _)| *word == window)?;
    (!per.is_empty()).then(|| (per_of(per), *window))
}

fn per_of(word: &str) -> Per {
    let known = PERS.iter().find(|(known, _)| *known == word);
    known.map_or_else(|| Per::Label(word.to_owned()), |(_, per)| per.clone())
}

fn per(reader: &mut Reader, entry: &Entry) -> Option<Per> {
    let said = reader.text(entry)?;
    let word = said.replace('_', "-");
    if is_budget_name(&word) {
        return Some(per_of(&word));
    }
    let words = format!("`{said}` is nothing that calls can be counted by");
    let hint = "it is `tenant`, `user`, `agent`, or the name of a label like `team`";
    reader.wrong(entry.value.span.clone(), words, hint)
}

/// The name of a label as budgets spell it.
///
/// # Errors
/// Why it cannot be one, in words.
pub(crate) fn label_name(text: &str) -> Result<String, String> {
    let label = text.replace('_', "-");
    if PERS.iter().any(|(known, _)| *known == label) {
        return Err(format!("`{text}` is no label: every session has one already"));
    }
    if is_budget_name(&label) {
        return Ok(label);
    }
    Err("the name of a label has lower-case letters, digits and `-`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_is_counted() {
        let label = |name: &str| Per::Label(name.to_owned());
        for (name, expected) in [
            ("user-day", Some((Per::User, Window::Day))),
            ("tenant-month", Some((Per::Tenant, Window::Month))),
            ("agent-ever", Some((Per::Agent, Window::Ever))),
            ("team-week", Some((label("team"), Window::Week))),
            ("cost-center-hour", Some((label("cost-center"), Window::Hour))),
            ("marketing", None),
            ("user-fortnight", None),
            ("-day", None),
        ] {
            assert_eq!(told(name), expected, "{name}");
        }
    }

    #[test]
    fn labels_are_spelled_as_budgets_are() {
        assert_eq!(label_name("cost_center"), Ok("cost-center".to_owned()));
        for wrong in ["user", "tenant", "Team", "", "a b", "task"] {
            assert!(label_name(wrong).is_err(), "{wrong}");
        }
    }
}
