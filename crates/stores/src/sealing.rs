//! A store in front of another one that seals what people wrote, with a key for each
//! session, wrapped under its tenant's.
//!
//! The store behind sees ciphertext where words were: bodies of events, titles, payloads
//! of sessions, and what the audit keeps of people's words. Everything else stays as it is:
//! ids, users, agents' names, times, amounts, the chains. Destroying a session's key erases
//! its content wherever copies of it are.
//!
//! A session keeps the form that it was begun in: those begun without a key go on in the
//! clear, and both kinds live in one store. Where the key is missing or another, reading
//! and writing fail by name and change nothing. Each piece is bound to its place, so that
//! none can be put in another's. The chain of a session covers the plain bodies; that of
//! the audit covers what is stored.

mod archive;
mod keyring;
mod known;
mod piece;

pub use keyring::{Fetch, Keyring};

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use engine::alerts::Alert;
use engine::audit::Record;
use engine::ports::{
    Answers, Audit, Claim, Commit, Content, Contents, Directory, Head, Listed, Listing, Outbox,
    Payload, SpendRow, Store, StoreError,
};
use kernel::event::{Fact, Stored};
use kernel::ledger::{Allowance, Balance, Scope};
use kernel::units::{ContentHash, Epoch, SessionId, Tenant, UnixMs};
use secrets::envelope::SessionKey;

use known::Known;
use piece::Place;

/// What lists show in a sealed title's place where its key is not here.
pub const SEALED_TITLE: &str = "(sealed)";

/// A store that seals.
pub struct Sealing {
    inner: Arc<dyn Store>,
    keyring: Keyring,
    known: Known,
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealing").field("keyring", &self.keyring).finish_non_exhaustive()
    }
}

impl Sealing {
    /// In front of `inner`, with the keys of this ring.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, keyring: Keyring) -> Self {
        Sealing { inner, keyring, known: Known::default() }
    }

    /// A session's key. `None`: it is not sealed.
    async fn key(
        &self,
        tenant: &Tenant,
        session: SessionId,
    ) -> Result<Option<Arc<SessionKey>>, StoreError> {
        if let Some(known) = self.known.get(tenant, session) {
            return Ok(known);
        }
        let found = self.inner.contents().content(tenant, session).await;
        // Nobody said: it may not be there yet, and be sealed once it is.
        let Some(content) = self.noted(tenant, session, found)? else { return Ok(None) };
        let key = match content.key {
            Some(wrapped) => Some(Arc::new(self.keyring.unwrap(tenant, session, &wrapped).await?)),
            None => None,
        };
        self.known.put(tenant, session, key.clone());
        Ok(key)
    }

    /// Forgets the key of a session that turns out to be erased.
    fn noted<T>(
        &self,
        tenant: &Tenant,
        session: SessionId,
        result: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Err(StoreError::Erased(_)) = &result {
            self.known.forget(tenant, session);
        }
        result
    }

    /// The key of the session that a commit adds to. A new session gets one here, which
    /// comes with the commit; it is known once the commit is there.
    async fn key_for(&self, commit: &mut Commit) -> Result<Option<Arc<SessionKey>>, StoreError> {
        if commit.expected_seq > 0 {
            return self.key(&commit.tenant, commit.session).await;
        }
        let Some(mut content) = commit.content.take().or_else(|| content_of(commit)) else {
            return Ok(None);
        };
        let mut key = None;
        // Whoever brings a key seals by themselves.
        if content.key.is_none()
            && let Some((fresh, wrapped)) =
                self.keyring.fresh(&commit.tenant, commit.session).await?
        {
            content.key = Some(wrapped);
            key = Some(Arc::new(fresh));
        }
        commit.content = Some(content);
        Ok(key)
    }

    /// A row of a list with its title in the clear, as far as the key is here.
    async fn shown(&self, tenant: &Tenant, mut listed: Listed) -> Result<Listed, StoreError> {
        if !piece::is_sealed(listed.brief.title.as_bytes()) {
            return Ok(listed);
        }
        let title = match self.key(tenant, listed.session).await {
            Ok(None) => return Ok(listed),
            Ok(Some(key)) => {
                Place::title(tenant, listed.session).open(&key, &listed.brief.title)?
            }
            Err(StoreError::Locked { .. }) => SEALED_TITLE.to_owned(),
            Err(StoreError::Erased(_)) => String::new(),
            Err(other) => return Err(other),
        };
        listed.brief.title = title;
        Ok(listed)
    }

    /// A record whose words are sealed, where it is about a session that is. What would be
    /// said about one whose content was erased is not kept.
    async fn sealed(&self, tenant: &Tenant, mut record: Record) -> Result<Record, StoreError> {
        let Some(session) = record.entry.session.filter(|_| record.content.is_some()) else {
            return Ok(record);
        };
        match self.key(tenant, session).await {
            Ok(key) => seal_record(key.as_deref(), tenant, &mut record)?,
            Err(StoreError::Erased(_)) => record.content = None,
            Err(other) => return Err(other),
        }
        Ok(record)
    }
}

