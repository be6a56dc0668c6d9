//! What every store checks and computes alike: the shape of a commit, the order of
//! refusals, what moves do to balances, which alerts that causes, and what a charge adds
//! to the spend table.
//!
//! Stores keep bytes; the rules are here, so that two of them cannot disagree.

use std::collections::BTreeMap;

use kernel::event::{Fact, chain_root};
use kernel::ledger::{Allowance, Balance, CapReached, Move, Scope};
use kernel::units::{ContentHash, Money};

use super::{Charge, Commit, Head, Payload, SpendRow, StoreError, Waits};
use crate::alerts::{Alert, warnings};

/// Milliseconds in a day of the spend table.
const DAY_MS: u64 = 86_400_000;

impl Commit {
    /// Whether the caller kept the contract, as far as the commit alone can tell: facts
    /// without a gap, chained to each other, opened by the right fact of the right
    /// tenant, with payloads under their own hashes.
    ///
    /// # Errors
    /// [`StoreError::Misused`] with what is wrong.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.events.is_empty() {
            return Err(misused("a commit without facts"));
        }
        for (place, sealed) in (1..).zip(&self.events) {
            let (expected, found) = (self.expected_seq.saturating_add(place), sealed.event.seq);
            if expected != found {
                return Err(misused(format!("fact {found} in the place of fact {expected}")));
            }
        }
        if self.events.windows(2).any(|pair| pair[1].prev != pair[0].hash) {
            return Err(misused("facts that are not chained to each other"));
        }
        self.payloads.iter().try_for_each(Payload::check)?;
        self.check_opening()
    }

    /// The opening is the first fact of all, only there, and names whose it is.
    fn check_opening(&self) -> Result<(), StoreError> {
        for sealed in &self.events {
            match (sealed.event.seq == 1, &sealed.event.fact) {
                (true, Fact::SessionOpened(opening)) if opening.tenant != self.tenant => {
                    return Err(misused("a session opened for another tenant"));
                }
                (true, Fact::SessionOpened(_)) if sealed.prev != chain_root(self.session) => {
                    return Err(misused("a chain that begins in another session"));
                }
                (true, Fact::SessionOpened(_)) => {}
                (false, Fact::SessionOpened(_)) => {
                    return Err(misused("a session that is opened twice"));
                }
                (true, _) => return Err(misused("a session that does not begin with its opening")),
                (false, _) => {}
            }
        }
        Ok(())
    }

    /// Whether the commit may be added to a session that stands at `head`; caps are
    /// asked after this.
    ///
    /// # Errors
    /// [`StoreError::Stale`], then [`StoreError::Fenced`], then [`StoreError::Misused`]
    /// for facts that continue another chain.
    pub fn admit(&self, head: &Head) -> Result<(), StoreError> {
        if self.expected_seq != head.seq {
            return Err(StoreError::Stale { head: head.clone() });
        }
        if self.epoch.is_some_and(|epoch| epoch != head.epoch) {
            return Err(StoreError::Fenced { epoch: head.epoch });
        }
        if self.events.first().is_some_and(|first| first.prev != head.hash) {
            return Err(misused("facts that continue another chain than the stored one"));
        }
        Ok(())
    }
}

impl Payload {
    /// Whether the bytes have the hash that they are kept under.
    ///
    /// # Errors
    /// [`StoreError::Misused`] where they do not.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.sealed || ContentHash::of(&self.bytes) == self.hash {
            Ok(())
        } else {
            Err(misused(format!("a payload that does not have the hash `{}`", self.hash)))
        }
    }
}

/// What a commit did to a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Before it.
    pub before: Balance,
    /// After it.
    pub after: Balance,
}

