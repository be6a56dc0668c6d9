//! Caps in scopes: granted = settled + held + free, and settled + held ≤ cap, always.
//!
//! Moves are computed from facts and committed in the same transaction with them. A
//! hold is refused as a whole where it would pass a cap; a settlement is never refused,
//! because the money is already gone.

mod amount;
mod plan;
mod scope;
mod window;

pub use amount::{Allowance, Amount, Measure};
pub use plan::{Budget, Per, Plans, Share};
pub use scope::{NotAScope, Scope, TASK, is_budget_name};
pub use window::{OFFSET_MINUTES_MAX, Span, Window};

use serde::{Deserialize, Serialize};

use crate::message::Usage;
use crate::units::{Money, UnixMs};

/// A change of one scope's balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Whose balance.
    pub scope: Scope,
    /// What happens to it.
    pub kind: MoveKind,
}

/// What happens to a balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MoveKind {
    /// The scope comes into being, or its cap is changed. `inherited` is what a forked
    /// run had spent under its first name: it counts against the cap, but was charged
    /// there.
    Grant {
        /// The cap.
        cap: Allowance,
        /// Spent before, elsewhere.
        inherited: Amount,
    },
    /// Reserves for a call. Refused where settled + held would pass the cap.
    Hold {
        /// How much.
        amount: Amount,
        /// The cap by configuration, which goes for the scope from now on unless one was
        /// set on the scope itself. `None`: the scope was granted one.
        cap: Option<Allowance>,
    },
    /// Ends a hold and books what was really used, which may be nothing.
    Settle {
        /// The hold that ends.
        held: Amount,
        /// What was used.
        spent: Amount,
    },
}

/// One scope's row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// The cap.
    pub cap: Allowance,
    /// Whether somebody set the cap on this scope itself: configuration does not change
    /// it any more.
    pub pinned: bool,
    /// Used for certain.
    pub settled: Amount,
    /// Reserved by calls in flight.
    pub held: Amount,
}

/// What one model call used, as reports count it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    /// The fallback that was paid; `None`: the agent's own model.
    pub fallback: Option<String>,
    /// The version of the prices that it was computed with.
    pub prices: Option<String>,
    /// The tokens, as far as known.
    pub usage: Usage,
    /// The money.
    pub amount: Money,
    /// Whether the amount is our estimate.
    pub estimated: bool,
}

/// A hold that would pass a cap. Counts are nano-dollars, tokens or requests, as the
/// measure says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error(
    "cost cap reached in {scope}: cap {}, settled {}, held {}, needed {}",
    measure.show(*cap), measure.show(*settled), measure.show(*held), measure.show(*needed)
)]
pub struct CapReached {
    /// The scope.
    pub scope: Scope,
    /// What is counted.
    #[serde(default, skip_serializing_if = "is_money")]
    pub measure: Measure,
    /// Its cap.
    pub cap: u64,
    /// Used there.
    pub settled: u64,
    /// Reserved there by others.
    pub held: u64,
    /// What was asked for.
    pub needed: u64,
    /// When the scope's window turns and counting begins anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turns: Option<UnixMs>,
}

fn is_money(measure: &Measure) -> bool {
    *measure == Measure::Money
}

impl CapReached {
    /// What may still be held.
    #[must_use]
    pub fn free(&self) -> u64 {
        self.cap.saturating_sub(self.settled).saturating_sub(self.held)
    }

    /// Whether it would fit if what others hold came back: waiting a little may help.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.held > 0 && self.settled.saturating_add(self.needed) <= self.cap
    }
}

impl Balance {
    /// A row with this cap by configuration, and nothing on it.
    #[must_use]
    pub fn with_cap(cap: Allowance) -> Self {
        Balance { cap, ..Balance::default() }
    }

    /// What may still be held of one measure; `None` where it has no cap.
    #[must_use]
    pub fn free(&self, measure: Measure) -> Option<u64> {
        let cap = self.cap.get(measure)?;
        let gone = self.settled.get(measure).saturating_add(self.held.get(measure));
        Some(cap.saturating_sub(gone))
    }

