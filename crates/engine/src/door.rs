//! The one way in: every face (command line, HTTP, bots) starts, commands and reads
//! sessions through here.
//!
//! A command becomes facts in one commit, or a refusal. Nothing is done in the world
//! here; a nudge tells the workers that something is owed.

mod approvals;
mod erasure;

use std::collections::BTreeMap;

use kernel::agent::Frozen;
use kernel::event::{Done, Opening, Sealed, SessionScope, Stored, chain_root, unseal};
use kernel::ledger::{Allowance, Balance, Scope, Share};
use kernel::message::Block;
use kernel::run::{Command, Context, Judge, State, Stepped, Wake, step};
use kernel::units::{Money, SessionId, Tenant, UnixMs};
use kernel::verdict::Judgement;

pub use approvals::Asked;
pub use erasure::{AuditBounds, Erasure, Outdated};

use crate::Engine;
use crate::audit::{Entry, Record};
use crate::error::EngineError;
use crate::ports::{Action, Listing, Payload, Principal, Status, StoreError};
use crate::record::{PAGE_ROWS, agent_payload, brief, commit, frozen, load, read_on};

/// Tries of a command against a session that others keep writing to.
const TRIES_MAX: u32 = 16;

/// A task for an agent.
#[derive(Clone, Debug)]
pub struct Task {
    /// What is asked.
    pub input: Vec<Block>,
    /// What ends the run. `None`: the done signal where the agent can give it, the
    /// first plain answer otherwise.
    pub done: Option<Done>,
    /// The most that it may cost; the agent's own cap where absent.
    pub cap: Option<Money>,
    /// Model responses that it may take; the agent's own number where absent.
    pub turns_max: Option<u32>,
}

impl Task {
    /// A task in plain words, with the agent's own limits.
    #[must_use]
    pub fn of(text: impl Into<String>) -> Self {
        Task { input: vec![Block::text(text)], done: None, cap: None, turns_max: None }
    }

    fn into_command(self, state: &State) -> Command {
        let usual = if state.agent.can_end_task() { Done::EndTask } else { Done::Answer };
        Command::Start {
            input: self.input,
            done: self.done.unwrap_or(usual),
            cap: self.cap,
            turns_max: self.turns_max,
        }
    }
}

/// Who a session belongs to, and where its file tools work.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The tenant.
    pub tenant: Tenant,
    /// The user within the tenant.
    pub user: String,
    /// What else its calls are counted under: a team, a key, ….
    pub labels: BTreeMap<String, String>,
    /// The folder of the file tools.
    pub workdir: Option<String>,
    /// What the session is composed for.
    pub scope: SessionScope,
}

impl Owner {
    /// Who asks where this owner does something.
    #[must_use]
    pub fn principal(&self) -> Principal {
        Principal {
            tenant: self.tenant.clone(),
            user: self.user.clone(),
            role: self.scope.role.clone(),
            labels: self.labels.clone(),
            agent: None,
        }
    }
}

impl Engine {
    /// Opens a session with a first task, both in one commit, if policies let its owner.
    ///
    /// # Errors
    /// [`EngineError::Denied`] or a refusal (nothing was stored), or the store.
    pub async fn start(
        &self,
        owner: &Owner,
        agent: &Frozen,
        task: Task,
    ) -> Result<SessionId, EngineError> {
        let session = self.world.session_id();
        self.start_as(session, owner, agent, task).await.map(|()| session)
    }

    /// The same under an id that the caller has from this world's clock before, so that a
    /// session that may have been begun is not begun a second time.
    ///
    /// # Errors
    /// As of [`Engine::start`]; [`StoreError::Stale`] where there is a session of that id.
    pub async fn start_as(
        &self,
        session: SessionId,
        owner: &Owner,
        agent: &Frozen,
        task: Task,
    ) -> Result<(), EngineError> {
        self.permit_start(owner, agent)?;
        let mut state = State::new(session, agent);
        let opening = Opening {
            tenant: owner.tenant.clone(),
            user: owner.user.clone(),
            labels: owner.labels.clone(),
            agent: agent.hash,
            agent_id: agent.agent.agent_id.clone(),
            workdir: owner.workdir.clone(),
            scope: Some(owner.scope.clone()),
            forked_from: None,
            parent: None,
        };
        let mut stepped = self.step(&mut state, Command::Open(opening))?;
        let command = task.into_command(&state);
        stepped.append(self.step(&mut state, command)?);
        let payloads = vec![agent_payload(agent)];
        commit(self, &owner.tenant, None, &state, stepped, payloads).await?;
        self.dispatch.nudge(&owner.tenant, session).await;
        Ok(())
    }

    /// Gives a session its next task.
    ///
    /// # Errors
    /// A refusal (a run is under way or parked), or the store.
    pub async fn say(
        &self,
        tenant: &Tenant,
        session: SessionId,
        task: Task,
    ) -> Result<(), EngineError> {
        self.command(tenant, session, |state| task.clone().into_command(state)).await
    }

