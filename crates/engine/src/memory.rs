//! Ports kept in memory, for simulations and tests: nothing outlives the process.
//!
//! [`Memory`] is the plainest store that keeps the whole contract: ordered maps behind
//! one lock, no clock, no chance, the same answers to the same calls. [`Nudges`] is a
//! queue of sessions that have something to do. No call ever waits for the outside.

mod answers;
mod audit;
mod directory;
mod nudges;
mod outbox;
mod permissive;

pub use nudges::Nudges;
pub use permissive::{Permissive, plain};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use kernel::event::Stored;
use kernel::ledger::{Allowance, Balance, CapReached, Scope};
use kernel::units::{ContentHash, Epoch, SessionId, Tenant, UnixMs};

use crate::alerts::Alert;
use crate::audit::Record;
use crate::ports::{
    Answers, Audit, Brief, Charge, Claim, Commit, Contents, Directory, Head, Listed, Listing,
    Outbox, Payload, SpendRow, Store, StoreError, alerts_after, balances_after, check_settable,
    new_balance, pin,
};
use audit::Archive;
use outbox::Alerts;

/// The most rows that one list gives.
const LIST_ROWS_MAX: u32 = 1_000;

/// A store in memory.
#[derive(Debug, Default)]
pub struct Memory {
    vaults: Mutex<BTreeMap<Tenant, Vault>>,
    alerts: Alerts,
    people: directory::People,
    requests: answers::Requests,
}

/// All that one tenant has. Every look-up goes through a vault, so that no id of another
/// tenant can be found.
#[derive(Debug, Default)]
struct Vault {
    sessions: BTreeMap<SessionId, Session>,
    payloads: BTreeMap<(Option<SessionId>, ContentHash), Bytes>,
    balances: BTreeMap<Scope, Balance>,
    /// By day, user, agent, model and version of the prices.
    spend: BTreeMap<(u64, String, String, String, String), SpendRow>,
    archive: Archive,
}

#[derive(Debug)]
struct Session {
    events: Vec<Stored>,
    head: Head,
    brief: Brief,
    updated: UnixMs,
    owner: String,
    lease_until: Option<UnixMs>,
}

impl Session {
    fn is_leased(&self, now: UnixMs) -> bool {
        self.lease_until.is_some_and(|until| until > now)
    }

    fn listed(&self, session: SessionId) -> Listed {
        let running = self.lease_until.filter(|until| *until > self.updated);
        Listed {
            session,
            brief: self.brief.clone(),
            head: self.head.clone(),
            updated: self.updated,
            lease: running.map(|until| (self.owner.clone(), until)),
        }
    }

    /// Adds a checked commit.
    fn add(&mut self, commit: Commit) {
        for sealed in commit.events {
            self.head.seq = sealed.event.seq;
            self.head.hash = sealed.hash;
            self.updated = sealed.event.at;
            self.events.push(Stored {
                seq: sealed.event.seq,
                at: sealed.event.at,
                format: kernel::event::FORMAT,
                prev: sealed.prev,
                body: sealed.body,
            });
        }
        self.brief = commit.brief;
    }
}

impl Vault {
    fn session(&self, session: SessionId) -> Result<&Session, StoreError> {
        self.sessions.get(&session).ok_or_else(|| missing(session))
    }

    fn session_mut(&mut self, session: SessionId) -> Result<&mut Session, StoreError> {
        self.sessions.get_mut(&session).ok_or_else(|| missing(session))
    }

    fn commit(&mut self, commit: Commit, outbox: &Alerts) -> Result<Vec<Alert>, StoreError> {
        let opened = Session {
            events: Vec::new(),
            head: Head {
                seq: 0,
                hash: kernel::event::chain_root(commit.session),
                epoch: Epoch::default(),
            },
            brief: commit.brief.clone(),
            updated: UnixMs::default(),
            owner: String::new(),
            lease_until: None,
        };
        let head = match self.sessions.get(&commit.session) {
            Some(session) => &session.head,
            None if commit.expected_seq == 0 => &opened.head,
            None => return Err(missing(commit.session)),
        };
        self.is_there(commit.session)?;
        commit.admit(head)?;
        let balances = balances_after(&commit.moves, |scope| {
            let lasting = || self.balances.get(&scope.lasting()).copied();
            let found = self.balances.get(scope).copied();
            Ok::<_, CapReached>(found.unwrap_or_else(|| new_balance(lasting())))
        })?;
        let mut alerts = alerts_after(&commit, &balances);
        alerts.retain(|(alert, to)| outbox.keep(alert, to.clone()));
        let after = balances.into_iter().map(|(scope, moved)| (scope, moved.after));
        self.balances.extend(after);
        commit.charges.iter().for_each(|charge| self.charge(charge));
        for payload in &commit.payloads {
            let key = (payload.owner, payload.hash);
            self.payloads.entry(key).or_insert_with(|| payload.bytes.clone());
        }
        self.archive.append(&commit.tenant, commit.audit.clone());
        if let Some(content) = &commit.content {
            let contents = &mut self.archive.contents;
            contents.entry(commit.session).or_insert_with(|| Some(content.clone()));
        }
        self.sessions.entry(commit.session).or_insert(opened).add(commit);
        Ok(alerts.into_iter().map(|(alert, _)| alert).collect())
    }

