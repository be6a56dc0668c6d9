//! The work of many sessions: take what is due, drive it, give it back.
//!
//! Nudges make it quick, sweeping makes it sure: whatever is due and owned by nobody is
//! found again, after a lost nudge, a crash or a restart. One session's failure leaves
//! that session alone for a while and the others untouched; a bug that it meets parks
//! its run. A worker that stops hands its runs over: they wake wherever the next is.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kernel::event::Parked;
use kernel::units::{SessionId, Tenant, UnixMs};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::Engine;
use crate::driver::{Driver, Lease, Stop};
use crate::error::EngineError;
use crate::ports::{Listing, Outfitter, Status, StoreError};
use crate::record::PAGE_ROWS;

/// Sessions that are left alone at the same time. Beyond it the one whose rest is over
/// first is looked at again early.
const RESTING_MAX: usize = 1_024;

/// How a worker works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A name that tells this process from every other.
    pub owner: String,
    /// Sessions driven at the same time.
    pub sessions_max: usize,
    /// How often it looks for work by itself, in milliseconds.
    pub sweep_every_ms: u64,
    /// How long a session that failed is left alone, in milliseconds.
    pub failed_rest_ms: u64,
}

/// Works until `stop` is asked and everything under way has come to rest. The failure of
/// a session is logged, and the session left for later. Each session works with what
/// `outfitter` brings for it.
pub async fn run(engine: Engine, outfitter: Arc<dyn Outfitter>, settings: Settings, stop: Stop) {
    let room = Arc::new(Semaphore::new(settings.sessions_max));
    let mut worker = Worker {
        engine,
        outfitter,
        settings,
        stop: Stop { reason: Parked::HandedOver, ..stop },
        room,
        under_way: JoinSet::new(),
        resting: BTreeMap::new(),
    };
    worker.inherit().await;
    while !worker.stop.is_asked() {
        worker.sweep().await;
        worker.wait().await;
    }
    while let Some(ended) = worker.under_way.join_next().await {
        worker.settle(ended);
    }
}

type Ended = (SessionId, Result<(), EngineError>);

struct Worker {
    engine: Engine,
    outfitter: Arc<dyn Outfitter>,
    settings: Settings,
    stop: Stop,
    room: Arc<Semaphore>,
    under_way: JoinSet<Ended>,
    /// Sessions that failed, and when they are tried again. At most [`RESTING_MAX`].
    resting: BTreeMap<SessionId, UnixMs>,
}

impl Worker {
    /// Takes over what processes of this machine left behind that are certainly dead, so
    /// that nothing waits for the end of their leases (L34). What there is no room for is
    /// swept when those end.
    async fn inherit(&mut self) {
        let store = Arc::clone(&self.engine.store);
        let tenants = match store.tenants().await {
            Ok(tenants) => tenants,
            Err(error) => return tracing::warn!(%error, "cannot look for what was left behind"),
        };
        for tenant in tenants {
            let mut listing =
                Listing { status: Some(Status::Running), before: None, rows_max: PAGE_ROWS };
            while let Ok(page) = store.list(&tenant, &listing).await {
                for row in &page {
                    let owner = row.lease.as_ref().map(|(owner, _)| owner);
                    if owner.is_some_and(|owner| self.engine.world.is_dead(owner)) {
                        self.take(&tenant, row.session).await;
                    }
                }
                match page.last() {
                    Some(last) => listing.before = Some(last.session),
                    None => break,
                }
            }
        }
    }

    /// Takes what is due, as far as there is room. Resting sessions are due as well, so
    /// that many more are asked for, and none hides another.
    async fn sweep(&mut self) {
        let now = self.engine.world.now();
        self.resting.retain(|_, until| *until > now);
        let room = self.room.available_permits();
        if room == 0 {
            return;
        }
        let rows_max = u32::try_from(room + self.resting.len()).unwrap_or(u32::MAX);
        match self.engine.store.due(now, rows_max).await {
            Ok(due) => {
                for (tenant, session) in due {
                    self.take(&tenant, session).await;
                }
            }
            Err(error) => tracing::warn!(%error, "cannot look for work; trying again"),
        }
    }

