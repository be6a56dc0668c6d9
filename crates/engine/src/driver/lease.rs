//! Owning a session while a long act is under way: the lease is prolonged, and whoever
//! wants the act to end is heard.

use std::future::Future;
use std::time::Duration;

use kernel::units::{Epoch, SessionId, Tenant};
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::error::EngineError;
use crate::ports::{Claim, StoreError};
use crate::record::load;

/// How long a lease runs unless prolonged, in milliseconds.
const LEASE_MS: u64 = 30_000;

/// How often a lease is prolonged, in milliseconds.
const RENEW_EVERY_MS: u64 = 10_000;

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
}

/// Two wishes to stop: soon (finish the act, begin no other) and now (drop the act).
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// Begin nothing new.
    pub soon: CancellationToken,
    /// Drop what is under way.
    pub now: CancellationToken,
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
        let claim = Claim {
            tenant: tenant.clone(),
            session,
            owner: owner.to_owned(),
            now,
            until: now.plus_ms(LEASE_MS),
            over,
        };
        let head = engine.store.claim(&claim).await?;
        Ok(Lease { tenant: tenant.clone(), session, epoch: head.epoch })
    }

    /// Waits for an act while keeping the lease alive and listening for its end.
    /// `droppable`: whether a cancelled run need not wait for the act.
    pub(super) async fn guard<T>(
        &self,
        engine: &Engine,
        seen: u64,
        stop: &Stop,
        droppable: bool,
        act: impl Future<Output = T>,
    ) -> Result<T, Interruption> {
        tokio::select! {
            biased;
            done = act => Ok(done),
            () = stop.now.cancelled() => Err(Interruption::Stopped),
            why = self.keep(engine, seen, droppable) => Err(why),
        }
    }

    /// Prolongs the lease for as long as it is ours and nobody wants the run to end.
    async fn keep(&self, engine: &Engine, mut seen: u64, droppable: bool) -> Interruption {
        let mut since_renewal_ms = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
            since_renewal_ms += LOOK_EVERY_MS;
            let head = if since_renewal_ms >= RENEW_EVERY_MS {
                since_renewal_ms = 0;
                let until = engine.world.now().plus_ms(LEASE_MS);
                engine.store.renew(&self.tenant, self.session, self.epoch, until).await
            } else {
                engine.store.look(&self.tenant, self.session).await.map(|listed| listed.head)
            };
            match head {
                Ok(head) if head.epoch != self.epoch => {
                    let fenced = StoreError::Fenced { epoch: head.epoch };
                    return Interruption::Failed(fenced.into());
                }
                Ok(head) if head.seq > seen => {
                    seen = head.seq;
                    if droppable && self.is_cancelled(engine).await {
                        return Interruption::Cancelled;
                    }
                }
                Ok(_) | Err(StoreError::Unavailable(_)) => {}
                Err(error) => return Interruption::Failed(error.into()),
            }
        }
    }

    async fn is_cancelled(&self, engine: &Engine) -> bool {
        let state = load(engine, &self.tenant, self.session).await;
        state.is_ok_and(|state| state.run.is_some_and(|run| run.cancel_asked))
    }
}