/// Whose the content is of a session that begins without saying so.
fn content_of(commit: &Commit) -> Option<Content> {
    let first = commit.events.first()?;
    let Fact::SessionOpened(opening) = &first.event.fact else { return None };
    let environment = opening.scope.clone().unwrap_or_default().environment;
    Some(Content { user: opening.user.clone(), environment, made: first.event.at, key: None })
}

/// Seals what people wrote in a commit.
fn seal_commit(key: &SessionKey, commit: &mut Commit) -> Result<(), StoreError> {
    let (tenant, session) = (&commit.tenant, commit.session);
    for sealed in &mut commit.events {
        let place = Place::event(tenant, session, sealed.event.seq);
        sealed.body = place.seal(key, &sealed.body)?;
    }
    if !commit.brief.title.is_empty() {
        commit.brief.title = Place::title(tenant, session).seal(key, &commit.brief.title)?;
    }
    for payload in &mut commit.payloads {
        seal_payload(key, tenant, session, payload)?;
    }
    for record in &mut commit.audit {
        if record.entry.session == Some(session) {
            seal_record(Some(key), tenant, record)?;
        }
    }
    Ok(())
}

/// Seals a session's own payload, unless its owner has done so.
fn seal_payload(
    key: &SessionKey,
    tenant: &Tenant,
    session: SessionId,
    payload: &mut Payload,
) -> Result<(), StoreError> {
    if payload.owner == Some(session) && !payload.sealed {
        let place = Place::payload(tenant, session, payload.hash);
        payload.bytes = place.seal_bytes(key, &payload.bytes)?;
        payload.sealed = true;
    }
    Ok(())
}

fn seal_record(
    key: Option<&SessionKey>,
    tenant: &Tenant,
    record: &mut Record,
) -> Result<(), StoreError> {
    let (Some(key), Some(content)) = (key, &record.content) else { return Ok(()) };
    let Some(place) = Place::audit(tenant, &record.entry) else { return Ok(()) };
    record.content = Some(place.seal_text(key, content)?.into());
    Ok(())
}

#[async_trait]
impl Store for Sealing {
    async fn commit(&self, mut commit: Commit) -> Result<Vec<Alert>, StoreError> {
        // The store behind cannot tell any more what is sealed here.
        commit.check()?;
        let begins = commit.expected_seq == 0;
        let key = self.key_for(&mut commit).await?;
        if let Some(key) = &key {
            seal_commit(key, &mut commit)?;
        }
        let (tenant, session) = (commit.tenant.clone(), commit.session);
        let sealed_here = commit.content.as_ref().is_some_and(|content| content.key.is_some());
        let known = begins && sealed_here == key.is_some();
        let done = self.noted(&tenant, session, self.inner.commit(commit).await)?;
        if known {
            self.known.put(&tenant, session, key);
        }
        Ok(done)
    }

    async fn read(
        &self,
        tenant: &Tenant,
        session: SessionId,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<Stored>, StoreError> {
        let rows = self.inner.read(tenant, session, after, rows_max).await;
        let mut rows = self.noted(tenant, session, rows)?;
        if rows.is_empty() {
            return Ok(rows);
        }
        if let Some(key) = self.key(tenant, session).await? {
            for row in &mut rows {
                row.body = Place::event(tenant, session, row.seq).open(&key, &row.body)?;
            }
        }
        Ok(rows)
    }

    async fn look(&self, tenant: &Tenant, session: SessionId) -> Result<Listed, StoreError> {
        self.shown(tenant, self.inner.look(tenant, session).await?).await
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
        let rows = self.inner.list(tenant, listing).await?;
        let mut shown = Vec::with_capacity(rows.len());
        for row in rows {
            shown.push(self.shown(tenant, row).await?);
        }
        Ok(shown)
    }

    async fn keep(&self, tenant: &Tenant, mut payload: Payload) -> Result<(), StoreError> {
        payload.check()?;
        if let Some(session) = payload.owner {
            // Before its session is there, nobody knows whether it is to be sealed.
            self.inner.look(tenant, session).await?;
            if let Some(key) = self.key(tenant, session).await? {
                seal_payload(&key, tenant, session, &mut payload)?;
            }
        }
        self.inner.keep(tenant, payload).await
    }

    async fn payload(
        &self,
        tenant: &Tenant,
        owner: Option<SessionId>,
        hash: ContentHash,
    ) -> Result<Bytes, StoreError> {
        let bytes = self.inner.payload(tenant, owner, hash).await?;
        let Some(session) = owner.filter(|_| ContentHash::of(&bytes) != hash) else {
            return Ok(bytes);
        };
        match self.key(tenant, session).await? {
            Some(key) if piece::is_sealed(&bytes) => {
                Place::payload(tenant, session, hash).open_bytes(&key, &bytes, hash)
            }
            // Somebody else sealed it, and opens it as well.
            Some(_) | None => Ok(bytes),
        }
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
        let told = self.sealed(tenant, told).await?;
        self.inner.set_cap(tenant, scope, cap, told).await
    }

    fn outbox(&self) -> &dyn Outbox {
        self.inner.outbox()
    }

    fn audit(&self) -> &dyn Audit {
        self
    }

    fn contents(&self) -> &dyn Contents {
        self
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
