//! The work of many sessions: take what is due, drive it, give it back.
//!
//! Nudges make it quick, sweeping makes it sure: whatever is due and owned by nobody is
//! found again, after a lost nudge, a crash or a restart. One session's failure parks
//! that session for a while and leaves the others alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::units::{SessionId, Tenant, UnixMs};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::Engine;
use crate::driver::{Driver, Lease, Stop};
use crate::error::EngineError;
use crate::ports::StoreError;

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

/// Works until `stop` is asked and everything under way has come to rest.
///
/// # Errors
/// Never for the failure of a single session, which is logged and left for later.
pub async fn run(engine: Engine, settings: Settings, stop: Stop) {
    let room = Arc::new(Semaphore::new(settings.sessions_max));
    let mut worker = Worker {
        engine,
        settings,
        stop,
        room,
        under_way: JoinSet::new(),
        resting: BTreeMap::new(),
    };
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
    settings: Settings,
    stop: Stop,
    room: Arc<Semaphore>,
    under_way: JoinSet<Ended>,
    /// Sessions that failed, and when they are tried again.
    resting: BTreeMap<SessionId, UnixMs>,
}

impl Worker {
    /// Takes what is due, as far as there is room.
    async fn sweep(&mut self) {
        let now = self.engine.world.now();
        self.resting.retain(|_, until| *until > now);
        let rows_max = self.room.available_permits() + self.resting.len();
        if self.room.available_permits() == 0 {
            return;
        }
        let rows_max = u32::try_from(rows_max).unwrap_or(u32::MAX);
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
        if self.resting.contains_key(&session) {
            return;
        }
        let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else { return };
        let owner = &self.settings.owner;
        let lease = match Lease::claim(&self.engine, tenant, session, owner, None).await {
            Ok(lease) => lease,
            Err(StoreError::Held { .. } | StoreError::Missing(_)) => return,
            Err(error) => return tracing::warn!(%session, %error, "cannot claim a session"),
        };
        let (engine, stop) = (self.engine.clone(), self.stop.clone());
        self.under_way.spawn(async move {
            let ended = drive(engine, lease, stop).await;
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
                let until = self.engine.world.now().plus_ms(self.settings.failed_rest_ms);
                self.resting.insert(session, until);
                tracing::error!(%session, %error, "a session failed and is left alone for a while");
            }
            Err(error) => tracing::error!(%error, "a driver crashed; its lease will run out"),
        }
    }
}

async fn drive(engine: Engine, lease: Lease, stop: Stop) -> Result<(), EngineError> {
    let mut driver = Driver::load(engine, lease, stop).await?;
    let worked = driver.run().await;
    driver.release().await?;
    worked.map(|_rest| ())
}
