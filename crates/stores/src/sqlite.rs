//! Sessions in one SQLite file: nothing to install, durable, for one machine.
//!
//! One thread of each process writes and groups the commits of concurrent sessions into
//! one transaction each; an answer is given only after that transaction is on disk. Reads
//! go beside it on connections of their own and never hold it up. Several processes may
//! share a file: writers begin as writers and wait for each other (L35).

mod answers;
mod audit;
mod balances;
mod commit;
mod contents;
mod directory;
mod error;
mod lease;
mod open;
mod outbox;
mod query;
mod readers;
mod row;
mod schema;
mod spend;
mod waits;
mod writer;

pub use open::OpenError;

use std::path::{Path, PathBuf};

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

use readers::Readers;
use writer::{Done, Work, Writer};

/// How a store behaves. Change what you mean and take the rest from `default()`.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a writer waits for the writers of other processes, in milliseconds.
    pub busy_wait_ms: u64,
    /// Commits that wait for the writer at most; more wait for a place.
    pub queue_max: usize,
    /// Commits in one transaction at most.
    pub group_max: usize,
    /// Reads under way at once at most, each on a connection of its own.
    pub readers_max: usize,
    /// Whether every commit is on disk before it is answered. Without, a power failure may
    /// lose the last commits (never part of one); a crash of the program loses none.
    pub durable: bool,
    /// The most pages (of 4,096 bytes) that the file may grow to. `None`: no limit.
    pub pages_max: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            busy_wait_ms: 60_000,
            queue_max: 1_024,
            group_max: 256,
            readers_max: 4,
            durable: true,
            pages_max: None,
        }
    }
}

/// A store in one SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    writer: Writer,
    readers: Readers,
}

impl Sqlite {
    /// Opens a file, or makes one: its folder too, readable by its owner alone, with a
    /// `.gitignore` so that conversations are not committed by mistake. Blocks for as
    /// long as other processes are migrating the file.
    ///
    /// # Errors
    /// What is wrong with the file or its folder, with what to do about it.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, OpenError> {
        let path = path.as_ref().to_owned();
        let connection = open::open(&path, &options)?;
        let readers = Readers::new(path.clone(), &options);
        let writer = Writer::start(connection, &path, options)?;
        Ok(Sqlite { path, writer, readers })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for what is queued, moves everything into the one file and closes it. Calls
    /// after this fail. Not needed for safety: a store that is killed loses nothing.
    pub async fn close(&self) {
        self.readers.close();
        self.writer.close().await;
    }

    /// Checks the whole file's structure (not the chains of the sessions in it).
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with what was found first.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.readers.read(query::check).await
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn commit(&self, commit: Commit) -> Result<Vec<Alert>, StoreError> {
        commit.check()?;
        match self.writer.ask(Work::Commit(Box::new(commit))).await? {
            Done::Kept(alerts) => Ok(alerts),
            Done::Nothing
            | Done::Head(_)
            | Done::Taken(_)
            | Done::Count(_)
            | Done::Erased(_)
            | Done::Asked(_) => Ok(Vec::new()),
        }
    }

    async fn read(
        &self,
        tenant: &Tenant,
        session: SessionId,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<Stored>, StoreError> {
        let tenant = tenant.clone();
        self.readers.read(move |db| query::events(db, &tenant, session, after, rows_max)).await
    }

    async fn look(&self, tenant: &Tenant, session: SessionId) -> Result<Listed, StoreError> {
        let tenant = tenant.clone();
        self.readers.read(move |db| query::look(db, &tenant, session)).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Head, StoreError> {
        self.writer.ask_head(Work::Claim(claim.clone())).await
    }

    async fn renew(
        &self,
        tenant: &Tenant,
        session: SessionId,
        epoch: Epoch,
        until: UnixMs,
    ) -> Result<Head, StoreError> {
        self.writer.ask_head(Work::Renew(tenant.clone(), session, epoch, until)).await
    }

    async fn release(
        &self,
        tenant: &Tenant,
        session: SessionId,
        epoch: Epoch,
    ) -> Result<(), StoreError> {
        self.writer.ask(Work::Release(tenant.clone(), session, epoch)).await.map(drop)
    }

    async fn due(
        &self,
        now: UnixMs,
        rows_max: u32,
    ) -> Result<Vec<(Tenant, SessionId)>, StoreError> {
        self.readers.read(move |db| query::due(db, now, rows_max)).await
    }

    async fn list(&self, tenant: &Tenant, listing: &Listing) -> Result<Vec<Listed>, StoreError> {
        let (tenant, listing) = (tenant.clone(), listing.clone());
        self.readers.read(move |db| query::list(db, &tenant, &listing)).await
    }

    async fn keep(&self, tenant: &Tenant, payload: Payload) -> Result<(), StoreError> {
        payload.check()?;
        self.writer.ask(Work::Keep(tenant.clone(), payload)).await.map(drop)
    }

    async fn payload(
        &self,
        tenant: &Tenant,
        owner: Option<SessionId>,
        hash: ContentHash,
    ) -> Result<Bytes, StoreError> {
        let tenant = tenant.clone();
        self.readers.read(move |db| query::payload(db, &tenant, owner, hash)).await
    }

    async fn balance(&self, tenant: &Tenant, scope: &Scope) -> Result<Option<Balance>, StoreError> {
        let (tenant, scope) = (tenant.clone(), scope.clone());
        self.readers.read(move |db| Ok(balances::balance(db, &tenant, &scope)?)).await
    }

    async fn shared_balances(
        &self,
        tenant: &Tenant,
        after: &str,
        rows_max: u32,
    ) -> Result<Vec<(Scope, Balance)>, StoreError> {
        let (tenant, after) = (tenant.clone(), after.to_owned());
        self.readers.read(move |db| balances::shared_balances(db, &tenant, &after, rows_max)).await
    }

    async fn set_cap(
        &self,
        tenant: &Tenant,
        scope: &Scope,
        cap: Option<Allowance>,
        told: Record,
    ) -> Result<(), StoreError> {
        let work = Work::SetCap(tenant.clone(), scope.clone(), cap, Box::new(told));
        self.writer.ask(work).await.map(drop)
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
        self.readers.read(query::tenants).await
    }

    async fn spend(
        &self,
        tenant: &Tenant,
        from_day: u64,
        to_day: u64,
    ) -> Result<Vec<SpendRow>, StoreError> {
        let tenant = tenant.clone();
        self.readers.read(move |db| spend::spend(db, &tenant, from_day, to_day)).await
    }
}
