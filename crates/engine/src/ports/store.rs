//! Keeping sessions: events, ledger, payloads and leases, in one transaction each.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use kernel::event::{Sealed, Stored};
use kernel::ledger::{Allowance, Balance, CapReached, Measure, Move, Scope};
use kernel::message::Usage;
use kernel::units::{ContentHash, Epoch, Money, SessionId, Tenant, UnixMs};

use super::{Answers, Audit, Content, Contents, Directory, Outbox};
use crate::alerts::{Alert, Subscriptions};
use crate::audit::Record;

/// Facts to be added to a session, with all that must become true together with them.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Whose session.
    pub tenant: Tenant,
    /// Which session.
    pub session: SessionId,
    /// The last sequence number that the writer has seen; 0 makes the session.
    pub expected_seq: u64,
    /// The writer's lease. `None` for people and services that hold none: they may add
    /// facts beside the owner, who then sees its own next commit refused as stale.
    pub epoch: Option<Epoch>,
    /// The new facts, numbered from `expected_seq + 1` without a gap. Not empty.
    pub events: Vec<Sealed>,
    /// What they do to balances, in order.
    pub moves: Vec<Move>,
    /// What they add to the spend table.
    pub charges: Vec<Charge>,
    /// Large payloads that they name.
    pub payloads: Vec<Payload>,
    /// What lists show of the session from now on.
    pub brief: Brief,
    /// What operators are told because of these facts. The store adds the warnings of
    /// caps, which follow from balances.
    pub alerts: Vec<Alert>,
    /// Who is told of what.
    pub subscriptions: Arc<Subscriptions>,
    /// What they come to in the tenant's audit.
    pub audit: Vec<Record>,
    /// Whose the session's content is, with its first facts.
    pub content: Option<Content>,
}

/// Bytes kept once by content hash, within their session or their tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The session that they belong to. `None`: all sessions of the tenant share them.
    pub owner: Option<SessionId>,
    /// BLAKE3 of the bytes, before they were sealed.
    pub hash: ContentHash,
    /// Whether the bytes are sealed, so that only who holds the key can check the hash.
    pub sealed: bool,
    /// The bytes.
    pub bytes: Bytes,
}

impl Payload {
    /// These bytes under their hash.
    #[must_use]
    pub fn of(owner: Option<SessionId>, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Payload { owner, hash: ContentHash::of(&bytes), sealed: false, bytes }
    }
}

/// Money spent by one model call, for reports: summed by day, user, agent, model and
/// version of the prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// When, which decides the day (UTC).
    pub at: UnixMs,
    /// Whose, within the tenant.
    pub user: String,
    /// The agent's name.
    pub agent_id: String,
    /// The model's name.
    pub model: String,
    /// The version of the prices; empty where nobody knew a price.
    pub prices: String,
    /// The tokens, as far as known.
    pub usage: Usage,
    /// The money.
    pub amount: Money,
    /// Whether the amount is our estimate.
    pub estimated: bool,
}

/// What a session is doing, for lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has no task.
    Idle,
    /// A run is under way.
    Running,
    /// A run waits in the store.
    Parked,
    /// The last run reached its end.
    Finished,
    /// The last run could not go on.
    Failed,
    /// The last run was cancelled.
    Cancelled,
}

/// What lists show of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    /// Its status.
    pub status: Status,
    /// When a worker should look at it: now for work, later for a parked run that wakes
    /// by itself, never for the rest.
    pub due: Option<UnixMs>,
    /// The last task's first words. At most 120 bytes.
    pub title: String,
    /// The agent's name.
    pub agent_id: String,
    /// The user within the tenant.
    pub user: String,
    /// Model responses in the whole session.
    pub turns: u32,
    /// Spent in the whole session, inherited spend of a fork excluded.
    pub spent: Money,
    /// The shared cap that its parked run waits for: the session is due as soon as so
    /// much has room there again.
    pub waits: Option<Waits>,
}

/// How much room a parked run waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// Where.
    pub scope: Scope,
    /// In what.
    pub measure: Measure,
    /// How much. A store may keep no more than 2⁶³ − 1, which no scope has room for.
    pub needed: u64,
}

