//! A store in front of another, in which single things can be made to go wrong.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use engine::alerts::Alert;
use engine::audit::Record;
use engine::ports::{
    Answers, Audit, Claim, Commit, Contents, Directory, Head, Listed, Listing, Outbox, Payload,
    SpendRow, Store, StoreError,
};
use kernel::event::Stored;
use kernel::ledger::{Allowance, Balance, Scope};
use kernel::units::{ContentHash, Epoch, SessionId, Tenant, UnixMs};

/// What is done to the rows that are read.
type Tamper = fn(&mut Vec<Stored>);

pub(crate) struct Front {
    inner: Arc<dyn Store>,
    /// Commits that are let through before one fails; 0 for none that fails.
    pub(crate) fails_after: AtomicU64,
    /// Renewals so far.
    pub(crate) renewals: AtomicU64,
    pub(crate) tampered: Mutex<Option<(SessionId, Tamper)>>,
}

impl Front {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Self {
        let (fails_after, renewals) = (AtomicU64::new(0), AtomicU64::new(0));
        Front { inner, fails_after, renewals, tampered: Mutex::new(None) }
    }
}

#[async_trait]
impl Store for Front {
    async fn commit(&self, commit: Commit) -> Result<Vec<Alert>, StoreError> {
        match self.fails_after.load(Ordering::Relaxed) {
            0 => {}
            1 => {
                self.fails_after.store(0, Ordering::Relaxed);
                return Err(StoreError::Unavailable("on purpose".to_owned()));
            }
            left => self.fails_after.store(left - 1, Ordering::Relaxed),
        }
        self.inner.commit(commit).await
    }

    async fn read(
        &self,
        tenant: &Tenant,
        session: SessionId,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<Stored>, StoreError> {
        let mut rows = self.inner.read(tenant, session, after, rows_max).await?;
        match *self.tampered.lock().expect("nobody panics here") {
            Some((which, tamper)) if which == session && after == 0 => tamper(&mut rows),
            Some((which, _)) if which == session => rows.clear(),
            Some(_) | None => {}
        }
        Ok(rows)
    }

    async fn look(&self, tenant: &Tenant, session: SessionId) -> Result<Listed, StoreError> {
        self.inner.look(tenant, session).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Head, StoreError> {
        self.inner.claim(claim).await
    }

    async fn renew(
        &self,
        tenant: &Tenant,
        session: SessionId,
        epoch: Epoch,
        until: UnixMs,
    ) -> Result<Head, StoreError> {
        self.renewals.fetch_add(1, Ordering::Relaxed);
        self.inner.renew(tenant, session, epoch, until).await
    }

    async fn release(
        &self,
        tenant: &Tenant,
        session: SessionId,
        epoch: Epoch,
    ) -> Result<(), StoreError> {
        self.inner.release(tenant, session, epoch).await
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
        self.inner.keep(tenant, payload).await
    }

    async fn payload(
        &self,
        tenant: &Tenant,
        owner: Option<SessionId>,
        hash: ContentHash,
    ) -> Result<Bytes, StoreError> {
        self.inner.payload(tenant, owner, hash).await
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
        self.inner.set_cap(tenant, scope, cap, told).await
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
