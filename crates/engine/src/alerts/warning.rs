//! When so much of a cap is used that somebody wants to know before it is full.
//!
//! What counts is what was settled: a hold is the worst case of a call and mostly comes
//! back. A commit that passes several of the wanted parts warns of the highest alone.
//! The cap is part of the key: a cap that was raised warns anew at its own parts, and one
//! that is crossed back and forth warns once.

use kernel::ledger::{Balance, Measure, Scope};

use super::{Alert, CapFigures, Kind, line};
use crate::ports::{Commit, Moved};

/// A part of a cap that a commit has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// What is counted.
    pub measure: Measure,
    /// The highest of the wanted parts that is now used, in thousandths.
    pub permille: u32,
}

/// The warnings that a commit causes by what it made of balances.
#[must_use]
pub fn warnings<'a>(
    commit: &Commit,
    moved: impl IntoIterator<Item = (&'a Scope, &'a Moved)>,
) -> Vec<Alert> {
    let wanted = &commit.subscriptions.warn_at_permille;
    let mut warnings = Vec::new();
    for (scope, Moved { before, after }) in moved {
        let crossed = crossings(before, after, wanted);
        warnings.extend(crossed.into_iter().map(|one| warning(commit, scope, after, one)));
    }
    warnings
}

/// What a change of one balance crosses, in the order of measures.
#[must_use]
pub fn crossings(before: &Balance, after: &Balance, wanted_permille: &[u32]) -> Vec<Crossing> {
    let crossing = |measure: Measure| {
        let passed =
            |part: &&u32| is_used(after, measure, **part) && !is_used(before, measure, **part);
        let permille = *wanted_permille.iter().filter(passed).max()?;
        Some(Crossing { measure, permille })
    };
    Measure::ALL.into_iter().filter_map(crossing).collect()
}

/// Whether this part of the cap is settled. A scope without a cap, or with one of zero,
/// has no parts.
fn is_used(balance: &Balance, measure: Measure, permille: u32) -> bool {
    let cap = u128::from(balance.cap.get(measure).unwrap_or_default());
    let settled = u128::from(balance.settled.get(measure));
    cap > 0 && settled * 1_000 >= cap * u128::from(permille)
}

fn warning(commit: &Commit, scope: &Scope, balance: &Balance, crossing: Crossing) -> Alert {
    let Crossing { measure, permille } = crossing;
    let max = balance.cap.get(measure).unwrap_or_default();
    let (settled, held) = (balance.settled.get(measure), balance.held.get(measure));
    let user = &commit.brief.user;
    let tenant = line(&commit.tenant.0);
    Alert {
        key: format!("cap/{scope}/{measure}/{max}/{permille}"),
        at: commit.events.last().map(|last| last.event.at).unwrap_or_default(),
        kind: Kind::CapWarning,
        tenant: Some(commit.tenant.clone()),
        text: format!(
            "{} of the cap of {} on {scope} is used: {} (tenant {tenant})",
            percent(permille),
            measure.show(max),
            measure.show(settled),
        ),
        user: Some(user.clone()),
        agent_id: Some(commit.brief.agent_id.clone()),
        session: Some(commit.session),
        run: None,
        cap: Some(CapFigures { scope: scope.clone(), measure, max, settled, held }),
    }
}

/// Thousandths as a percentage: `80%`, `99.5%`.
fn percent(permille: u32) -> String {
    match permille % 10 {
        0 => format!("{}%", permille / 10),
        tenths => format!("{}.{tenths}%", permille / 10),
    }
}

#[cfg(test)]
mod tests {
    use kernel::ledger::{Allowance, Amount};
    use kernel::units::Money;

    use super::*;

    fn at(settled: u64, cap: u64) -> Balance {
        let cap = Allowance::of(Some(Money(cap)));
        Balance { settled: Amount::of(Money(settled)), ..Balance::with_cap(cap) }
    }

    #[test]
    fn a_part_is_crossed_once_and_the_highest_speaks() {
        let wanted = [500, 800, 950, 1_000];
        for (before, after, expected) in [
            (at(0, 100), at(49, 100), None),
            (at(0, 100), at(50, 100), Some(500)),
            (at(50, 100), at(79, 100), None),
            (at(50, 100), at(100, 100), Some(1_000)),
            (at(0, 1_000), at(949, 1_000), Some(800)),
            // A cap that is raised takes its parts with it.
            (at(90, 100), at(90, 200), None),
            (at(90, 200), at(160, 200), Some(800)),
            // One that is lowered under what is used warns.
            (at(70, 200), at(70, 80), Some(800)),
            (Balance::default(), at(90, 100), Some(800)),
            (at(0, 0), at(1, 0), None),
            (at(u64::MAX - 1, u64::MAX), at(u64::MAX, u64::MAX), Some(1_000)),
        ] {
            let found = crossings(&before, &after, &wanted);
            let expected = expected.map(|permille| Crossing { measure: Measure::Money, permille });
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{before:?} {after:?}");
        }
        assert_eq!(crossings(&at(0, 9), &at(9, 9), &[]), []);
    }

    #[test]
    fn each_measure_is_warned_of_by_itself_and_holds_are_not() {
        let cap = Allowance { tokens: Some(10), requests: Some(2), ..Allowance::NONE };
        let settled = Amount { tokens: 9, requests: 1, ..Amount::ZERO };
        let held = Amount { requests: 1, ..Amount::ZERO };
        let after = Balance { settled, held, ..Balance::with_cap(cap) };
        let tokens = Crossing { measure: Measure::Tokens, permille: 800 };
        assert_eq!(crossings(&Balance::with_cap(cap), &after, &[800]), [tokens]);
    }

    #[test]
    fn parts_are_said_in_percent() {
        assert_eq!([1, 800, 995].map(percent), ["0.1%", "80%", "99.5%"]);
    }
}
