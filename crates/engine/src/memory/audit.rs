//! The audit and whose content sessions are, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use kernel::units::{SessionId, Tenant, UnixMs};

use super::{LIST_ROWS_MAX, Memory, Vault};
use crate::audit::{ChainHead, Link, Record};
use crate::ports::{
    Audit, Brief, Content, Contents, Doomed, ERASABLE_ROWS_MAX, Status, StoreError,
};

/// What a tenant has of both.
#[derive(Debug, Default)]
pub(super) struct Archive {
    links: Vec<Link>,
    /// Where the chain begins; `None`: at its root.
    first: Option<ChainHead>,
    /// `None`: it was erased.
    pub(super) contents: BTreeMap<SessionId, Option<Content>>,
}

impl Archive {
    fn ends(&self, tenant: &Tenant) -> (ChainHead, ChainHead) {
        let first = self.first.unwrap_or_else(|| ChainHead::empty(tenant));
        (first, self.links.last().map_or(first, Link::head))
    }

    /// The sessions that are meant and not erased yet, in the order of their ids.
    fn doomed(&self, which: &Doomed) -> impl Iterator<Item = SessionId> {
        let meant = |id: SessionId, content: &Content| match which {
            Doomed::Session(session) => *session == id,
            Doomed::User(user) => *user == content.user,
            Doomed::Environment { name, before } => {
                *name == content.environment && content.made < *before
            }
        };
        let left = self.contents.iter().filter_map(|(id, content)| Some((*id, content.as_ref()?)));
        left.filter(move |(id, content)| meant(*id, content)).map(|(id, _)| id)
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
impl Contents for Memory {
    async fn content(
        &self,
        tenant: &Tenant,
        session: SessionId,
    ) -> Result<Option<Content>, StoreError> {
        self.with(tenant, |vault| {
            vault.is_there(session)?;
            Ok(vault.archive.contents.get(&session).cloned().flatten())
        })
    }

    async fn erasable(
        &self,
        tenant: &Tenant,
        which: &Doomed,
        after: Option<SessionId>,
        rows_max: u32,
    ) -> Result<Vec<SessionId>, StoreError> {
        Ok(self.with(tenant, |vault| {
            let doomed = vault.archive.doomed(which);
            let behind = doomed.filter(|session| after.is_none_or(|after| *session > after));
            behind.take(rows_max.min(ERASABLE_ROWS_MAX) as usize).collect()
        }))
    }

    async fn erase(&self, tenant: &Tenant, which: &Doomed) -> Result<Vec<SessionId>, StoreError> {
        let erased = self.with(tenant, |vault| vault.erase(which));
        self.alerts.blank(tenant, &erased);
        Ok(erased)
    }
}

impl Vault {
    /// Whether a session's content was not erased.
    pub(super) fn is_there(&self, session: SessionId) -> Result<(), StoreError> {
        match self.archive.contents.get(&session) {
            Some(None) => Err(StoreError::Erased(session)),
            Some(Some(_)) | None => Ok(()),
        }
    }

    fn erase(&mut self, which: &Doomed) -> Vec<SessionId> {
        let erased: Vec<SessionId> = self.archive.doomed(which).collect();
        for session in &erased {
            self.archive.contents.insert(*session, None);
            if let Ok(row) = self.session_mut(*session) {
                row.events.clear();
                row.brief = erased_brief(&row.brief);
            }
        }
        self.payloads.retain(|(owner, _), _| owner.is_none_or(|owner| !erased.contains(&owner)));
        for link in &mut self.archive.links {
            let session = link.checked().ok().and_then(|entry| entry.session);
            if session.is_some_and(|session| erased.contains(&session)) {
                link.content = None;
            }
        }
        erased
    }
}

/// What lists show of a session whose content was erased.
fn erased_brief(brief: &Brief) -> Brief {
    let status = match brief.status {
        Status::Running | Status::Parked => Status::Cancelled,
        Status::Idle | Status::Finished | Status::Failed | Status::Cancelled => brief.status,
    };
    Brief { status, title: String::new(), due: None, waits: None, ..brief.clone() }
}