/// Where a session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its last sequence number.
    pub seq: u64,
    /// Its last event's hash.
    pub hash: ContentHash,
    /// Its present epoch.
    pub epoch: Epoch,
}

/// A wish to own a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose session.
    pub tenant: Tenant,
    /// Which session.
    pub session: SessionId,
    /// Who wants it: a name that tells this process from every other.
    pub owner: String,
    /// The present instant.
    pub now: UnixMs,
    /// When the lease ends unless renewed.
    pub until: UnixMs,
    /// Take it although the owner with this epoch still holds a lease. For callers who
    /// know that the owner is dead; the epoch keeps two callers from both being right.
    pub over: Option<Epoch>,
}

/// Which sessions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Only this status.
    pub status: Option<Status>,
    /// Only sessions before this one (newest first): the last id of the page before.
    pub before: Option<SessionId>,
    /// At most this many; the store gives at most 1,000.
    pub rows_max: u32,
}

/// A session in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which.
    pub session: SessionId,
    /// What lists show of it.
    pub brief: Brief,
    /// Where it stands.
    pub head: Head,
    /// When its last fact was committed.
    pub updated: UnixMs,
    /// Its owner and the end of the lease, if it has one that is not over at `updated`.
    pub lease: Option<(String, UnixMs)>,
}

/// One row of the spend table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendRow {
    /// The day in UTC, as days since 1970-01-01.
    pub day: u64,
    /// The user.
    pub user: String,
    /// The agent.
    pub agent_id: String,
    /// The model.
    pub model: String,
    /// The version of the prices; empty where nobody knew a price.
    pub prices: String,
    /// Model calls that cost something or told their tokens.
    pub calls: u64,
    /// Tokens in, cached or not.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// Money, estimates included.
    pub amount: Money,
    /// The part of it that is estimated.
    pub estimated: Money,
}

/// Why a store did not do what it was asked, named for what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else wrote first: read on from `head` and decide again.
    #[error("the session has moved on to event {}", head.seq)]
    Stale {
        /// Where it stands now.
        head: Head,
    },
    /// Another owner has taken over: stop, and write nothing more.
    #[error("the session now belongs to another owner (epoch {})", epoch.0)]
    Fenced {
        /// The present epoch.
        epoch: Epoch,
    },
    /// Another owner holds the lease: leave it alone, or wait.
    #[error("the session is being run by `{owner}`")]
    Held {
        /// Who holds it.
        owner: String,
        /// Its epoch, for [`Claim::over`].
        epoch: Epoch,
        /// When the lease ends.
        until: UnixMs,
    },
    /// A hold found no room under a cap: a lawful no, nothing was changed.
    #[error(transparent)]
    Cap(#[from] CapReached),
    /// There is no such thing for this tenant.
    #[error("there is no {0}")]
    Missing(String),
    /// It was there, and was erased for good.
    #[error("the content of session {0} was erased")]
    Erased(SessionId),
    /// It is there and sealed, and the key is not here: bring the key.
    #[error("the content of session {session} is sealed: {why}")]
    Locked {
        /// Which session.
        session: SessionId,
        /// Which key it needs, and what to do.
        why: String,
    },
    /// What is stored is not what was committed: stop, and restore from a copy.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// No room to write: nothing was changed; free some space and try again.
    #[error("the store has no room to write: {0}")]
    Full(String),
    /// Try again later.
    #[error("the store cannot be reached: {0}")]
    Unavailable(String),
    /// The caller broke the contract of this port.
    #[error("a bug in the caller of the store: {0}")]
    Misused(String),
}

/// Where sessions are kept. Every call is scoped by tenant: a foreign id is missing.
#[async_trait]
pub trait Store: Send + Sync {
    /// Adds facts to a session, durably and all together, or changes nothing. Tells the
    /// alerts that were kept with them: those whose keys were new.
    ///
    /// # Errors
    /// [`StoreError::Stale`], [`StoreError::Fenced`] and [`StoreError::Cap`] in this
    /// order of precedence; [`StoreError::Erased`] before them; [`StoreError::Full`];
    /// [`StoreError::Misused`] for facts that do not continue `expected_seq`.
    async fn commit(&self, commit: Commit) -> Result<Vec<Alert>, StoreError>;

