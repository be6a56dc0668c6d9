//! The work of one session: load, do what is owed, decide, commit, for as long as
//! something is owed.
//!
//! A driver owns its session through a lease. It keeps the folded state in memory, and
//! folds again whenever somebody else has written. It never decides anything itself.

mod children;
mod lease;
mod room;

use std::sync::{Arc, Mutex, PoisonError};

use futures::{FutureExt, StreamExt, stream};
use kernel::event::{FaultClass, ModelFault};
use kernel::ledger::{Balance, CapReached, Share};
use kernel::message::Block;
use kernel::price::{Quote, Spent};
use kernel::run::{
    Call, CallStatus, Calling, Command, Context, Judge, Owed, Phase, Refusal, State, Stepped, Wake,
    owed, step,
};
use kernel::units::UnixMs;
use kernel::verdict::{Judgement, Verdict};

use crate::Engine;
use crate::error::EngineError;
use crate::judge::{self, Examinations, judge};
use crate::perform::{self, Performed, tools};
use crate::ports::{Outfit, Payload, StoreError, Waits};
use crate::record::{commit, load};

use children::Children;
use lease::Interruption;
pub use lease::{Lease, Stop};
use room::Room;

/// Reads of one turn that run at the same time.
const READS_AT_ONCE_MAX: usize = 8;

/// Tries to commit one result against others who keep writing.
const TRIES_MAX: u32 = 16;

/// Why a driver came to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing is owed until somebody commands something.
    Nothing,
    /// The run is parked and wakes by itself at this instant.
    Until(UnixMs),
    /// The program was told to stop at once, in the middle of an act. The log says what
    /// had begun; the next owner goes on from there.
    Dropped,
}

/// The owner of one session.
pub struct Driver {
    engine: Engine,
    lease: Lease,
    state: State,
    stop: Stop,
    /// Prices as they were when the present act was begun.
    quote: Option<Arc<Quote>>,
    /// Children of the run that are at work.
    children: Children,
    /// Whether work was begun and did not come to rest: the state may hold facts that
    /// were not committed, and acts may have been made that no fact tells of.
    broken_off: bool,
}

impl Driver {
    /// Loads a session under a lease, and gives the lease back where that fails.
    ///
    /// # Errors
    /// It is missing or damaged: altered, or cut before its recorded end.
    pub async fn load(engine: Engine, lease: Lease, stop: Stop) -> Result<Self, EngineError> {
        match load(&engine, &lease.tenant, lease.session).await {
            Ok(state) => {
                let (children, quote) = (Children::default(), None);
                Ok(Driver { engine, lease, state, stop, quote, children, broken_off: false })
            }
            Err(error) => {
                // Why it does not load says more than why the lease runs out by itself.
                let Lease { tenant, session, epoch, .. } = &lease;
                let _released = engine.store.release(tenant, *session, *epoch).await;
                Err(error)
            }
        }
    }

    /// Gives the session what it works with from now on.
    pub fn equip(&mut self, outfit: Outfit) {
        self.engine = self.engine.with(outfit);
    }

    /// The session as it stood when the driver last came to rest.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Works until nothing is owed. Called again after it failed or was dropped, it goes
    /// on as a new owner would after a crash.
    ///
    /// # Errors
    /// The store failed, another owner took over, or the log is damaged. What was not
    /// committed is lost, and the log says so to the next owner.
    pub async fn run(&mut self) -> Result<Rest, EngineError> {
        if self.broken_off {
            self.lease = self.lease.anew(&self.engine).await?;
            self.reload().await?;
        }
        self.broken_off = true;
        let rest = self.work().await?;
        self.rest_children().await;
        self.tell_parent().await;
        self.broken_off = rest == Rest::Dropped;
        Ok(rest)
    }

    async fn work(&mut self) -> Result<Rest, EngineError> {
        loop {
            self.lease.keep_up(&self.engine).await?;
            match owed(&self.state, self.lease.epoch) {
                Owed::Nothing => return Ok(Rest::Nothing),
                Owed::Wait(until) if self.stop.is_asked() || until > self.engine.world.now() => {
                    return Ok(Rest::Until(until));
                }
                Owed::Wait(_) => self.decide(Command::Wake(Wake::Due)).await?,
                Owed::Room(reached, turns) => {
                    if let Some(rest) = self.look_for_room(reached, turns).await? {
                        return Ok(rest);
                    }
                }
                Owed::Decision => self.decide(Command::Advance).await?,
                Owed::LostModel => self.decide(Command::Lost).await?,
                Owed::Model(calling) => {
                    if let Some(rest) = self.call_model(calling).await? {
                        return Ok(rest);
                    }
                }
                Owed::Tools(calls) => {
                    if let Some(rest) = self.run_tools(calls).await? {
                        return Ok(rest);
                    }
                }
                Owed::Children(calls) => {
                    if let Some(rest) = self.tend(calls).await? {
                        return Ok(rest);
                    }
                }
                Owed::Reconcile(call) => {
                    if let Some(rest) = self.reconcile(&call).await? {
                        return Ok(rest);
                    }
                }
            }
        }
    }

