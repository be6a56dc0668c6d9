//! The section `limits` of the installation's file: plans that name their caps, and who
//! is under which.
//!
//! A budget's name says what it counts: `user_month` is counted per user and month,
//! `team_week` per value of the label `team` and week. Any other name says both in `per`
//! and `window`. In the ledger `_` is written `-`.

use std::collections::BTreeMap;

use kernel::ledger::{
    Allowance, Budget, OFFSET_MINUTES_MAX, Per, Plans, TASK, Window, is_budget_name,
};

use super::expect::{Keys, Reader, Section};
use super::provider::optional;
use super::suggest;
use super::yaml::Entry;
use crate::here::LOCAL;

/// What the section says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caps {
    /// The plans, and who is under which.
    pub(crate) plans: Plans,
    /// Parts of a cap, in thousandths, from which on it is shown as nearly reached.
    pub(crate) warn_at_permille: Vec<u32>,
}

impl Default for Caps {
    fn default() -> Self {
        Caps { plans: Plans::default(), warn_at_permille: vec![800, 950] }
    }
}

impl Caps {
    /// Whether any plan caps money, so that models without a price are refused under it.
    pub(crate) fn cap_money(&self) -> bool {
        self.plans.plans.values().flatten().any(|budget| budget.allowance.money.is_some())
    }
}

const LIMITS: Keys = Keys {
    of: "`limits`",
    known: &["offset", "plans", "default_plan", "tenants", "users", "warn_at"],
    required: &[],
};

const BUDGET: Keys =
    Keys { of: "a budget", known: &["per", "window", "usd", "tokens", "requests"], required: &[] };

const TENANT: Keys = Keys { of: "a tenant", known: &["plan", "users"], required: &[] };

const USER: Keys = Keys { of: "a user", known: &["plan"], required: &["plan"] };

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

/// The most fractions at which warnings can be asked for.
const WARNINGS_MAX: usize = 10;

/// Reads the section, which may be missing.
pub(super) fn read(reader: &mut Reader, entry: Option<&Entry>) -> Option<Caps> {
    let Some(entry) = entry else { return Some(Caps::default()) };
    let limits = reader.section(&entry.value, entry.key_span.clone(), &LIMITS)?;
    let offset = optional(limits.get("offset"), |entry| offset(reader, entry));
    let mut plans = BTreeMap::new();
    let planned =
        limits.get("plans").map_or(Some(()), |entry| read_plans(reader, entry, &mut plans));
    let warn_at = optional(limits.get("warn_at"), |entry| fractions(reader, entry));
    let usual = optional(limits.get("default_plan"), |entry| plan(reader, entry, &plans));
    let mut all = Plans { offset_minutes: offset?.unwrap_or_default(), ..Plans::default() };
    let local = users(reader, limits.get("users"), LOCAL, &plans, &mut all);
    let others = tenants(reader, limits.get("tenants"), &plans, &mut all);
    planned.and(local).and(others)?;
    all.usual = usual?;
    all.plans = plans;
    let usual = Caps::default().warn_at_permille;
    Some(Caps { plans: all, warn_at_permille: warn_at?.unwrap_or(usual) })
}

/// Hours and minutes east of UTC, as minutes.
fn offset(reader: &mut Reader, entry: &Entry) -> Option<i32> {
    let said = reader.text(entry)?;
    let minutes = minutes(&said).filter(|minutes| minutes.abs() <= OFFSET_MINUTES_MAX);
    let words = format!("`{said}` is no offset from UTC");
    minutes.or_else(|| {
        let hint = "write it in quotes like `\"+01:00\"` or `\"-08:00\"`, at most 18 hours";
        reader.wrong(entry.value.span.clone(), words, hint)
    })
}

fn minutes(text: &str) -> Option<i32> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |digits: &str| {
        let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        two.then(|| digits.parse::<i32>().ok()).flatten()
    };
    let minutes = number(minutes).filter(|minutes| *minutes < 60)?;
    Some(sign * (number(hours)? * 60 + minutes))
}

/// Adds every plan, also where some of its budgets are wrong, so that whoever names it is
/// not told that it is missing.
fn read_plans(
    reader: &mut Reader,
    entry: &Entry,
    plans: &mut BTreeMap<String, Vec<Budget>>,
) -> Option<()> {
    let mut whole = Some(());
    for plan in reader.mapping(entry)? {
        let mut budgets: Vec<Budget> = Vec::new();
        for entry in reader.mapping(plan).unwrap_or_default() {
            let found = budget(reader, entry);
            let kept = found.filter(|found| fits(reader, entry, found, &budgets, plans));
            whole = whole.and(kept.as_ref().map(|_| ()));
            budgets.extend(kept);
        }
        plans.insert(plan.key.clone(), budgets);
    }
    whole
}

