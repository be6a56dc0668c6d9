//! Owning a session while acts are under way: the lease is prolonged in time, whoever
//! wants an act to end is heard, and an owner whose lease ran out does nothing.
//!
//! The epoch keeps a former owner from writing. Nothing can keep it from acting but
//! itself: so an act is polled only while our own clock says that the lease runs. A
//! process that was paused past its lease asks the store before it goes on.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use kernel::event::Parked;
use kernel::units::{Epoch, SessionId, Tenant, UnixMs};
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::error::EngineError;
use crate::ports::{Claim, StoreError};
use crate::record::load;

/// How long a lease runs unless prolonged, in milliseconds.
const LEASE_MS: u64 = 30_000;

/// How often a lease is prolonged, in milliseconds.
const RENEW_EVERY_MS: u64 = 10_000;

/// How long before its end an owner stops acting on a lease, in milliseconds: the clocks
/// of two machines may differ by this much.
const SKEW_MS_MAX: u64 = 5_000;

/// How often an owner looks whether somebody wrote to its session, in milliseconds.
const LOOK_EVERY_MS: u64 = 1_000;

/// A right to write to a session, until somebody else takes it.
#[derive(Clone, Debug)]
pub struct Lease {
    /// Whose session.
    pub tenant: Tenant,
    /// Which session.
    pub session: SessionId,
    /// The epoch that marks our facts.
    pub epoch: Epoch,
    owner: String,
    /// When it ends unless prolonged.
    until: UnixMs,
}

/// Two wishes to stop: soon (finish the act, begin no other) and now (drop the act).
#[derive(Clone, Debug)]
pub struct Stop {
    /// Begin nothing new.
    pub soon: CancellationToken,
    /// Drop what is under way.
    pub now: CancellationToken,
    /// What runs that stop here are parked for, which also says whether they wake by
    /// themselves or wait for a person.
    pub reason: Parked,
}

impl Default for Stop {
    fn default() -> Self {
        let (soon, now) = (CancellationToken::new(), CancellationToken::new());
        Stop { soon, now, reason: Parked::Interrupted }
    }
}

impl Stop {
    /// Whether anybody wants to stop.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.soon.is_cancelled() || self.now.is_cancelled()
    }
}

/// Why an act was not waited for.
pub(super) enum Interruption {
    /// The run is being cancelled.
    Cancelled,
    /// The program stops at once.
    Stopped,
    /// The lease is lost, or the store failed.
    Failed(EngineError),
}

impl Lease {
    /// Takes a session's lease.
    ///
    /// `over` takes it from an owner that is known to be dead.
    ///
    /// # Errors
    /// [`StoreError::Held`] while another's lease runs.
    pub async fn claim(
        engine: &Engine,
        tenant: &Tenant,
        session: SessionId,
        owner: &str,
        over: Option<Epoch>,
    ) -> Result<Self, StoreError> {
        let now = engine.world.now();
        let until = now.plus_ms(LEASE_MS);
        let (tenant, owner) = (tenant.clone(), owner.to_owned());
        let claim = Claim { tenant, session, owner, now, until, over };
        let head = engine.store.claim(&claim).await?;
        let Claim { tenant, owner, .. } = claim;
        Ok(Lease { tenant, session, epoch: head.epoch, owner, until })
    }

    /// Who holds it.
    pub(super) fn owner(&self) -> &str {
        &self.owner
    }

    /// Takes one's own lease anew, under the next epoch: what was begun under this one
    /// and broken off counts as a former owner's, and is not simply done again.
    ///
    /// # Errors
    /// As of [`Lease::claim`].
    pub(crate) async fn anew(&self, engine: &Engine) -> Result<Self, StoreError> {
        Lease::claim(engine, &self.tenant, self.session, &self.owner, Some(self.epoch)).await
    }

    /// Prolongs the lease between acts, where it is time to: a long row of short acts
    /// must not outlast it.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] where somebody else took over. A store that cannot be
    /// reached is an error only once the lease has run out.
    pub(super) async fn keep_up(&mut self, engine: &Engine) -> Result<(), StoreError> {
        let now = engine.world.now();
        if !is_ageing(self.until, now) {
            return Ok(());
        }
        match self.renew(engine, now).await {
            Ok(until) => self.until = until,
            Err(StoreError::Unavailable(_)) if is_running(self.until, engine.world.now()) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn renew(&self, engine: &Engine, now: UnixMs) -> Result<UnixMs, StoreError> {
        let until = now.plus_ms(LEASE_MS);
        engine.store.renew(&self.tenant, self.session, self.epoch, until).await?;
        Ok(until)
    }

    /// Waits for an act while keeping the lease alive and listening for its end.
    /// `droppable`: whether a cancelled run need not wait for the act.
    pub(super) async fn guard<T>(
        &mut self,
        engine: &Engine,
        seen: u64,
        stop: &Stop,
        droppable: bool,
        act: impl Future<Output = T>,
    ) -> Result<T, Interruption> {
        let until = AtomicU64::new(self.until.0);
        let mut act = pin!(act);
        // INVARIANT: `keep` is polled before this, and wakes the task when it prolongs.
        let act = std::future::poll_fn(|context| {
            if is_running(UnixMs(until.load(Ordering::Relaxed)), engine.world.now()) {
                act.as_mut().poll(context)
            } else {
                Poll::Pending
            }
        });
        let ended = tokio::select! {
            biased;
            why = self.keep(engine, &until, seen, droppable) => Err(why),
            done = act => Ok(done),
            () = stop.now.cancelled() => Err(Interruption::Stopped),
        };
        self.until = UnixMs(until.into_inner());
        ended
    }

    /// Prolongs the lease for as long as it is ours and nobody wants the run to end.
    async fn keep(
        &self,
        engine: &Engine,
        until: &AtomicU64,
        mut seen: u64,
        droppable: bool,
    ) -> Interruption {
        loop {
            tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
            let now = engine.world.now();
            if is_ageing(UnixMs(until.load(Ordering::Relaxed)), now) {
                match self.renew(engine, now).await {
                    Ok(longer) => until.store(longer.0, Ordering::Relaxed),
                    Err(StoreError::Unavailable(_)) => {}
                    Err(error) => return Interruption::Failed(error.into()),
                }
            }
            match engine.store.look(&self.tenant, self.session).await.map(|listed| listed.head) {
                Ok(head) if head.epoch != self.epoch => {
                    let fenced = StoreError::Fenced { epoch: head.epoch };
                    return Interruption::Failed(fenced.into());
                }
                Ok(head) if droppable && head.seq > seen => {
                    // A log that cannot be read now is read at the next look.
                    if let Ok(state) = load(engine, &self.tenant, self.session).await {
                        seen = state.seq;
                        if state.run.is_some_and(|run| run.cancel_asked) {
                            return Interruption::Cancelled;
                        }
                    }
                }
                Ok(_) | Err(StoreError::Unavailable(_)) => {}
                Err(error) => return Interruption::Failed(error.into()),
            }
        }
    }
}

/// Whether an owner may still act on a lease that ends then.
fn is_running(until: UnixMs, now: UnixMs) -> bool {
    now.plus_ms(SKEW_MS_MAX) < until
}

/// Whether it is time to prolong it.
fn is_ageing(until: UnixMs, now: UnixMs) -> bool {
    now.plus_ms(LEASE_MS - RENEW_EVERY_MS) >= until
}
