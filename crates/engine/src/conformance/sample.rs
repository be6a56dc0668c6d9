//! Material for the suite, and for a store's own tests: sessions that are written fact
//! by fact, all from plain numbers, so that two runs write the same bytes.

use std::sync::Arc;

use kernel::event::{Event, Fact, Opening, Sealed, chain_root, seal};
use kernel::ledger::{Allowance, Amount, Move, MoveKind, Scope};
use kernel::message::Usage;
use kernel::units::{ContentHash, Epoch, Money, SessionId, Tenant, UnixMs};

use super::{Broken, works};
use crate::ports::{Brief, Charge, Claim, Commit, Payload, Status, Store};

/// One writer's knowledge of one session.
#[derive(Clone, Debug)]
pub struct Pen {
    /// Whose session.
    pub tenant: Tenant,
    /// Which.
    pub session: SessionId,
    /// The last event that the writer knows.
    pub seq: u64,
    /// Its hash.
    pub head: ContentHash,
    /// The lease that commits are made under.
    pub epoch: Option<Epoch>,
    /// What commits say of the session.
    pub brief: Brief,
}

impl Pen {
    /// For a session that is not there yet.
    #[must_use]
    pub fn new(tenant: &str, number: u128) -> Self {
        let session = session(number);
        Pen {
            tenant: Tenant(tenant.to_owned()),
            session,
            seq: 0,
            head: chain_root(session),
            epoch: None,
            brief: brief(Status::Idle, None),
        }
    }

    /// Makes a session with its opening alone.
    ///
    /// # Errors
    /// The store does not take it.
    pub async fn opened(store: &dyn Store, tenant: &str, number: u128) -> Result<Self, Broken> {
        let mut pen = Pen::new(tenant, number);
        pen.write(store, pen.opening()).await?;
        Ok(pen)
    }

    /// The commit that makes the session.
    #[must_use]
    pub fn opening(&self) -> Commit {
        self.commit(vec![opening(&self.tenant)])
    }

    /// A commit of so many plain facts.
    #[must_use]
    pub fn notes(&self, count: usize) -> Commit {
        self.commit((0..count).map(|n| note(&format!("{}+{n}", self.seq))).collect())
    }

    /// A commit of these facts.
    #[must_use]
    pub fn commit(&self, facts: Vec<Fact>) -> Commit {
        let (mut events, mut head): (Vec<Sealed>, _) = (Vec::new(), self.head);
        for (seq, fact) in (self.seq + 1..).zip(facts) {
            let sealed = seal(head, Event { seq, at: UnixMs(1_000 + seq), fact });
            head = sealed.hash;
            events.push(sealed);
        }
        Commit {
            tenant: self.tenant.clone(),
            session: self.session,
            expected_seq: self.seq,
            epoch: self.epoch,
            events,
            moves: Vec::new(),
            charges: Vec::new(),
            payloads: Vec::new(),
            brief: self.brief.clone(),
            alerts: Vec::new(),
            subscriptions: Arc::default(),
            audit: Vec::new(),
            content: None,
        }
    }

    /// Writes a commit that must succeed, and goes on from there.
    ///
    /// # Errors
    /// The store does not take it.
    pub async fn write(&mut self, store: &dyn Store, commit: Commit) -> Result<(), Broken> {
        let last = commit.events.last().map(|sealed| (sealed.event.seq, sealed.hash));
        works("a commit that keeps the contract is taken", store.commit(commit).await)?;
        (self.seq, self.head) = last.unwrap_or((self.seq, self.head));
        Ok(())
    }

    /// A wish to own the session from `now` to `until`.
    #[must_use]
    pub fn claim(&self, owner: &str, now: u64, until: u64) -> Claim {
        Claim {
            tenant: self.tenant.clone(),
            session: self.session,
            owner: owner.to_owned(),
            now: UnixMs(now),
            until: UnixMs(until),
            over: None,
        }
    }
}

/// The id with this number.
#[must_use]
pub fn session(number: u128) -> SessionId {
    SessionId(uuid::Uuid::from_u128(number))
}

/// A fact that says nothing but this text.
#[must_use]
pub fn note(text: &str) -> Fact {
    Fact::CancelAsked { by: text.to_owned() }
}

/// The first fact of a tenant's session.
#[must_use]
pub fn opening(tenant: &Tenant) -> Fact {
    Fact::SessionOpened(Opening {
        tenant: tenant.clone(),
        user: "ada".into(),
        agent: ContentHash::of(b"agent"),
        agent_id: "reference".into(),
        labels: Default::default(),
        workdir: None,
        scope: None,
        forked_from: None,
        parent: None,
    })
}

/// What lists show of a session with this status and due time.
#[must_use]
pub fn brief(status: Status, due: Option<u64>) -> Brief {
    Brief {
        status,
        due: due.map(UnixMs),
        title: "17.5 % of 2340 — “tip”".into(),
        agent_id: "reference".into(),
        user: "ada".into(),
        turns: 3,
        spent: Money(1_234),
        waits: None,
    }
}

/// The first run's scope in the session with this number.
#[must_use]
pub fn scope(number: u128) -> Scope {
    Scope::Task { session: session(number), run: 1 }
}

/// The scope of a budget that runs share.
#[must_use]
pub fn shared(name: &str, subject: &str, window: Option<&str>) -> Scope {
    let window = window.map(str::to_owned);
    Scope::Shared { name: name.to_owned(), subject: subject.to_owned(), window }
}

/// A cap on money, in nano-dollars.
#[must_use]
pub fn dollars(cap: u64) -> Allowance {
    Allowance::of(Some(Money(cap)))
}

/// Gives a scope this cap.
#[must_use]
pub fn grant(scope: &Scope, cap: u64) -> Move {
    let kind = MoveKind::Grant { cap: dollars(cap), inherited: Amount::ZERO };
    Move { scope: scope.clone(), kind }
}

/// Reserves this amount.
#[must_use]
pub fn hold(scope: &Scope, amount: u64) -> Move {
    let kind = MoveKind::Hold { amount: Amount::of(Money(amount)), cap: None };
    Move { scope: scope.clone(), kind }
}

/// Ends a hold of `held` and books `spent`.
#[must_use]
pub fn settle(scope: &Scope, held: u64, spent: u64) -> Move {
    let kind = MoveKind::Settle { held: Amount::of(Money(held)), spent: Amount::of(Money(spent)) };
    Move { scope: scope.clone(), kind }
}

/// These bytes under their hash.
#[must_use]
pub fn payload(bytes: &'static [u8]) -> Payload {
    Payload::of(None, bytes)
}

/// A charge at noon of a day.
#[must_use]
pub fn charge(day: u64, user: &str, amount: u64, estimated: bool) -> Charge {
    Charge {
        at: UnixMs(day * 86_400_000 + 43_200_000),
        user: user.to_owned(),
        agent_id: "reference".into(),
        model: "planner".into(),
        prices: "2026-11".into(),
        usage: Usage { input: 10, cache_read: 5, output: 2, ..Usage::default() },
        amount: Money(amount),
        estimated,
    }
}
