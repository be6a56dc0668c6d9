//! Sessions in PostgreSQL (tested with 15): one truth for workers on many machines.
//!
//! A call is one transaction on a connection of its own, out of a few that are lent in
//! turn. A commit locks what it stands on in one fixed order (L18), asks the rules that all
//! stores share, and writes; an answer is given only after PostgreSQL has it on disk. What
//! others' transactions take down is tried again; what may or may not have been done is
//! told as [`StoreError::Unavailable`].
//!
//! Connections go over TLS with checked certificates, unless the server is on this machine
//! or the address says `sslmode=disable`. An address may name several hosts, with
//! `target_session_attrs=read-write` so that the primary among them is found. Connections
//! prepare statements and keep settings: a pooler in between must give each of them a server
//! connection of its own.
//!
//! PostgreSQL keeps no character NUL in a text. In what is only shown it is replaced; a name
//! that has one is refused as [`StoreError::Misused`].

mod answers;
mod audit;
mod balances;
mod cap;
mod commit;
mod connection;
mod contents;
mod dial;
mod directory;
mod error;
mod lease;
mod nudges;
mod open;
mod outbox;
mod payloads;
mod pool;
mod query;
mod row;
mod schema;
mod scrub;
mod spend;
mod tls;
mod waits;

pub use nudges::Nudges;
pub use open::OpenError;

use std::fmt;
use std::path::PathBuf;

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
use secrets::Secret;

use dial::Dial;
use pool::Pool;

/// How a store behaves. Change what you mean and take the rest from `default()`.
#[derive(Clone, Debug)]
pub struct Options {
    /// The schema that the tables are in; it is made where it is not there.
    pub schema: String,
    /// Connections at most.
    pub connections_max: usize,
    /// How long a call waits for a connection while all are busy, in milliseconds.
    pub place_wait_ms: u64,
    /// How long making a connection may take, in milliseconds.
    pub connect_wait_ms: u64,
    /// How long the database may take for one call, in milliseconds.
    pub answer_wait_ms: u64,
    /// How long bringing the tables to the present version may take, with the wait for
    /// other processes that do the same, in milliseconds.
    pub migration_wait_ms: u64,
    /// How long [`Contents::scrub`] may take for one table, in milliseconds.
    pub scrub_wait_ms: u64,
    /// A file with the authorities that are trusted to name the server, in PEM. `None`: the
    /// public ones.
    pub ca_file: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            schema: "windlass".to_owned(),
            connections_max: 16,
            place_wait_ms: 30_000,
            connect_wait_ms: 10_000,
            answer_wait_ms: 30_000,
            migration_wait_ms: 600_000,
            scrub_wait_ms: 3_600_000,
            ca_file: None,
        }
    }
}

/// A store in a PostgreSQL database.
pub struct Postgres {
    pool: Pool,
    scrub_wait_ms: u64,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("schema", &self.pool.dial.schema).finish_non_exhaustive()
    }
}

impl Postgres {
    /// Reaches a database by its address, as in `postgres://user:password@host/database`,
    /// and makes the tables or brings them to the present version. Waits for as long as
    /// other processes are doing so.
    ///
    /// # Errors
    /// What is wrong with the address, the server or the tables, with what to do about it.
    pub async fn open(url: &Secret, options: Options) -> Result<Self, OpenError> {
        let dial = Dial::of(url, &options)?;
        open::prepare(&dial, &options).await?;
        let scrub_wait_ms = options.scrub_wait_ms;
        Ok(Postgres { pool: Pool::new(dial, &options), scrub_wait_ms })
    }

    /// Closes the connections that nobody uses, and the others as they are given back.
    /// Calls after this fail. Not needed for safety: a store that is killed loses nothing.
    pub fn close(&self) {
        self.pool.close();
    }
}

#[async_trait]
impl Store for Postgres {
    async fn commit(&self, commit: Commit) -> Result<Vec<Alert>, StoreError> {
        commit.check()?;
        let commit = &commit;
        self.pool.transact(|db| async move { commit::commit(&db, commit).await }).await
    }

    async fn read(
        &self,
        tenant: &Tenant,
        session: SessionId,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<Stored>, StoreError> {
        self.pool
            .ask(|db| async move { query::events(&db, tenant, session, after, rows_max).await })
            .await
    }

    async fn look(&self, tenant: &Tenant, session: SessionId) -> Result<Listed, StoreError> {
        self.pool.ask(|db| async move { query::look(&db, tenant, session).await }).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Head, StoreError> {
        self.pool.ask(|db| async move { lease::claim(&db, claim).await }).await
    }

    async fn renew(
        &self,
        tenant: &Tenant,
        session: SessionId,
        epoch: Epoch,
        until: UnixMs,
    ) -> Result<Head, StoreError> {
        self.pool
            .ask(|db| async move { lease::renew(&db, tenant, session, epoch, until).await })
            .await
    }

    async fn release(
        &self,
        tenant: &Tenant,
        session: SessionId,
        epoch: Epoch,
    ) -> Result<(), StoreError> {
        self.pool.ask(|db| async move { lease::release(&db, tenant, session, epoch).await }).await
    }

    async fn due(
        &self,
        now: UnixMs,
        rows_max: u32,
    ) -> Result<Vec<(Tenant, SessionId)>, StoreError> {
        self.pool.ask(|db| async move { query::due(&db, now, rows_max).await }).await
    }

    async fn list(&self, tenant: &Tenant, listing: &Listing) -> Result<Vec<Listed>, StoreError> {
        self.pool.ask(|db| async move { query::list(&db, tenant, listing).await }).await
    }

    async fn keep(&self, tenant: &Tenant, payload: Payload) -> Result<(), StoreError> {
        payload.check()?;
        let payload = &payload;
        self.pool.transact(|db| async move { payloads::keep(&db, tenant, payload).await }).await
    }

    async fn payload(
        &self,
        tenant: &Tenant,
        owner: Option<SessionId>,
        hash: ContentHash,
    ) -> Result<Bytes, StoreError> {
        self.pool.ask(|db| async move { query::payload(&db, tenant, owner, hash).await }).await
    }

    async fn balance(&self, tenant: &Tenant, scope: &Scope) -> Result<Option<Balance>, StoreError> {
        self.pool.ask(|db| async move { balances::balance(&db, tenant, scope).await }).await
    }

    async fn shared_balances(
        &self,
        tenant: &Tenant,
        after: &str,
        rows_max: u32,
    ) -> Result<Vec<(Scope, Balance)>, StoreError> {
        self.pool
            .ask(|db| async move { balances::shared_balances(&db, tenant, after, rows_max).await })
            .await
    }

    async fn set_cap(
        &self,
        tenant: &Tenant,
        scope: &Scope,
        cap: Option<Allowance>,
        told: Record,
    ) -> Result<(), StoreError> {
        let told = &told;
        self.pool
            .transact(|db| async move { cap::set_cap(&db, tenant, scope, cap, told).await })
            .await
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
        self.pool.ask(|db| async move { query::tenants(&db).await }).await
    }

    async fn spend(
        &self,
        tenant: &Tenant,
        from_day: u64,
        to_day: u64,
    ) -> Result<Vec<SpendRow>, StoreError> {
        self.pool.ask(|db| async move { spend::spend(&db, tenant, from_day, to_day).await }).await
    }
}
