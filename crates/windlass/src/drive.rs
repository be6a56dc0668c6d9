//! Driving one session from the command line: claim it, show it at work, and wait out
//! short outages.

use std::time::Duration;

use anyhow::Context as _;
use engine::Engine;
use engine::driver::{Driver, Lease, Rest, Stop};
use engine::ports::StoreError;
use engine::tap::Seen;
use kernel::event::Parked;
use kernel::run::State;
use kernel::units::{SessionId, Tenant, UnixMs};
use tokio::sync::broadcast::Receiver;

use crate::exit::NotNow;
use crate::watch::Watcher;
use crate::{process, show};

/// The longest outage that the command line waits out, in milliseconds. Longer ones end
/// the command with the run parked.
const OUTAGE_MS_MAX: u64 = 120_000;

/// One session to be driven, and who watches.
pub(crate) struct Drive<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) tenant: &'a Tenant,
    pub(crate) session: SessionId,
    pub(crate) stop: Stop,
    /// Take the session even from an owner that is alive.
    pub(crate) takeover: bool,
}

impl Drive<'_> {
    /// Works until nothing is owed, the stop is asked, or an outage lasts too long.
    pub(crate) async fn to_rest(
        &self,
        watcher: &mut Watcher,
        seen: &mut Receiver<Seen>,
    ) -> anyhow::Result<State> {
        let lease = self.claim().await?;
        let mut driver = Driver::load(self.engine.clone(), lease, self.stop.clone()).await?;
        if let Some(run) = &driver.state().run {
            watcher.meet(self.session, run);
        }
        let worked = self.work(&mut driver, watcher, seen).await;
        watcher.close();
        match worked {
            Ok(()) => Ok(driver.release().await?),
            Err(error) => {
                // The lease is worthless after a failure of the store; the error is not.
                let _lease_runs_out = driver.release().await;
                Err(error)
            }
        }
    }

    async fn work(
        &self,
        driver: &mut Driver,
        watcher: &mut Watcher,
        seen: &mut Receiver<Seen>,
    ) -> anyhow::Result<()> {
        loop {
            let rest = {
                let mut working = std::pin::pin!(driver.run());
                loop {
                    tokio::select! {
                        biased;
                        Ok(seen) = seen.recv() => watcher.see(self.session, &seen),
                        rest = &mut working => break rest,
                    }
                }
            };
            while let Ok(seen) = seen.try_recv() {
                watcher.see(self.session, &seen);
            }
            match rest? {
                Rest::Until(at) if self.waits(at, driver.state(), watcher).await => {}
                Rest::Nothing | Rest::Dropped | Rest::Until(_) => return Ok(()),
            }
        }
    }

    /// Waits for a parked run's time, if it is near and nobody wants to stop.
    async fn waits(&self, until: UnixMs, state: &State, watcher: &Watcher) -> bool {
        let wait_ms = until.0.saturating_sub(self.engine.world.now().0);
        if wait_ms > OUTAGE_MS_MAX || self.stop.is_asked() {
            return false;
        }
        let parked = state.run.as_ref().and_then(|run| run.parked.as_ref());
        let why = match parked {
            Some((Parked::WaitsForChild { .. }, _)) => "a child waits; trying again",
            Some((Parked::AwaitsApproval { .. }, _)) => "nobody has answered yet; going on without",
            Some(_) | None => "the provider is out; trying again",
        };
        watcher.say(&format!("  {why} in {} s (Ctrl-C parks it)", wait_ms / 1_000 + 1));
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(wait_ms)) => true,
            () = self.stop.soon.cancelled() => false,
        }
    }

    /// Takes the lease; also from an owner on this machine that has died.
    async fn claim(&self) -> anyhow::Result<Lease> {
        let owner = process::name();
        let claim = |over| Lease::claim(self.engine, self.tenant, self.session, &owner, over);
        match claim(None).await {
            Ok(lease) => Ok(lease),
            Err(StoreError::Held { owner: other, epoch, .. })
                if self.takeover || process::is_dead(&other) =>
            {
                Ok(claim(Some(epoch)).await.context("another process took the session first")?)
            }
            Err(StoreError::Held { owner: other, until, .. }) => {
                let (session, pid) = (self.session, process::pid_of(&other));
                Err(NotNow(format!(
                    "session {session} is being run by process {pid}, until {} unless it \
                     prolongs that\n\
                     watch it with `windlass log {session} --follow`, or take it over with \
                     `windlass resume {session} --takeover`",
                    show::instant(until),
                ))
                .into())
            }
            Err(other) => Err(engine::error::EngineError::from(other).into()),
        }
    }
}