/// What the moves of one commit make of the balances, all or nothing. `load` brings the
/// balance before the commit, [`new_balance`] where there is none; scopes are asked for once each, in ascending order, so that
/// a store that locks rows locks them in one fixed order (L18).
///
/// # Errors
/// The first hold that finds no room, or what `load` failed with.
pub fn balances_after<E: From<CapReached>>(
    moves: &[Move],
    mut load: impl FnMut(&Scope) -> Result<Balance, E>,
) -> Result<BTreeMap<Scope, Moved>, E> {
    let mut balances = BTreeMap::new();
    let unread = Moved { before: Balance::default(), after: Balance::default() };
    for change in moves {
        balances.entry(change.scope.clone()).or_insert(unread);
    }
    for (scope, balance) in &mut balances {
        let before = load(scope)?;
        *balance = Moved { before, after: before };
    }
    for change in moves {
        if let Some(balance) = balances.get_mut(&change.scope) {
            balance.after.apply(change)?;
        }
    }
    Ok(balances)
}

/// The alerts that a commit causes, by its facts and by what it made of balances, each
/// with the names of those who want it. A store keeps those whose ids are new.
#[must_use]
pub fn alerts_after(
    commit: &Commit,
    balances: &BTreeMap<Scope, Moved>,
) -> Vec<(Alert, Vec<String>)> {
    let warned = warnings(commit, balances);
    let all = commit.alerts.iter().cloned().chain(warned);
    all.map(|alert| {
        let to = commit.subscriptions.to(alert.kind);
        (alert, to)
    })
    .collect()
}

/// The row of a scope that is charged for the first time. `lasting` is the row of its
/// budget without a window, where somebody may have set a cap for all windows.
#[must_use]
pub fn new_balance(lasting: Option<Balance>) -> Balance {
    let pinned = lasting.filter(|balance| balance.pinned);
    pinned.map_or_else(Balance::default, |balance| Balance {
        pinned: true,
        ..Balance::with_cap(balance.cap)
    })
}

/// Whether a cap may be set on a scope by itself.
///
/// # Errors
/// [`StoreError::Misused`] for a run's own scope.
pub fn check_settable(scope: &Scope) -> Result<(), StoreError> {
    if scope.is_shared() {
        return Ok(());
    }
    Err(misused(format!("the cap of `{scope}` is a fact of its log")))
}

/// What setting a cap makes of a row: `None` gives the cap back to configuration, whose
/// last word stays until the next hold brings the present one.
pub fn pin(balance: &mut Balance, cap: Option<Allowance>) {
    balance.pinned = cap.is_some();
    balance.cap = cap.unwrap_or(balance.cap);
}

impl Waits {
    /// Whether a scope has the room that is waited for.
    #[must_use]
    pub fn is_over(&self, balance: Option<Balance>) -> bool {
        let free = balance.and_then(|balance| balance.free(self.measure));
        free.is_none_or(|free| free >= self.needed)
    }
}

impl Charge {
    /// The day that the charge belongs to, as days since 1970-01-01 in UTC.
    #[must_use]
    pub fn day(&self) -> u64 {
        self.at.0 / DAY_MS
    }
}

impl SpendRow {
    /// The row that a charge belongs to, with nothing on it yet.
    #[must_use]
    pub fn of(charge: &Charge) -> Self {
        SpendRow {
            day: charge.day(),
            user: charge.user.clone(),
            agent_id: charge.agent_id.clone(),
            model: charge.model.clone(),
            prices: charge.prices.clone(),
            calls: 0,
            input_tokens: 0,
            output_tokens: 0,
            amount: Money::ZERO,
            estimated: Money::ZERO,
        }
    }

    /// Adds one charge.
    pub fn add(&mut self, charge: &Charge) {
        self.calls = self.calls.saturating_add(1);
        self.input_tokens = self.input_tokens.saturating_add(charge.usage.input_total());
        self.output_tokens = self.output_tokens.saturating_add(charge.usage.output);
        self.amount = self.amount.plus(charge.amount);
        if charge.estimated {
            self.estimated = self.estimated.plus(charge.amount);
        }
    }
}

fn misused(what: impl Into<String>) -> StoreError {
    StoreError::Misused(what.into())
}