    /// Wakes a parked run.
    ///
    /// # Errors
    /// A refusal (nothing is parked, or the cap must be raised further), or the store.
    pub async fn wake(
        &self,
        tenant: &Tenant,
        session: SessionId,
        by: &str,
        turns_more: Option<u32>,
        cap: Option<Money>,
    ) -> Result<(), EngineError> {
        let wake = Wake::Person { by: by.to_owned(), turns_more, cap };
        self.command(tenant, session, |_| Command::Wake(wake.clone())).await
    }

    /// Asks for the end of a run. One that is under way is ended by its owner at its
    /// next step.
    ///
    /// # Errors
    /// A refusal (there is no run to end), or the store.
    pub async fn cancel(
        &self,
        tenant: &Tenant,
        session: SessionId,
        by: &str,
    ) -> Result<(), EngineError> {
        self.command(tenant, session, |_| Command::Cancel { by: by.to_owned() }).await
    }

    /// Tells a run that waits for a child that this one is over. A nudge: where it is lost
    /// the run wakes at its own time.
    ///
    /// # Errors
    /// A refusal (it does not wait for this child), or the store.
    pub(crate) async fn wake_parent(
        &self,
        tenant: &Tenant,
        parent: SessionId,
        child: SessionId,
    ) -> Result<(), EngineError> {
        self.command(tenant, parent, |_| Command::Wake(Wake::Child(child))).await
    }

    /// The session as its log tells it, chain and recorded end checked.
    ///
    /// # Errors
    /// It is missing or damaged.
    pub async fn state(&self, tenant: &Tenant, session: SessionId) -> Result<State, EngineError> {
        load(self, tenant, session).await
    }

    /// All events, checked against the chain and the recorded end.
    ///
    /// # Errors
    /// The session is missing, or its log is not what was committed.
    pub async fn log(
        &self,
        tenant: &Tenant,
        session: SessionId,
    ) -> Result<Vec<Sealed>, EngineError> {
        let (mut head, mut log) = (chain_root(session), Vec::new());
        let rows = self.store.read(tenant, session, 0, PAGE_ROWS).await?;
        read_on(self, tenant, session, rows, |page| {
            for row in page {
                let sealed = unseal(head, log.len() as u64 + 1, row)?;
                head = sealed.hash;
                log.push(sealed);
            }
            Ok((log.len() as u64, head))
        })
        .await?;
        Ok(log)
    }

    /// Stored events after `after`, at most 1,000: a tail that can be followed with a
    /// plain number as its cursor.
    ///
    /// # Errors
    /// The session is missing, or the store failed.
    pub async fn read_after(
        &self,
        tenant: &Tenant,
        session: SessionId,
        after: u64,
    ) -> Result<Vec<Stored>, EngineError> {
        Ok(self.store.read(tenant, session, after, PAGE_ROWS).await?)
    }

    /// Makes a session that continues another from its event `at` (its last one where
    /// absent). A run that is unfinished there waits, parked, in the fork.
    ///
    /// # Errors
    /// The session is missing or damaged, or the store failed.
    pub async fn fork(
        &self,
        tenant: &Tenant,
        parent: SessionId,
        at: Option<u64>,
    ) -> Result<SessionId, EngineError> {
        let first = self.store.read(tenant, parent, 0, 1).await?;
        let agent = frozen(self, tenant, parent, &first).await?;
        let log = self.log(tenant, parent).await?;
        let shared = at.map_or(log.len(), |seq| usize::try_from(seq).unwrap_or(usize::MAX));
        if shared == 0 || shared > log.len() {
            let last = log.len();
            let what = format!("event {shared} in session {parent}: its events are 1 to {last}");
            return Err(StoreError::Missing(what).into());
        }
        let session = self.world.session_id();
        let (state, stepped) =
            kernel::run::fork(&agent, parent, &log[..shared], session, self.world.now())
                .map_err(|why| EngineError::Damaged { session: parent, why })?;
        let mut payloads = vec![agent_payload(&agent)];
        for kept in &state.payloads {
            let bytes = self.store.payload(tenant, Some(parent), kept.hash).await?;
            payloads.push(Payload::of(Some(session), bytes));
        }
        commit(self, tenant, None, &state, stepped, payloads).await?;
        Ok(session)
    }

    /// The shared scopes of a tenant with their balances, in the order of their keys, at
    /// most 1,000 after the key `after`.
    ///
    /// # Errors
    /// The store failed.
    pub async fn caps(
        &self,
        tenant: &Tenant,
        after: &str,
    ) -> Result<Vec<(Scope, Balance)>, EngineError> {
        Ok(self.store.shared_balances(tenant, after, PAGE_ROWS).await?)
    }

