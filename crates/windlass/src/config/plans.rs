//! The section `limits` of the installation's file: plans that name their caps, and who
//! is under which.
//!
//! All of it is read before any of it is refused, so that one pass names every mistake.

mod budget;

use std::collections::BTreeMap;

use kernel::ledger::{Budget, OFFSET_MINUTES_MAX, Plans};

pub(crate) use budget::label_name;

use super::expect::{Keys, Reader};
use super::provider::optional;
use super::suggest;
use super::yaml::Entry;
use crate::here::LOCAL;
use budget::budget;

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

const TENANT: Keys = Keys { of: "a tenant", known: &["plan", "users"], required: &[] };

const USER: Keys = Keys { of: "a user", known: &["plan"], required: &["plan"] };

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
    [&LIMITS, &budget::KEYS, &TENANT, &USER].into_iter().flat_map(|keys| keys.known.iter().copied())
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
}
