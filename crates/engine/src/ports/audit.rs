//! Keeping the audit and the keys of what people wrote.

use async_trait::async_trait;
use bytes::Bytes;
use kernel::units::{SessionId, Tenant, UnixMs};

use super::StoreError;
use crate::audit::{ChainHead, Link, Record};

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

/// The key of a session's content, wrapped by one that the store does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionKey {
    /// The user whose content it is.
    pub user: String,
    /// Where the session works.
    pub environment: String,
    /// When it was made.
    pub made: UnixMs,
    /// The key, wrapped.
    pub wrapped: Bytes,
}

/// Which keys are destroyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doomed {
    /// That of one session.
    Session(SessionId),
    /// Those of all sessions of a user.
    User(String),
    /// Those of an environment's sessions that were made before an instant.
    Environment {
        /// The environment.
        name: String,
        /// The instant.
        before: UnixMs,
    },
}

/// The keys of sessions. A key comes with its session's first commit
/// ([`super::Commit::key`]).
#[async_trait]
pub trait Keys: Send + Sync {
    /// A session's key. `None`: it has none, or it was destroyed.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn key(
        &self,
        tenant: &Tenant,
        session: SessionId,
    ) -> Result<Option<SessionKey>, StoreError>;

    /// Destroys keys, so that what they sealed can never be read again, and blanks what
    /// lists show of their sessions. Tells which sessions.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn destroy(&self, tenant: &Tenant, which: &Doomed) -> Result<Vec<SessionId>, StoreError>;
}