    /// Claims a session and drives it beside the others.
    async fn take(&mut self, tenant: &Tenant, session: SessionId) {
        if self.stop.is_asked() || self.resting.contains_key(&session) {
            return;
        }
        let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else { return };
        let owner = &self.settings.owner;
        let claim = |over| Lease::claim(&self.engine, tenant, session, owner, over);
        let claimed = match claim(None).await {
            Err(StoreError::Held { owner, epoch, .. }) if self.engine.world.is_dead(&owner) => {
                claim(Some(epoch)).await
            }
            other => other,
        };
        let lease = match claimed {
            Ok(lease) => lease,
            Err(StoreError::Held { .. } | StoreError::Missing(_)) => return,
            Err(error) => {
                tracing::warn!(%session, %error, "cannot claim a session");
                return self.rest(session);
            }
        };
        let (engine, stop) = (self.engine.clone(), self.stop.clone());
        let outfitter = Arc::clone(&self.outfitter);
        self.under_way.spawn(async move {
            let ended = drive(engine, &*outfitter, lease, stop).await;
            drop(permit);
            (session, ended)
        });
    }

    /// Waits for a nudge, for something to end, for the next sweep, or for the stop.
    async fn wait(&mut self) {
        let pause = Duration::from_millis(self.settings.sweep_every_ms);
        tokio::select! {
            biased;
            () = self.stop.soon.cancelled() => {}
            () = self.stop.now.cancelled() => {}
            Some(ended) = self.under_way.join_next() => self.settle(ended),
            (tenant, session) = self.engine.dispatch.next() => self.take(&tenant, session).await,
            () = tokio::time::sleep(pause) => {}
        }
    }

    fn settle(&mut self, ended: Result<Ended, tokio::task::JoinError>) {
        match ended {
            Ok((_, Ok(()))) => {}
            Ok((session, Err(EngineError::Store(StoreError::Fenced { .. })))) => {
                tracing::info!(%session, "another owner took over");
            }
            Ok((session, Err(error))) => {
                tracing::error!(%session, %error, "a session failed and is left alone for a while");
                self.rest(session);
            }
            Err(error) => tracing::error!(%error, "a driver crashed; its lease will run out"),
        }
    }

    fn rest(&mut self, session: SessionId) {
        if self.resting.len() >= RESTING_MAX {
            let first = self.resting.iter().min_by_key(|(_, until)| **until).map(|(id, _)| *id);
            first.map(|id| self.resting.remove(&id));
        }
        let until = self.engine.world.now().plus_ms(self.settings.failed_rest_ms);
        self.resting.insert(session, until);
    }
}

/// Drives one session. A bug that shows as a panic parks the run, so that it is met once
/// and not at every sweep.
pub(crate) async fn drive(
    engine: Engine,
    outfitter: &dyn Outfitter,
    lease: Lease,
    stop: Stop,
) -> Result<(), EngineError> {
    let crashed = lease.clone();
    match AssertUnwindSafe(work(&engine, outfitter, lease, stop)).catch_unwind().await {
        Ok(worked) => worked,
        Err(panic) => {
            let message = words(&*panic);
            tracing::error!(session = %crashed.session, message, "a driver crashed; parking its run");
            let parked = AssertUnwindSafe(park(&engine, &crashed, &message));
            parked.catch_unwind().await.unwrap_or(Err(EngineError::Crashed { message }))
        }
    }
}

async fn work(
    engine: &Engine,
    outfitter: &dyn Outfitter,
    lease: Lease,
    stop: Stop,
) -> Result<(), EngineError> {
    let mut driver = Driver::load(engine.clone(), lease, stop).await?;
    let worked = match outfitter.outfit(driver.state()).await {
        Ok(outfit) => {
            driver.equip(outfit);
            driver.run().await.map(drop)
        }
        // A run ends where that was asked, whatever it worked with.
        Err(_) if driver.state().run.as_ref().is_some_and(|run| run.cancel_asked) => {
            driver.run().await.map(drop)
        }
        Err(why) => Err(why.into()),
    };
    let released = driver.release().await;
    worked?;
    released?;
    Ok(())
}

/// Parks a run as its next owner would who begins nothing: what the crashed one had begun
/// is treated as after any other crash.
async fn park(engine: &Engine, crashed: &Lease, message: &str) -> Result<(), EngineError> {
    let lease = crashed.anew(engine).await?;
    let stop = Stop { reason: Parked::Faulted { message: message.to_owned() }, ..Stop::default() };
    stop.soon.cancel();
    // Parking needs nobody's model or tools.
    work(engine, engine, lease, stop).await
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
