//! Money in scopes: granted = settled + held + free, and settled + held ≤ cap, always.
//!
//! Moves are computed from facts and committed in the same transaction with them. A
//! hold is refused as a whole where it would pass a cap; a settlement is never refused,
//! because the money is already gone.

use serde::{Deserialize, Serialize};

use crate::message::Usage;
use crate::units::{Money, SessionId};

/// What a cap is put on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One run, with everything that it starts.
    Task {
        /// The session.
        session: SessionId,
        /// The run's number in its session.
        run: u32,
    },
}

impl std::fmt::Display for Scope {
    /// The key of the scope's ledger row: `task/<session>/<run>`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scope::Task { session, run } => write!(f, "task/{session}/{run}"),
        }
    }
}

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
    /// The scope comes into being, or its cap is changed. `None`: no cap.
    /// `inherited` is what a forked run had spent under its first name: it counts
    /// against the cap, but was charged there.
    Grant {
        /// The cap.
        cap: Option<Money>,
        /// Spent before, elsewhere.
        inherited: Money,
    },
    /// Reserves money. Refused where settled + held would pass the cap.
    Hold(Money),
    /// Ends a hold and books what was really spent, which may be nothing.
    Settle {
        /// The hold that ends.
        held: Money,
        /// What was spent.
        spent: Money,
    },
}

/// One scope's row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// The cap; `None` means there is none.
    pub cap: Option<Money>,
    /// Spent for certain.
    pub settled: Money,
    /// Reserved by calls in flight.
    pub held: Money,
}

/// Money spent by one model call, as reports count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booking {
    /// The tokens, as far as known.
    pub usage: Usage,
    /// The money.
    pub amount: Money,
    /// Whether the amount is our estimate.
    pub estimated: bool,
}

/// A hold that would pass a cap.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cost cap reached in {scope}: cap {cap}, settled {settled}, held {held}, needed {needed}")]
pub struct CapReached {
    /// The scope.
    pub scope: Scope,
    /// Its cap.
    pub cap: Money,
    /// Spent there.
    pub settled: Money,
    /// Reserved there.
    pub held: Money,
    /// The hold that was refused.
    pub needed: Money,
}

impl Balance {
    /// What may still be held; `None` where there is no cap.
    #[must_use]
    pub fn free(&self) -> Option<Money> {
        self.cap.map(|cap| cap.less(self.settled).less(self.held))
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
            MoveKind::Hold(amount) => self.hold(&change.scope, *amount)?,
            MoveKind::Settle { held, spent } => {
                self.held = self.held.less(*held);
                self.settled = self.settled.plus(*spent);
            }
        }
        Ok(())
    }

    fn hold(&mut self, scope: &Scope, needed: Money) -> Result<(), CapReached> {
        match self.cap {
            Some(cap) if self.settled.plus(self.held).plus(needed) > cap => Err(CapReached {
                scope: scope.clone(),
                cap,
                settled: self.settled,
                held: self.held,
                needed,
            }),
            Some(_) | None => {
                self.held = self.held.plus(needed);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope::Task { session: SessionId(uuid::Uuid::nil()), run: 1 }
    }

    fn change(kind: MoveKind) -> Move {
        Move { scope: scope(), kind }
    }

    #[test]
    fn a_hold_fits_exactly_or_is_refused_and_changes_nothing() {
        let mut balance = Balance { cap: Some(Money(100)), settled: Money(30), held: Money(20) };
        let before = balance;
        let refused = balance.apply(&change(MoveKind::Hold(Money(51)))).unwrap_err();
        assert_eq!(refused.needed, Money(51));
        assert_eq!(balance, before);
        balance.apply(&change(MoveKind::Hold(Money(50)))).unwrap();
        assert_eq!(balance.free(), Some(Money::ZERO));
    }

    #[test]
    fn settling_frees_what_was_not_spent() {
        let mut balance = Balance { cap: Some(Money(100)), settled: Money(0), held: Money(0) };
        balance.apply(&change(MoveKind::Hold(Money(80)))).unwrap();
        let settle = MoveKind::Settle { held: Money(80), spent: Money(15) };
        balance.apply(&change(settle)).unwrap();
        let expected = Balance { cap: Some(Money(100)), settled: Money(15), held: Money(0) };
        assert_eq!(balance, expected);
    }
}
