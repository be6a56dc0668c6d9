//! Erasing what people wrote: a session with what was made from it, all of a user, or by
//! age; and letting the audit go when its time is over.
//!
//! A run that is under way is never erased: its owner acts in the world and holds money.
//! What is being done stands in the audit before it is done, and again after it.

use std::collections::{BTreeMap, BTreeSet};

use kernel::event::{Fact, SessionScope, chain_root, unseal};
use kernel::units::{SessionId, Tenant, UnixMs};
use kernel::verdict::Judgement;
use serde_json::json;

use crate::Engine;
use crate::driver::Lease;
use crate::error::EngineError;
use crate::ports::{Action, Doomed, ERASABLE_ROWS_MAX, Listing, Principal, Status, StoreError};
use crate::record::PAGE_ROWS;

/// Ids of sessions that an entry of the audit names; it counts the others.
const NAMED_MAX: usize = 100;

/// What an erasure came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erasure {
    /// Sessions whose content is gone.
    pub erased: Vec<SessionId>,
    /// Sessions that were left as they are, because a run is under way.
    pub busy: Vec<SessionId>,
}

/// What the audit of a tenant would lose, or has lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outdated {
    /// Entries whose content is, or was, to be erased.
    pub contents: u64,
    /// Entries at the chain's beginning that are, or were, to be removed.
    pub entries: u64,
}

/// Until when the audit of a tenant is let go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditBounds {
    /// Content of entries from before the instant, by environment.
    pub contents: BTreeMap<String, UnixMs>,
    /// First entries of the chain from before it. `None`: all of them stay.
    pub entries: Option<UnixMs>,
}

impl Engine {
    /// The sessions that [`Engine::erase`] would erase, in the order of their ids. Of a
    /// session also its children and forks, and theirs: its words are in them.
    ///
    /// # Errors
    /// There is no such session, or the store failed.
    pub async fn erasable(
        &self,
        tenant: &Tenant,
        which: &Doomed,
    ) -> Result<Vec<SessionId>, EngineError> {
        let Doomed::Session(session) = which else {
            return Ok(self.all_erasable(tenant, which).await?.into_iter().collect());
        };
        self.store.look(tenant, *session).await?;
        let mut family = BTreeSet::new();
        for member in self.family(tenant, *session).await? {
            family.extend(self.all_erasable(tenant, &Doomed::Session(member)).await?);
        }
        Ok(family.into_iter().collect())
    }