    /// Whether a session waits for room in a scope, and it is there.
    fn has_room_for(&self, session: &Session) -> bool {
        let waits = session.brief.waits.as_ref();
        waits.is_some_and(|waits| waits.is_over(self.balances.get(&waits.scope).copied()))
    }

    fn set_cap(&mut self, scope: &Scope, cap: Option<Allowance>) -> Result<(), StoreError> {
        check_settable(scope)?;
        pin(self.balances.entry(scope.clone()).or_default(), cap);
        let windows = self.balances.iter_mut().filter(|(each, _)| each.lasting() == *scope);
        windows.for_each(|(_, balance)| pin(balance, cap));
        Ok(())
    }

    fn charge(&mut self, charge: &Charge) {
        let Charge { user, agent_id, model, prices, .. } = charge;
        let key = (charge.day(), user.clone(), agent_id.clone(), model.clone(), prices.clone());
        self.spend.entry(key).or_insert_with(|| SpendRow::of(charge)).add(charge);
    }
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Memory::default()
    }

    /// A panic under the lock is a bug in a test; what is behind it is still whole,
    /// because everything is checked before anything is changed.
    fn vaults(&self) -> MutexGuard<'_, BTreeMap<Tenant, Vault>> {
        self.vaults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, tenant: &Tenant, act: impl FnOnce(&mut Vault) -> T) -> T {
        let mut vaults = self.vaults();
        match vaults.get_mut(tenant) {
            Some(vault) => act(vault),
            None => act(vaults.entry(tenant.clone()).or_default()),
        }
    }
}

#[async_trait]
impl Store for Memory {
    async fn commit(&self, commit: Commit) -> Result<Vec<Alert>, StoreError> {
        commit.check()?;
        let tenant = commit.tenant.clone();
        self.with(&tenant, |vault| vault.commit(commit, &self.alerts))
    }

