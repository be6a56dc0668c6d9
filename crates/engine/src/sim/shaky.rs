//! A store that sometimes cannot be reached, in front of one that can. The process may
//! die before a write, and after it before anybody hears of it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use kernel::event::Stored;
use kernel::ledger::{Balance, Scope};
use kernel::units::{ContentHash, Epoch, SessionId, Tenant, UnixMs};

use super::crash::Crash;
use crate::ports::{Claim, Commit, Head, Listed, Listing, Payload, SpendRow, Store, StoreError};

/// One in how many writes fails.
const FAILS_ONE_IN: u32 = 150;

pub(super) struct Shaky {
    inner: Arc<dyn Store>,
    chance: Mutex<fastrand::Rng>,
    crash: Arc<Crash>,
}

impl Shaky {
    pub(super) fn new(inner: Arc<dyn Store>, chance: fastrand::Rng, crash: Arc<Crash>) -> Self {
        Shaky { inner, chance: Mutex::new(chance), crash }
    }

    /// A write: it may fail, and the process may die on both sides of it.
    async fn shake<T>(
        &self,
        write: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.crash.point().await;
        let drawn = self.chance.lock().expect("INVARIANT: no holder panics").u32(0..FAILS_ONE_IN);
        if drawn == 0 {
            return Err(StoreError::Unavailable("the simulation says so".to_owned()));
        }
        let written = write.await;
        self.crash.point().await;
        written
    }
}

#[async_trait]
impl Store for Shaky {
    async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        self.shake(self.inner.commit(commit)).await
    }

    async fn read(
        &self,
        tenant: &Tenant,
        session: SessionId,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<Stored>, StoreError> {
        self.inner.read(tenant, session, after, rows_max).await
    }

    async fn look(&self, tenant: &Tenant, session: SessionId) -> Result<Listed, StoreError> {
        self.inner.look(tenant, session).await
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

    async fn payload(&self, tenant: &Tenant, hash: ContentHash) -> Result<Bytes, StoreError> {
        self.inner.payload(tenant, hash).await
    }

    async fn balance(&self, tenant: &Tenant, scope: &Scope) -> Result<Option<Balance>, StoreError> {
        self.inner.balance(tenant, scope).await
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
