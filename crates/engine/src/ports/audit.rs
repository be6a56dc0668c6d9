//! Keeping the audit, and erasing what people wrote.

use async_trait::async_trait;
use bytes::Bytes;
use kernel::units::{SessionId, Tenant, UnixMs};

use super::StoreError;
use crate::audit::{ChainHead, Link, Record};

/// The most sessions that [`Contents::erasable`] tells at a time.
pub const ERASABLE_ROWS_MAX: u32 = 1_000;

/// A tenant's chain of audit entries. Entries of commits come with them
/// ([`super::Commit::audit`]).
#[async_trait]
pub trait Audit: Send + Sync {
    /// Adds records behind the end of a tenant's chain, durably and all together.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn append(&self, tenant: &Tenant, records: Vec<Record>) -> Result<(), StoreError>;

    /// Links behind `after`, in order, at most `rows_max` and at most 1,000.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn links(
        &self,
        tenant: &Tenant,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<Link>, StoreError>;

    /// What people wrote in an entry, for reading. A link itself holds the bytes that the
    /// chain covers, which may be sealed. `None`: there was nothing, or it was erased.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::Damaged`].
    async fn opened(&self, _: &Tenant, link: &Link) -> Result<Option<Bytes>, StoreError> {
        Ok(link.content.clone())
    }

    /// Where the chain begins and ends: entries up to the first head were removed when
    /// their time was over.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn ends(&self, tenant: &Tenant) -> Result<(ChainHead, ChainHead), StoreError>;

    /// Erases what people wrote in entries of an environment from before an instant, at most
    /// `rows_max` at a time. Tells how many.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn forget_content(
        &self,
        tenant: &Tenant,
        environment: &str,
        before: UnixMs,
        rows_max: u32,
    ) -> Result<u64, StoreError>;

    /// Removes the first entries of a chain, as far as they are from before an instant, at
    /// most `rows_max` at a time; the chain then begins behind them. Tells how many.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn prune(
        &self,
        tenant: &Tenant,
        before: UnixMs,
        rows_max: u32,
    ) -> Result<u64, StoreError>;
}

/// Whose a session's content is, and how it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The user whose it is.
    pub user: String,
    /// Where the session works.
    pub environment: String,
    /// When the session was opened.
    pub made: UnixMs,
    /// The key that it is sealed with, wrapped by one that the store does not know. `None`:
    /// it is not sealed.
    pub key: Option<Bytes>,
}

/// What is erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doomed {
    /// The content of one session.
    Session(SessionId),
    /// That of all sessions of a user.
    User(String),
    /// That of an environment's sessions that were opened before an instant.
    Environment {
        /// The environment.
        name: String,
        /// The instant.
        before: UnixMs,
    },
}

/// How sessions' content is kept. It comes with a session's first commit
/// ([`super::Commit::content`]).
#[async_trait]
pub trait Contents: Send + Sync {
    /// How a session's content is kept. `None`: nobody said, which is as good as not sealed.
    ///
    /// # Errors
    /// [`StoreError::Erased`].
    async fn content(
        &self,
        tenant: &Tenant,
        session: SessionId,
    ) -> Result<Option<Content>, StoreError>;

    /// Sessions whose content [`Contents::erase`] would erase, behind `after` in the order of
    /// their ids, at most `rows_max` and at most [`ERASABLE_ROWS_MAX`].
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn erasable(
        &self,
        tenant: &Tenant,
        which: &Doomed,
        after: Option<SessionId>,
        rows_max: u32,
    ) -> Result<Vec<SessionId>, StoreError>;

    /// Erases content: its key, events, payloads and titles, and what the audit keeps of
    /// people's words in it. Reading such a session and writing to it gives
    /// [`StoreError::Erased`] from then on; a run that was not over counts as cancelled and
    /// is never due. Balances, spend and the chain of the audit stay. Tells which sessions.
    ///
    /// Nobody should be driving them: what an owner does meanwhile is refused.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn erase(&self, tenant: &Tenant, which: &Doomed) -> Result<Vec<SessionId>, StoreError>;

    /// Overwrites what erasures left of their content in the store's own files, where it
    /// leaves anything. It may take as long as copying the store.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Unavailable`]: traces may be left; do it again.
    async fn scrub(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