    /// Makes a model call, unless the program is stopping: what has begun but was not
    /// sent yet is given back.
    async fn call_model(&mut self, calling: Calling) -> Result<Option<Rest>, EngineError> {
        if self.stop.is_asked() {
            self.decide(interrupted(Spent::Nothing)).await?;
            return Ok(None);
        }
        let act = perform::model(&self.engine, &self.state, &calling, self.quote.clone());
        let seen = self.state.seq;
        let performed = match self.lease.guard(&self.engine, seen, &self.stop, true, act).await {
            Ok(performed) => performed,
            Err(Interruption::Cancelled | Interruption::Stopped) => {
                interrupted(Spent::Unknown).into()
            }
            Err(Interruption::Failed(error)) => return Err(error),
        };
        self.record(vec![performed]).await?;
        Ok(None)
    }

    /// Runs the tool calls that are owed: reads beside each other, anything else alone.
    async fn run_tools(&mut self, calls: Vec<Call>) -> Result<Option<Rest>, EngineError> {
        let mid_act = self.is_mid_act();
        if self.stop.is_asked() && !mid_act {
            self.decide(Command::Park).await?;
            return Ok(None);
        }
        let tenant = self.lease.tenant.clone();
        let acts: Vec<_> = calls
            .iter()
            .map(|call| perform::tool(&self.engine, &tenant, &self.state, call).boxed())
            .collect();
        let act = stream::iter(acts).buffered(READS_AT_ONCE_MAX).collect::<Vec<Performed>>();
        let seen = self.state.seq;
        match self.lease.guard(&self.engine, seen, &self.stop, !mid_act, act).await {
            Ok(performed) => self.record(performed).await?,
            Err(Interruption::Stopped) => return Ok(Some(Rest::Dropped)),
            Err(Interruption::Cancelled) => self.reload().await?,
            Err(Interruption::Failed(error)) => return Err(error),
        }
        Ok(None)
    }

    /// Finds out what became of a former owner's effect. Asking changes nothing, so it
    /// may be dropped at any time; only the answer must not be.
    async fn reconcile(&mut self, call: &Call) -> Result<Option<Rest>, EngineError> {
        let tenant = self.lease.tenant.clone();
        let act = perform::reconcile(&self.engine, &tenant, &self.state, call);
        let seen = self.state.seq;
        match self.lease.guard(&self.engine, seen, &self.stop, false, act).await {
            Ok(found) => self.record(vec![found]).await?,
            Err(Interruption::Stopped) => return Ok(Some(Rest::Dropped)),
            Err(Interruption::Cancelled) => self.reload().await?,
            Err(Interruption::Failed(error)) => return Err(error),
        }
        Ok(None)
    }

    /// Whether an act that must not be dropped has been begun.
    fn is_mid_act(&self) -> bool {
        let epoch = self.lease.epoch;
        match self.state.run.as_ref().map(|run| &run.phase) {
            Some(Phase::Tooling(calls)) => {
                calls.iter().any(|call| call.status == CallStatus::Begun(epoch))
            }
            Some(Phase::Ready | Phase::Calling(_) | Phase::Closing(_) | Phase::Over(_)) | None => {
                false
            }
        }
    }

    async fn decide(&mut self, command: Command) -> Result<(), EngineError> {
        self.record(vec![command.into()]).await
    }

    /// Decides what came back and commits it, again where somebody else wrote first, and
    /// in another way where a cap has no room for what comes next.
    async fn record(&mut self, mut performed: Vec<Performed>) -> Result<(), EngineError> {
        let mut room = Room::default();
        for _try in 0..TRIES_MAX {
            let examinations = self.examine(&performed, &room).await;
            let stepped = self.step(&performed, &room, &examinations)?;
            let owner = Some(self.state.session);
            let own = |payload: &Payload| Payload { owner, ..payload.clone() };
            let payloads: Vec<Payload> =
                performed.iter().flat_map(|one| one.payloads.iter().map(own)).collect();
            let epoch = Some(self.lease.epoch);
            let tenant = &self.lease.tenant;
            match commit(&self.engine, tenant, epoch, &self.state, stepped, payloads).await {
                Ok(()) if !room.is_awaited() => return Ok(()),
                Ok(()) => {
                    room.wait(&*self.engine.world).await;
                    self.lease.keep_up(&self.engine).await?;
                    performed = vec![Command::Advance.into()];
                }
                // Somebody who owns it now, or a person beside us.
                Err(StoreError::Stale { head }) if head.epoch != self.lease.epoch => {
                    return Err(StoreError::Fenced { epoch: head.epoch }.into());
                }
                Err(StoreError::Stale { .. }) => self.reload().await?,
                Err(StoreError::Cap(reached)) => {
                    self.reload().await?;
                    room.refused(reached, self.stop.is_asked());
                }
                Err(other) => return Err(other.into()),
            }
        }
        Err(EngineError::Contended { tries: TRIES_MAX })
    }

