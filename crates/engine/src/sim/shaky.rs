//! A store that sometimes cannot be reached, in front of one that can. The process may
//! die before a write, and after it before anybody hears of it; a write that is told as
//! failed may have been made; the ledger sometimes has no room for a hold.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use kernel::event::Stored;
use kernel::ledger::{Allowance, Balance, CapReached, Measure, MoveKind, Scope};
use kernel::units::{ContentHash, Epoch, SessionId, Tenant, UnixMs};

use super::crash::Crash;
use super::tally::Tally;
use crate::alerts::Alert;
use crate::audit::Record;
use crate::ports::{
    Answers, Audit, Claim, Commit, Contents, Directory, Head, Listed, Listing, Outbox, Payload,
    SpendRow, Store, StoreError,
};

/// One in how many calls fails.
const FAILS_ONE_IN: u32 = 150;

/// One in how many holds finds no room in some scope beside the task's.
const REFUSES_ONE_IN: u32 = 60;

/// One in how many calls takes time, and how much at the most, in milliseconds.
const SLOW_ONE_IN: u32 = 6;
const SLOW_MS_MAX: u64 = 400;

pub(super) struct Shaky {
    inner: Arc<dyn Store>,
    chance: Mutex<fastrand::Rng>,
    crash: Arc<Crash>,
    tally: Arc<Tally>,
    calm: AtomicBool,
    refused: AtomicU32,
}

impl Shaky {
    pub(super) fn new(
        inner: Arc<dyn Store>,
        chance: fastrand::Rng,
        crash: Arc<Crash>,
        tally: Arc<Tally>,
    ) -> Self {
        let (calm, refused) = (AtomicBool::new(false), AtomicU32::new(0));
        Shaky { inner, chance: Mutex::new(chance), crash, tally, calm, refused }
    }

    /// From now on nothing fails any more.
    pub(super) fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    /// Holds that were refused.
    pub(super) fn refused(&self) -> u32 {
        self.refused.load(Ordering::Relaxed)
    }

    fn draw(&self, one_in: u32) -> u32 {
        let drawn = self.chance.lock().expect("INVARIANT: no holder panics").u32(0..one_in);
        if self.calm.load(Ordering::Relaxed) { u32::MAX } else { drawn }
    }

    async fn take_time(&self) {
        if self.draw(SLOW_ONE_IN) == 0 {
            let mut chance = self.chance.lock().expect("INVARIANT: no holder panics").fork();
            tokio::time::sleep(Duration::from_millis(chance.u64(0..SLOW_MS_MAX))).await;
        }
    }

    /// A read: it may fail.
    async fn reach<T>(
        &self,
        read: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        if self.draw(FAILS_ONE_IN * 4) == 0 {
            return Err(StoreError::Unavailable("the simulation says so".to_owned()));
        }
        read.await
    }

    /// A write: it may fail before or after it was made, and the process may die on both
    /// sides of it.
    async fn shake<T>(
        &self,
        write: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.crash.point().await;
        self.take_time().await;
        let drawn = self.draw(FAILS_ONE_IN);
        if drawn == 0 {
            return Err(StoreError::Full("the simulation says so".to_owned()));
        }
        let written = write.await;
        self.crash.point().await;
        self.take_time().await;
        if drawn == 1 {
            return Err(StoreError::Unavailable("the simulation says so".to_owned()));
        }
        written
    }

    /// Sometimes there is no room for a hold.
    fn refusal(&self, commit: &Commit) -> Result<(), StoreError> {
        let held = commit.moves.iter().find_map(|change| match change.kind {
            MoveKind::Hold { amount, .. } => Some((change.scope.clone(), amount)),
            MoveKind::Grant { .. } | MoveKind::Settle { .. } => None,
        });
        match held {
            Some((scope, needed)) if self.draw(REFUSES_ONE_IN) == 0 => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                let (measure, needed) = (Measure::Money, needed.money.0);
                let (cap, settled, held, turns) = (0, 0, 0, None);
                Err(CapReached { scope, measure, cap, settled, held, needed, turns }.into())
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[async_trait]
impl Store for Shaky {
    async fn commit(&self, commit: Commit) -> Result<Vec<Alert>, StoreError> {
        self.refusal(&commit)?;
        let kept = commit.clone();
        let write = async {
            let raised = self.inner.commit(commit).await?;
            self.tally.take(&kept, &*self.inner).await;
            Ok(raised)
        };
        self.shake(write).await
    }

    async fn read(
        &self,
        tenant: &Tenant,
        session: SessionId,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<Stored>, StoreError> {
        self.reach(self.inner.read(tenant, session, after, rows_max)).await
    }

    async fn look(&self, tenant: &Tenant, session: SessionId) -> Result<Listed, StoreError> {
        self.reach(self.inner.look(tenant, session)).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Head, StoreError> {
        self.shake(self.inner.claim(claim)).await
    }

    async fn renew(
        &self,
        tenant: &Tenant,
        session: SessionId,
        epoch: Epoch,
        until: UnixMs,
    ) -> Result<Head, StoreError> {
        self.shake(self.inner.renew(tenant, session, epoch, until)).await
    }

    async fn release(
        &self,
        tenant: &Tenant,
        session: SessionId,
        epoch: Epoch,
    ) -> Result<(), StoreError> {
        self.shake(self.inner.release(tenant, session, epoch)).await
    }

    async fn due(
        &self,
        now: UnixMs,
        rows_max: u32,
    ) -> Result<Vec<(Tenant, SessionId)>, StoreError> {
        self.inner.due(now, rows_max).await
    }

    async fn list(&self, tenant: &Tenant, listing: &Listing) -> Result<Vec<Listed>, StoreError> {
        self.inner.list(tenant, listing).await
    }

    async fn keep(&self, tenant: &Tenant, payload: Payload) -> Result<(), StoreError> {
        self.shake(self.inner.keep(tenant, payload)).await
    }

    async fn payload(
        &self,
        tenant: &Tenant,
        owner: Option<SessionId>,
        hash: ContentHash,
    ) -> Result<Bytes, StoreError> {
        self.reach(self.inner.payload(tenant, owner, hash)).await
    }

    async fn balance(&self, tenant: &Tenant, scope: &Scope) -> Result<Option<Balance>, StoreError> {
        self.inner.balance(tenant, scope).await
    }

    async fn shared_balances(
        &self,
        tenant: &Tenant,
        after: &str,
        rows_max: u32,
    ) -> Result<Vec<(Scope, Balance)>, StoreError> {
        self.inner.shared_balances(tenant, after, rows_max).await
    }

    async fn set_cap(
        &self,
        tenant: &Tenant,
        scope: &Scope,
        cap: Option<Allowance>,
        told: Record,
    ) -> Result<(), StoreError> {
        self.shake(self.inner.set_cap(tenant, scope, cap, told)).await
    }

    fn outbox(&self) -> &dyn Outbox {
        self.inner.outbox()
    }

    fn audit(&self) -> &dyn Audit {
        self.inner.audit()
    }

    fn contents(&self) -> &dyn Contents {
        self.inner.contents()
    }

    fn directory(&self) -> &dyn Directory {
        self.inner.directory()
    }

    fn answers(&self) -> &dyn Answers {
        self.inner.answers()
    }

    async fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        self.inner.tenants().await
    }

    async fn spend(
        &self,
        tenant: &Tenant,
        from_day: u64,
        to_day: u64,
    ) -> Result<Vec<SpendRow>, StoreError> {
        self.inner.spend(tenant, from_day, to_day).await
    }
}
