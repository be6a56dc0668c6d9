//! A second account of the shared scopes, kept from the facts alone and compared with the
//! ledger after every commit: granted = settled + held + free, to the last nano-dollar.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kernel::event::Fact;
use kernel::ledger::{Amount, Balance, Scope};
use kernel::message::Usage;
use kernel::units::{Money, SessionId, Tenant};

use super::laws;
use crate::ports::{Commit, Store};

/// What the facts say.
#[derive(Debug, Default)]
pub(super) struct Tally {
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    scopes: BTreeMap<Scope, Entry>,
    sessions: BTreeMap<SessionId, Account>,
    broken: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry {
    settled: Amount,
    held: Amount,
}

/// What must be remembered of a session to read its next fact.
#[derive(Debug, Default)]
struct Account {
    /// The last event that is another session's.
    inherited: u64,
    budgets: Vec<Scope>,
    held: Amount,
}

impl Tally {
    /// Notes a commit that was made, and compares the scopes that it moved.
    pub(super) async fn take(&self, commit: &Commit, store: &dyn Store) {
        let touched = self.books().read(commit);
        for scope in touched {
            let found = store.balance(&commit.tenant, &scope).await;
            let found = found.map_err(|error| error.to_string());
            let judged = found.and_then(|found| self.judge(&scope, found.unwrap_or_default()));
            if let Err(what) = judged {
                self.books().broken.get_or_insert(format!("session {}: {what}", commit.session));
            }
        }
    }

    fn judge(&self, scope: &Scope, balance: Balance) -> Result<(), String> {
        laws::within_cap(scope, &balance)?;
        let told = self.books().scopes.get(scope).copied().unwrap_or_default();
        let found = Entry { settled: balance.settled, held: balance.held };
        if found == told {
            return Ok(());
        }
        Err(format!("{scope}: ledger {found:?}, facts {told:?}"))
    }

    /// What was seen to be wrong first; and at rest, that nothing is held anywhere.
    pub(super) async fn verdict(
        &self,
        tenant: &Tenant,
        store: &dyn Store,
        at_rest: bool,
    ) -> Result<(), String> {
        if let Some(what) = self.books().broken.take() {
            return Err(what);
        }
        let rows = store.shared_balances(tenant, "", u32::MAX).await;
        for (scope, balance) in rows.map_err(|error| error.to_string())? {
            self.judge(&scope, balance)?;
            if at_rest && balance.held != Amount::ZERO {
                return Err(format!("L9: {scope} holds {:?} with nobody at work", balance.held));
            }
        }
        Ok(())
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    /// Reads a commit's facts, and tells the shared scopes that they moved.
    fn read(&mut self, commit: &Commit) -> Vec<Scope> {
        let mut touched = Vec::new();
        for sealed in &commit.events {
            let account = self.sessions.entry(commit.session).or_default();
            let fact = &sealed.event.fact;
            if let Fact::SessionOpened(opening) = fact {
                account.inherited = laws::inherited_to(Some(opening));
            }
            if let Fact::Budgeted { to } = fact {
                account.budgets.clone_from(to);
            }
            if sealed.event.seq <= account.inherited {
                continue;
            }
            let change = if let Fact::ModelBegun { hold, tokens, .. } = fact {
                account.held = Amount { money: *hold, tokens: *tokens, requests: 1 };
                Entry { settled: Amount::ZERO, held: account.held }
            } else if let Some(settled) = used(fact, account.held) {
                let held = std::mem::take(&mut account.held);
                for scope in &account.budgets {
                    let entry = self.scopes.entry(scope.clone()).or_default();
                    entry.held = entry.held.less(held);
                }
                Entry { settled, held: Amount::ZERO }
            } else {
                continue;
            };
            for scope in &account.budgets {
                let entry = self.scopes.entry(scope.clone()).or_default();
                entry.held = entry.held.plus(change.held);
                entry.settled = entry.settled.plus(change.settled);
                touched.push(scope.clone());
            }
        }
        touched
    }
}

/// What a call used, if this fact is its end.
fn used(fact: &Fact, held: Amount) -> Option<Amount> {
    let money = laws::cost(fact);
    if let Fact::ModelReplied { reply, .. } = fact {
        let told = reply.usage.filter(Usage::is_believable);
        let tokens = told.map_or(held.tokens, |usage| usage.total());
        return Some(Amount { money, tokens, requests: 1 });
    }
    if let Fact::ModelFailed { tokens, .. } = fact {
        let called = *tokens > 0 || money > Money::ZERO;
        return Some(Amount { money, tokens: *tokens, requests: u64::from(called) });
    }
    matches!(fact, Fact::ModelLost { .. }).then_some(Amount { money, ..held })
}
