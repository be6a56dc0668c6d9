//! The audit and the keys of sessions in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use kernel::units::{SessionId, Tenant, UnixMs};

use super::{LIST_ROWS_MAX, Memory};
use crate::audit::{ChainHead, Link, Record};
use crate::ports::{Audit, Doomed, Keys, SessionKey, StoreError};

/// What a tenant has of both.
#[derive(Debug, Default)]
pub(super) struct Archive {
    links: Vec<Link>,
    /// Where the chain begins; `None`: at its root.
    first: Option<ChainHead>,
    pub(super) keys: BTreeMap<SessionId, Option<SessionKey>>,
}

impl Archive {
    fn ends(&self, tenant: &Tenant) -> (ChainHead, ChainHead) {
        let first = self.first.unwrap_or_else(|| ChainHead::empty(tenant));
        (first, self.links.last().map_or(first, Link::head))
    }

    pub(super) fn append(&mut self, tenant: &Tenant, records: Vec<Record>) {
        for record in records {
            let (_, last) = self.ends(tenant);
            self.links.push(last.link(record));
        }
    }
}

#[async_trait]
impl Audit for Memory {
    async fn append(&self, tenant: &Tenant, records: Vec<Record>) -> Result<(), StoreError> {
        self.with(tenant, |vault| vault.archive.append(tenant, records));
        Ok(())
    }

    async fn links(
        &self,
        tenant: &Tenant,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<Link>, StoreError> {
        let rows_max = rows_max.min(LIST_ROWS_MAX) as usize;
        Ok(self.with(tenant, |vault| {
            let behind = vault.archive.links.iter().filter(|link| link.seq > after);
            behind.take(rows_max).cloned().collect()
        }))
    }

    async fn ends(&self, tenant: &Tenant) -> Result<(ChainHead, ChainHead), StoreError> {
        Ok(self.with(tenant, |vault| vault.archive.ends(tenant)))
    }

    async fn forget_content(
        &self,
        tenant: &Tenant,
        environment: &str,
        before: UnixMs,
        rows_max: u32,
    ) -> Result<u64, StoreError> {
        Ok(self.with(tenant, |vault| {
            let old = |link: &&mut Link| {
                let entry = link.checked().ok();
                link.content.is_some()
                    && entry.is_some_and(|one| one.at < before && one.environment == environment)
            };
            let doomed = vault.archive.links.iter_mut().filter(old).take(rows_max as usize);
            doomed.map(|link| link.content = None).count() as u64
        }))
    }

    async fn prune(
        &self,
        tenant: &Tenant,
        before: UnixMs,
        rows_max: u32,
    ) -> Result<u64, StoreError> {
        Ok(self.with(tenant, |vault| {
            let archive = &mut vault.archive;
            let most = archive.links.len().saturating_sub(1).min(rows_max as usize);
            let old = |link: &&Link| link.checked().is_ok_and(|entry| entry.at < before);
            let count = archive.links[..most].iter().take_while(old).count();
            if let Some(last) = count.checked_sub(1).map(|place| archive.links[place].head()) {
                archive.first = Some(last);
            }
            archive.links.drain(..count);
            count as u64
        }))
    }
}

#[async_trait]
impl Keys for Memory {
    async fn key(
        &self,
        tenant: &Tenant,
        session: SessionId,
    ) -> Result<Option<SessionKey>, StoreError> {
        Ok(self.with(tenant, |vault| vault.archive.keys.get(&session).cloned().flatten()))
    }

    async fn destroy(&self, tenant: &Tenant, which: &Doomed) -> Result<Vec<SessionId>, StoreError> {
        Ok(self.with(tenant, |vault| {
            let doomed = |id: SessionId, key: &SessionKey| match which {
                Doomed::Session(session) => *session == id,
                Doomed::User(user) => *user == key.user,
                Doomed::Environment { name, before } => {
                    *name == key.environment && key.made < *before
                }
            };
            let mut destroyed = Vec::new();
            for (session, key) in &mut vault.archive.keys {
                if key.as_ref().is_some_and(|key| doomed(*session, key)) {
                    *key = None;
                    destroyed.push(*session);
                }
            }
            for session in &destroyed {
                if let Ok(row) = vault.session_mut(*session) {
                    row.brief.title.clear();
                }
            }
            destroyed
        }))
    }
}