    async fn all_erasable(
        &self,
        tenant: &Tenant,
        which: &Doomed,
    ) -> Result<BTreeSet<SessionId>, StoreError> {
        let contents = self.store.contents();
        let mut all = BTreeSet::new();
        loop {
            let after = all.last().copied();
            let page = contents.erasable(tenant, which, after, ERASABLE_ROWS_MAX).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// A session, and all that were made from it: children, forks, and theirs.
    async fn family(
        &self,
        tenant: &Tenant,
        session: SessionId,
    ) -> Result<BTreeSet<SessionId>, EngineError> {
        let mut made_from: BTreeMap<SessionId, Vec<SessionId>> = BTreeMap::new();
        let mut listing = Listing { status: None, before: None, rows_max: PAGE_ROWS };
        loop {
            let page = self.store.list(tenant, &listing).await?;
            for row in &page {
                for origin in self.origins(tenant, row.session).await? {
                    made_from.entry(origin).or_default().push(row.session);
                }
            }
            match page.last() {
                Some(last) => listing.before = Some(last.session),
                None => break,
            }
        }
        let (mut family, mut next) = (BTreeSet::new(), vec![session]);
        while let Some(member) = next.pop() {
            if family.insert(member) {
                next.extend(made_from.get(&member).into_iter().flatten());
            }
        }
        Ok(family)
    }

    /// The sessions that a session was made from. Nobody knows those of an erased one.
    async fn origins(
        &self,
        tenant: &Tenant,
        session: SessionId,
    ) -> Result<Vec<SessionId>, EngineError> {
        let first = match self.store.read(tenant, session, 0, 1).await {
            Ok(rows) => rows.into_iter().next(),
            Err(StoreError::Erased(_)) => None,
            Err(other) => return Err(other.into()),
        };
        let opened = first.map(|row| unseal(chain_root(session), 1, row)).transpose();
        let opened = opened.map_err(|why| EngineError::Damaged { session, why: why.into() })?;
        Ok(match opened.map(|sealed| sealed.event.fact) {
            Some(Fact::SessionOpened(opening)) => {
                let parent = opening.parent.map(|parent| parent.session);
                parent.into_iter().chain(opening.forked_from.map(|from| from.session)).collect()
            }
            Some(_) | None => Vec::new(),
        })
    }

    /// Erases content for somebody whom policies let. Where a run is under way in one of a
    /// session's family, or of a user's sessions, nothing is erased; by age the others are.
    /// `owner` names this process among those that drive sessions.
    ///
    /// The store's files may show traces until [`crate::ports::Contents::scrub`].
    ///
    /// # Errors
    /// [`EngineError::Denied`], there is no such session, or the store failed.
    pub async fn erase(
        &self,
        who: &Principal,
        place: &SessionScope,
        which: &Doomed,
        owner: &str,
    ) -> Result<Erasure, EngineError> {
        let (tenant, subject) = (&who.tenant, subject(which));
        let action = Action::Administer { name: "session.erase", resource: &subject };
        let judgement = self.may(who, place, action)?;
        let sessions = self.erasable(tenant, which).await?;
        let mut erasure = Erasure { erased: Vec::new(), busy: self.busy(tenant, &sessions).await? };
        let all_or_none = match which {
            Doomed::Session(_) | Doomed::User(_) => true,
            Doomed::Environment { .. } => false,
        };
        if sessions.is_empty() || (all_or_none && !erasure.busy.is_empty()) {
            return Ok(erasure);
        }
        let about = About { who, place, action: "session.erase", subject, judgement };
        self.tell(&about, "begun", named(&sessions)).await?;
        let done = self.erase_each(tenant, &sessions, owner, &mut erasure).await;
        let outcome = if done.is_ok() { "done" } else { "failed" };
        self.tell(&about, outcome, named(&erasure.erased)).await?;
        done.map(|()| erasure)
    }

    async fn erase_each(
        &self,
        tenant: &Tenant,
        sessions: &[SessionId],
        owner: &str,
        erasure: &mut Erasure,
    ) -> Result<(), EngineError> {
        let busy: BTreeSet<SessionId> = erasure.busy.iter().copied().collect();
        for session in sessions.iter().filter(|session| !busy.contains(session)) {
            if self.erase_one(tenant, *session, owner).await? {
                erasure.erased.push(*session);
            } else {
                erasure.busy.push(*session);
            }
        }
        Ok(())
    }

    /// Erases one session under its lease, so that nobody begins to drive it meanwhile.
    /// Whether it was; a run that is under way keeps it.
    async fn erase_one(
        &self,
        tenant: &Tenant,
        session: SessionId,
        owner: &str,
    ) -> Result<bool, EngineError> {
        let lease = match Lease::claim(self, tenant, session, owner, None).await {
            Ok(lease) => lease,
            Err(StoreError::Held { .. }) => return Ok(false),
            Err(other) => return Err(other.into()),
        };
        let erased = self.erase_leased(tenant, session).await;
        self.store.release(tenant, session, lease.epoch).await?;
        erased
    }

    async fn erase_leased(&self, tenant: &Tenant, session: SessionId) -> Result<bool, EngineError> {
        let listed = self.store.look(tenant, session).await?;
        if listed.brief.status == Status::Running {
            return Ok(false);
        }
        self.store.contents().erase(tenant, &Doomed::Session(session)).await?;
        Ok(true)
    }

    /// The sessions in which a run is under way, or that somebody owns now.
    async fn busy(
        &self,
        tenant: &Tenant,
        sessions: &[SessionId],
    ) -> Result<Vec<SessionId>, StoreError> {
        let (now, mut busy) = (self.world.now(), Vec::new());
        for session in sessions {
            let listed = self.store.look(tenant, *session).await?;
            let owned = listed.lease.is_some_and(|(_, until)| until > now);
            if owned || listed.brief.status == Status::Running {
                busy.push(*session);
            }
        }
        Ok(busy)
    }

    /// What [`Engine::let_audit_go`] would take.
    ///
    /// # Errors
    /// The store failed, or the audit is damaged.
    pub async fn outdated(
        &self,
        tenant: &Tenant,
        bounds: &AuditBounds,
    ) -> Result<Outdated, EngineError> {
        let audit = self.store.audit();
        let (first, last) = audit.ends(tenant).await?;
        let (mut seen, mut outdated, mut at_beginning) = (first.seq, Outdated::default(), true);
        loop {
            let links = audit.links(tenant, seen, PAGE_ROWS).await?;
            let Some(end) = links.last() else { return Ok(outdated) };
            seen = end.seq;
            for link in &links {
                let entry = link.checked().map_err(|why| StoreError::Damaged(why.to_string()))?;
                let bound = bounds.contents.get(&entry.environment);
                let old = bound.is_some_and(|bound| entry.at < *bound);
                outdated.contents += u64::from(old && link.content.is_some());
                let goes = bounds.entries.is_some_and(|bound| entry.at < bound);
                at_beginning = at_beginning && goes && link.seq < last.seq;
                outdated.entries += u64::from(at_beginning);
            }
        }
    }

    /// Erases old content of a tenant's audit and removes its first entries, for somebody
    /// whom policies let.
    ///
    /// # Errors
    /// [`EngineError::Denied`], or the store failed.
    pub async fn let_audit_go(
        &self,
        who: &Principal,
        place: &SessionScope,
        bounds: &AuditBounds,
    ) -> Result<Outdated, EngineError> {
        let action = Action::Administer { name: "retention.apply", resource: "audit" };
        let judgement = self.may(who, place, action)?;
        let (tenant, audit) = (&who.tenant, self.store.audit());
        let subject = "audit".to_owned();
        let about = About { who, place, action: "retention.apply", subject, judgement };
        self.tell(&about, "begun", json!({ "bounds": described(bounds) })).await?;
        let mut gone = Outdated::default();
        for (environment, before) in &bounds.contents {
            gone.contents +=
                all(async || audit.forget_content(tenant, environment, *before, PAGE_ROWS).await)
                    .await?;
        }
        if let Some(before) = bounds.entries {
            gone.entries += all(async || audit.prune(tenant, before, PAGE_ROWS).await).await?;
        }
        let content = json!({ "contents": gone.contents, "entries": gone.entries });
        self.tell(&about, "done", content).await?;
        Ok(gone)
    }

    async fn tell(
        &self,
        about: &About<'_>,
        outcome: &str,
        content: serde_json::Value,
    ) -> Result<(), StoreError> {
        let About { who, place, action, subject, judgement } = about;
        let mut record = self.told(who, place, action, subject, judgement, content);
        record.entry.outcome = Some(outcome.to_owned());
        self.store.audit().append(&who.tenant, vec![record]).await
    }
}

/// Who does what, for the audit.
struct About<'a> {
    who: &'a Principal,
    place: &'a SessionScope,
    action: &'a str,
    subject: String,
    judgement: Judgement,
}

/// Does a batch again and again until nothing is left. Tells how many there were.
async fn all(batch: impl AsyncFn() -> Result<u64, StoreError>) -> Result<u64, StoreError> {
    let mut sum = 0;
    loop {
        match batch().await? {
            0 => return Ok(sum),
            count => sum += count,
        }
    }
}

/// What is erased, as policies and the audit call it.
fn subject(which: &Doomed) -> String {
    match which {
        Doomed::Session(session) => format!("session/{session}"),
        Doomed::User(user) => format!("user/{user}"),
        Doomed::Environment { name, .. } => format!("environment/{name}"),
    }
}

fn named(sessions: &[SessionId]) -> serde_json::Value {
    let first: Vec<&SessionId> = sessions.iter().take(NAMED_MAX).collect();
    json!({ "count": sessions.len(), "sessions": first })
}

fn described(bounds: &AuditBounds) -> serde_json::Value {
    let contents: BTreeMap<&String, u64> =
        bounds.contents.iter().map(|(environment, before)| (environment, before.0)).collect();
    json!({ "contents": contents, "entries": bounds.entries.map(|before| before.0) })
}