    /// Wakes a parked run for somebody whom policies let raise its cap, where that is asked.
    ///
    /// # Errors
    /// [`EngineError::Denied`], a refusal as of [`Engine::wake`], or the store.
    pub async fn resume(
        &self,
        who: &Principal,
        session: SessionId,
        turns_more: Option<u32>,
        cap: Option<Money>,
    ) -> Result<(), EngineError> {
        if cap.is_some() {
            let state = load(self, &who.tenant, session).await?;
            self.permit(who, &state, Action::CapRaise { scope: "task" })?;
        }
        self.wake(&who.tenant, session, &who.user, turns_more, cap).await
    }

    /// Sets the cap of a shared scope (without a window: of all its windows), or gives it
    /// back to configuration, if policies let `who`. Tells the parked runs that now find the room that they
    /// waited for; workers wake them by themselves.
    ///
    /// # Errors
    /// [`EngineError::Denied`], the scope is a run's own, or the store failed.
    pub async fn set_cap(
        &self,
        who: &Principal,
        place: &SessionScope,
        scope: &Scope,
        cap: Option<Allowance>,
    ) -> Result<Vec<SessionId>, EngineError> {
        let (tenant, key) = (&who.tenant, scope.to_string());
        let judgement = self.may(who, place, Action::CapRaise { scope: &key })?;
        let told = self.told(who, place, "cap.set", &key, &judgement, cap_object(cap));
        self.store.set_cap(tenant, scope, cap, told).await?;
        let mut woken = Vec::new();
        let mut listing =
            Listing { status: Some(Status::Parked), before: None, rows_max: PAGE_ROWS };
        loop {
            let page = self.store.list(tenant, &listing).await?;
            for row in &page {
                let waits = row
                    .brief
                    .waits
                    .as_ref()
                    .filter(|waits| waits.scope == *scope || waits.scope.lasting() == *scope);
                let Some(waits) = waits else { continue };
                if waits.is_over(self.store.balance(tenant, &waits.scope).await?) {
                    self.dispatch.nudge(tenant, row.session).await;
                    woken.push(row.session);
                }
            }
            match page.last() {
                Some(last) => listing.before = Some(last.session),
                None => return Ok(woken),
            }
        }
    }

    /// What somebody did beside any session, for the audit.
    #[must_use]
    pub fn told(
        &self,
        who: &Principal,
        place: &SessionScope,
        action: &str,
        subject: &str,
        judgement: &Judgement,
        content: serde_json::Value,
    ) -> Record {
        let environment = &place.environment;
        let entry = Entry {
            role: who.role.clone(),
            agent_id: who.agent.clone(),
            verdict: Some(judgement.verdict),
            by: judgement.by.clone(),
            ..Entry::of(self.world.now(), action, subject, &who.user, environment)
        };
        let content = (self.redact)(&who.tenant, environment, &content.to_string());
        Record { entry, content: Some(content.into()) }
    }

    fn shares_of(&self, state: &State, now: UnixMs) -> Vec<Share> {
        let opening = state.opening.as_ref();
        opening.map(|opening| self.plans.shares(opening, now)).unwrap_or_default()
    }

    /// Decides and commits a command beside the owner, again where others wrote first.
    async fn command(
        &self,
        tenant: &Tenant,
        session: SessionId,
        command: impl Fn(&State) -> Command,
    ) -> Result<(), EngineError> {
        for _try in 0..TRIES_MAX {
            let mut state = load(self, tenant, session).await?;
            let command = command(&state);
            let stepped = self.step(&mut state, command)?;
            match commit(self, tenant, None, &state, stepped, Vec::new()).await {
                Ok(()) => {
                    if brief(&state).due.is_some() {
                        self.dispatch.nudge(tenant, session).await;
                    }
                    return Ok(());
                }
                Err(StoreError::Stale { .. }) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(EngineError::Contended { tries: TRIES_MAX })
    }

    pub(crate) fn step(&self, state: &mut State, command: Command) -> Result<Stepped, EngineError> {
        let now = self.world.now();
        let quote = self.model.quote(&state.agent.model, now);
        let chance = self.world.chance();
        let shares = self.shares_of(state, now);
        let context = Context {
            now,
            epoch: None,
            quote: quote.as_ref(),
            chance,
            barrier: None,
            held_back: true,
            shares: &shares,
            full: &[],
            out: &[],
            judge: Judge::NOBODY,
        };
        Ok(step(state, command, &context)?)
    }
}

/// A cap for the audit; `null`: configuration decides again.
fn cap_object(cap: Option<Allowance>) -> serde_json::Value {
    match cap {
        Some(cap) => serde_json::json!({
            "nano_usd": cap.money.map(|money| money.0),
            "tokens": cap.tokens,
            "requests": cap.requests,
        }),
        None => serde_json::Value::Null,
    }
}