    async fn read(
        &self,
        tenant: &Tenant,
        session: SessionId,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<Stored>, StoreError> {
        self.with(tenant, |vault| {
            let events = &vault.session(session)?.events;
            vault.is_there(session)?;
            let seen = usize::try_from(after).unwrap_or(usize::MAX);
            Ok(events.iter().skip(seen).take(rows_max as usize).cloned().collect())
        })
    }

    async fn look(&self, tenant: &Tenant, session: SessionId) -> Result<Listed, StoreError> {
        self.with(tenant, |vault| Ok(vault.session(session)?.listed(session)))
    }

    async fn claim(&self, claim: &Claim) -> Result<Head, StoreError> {
        self.with(&claim.tenant, |vault| {
            let session = vault.session_mut(claim.session)?;
            let epoch = session.head.epoch;
            if let Some(until) = session.lease_until.filter(|until| *until > claim.now)
                && claim.over != Some(epoch)
            {
                return Err(StoreError::Held { owner: session.owner.clone(), epoch, until });
            }
            session.head.epoch = Epoch(epoch.0 + 1);
            session.owner.clone_from(&claim.owner);
            session.lease_until = Some(claim.until);
            Ok(session.head.clone())
        })
    }

    async fn renew(
        &self,
        tenant: &Tenant,
        session: SessionId,
        epoch: Epoch,
        until: UnixMs,
    ) -> Result<Head, StoreError> {
        self.with(tenant, |vault| {
            let session = vault.session_mut(session)?;
            if session.head.epoch != epoch {
                return Err(StoreError::Fenced { epoch: session.head.epoch });
            }
            session.lease_until = Some(until);
            Ok(session.head.clone())
        })
    }

    async fn release(
        &self,
        tenant: &Tenant,
        session: SessionId,
        epoch: Epoch,
    ) -> Result<(), StoreError> {
        self.with(tenant, |vault| {
            if let Ok(session) = vault.session_mut(session)
                && session.head.epoch == epoch
            {
                session.lease_until = None;
            }
        });
        Ok(())
    }

    async fn due(
        &self,
        now: UnixMs,
        rows_max: u32,
    ) -> Result<Vec<(Tenant, SessionId)>, StoreError> {
        let vaults = self.vaults();
        let mut due = BTreeSet::new();
        for (tenant, vault) in &*vaults {
            let free = vault.sessions.iter().filter(|(_, session)| !session.is_leased(now));
            for (id, session) in free {
                let at = session.brief.due.filter(|at| *at <= now);
                let room = vault.has_room_for(session).then_some(UnixMs(u64::MAX));
                due.extend(at.or(room).map(|at| (at, *id, tenant)));
            }
        }
        let first = due.into_iter().take(rows_max as usize);
        Ok(first.map(|(_, id, tenant)| (tenant.clone(), id)).collect())
    }

    async fn list(&self, tenant: &Tenant, listing: &Listing) -> Result<Vec<Listed>, StoreError> {
        let rows_max = listing.rows_max.min(LIST_ROWS_MAX) as usize;
        self.with(tenant, |vault| {
            let newest_first = vault.sessions.iter().rev();
            let wanted = newest_first
                .filter(|(id, _)| listing.before.is_none_or(|before| **id < before))
                .filter(|(_, row)| listing.status.is_none_or(|status| row.brief.status == status));
            Ok(wanted.take(rows_max).map(|(id, row)| row.listed(*id)).collect())
        })
    }

    async fn keep(&self, tenant: &Tenant, payload: Payload) -> Result<(), StoreError> {
        payload.check()?;
        self.with(tenant, |vault| {
            payload.owner.map_or(Ok(()), |owner| vault.is_there(owner))?;
            vault.payloads.entry((payload.owner, payload.hash)).or_insert(payload.bytes);
            Ok(())
        })
    }

    async fn payload(
        &self,
        tenant: &Tenant,
        owner: Option<SessionId>,
        hash: ContentHash,
    ) -> Result<Bytes, StoreError> {
        let found = self.with(tenant, |vault| {
            let own = vault.payloads.get(&(owner, hash));
            own.or_else(|| vault.payloads.get(&(None, hash))).cloned()
        });
        found.ok_or_else(|| StoreError::Missing(format!("payload `{hash}`")))
    }

    async fn balance(&self, tenant: &Tenant, scope: &Scope) -> Result<Option<Balance>, StoreError> {
        Ok(self.with(tenant, |vault| vault.balances.get(scope).copied()))
    }

    async fn shared_balances(
        &self,
        tenant: &Tenant,
        after: &str,
        rows_max: u32,
    ) -> Result<Vec<(Scope, Balance)>, StoreError> {
        let mut rows: Vec<(String, Scope, Balance)> = self.with(tenant, |vault| {
            let shared = vault.balances.iter().filter(|(scope, _)| scope.is_shared());
            let rows = shared.map(|(scope, balance)| (scope.to_string(), scope.clone(), *balance));
            rows.filter(|(key, ..)| key.as_str() > after).collect()
        });
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        let rows_max = rows_max.min(LIST_ROWS_MAX) as usize;
        Ok(rows.into_iter().take(rows_max).map(|(_, scope, balance)| (scope, balance)).collect())
    }

    async fn set_cap(
        &self,
        tenant: &Tenant,
        scope: &Scope,
        cap: Option<Allowance>,
        told: Record,
    ) -> Result<(), StoreError> {
        self.with(tenant, |vault| {
            vault.set_cap(scope, cap)?;
            vault.archive.append(tenant, vec![told]);
            Ok(())
        })
    }

    fn outbox(&self) -> &dyn Outbox {
        self
    }

    fn audit(&self) -> &dyn Audit {
        self
    }

    fn contents(&self) -> &dyn Contents {
        self
    }

    fn directory(&self) -> &dyn Directory {
        self
    }

    fn answers(&self) -> &dyn Answers {
        self
    }

    async fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        let vaults = self.vaults();
        let used = vaults.iter().filter(|(_, vault)| !vault.sessions.is_empty());
        Ok(used.map(|(tenant, _)| tenant.clone()).collect())
    }

    async fn spend(
        &self,
        tenant: &Tenant,
        from_day: u64,
        to_day: u64,
    ) -> Result<Vec<SpendRow>, StoreError> {
        self.with(tenant, |vault| {
            let days = vault.spend.values().filter(|row| (from_day..=to_day).contains(&row.day));
            Ok(days.cloned().collect())
        })
    }
}

fn missing(session: SessionId) -> StoreError {
    StoreError::Missing(format!("session {session}"))
}