    /// Lets tools look at the calls that the step will ask about. Which they are, and under
    /// which ids, the step itself says: it is tried on a copy, whose facts are dropped.
    async fn examine(&mut self, performed: &[Performed], room: &Room) -> Examinations {
        let asks = |block: &Block| matches!(block, Block::ToolUse(_));
        let has_calls = |one: &Performed| matches!(&one.command, Command::Replied(reply) if reply.content.iter().any(asks));
        if !self.state.is_unjudged() && !performed.iter().any(has_calls) {
            return Examinations::new();
        }
        let asked = Mutex::new(Vec::new());
        let listen = |_: &State, call: &Call| {
            asked.lock().unwrap_or_else(PoisonError::into_inner).push(call.clone());
            Judgement::new(Verdict::Deny, "trial", "only tried")
        };
        let mut trial = self.state.clone();
        let context = Context {
            now: self.engine.world.now(),
            epoch: Some(self.lease.epoch),
            quote: self.quote.as_deref(),
            chance: 0,
            barrier: None,
            held_back: room.is_awaited(),
            shares: &[],
            full: &[],
            out: &[],
            judge: Judge(&listen),
        };
        for one in performed {
            let _dropped = step(&mut trial, one.command.clone(), &context);
        }
        let asked = asked.into_inner().unwrap_or_else(PoisonError::into_inner);
        judge::examine(&self.engine, &trial, &asked).await
    }

    /// Decides all of it into one commit. What somebody beside us made pointless is
    /// dropped: an answer after a cancel, a wake after a person's.
    fn step(
        &mut self,
        performed: &[Performed],
        room: &Room,
        examinations: &Examinations,
    ) -> Result<Stepped, EngineError> {
        let stopping = self.stop.is_asked().then_some(&self.stop.reason);
        let now = self.engine.world.now();
        if self.state.calling().is_none() || self.quote.is_none() {
            self.quote = self.engine.model.quote(&self.state.agent.model, now).map(Arc::new);
        }
        let shares = self.shares(now);
        let out = tools::out_of_order(&self.engine.circuits, &self.lease.tenant);
        let engine = &self.engine;
        let judge = |state: &State, call: &Call| judge(engine, state, examinations, call);
        let context = Context {
            now,
            epoch: Some(self.lease.epoch),
            quote: self.quote.as_deref(),
            chance: self.engine.world.chance(),
            barrier: stopping,
            held_back: room.is_awaited(),
            shares: &shares,
            full: room.full(),
            out: &out,
            judge: Judge(&judge),
        };
        let mut all = Stepped::default();
        for one in performed {
            match step(&mut self.state, one.command.clone(), &context) {
                Ok(stepped) => all.append(stepped),
                Err(Refusal::NotAwaited | Refusal::NotParked | Refusal::NotDue) => {}
                Err(refusal) => return Err(refusal.into()),
            }
        }
        Ok(all)
    }

    /// The shared budgets that the session draws on now.
    fn shares(&self, now: UnixMs) -> Vec<Share> {
        let opening = self.state.opening.as_ref();
        opening.map(|opening| self.engine.plans.shares(opening, now)).unwrap_or_default()
    }

    /// Wakes a run that waits for a shared cap, where it has room again.
    async fn look_for_room(
        &mut self,
        reached: CapReached,
        turns: Option<UnixMs>,
    ) -> Result<Option<Rest>, EngineError> {
        let now = self.engine.world.now();
        let wake = match turns {
            _ if self.stop.is_asked() => None,
            Some(at) if at <= now => Some(Wake::Due),
            Some(_) | None => self.has_room(&reached, now).await?.then_some(Wake::Room),
        };
        match wake {
            Some(wake) => self.decide(Command::Wake(wake)).await.map(|()| None),
            None => Ok(Some(turns.map_or(Rest::Nothing, Rest::Until))),
        }
    }

    async fn has_room(&self, reached: &CapReached, now: UnixMs) -> Result<bool, EngineError> {
        let balance = self.engine.store.balance(&self.lease.tenant, &reached.scope).await?;
        let shares = self.shares(now);
        let share = shares.iter().find(|share| share.scope == reached.scope);
        let balance = balance.map(|balance| match share {
            Some(share) if !balance.pinned => Balance { cap: share.allowance, ..balance },
            Some(_) | None => balance,
        });
        let CapReached { scope, measure, needed, .. } = reached.clone();
        Ok(Waits { scope, measure, needed }.is_over(balance))
    }

    async fn reload(&mut self) -> Result<(), EngineError> {
        self.state = load(&self.engine, &self.lease.tenant, self.lease.session).await?;
        Ok(())
    }

    /// Gives the lease back.
    ///
    /// # Errors
    /// The store failed; the lease then ends by itself.
    pub async fn release(self) -> Result<State, EngineError> {
        let Lease { tenant, session, epoch, .. } = &self.lease;
        self.engine.store.release(tenant, *session, *epoch).await?;
        Ok(self.state)
    }
}

fn interrupted(spent: Spent) -> Command {
    let fault = ModelFault {
        class: FaultClass::Interrupted,
        message: "the call was stopped from our side".to_owned(),
        retry_after_ms: None,
        request_id: None,
    };
    Command::Failed { fault, spent, fallback: None }
}