/// One name means one thing in the whole ledger: a budget of the same name counts the same
/// in every plan, and stands in each at most once.
fn fits(
    reader: &mut Reader,
    entry: &Entry,
    found: &Budget,
    here: &[Budget],
    plans: &BTreeMap<String, Vec<Budget>>,
) -> bool {
    let span = entry.key_span.clone();
    if here.iter().any(|budget| budget.name == found.name) {
        let words = format!("the budget `{}` stands here a second time", found.name);
        reader.wrong::<()>(span, words, "keep one of them");
        return false;
    }
    let other = plans.iter().find_map(|(plan, budgets)| {
        let same = budgets.iter().find(|budget| budget.name == found.name)?;
        (same.per != found.per || same.window != found.window).then_some(plan)
    });
    if let Some(plan) = other {
        let words = format!("`{}` counts something else in the plan `{plan}`", entry.key);
        reader.wrong::<()>(span, words, "give one of the two another name");
        return false;
    }
    true
}

fn budget(reader: &mut Reader, entry: &Entry) -> Option<Budget> {
    let name = entry.key.replace('_', "-");
    let section = reader.section(&entry.value, entry.key_span.clone(), &BUDGET)?;
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

/// A plan that the file has.
fn plan(
    reader: &mut Reader,
    entry: &Entry,
    plans: &BTreeMap<String, Vec<Budget>>,
) -> Option<String> {
    let said = reader.text(entry)?;
    if plans.contains_key(&said) {
        return Some(said);
    }
    let names: Vec<&str> = plans.keys().map(String::as_str).collect();
    let hint = match names.is_empty() {
        true => "add it to `plans`".to_owned(),
        false => suggest::hint(&said, &names),
    };
    reader.wrong(entry.value.span.clone(), format!("there is no plan `{said}`"), hint)
}

fn tenants(
    reader: &mut Reader,
    entry: Option<&Entry>,
    plans: &BTreeMap<String, Vec<Budget>>,
    all: &mut Plans,
) -> Option<()> {
    let mut whole = Some(());
    for tenant in entry.map_or(Some(&[][..]), |entry| reader.mapping(entry))? {
        let Some(section) = reader.section(&tenant.value, tenant.key_span.clone(), &TENANT) else {
            continue;
        };
        let own = optional(section.get("plan"), |entry| plan(reader, entry, plans));
        let of_users = users(reader, section.get("users"), &tenant.key, plans, all);
        whole = whole.and(own.as_ref().map(|_| ())).and(of_users);
        if let Some(Some(plan)) = own {
            all.tenants.insert(tenant.key.clone(), plan);
        }
    }
    whole
}

fn users(
    reader: &mut Reader,
    entry: Option<&Entry>,
    tenant: &str,
    plans: &BTreeMap<String, Vec<Budget>>,
    all: &mut Plans,
) -> Option<()> {
    let mut whole = Some(());
    for user in entry.map_or(Some(&[][..]), |entry| reader.mapping(entry))? {
        let section = reader.section(&user.value, user.key_span.clone(), &USER);
        let named = section.and_then(|section| section.get("plan"));
        let plan = named.and_then(|entry| plan(reader, entry, plans));
        whole = whole.and(plan.as_ref().map(|_| ()));
        all.users.extend(plan.map(|plan| ((tenant.to_owned(), user.key.clone()), plan)));
    }
    whole
}

/// Fractions of a cap, in thousandths, in ascending order.
fn fractions(reader: &mut Reader, entry: &Entry) -> Option<Vec<u32>> {
    let items = reader.items(entry)?;
    if items.len() > WARNINGS_MAX {
        let words = format!("more than {WARNINGS_MAX} fractions");
        return reader.wrong(entry.key_span.clone(), words, "keep those that somebody acts on");
    }
    let mut permille = Vec::new();
    for item in &items {
        let fraction = reader.decimal(item, 0.001..=1.0, "part of a cap")?;
        // At most 1,000, so the cast loses only what was rounded off.
        permille.push((fraction * 1_000.0).round() as u32);
    }
    permille.sort_unstable();
    permille.dedup();
    Some(permille)
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    [&LIMITS, &BUDGET, &TENANT, &USER].into_iter().flat_map(|keys| keys.known.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_to_the_minute() {
        for (text, expected) in [
            ("+01:00", Some(60)),
            ("-08:00", Some(-480)),
            ("+05:30", Some(330)),
            ("+00:00", Some(0)),
            ("01:00", None),
            ("+1:00", None),
            ("+01:60", None),
            ("+01", None),
            ("+0a:00", None),
            ("", None),
            ("é01:00", None),
        ] {
            assert_eq!(minutes(text), expected, "{text}");
        }
    }

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
