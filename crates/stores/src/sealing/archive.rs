//! The audit and the contents of a store that seals.

use async_trait::async_trait;
use bytes::Bytes;
use engine::audit::{ChainHead, Link, Record};
use engine::ports::{Audit, Content, Contents, Doomed, StoreError};
use kernel::units::{SessionId, Tenant, UnixMs};

use super::Sealing;
use super::piece::{self, Place};

#[async_trait]
impl Audit for Sealing {
    async fn append(&self, tenant: &Tenant, records: Vec<Record>) -> Result<(), StoreError> {
        let mut sealed = Vec::with_capacity(records.len());
        for record in records {
            sealed.push(self.sealed(tenant, record).await?);
        }
        self.inner.audit().append(tenant, sealed).await
    }

    async fn links(
        &self,
        tenant: &Tenant,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<Link>, StoreError> {
        self.inner.audit().links(tenant, after, rows_max).await
    }

    async fn opened(&self, tenant: &Tenant, link: &Link) -> Result<Option<Bytes>, StoreError> {
        let stored = self.inner.audit().opened(tenant, link).await?;
        let Some(stored) = stored.filter(|stored| piece::is_sealed(stored)) else {
            return Ok(link.content.clone());
        };
        let entry = link.checked().map_err(|why| StoreError::Damaged(why.to_string()))?;
        let (Some(session), Some(place)) = (entry.session, Place::audit(tenant, &entry)) else {
            return Ok(Some(stored));
        };
        match self.key(tenant, session).await {
            Ok(Some(key)) => Ok(Some(place.open_text(&key, &stored)?.into())),
            Ok(None) => Ok(Some(stored)),
            Err(StoreError::Erased(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    async fn ends(&self, tenant: &Tenant) -> Result<(ChainHead, ChainHead), StoreError> {
        self.inner.audit().ends(tenant).await
    }

    async fn forget_content(
        &self,
        tenant: &Tenant,
        environment: &str,
        before: UnixMs,
        rows_max: u32,
    ) -> Result<u64, StoreError> {
        self.inner.audit().forget_content(tenant, environment, before, rows_max).await
    }

    async fn prune(
        &self,
        tenant: &Tenant,
        before: UnixMs,
        rows_max: u32,
    ) -> Result<u64, StoreError> {
        self.inner.audit().prune(tenant, before, rows_max).await
    }
}

#[async_trait]
impl Contents for Sealing {
    async fn content(
        &self,
        tenant: &Tenant,
        session: SessionId,
    ) -> Result<Option<Content>, StoreError> {
        let found = self.inner.contents().content(tenant, session).await;
        self.noted(tenant, session, found)
    }

    async fn erasable(
        &self,
        tenant: &Tenant,
        which: &Doomed,
        after: Option<SessionId>,
        rows_max: u32,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.inner.contents().erasable(tenant, which, after, rows_max).await
    }

    async fn erase(&self, tenant: &Tenant, which: &Doomed) -> Result<Vec<SessionId>, StoreError> {
        let erased = self.inner.contents().erase(tenant, which).await?;
        erased.iter().for_each(|session| self.known.forget(tenant, *session));
        Ok(erased)
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.inner.contents().scrub().await
    }
}