    /// Applies a move, or refuses it and changes nothing.
    ///
    /// # Errors
    /// A hold for which there is no room.
    pub fn apply(&mut self, change: &Move) -> Result<(), CapReached> {
        match &change.kind {
            MoveKind::Grant { cap, inherited } => {
                self.cap = *cap;
                self.settled = self.settled.plus(*inherited);
            }
            MoveKind::Hold { amount, cap } => {
                let cap = cap.filter(|_| !self.pinned).unwrap_or(self.cap);
                self.room_for(&change.scope, cap, *amount)?;
                self.cap = cap;
                self.held = self.held.plus(*amount);
            }
            MoveKind::Settle { held, spent } => {
                self.held = self.held.less(*held);
                self.settled = self.settled.plus(*spent);
            }
        }
        Ok(())
    }

    fn room_for(&self, scope: &Scope, cap: Allowance, amount: Amount) -> Result<(), CapReached> {
        for measure in Measure::ALL {
            let Some(cap) = cap.get(measure) else { continue };
            let (settled, held) = (self.settled.get(measure), self.held.get(measure));
            let needed = amount.get(measure);
            if settled.saturating_add(held).saturating_add(needed) > cap {
                let scope = scope.clone();
                let turns = None;
                return Err(CapReached { scope, measure, cap, settled, held, needed, turns });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope::Shared { name: "user-day".into(), subject: "ada".into(), window: None }
    }

    fn change(kind: MoveKind) -> Move {
        Move { scope: scope(), kind }
    }

    fn hold(money: u64, tokens: u64, cap: Option<Allowance>) -> Move {
        change(MoveKind::Hold { amount: Amount { money: Money(money), tokens, requests: 1 }, cap })
    }

    #[test]
    fn a_hold_fits_exactly_or_is_refused_and_changes_nothing() {
        let settled = Amount::of(Money(30));
        let cap = Allowance::of(Some(Money(100)));
        let mut balance = Balance { settled, ..Balance::with_cap(cap) };
        balance.apply(&hold(20, 9, None)).unwrap();
        let before = balance;
        let refused = balance.apply(&hold(51, 1, None)).unwrap_err();
        assert_eq!((refused.needed, refused.free(), refused.is_crowded()), (51, 50, true));
        assert_eq!(balance, before);
        balance.apply(&hold(50, 1, None)).unwrap();
        assert_eq!(balance.free(Measure::Money), Some(0));
        assert_eq!(balance.free(Measure::Tokens), None);
    }

    #[test]
    fn each_measure_has_its_own_cap() {
        let cap = Allowance { tokens: Some(100), requests: Some(2), ..Allowance::NONE };
        let mut balance = Balance::with_cap(cap);
        let refused = balance.apply(&hold(0, 101, None)).unwrap_err();
        assert_eq!((refused.measure, refused.is_crowded()), (Measure::Tokens, false));
        balance.apply(&hold(9, 10, None)).unwrap();
        balance.apply(&hold(9, 10, None)).unwrap();
        let refused = balance.apply(&hold(9, 10, None)).unwrap_err();
        assert_eq!((refused.measure, refused.cap, refused.held), (Measure::Requests, 2, 2));
        let used = Amount { money: Money(4), tokens: 7, requests: 1 };
        let held = Amount { money: Money(9), tokens: 10, requests: 1 };
        balance.apply(&change(MoveKind::Settle { held, spent: used })).unwrap();
        assert_eq!((balance.settled, balance.held), (used, held));
    }

    #[test]
    fn configuration_moves_a_cap_until_somebody_pins_it() {
        let by_plan = |money| Some(Allowance::of(Some(Money(money))));
        let mut balance = Balance::default();
        balance.apply(&hold(50, 0, by_plan(50))).unwrap();
        balance.apply(&hold(10, 0, by_plan(50))).unwrap_err();
        balance.apply(&hold(10, 0, by_plan(60))).unwrap();
        balance.pinned = true;
        balance.apply(&hold(1, 0, by_plan(99))).unwrap_err();
        assert_eq!(balance.cap, Allowance::of(Some(Money(60))));
    }
}
