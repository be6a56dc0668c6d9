//! Material for the suite: sessions that are written fact by fact, all from plain
//! numbers, so that two runs write the same bytes.

use kernel::event::{Event, Fact, Opening, Sealed, chain_root, seal};
use kernel::ledger::{Move, MoveKind, Scope};
use kernel::message::Usage;
use kernel::units::{ContentHash, Epoch, Money, SessionId, Tenant, UnixMs};

use super::{Broken, works};
use crate::ports::{Brief, Charge, Claim, Commit, Payload, Status, Store};

/// One writer's knowledge of one session.
#[derive(Clone, Debug)]
pub(super) struct Pen {
    pub(super) tenant: Tenant,
    pub(super) session: SessionId,
    pub(super) seq: u64,
    pub(super) head: ContentHash,
    pub(super) epoch: Option<Epoch>,
    pub(super) brief: Brief,
}

impl Pen {
    /// For a session that is not there yet.
    pub(super) fn new(tenant: &str, number: u128) -> Self {
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

    /// A session that is there, with its opening alone.
    pub(super) async fn opened(
        store: &dyn Store,
        tenant: &str,
        number: u128,
    ) -> Result<Self, Broken> {
        let mut pen = Pen::new(tenant, number);
        pen.write(store, pen.opening()).await?;
        Ok(pen)
    }

    /// The commit that makes the session.
    pub(super) fn opening(&self) -> Commit {
        self.commit(vec![opening(&self.tenant)])
    }

    /// A commit of so many plain facts.
    pub(super) fn notes(&self, count: usize) -> Commit {
        self.commit((0..count).map(|n| note(&format!("{}+{n}", self.seq))).collect())
    }

    /// A commit of these facts.
    pub(super) fn commit(&self, facts: Vec<Fact>) -> Commit {
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
        }
    }

    /// Writes a commit that must succeed, and goes on from there.
    pub(super) async fn write(&mut self, store: &dyn Store, commit: Commit) -> Result<(), Broken> {
        let last = commit.events.last().map(|sealed| (sealed.event.seq, sealed.hash));
        works("a commit that keeps the contract is taken", store.commit(commit).await)?;
        (self.seq, self.head) = last.unwrap_or((self.seq, self.head));
        Ok(())
    }

    /// A wish to own the session from `now` to `until`.
    pub(super) fn claim(&self, owner: &str, now: u64, until: u64) -> Claim {
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

pub(super) fn session(number: u128) -> SessionId {
    SessionId(uuid::Uuid::from_u128(number))
}

pub(super) fn note(text: &str) -> Fact {
    Fact::CancelAsked { by: text.to_owned() }
}

pub(super) fn opening(tenant: &Tenant) -> Fact {
    Fact::SessionOpened(Opening {
        tenant: tenant.clone(),
        user: "ada".into(),
        agent: ContentHash::of(b"agent"),
        agent_id: "reference".into(),
        workdir: None,
        forked_from: None,
    })
}

pub(super) fn brief(status: Status, due: Option<u64>) -> Brief {
    Brief {
        status,
        due: due.map(UnixMs),
        title: "17.5 % of 2340 — “tip”".into(),
        agent_id: "reference".into(),
        user: "ada".into(),
        turns: 3,
        spent: Money(1_234),
    }
}

pub(super) fn scope(number: u128) -> Scope {
    Scope::Task { session: session(number), run: 1 }
}

pub(super) fn grant(scope: &Scope, cap: u64) -> Move {
    let kind = MoveKind::Grant { cap: Some(Money(cap)), inherited: Money::ZERO };
    Move { scope: scope.clone(), kind }
}

pub(super) fn hold(scope: &Scope, amount: u64) -> Move {
    Move { scope: scope.clone(), kind: MoveKind::Hold(Money(amount)) }
}

pub(super) fn settle(scope: &Scope, held: u64, spent: u64) -> Move {
    let kind = MoveKind::Settle { held: Money(held), spent: Money(spent) };
    Move { scope: scope.clone(), kind }
}

pub(super) fn payload(bytes: &'static [u8]) -> Payload {
    Payload { hash: ContentHash::of(bytes), bytes: bytes.into() }
}

/// A charge at noon of a day.
pub(super) fn charge(day: u64, user: &str, amount: u64, estimated: bool) -> Charge {
    Charge {
        at: UnixMs(day * 86_400_000 + 43_200_000),
        user: user.to_owned(),
        agent_id: "reference".into(),
        model: "planner".into(),
        usage: Usage { input: 10, cache_read: 5, output: 2, ..Usage::default() },
        amount: Money(amount),
        estimated,
    }
}