    /// Events after `after`, in order, at most `rows_max`.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where the tenant has no such session.
    async fn read(
        &self,
        tenant: &Tenant,
        session: SessionId,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<Stored>, StoreError>;

    /// Where a session stands, without its events.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where the tenant has no such session.
    async fn look(&self, tenant: &Tenant, session: SessionId) -> Result<Listed, StoreError>;

    /// Takes the lease of a session: its epoch grows by one and fences all before. A
    /// running lease is held against everybody, its own owner too, so that a doubled
    /// nudge cannot make two drivers in one process.
    ///
    /// # Errors
    /// [`StoreError::Held`] while a lease runs, [`StoreError::Missing`].
    async fn claim(&self, claim: &Claim) -> Result<Head, StoreError>;

    /// Prolongs a lease, and tells where the session stands now.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] where the epoch is no longer the session's.
    async fn renew(
        &self,
        tenant: &Tenant,
        session: SessionId,
        epoch: Epoch,
        until: UnixMs,
    ) -> Result<Head, StoreError>;

    /// Gives a lease back. Nothing happens where the epoch is no longer the session's.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn release(
        &self,
        tenant: &Tenant,
        session: SessionId,
        epoch: Epoch,
    ) -> Result<(), StoreError>;

    /// Sessions of all tenants that are due at `now` and leased by nobody, oldest due
    /// first, at most `rows_max`; behind them those whose [`Brief::waits`] finds room in
    /// its scope.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn due(&self, now: UnixMs, rows_max: u32)
    -> Result<Vec<(Tenant, SessionId)>, StoreError>;

    /// Sessions of a tenant, newest first.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn list(&self, tenant: &Tenant, listing: &Listing) -> Result<Vec<Listed>, StoreError>;

    /// Keeps a payload by itself, before a commit names it. Idempotent.
    ///
    /// # Errors
    /// [`StoreError::Erased`] where its session was.
    async fn keep(&self, tenant: &Tenant, payload: Payload) -> Result<(), StoreError>;

    /// A payload's bytes: the session's own, or those that all sessions of the tenant share.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where there are none of that hash, [`StoreError::Damaged`]
    /// where bytes that are not sealed do not have it.
    async fn payload(
        &self,
        tenant: &Tenant,
        owner: Option<SessionId>,
        hash: ContentHash,
    ) -> Result<Bytes, StoreError>;

    /// A scope's balance; an unknown scope has none.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn balance(&self, tenant: &Tenant, scope: &Scope) -> Result<Option<Balance>, StoreError>;

    /// The balances of all shared scopes of a tenant, in the order of their keys, at most
    /// `rows_max` of those after the key `after`.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn shared_balances(
        &self,
        tenant: &Tenant,
        after: &str,
        rows_max: u32,
    ) -> Result<Vec<(Scope, Balance)>, StoreError>;

    /// Sets the cap of a shared scope, whatever configuration says, from the next hold
    /// on. For a scope without a window it goes for all of the budget's windows that are
    /// there or come later. `None`: configuration decides again. `told` comes into the
    /// tenant's audit with it.
    ///
    /// # Errors
    /// [`StoreError::Misused`] for a run's own scope, whose cap is a fact of its log.
    async fn set_cap(
        &self,
        tenant: &Tenant,
        scope: &Scope,
        cap: Option<Allowance>,
        told: Record,
    ) -> Result<(), StoreError>;

    /// Where the alerts of commits wait to be sent.
    fn outbox(&self) -> &dyn Outbox;

    /// The tenants' audits.
    fn audit(&self) -> &dyn Audit;

    /// How sessions' content is kept.
    fn contents(&self) -> &dyn Contents;

    /// Who may come in over the network.
    fn directory(&self) -> &dyn Directory;

    /// Requests that clients may send again.
    fn answers(&self) -> &dyn Answers;

    /// All tenants that have a session, in alphabetical order.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn tenants(&self) -> Result<Vec<Tenant>, StoreError>;

    /// The spend table of a tenant from one day to another, both included (days since
    /// 1970-01-01, UTC), ordered by day, user, agent, model, prices.
    ///
    /// # Errors
    /// Only failures of the store itself.
    async fn spend(
        &self,
        tenant: &Tenant,
        from_day: u64,
        to_day: u64,
    ) -> Result<Vec<SpendRow>, StoreError>;
}
