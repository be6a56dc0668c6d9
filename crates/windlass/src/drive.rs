//! Driving one session from the command line: claim it, show it at work, wait out short
//! outages, and say how it ended.

use std::time::Duration;

use anstream::{eprintln, println};
use anyhow::Context as _;
use engine::Engine;
use engine::driver::{Driver, Lease, Rest, Stop};
use engine::ports::StoreError;
use engine::tap::Seen;
use kernel::event::Parked;
use kernel::run::{Ended, Phase, Run, State};
use kernel::units::{Money, SessionId, Tenant, UnixMs};
use owo_colors::OwoColorize;
use serde_json::json;
use tokio::sync::broadcast::Receiver;

use crate::exit::{End, NotNow};
use crate::watch::Watcher;
use crate::{process, show};

/// The longest outage that the command line waits out, in milliseconds. Longer ones end
/// the command with the run parked.
const OUTAGE_MS_MAX: u64 = 120_000;

const CENT: Money = Money(Money::PER_USD / 100);

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
                Rest::Until(at) if self.waits(at, watcher).await => {}
                Rest::Nothing | Rest::Dropped | Rest::Until(_) => return Ok(()),
            }
        }
    }

    /// Waits for a parked run's time, if it is near and nobody wants to stop.
    async fn waits(&self, until: UnixMs, watcher: &Watcher) -> bool {
        let wait_ms = until.0.saturating_sub(self.engine.world.now().0);
        if wait_ms > OUTAGE_MS_MAX || self.stop.is_asked() {
            return false;
        }
        watcher.say(&format!(
            "  the provider is out; trying again in {} s (Ctrl-C parks it)",
            wait_ms / 1_000 + 1
        ));
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

/// Says how a run stands after the drive, and which end of the command that is.
pub(crate) fn report(state: &State, json: bool, again: &str) -> End {
    let Some(run) = &state.run else { return End::Finished };
    let (end, status, reason) = standing(run);
    let again = &format!("{again}{}", raise(run));
    if json {
        println!("{}", result_object(state, run, status, reason.as_deref(), end, again));
        return end;
    }
    if let Phase::Over(Ended::Finished(result)) = &run.phase {
        println!("{}", show::result(result));
    }
    let resume =
        if end == End::Parked { format!("\n  go on with: {again}") } else { String::new() };
    let reason = reason.map(|why| format!(": {why}")).unwrap_or_default();
    let (turns, spent) = (run.turns, run.settled);
    let plural = if turns == 1 { "turn" } else { "turns" };
    let counts = format!("{turns} {plural}, {spent}").dimmed().to_string();
    eprintln!("{status}{reason} · {counts}{resume}");
    end
}

/// The flag without which resuming would be refused: a higher cap, in whole cents. Twice
/// the old one, or room for two more calls where that is more.
fn raise(run: &Run) -> String {
    let Some((Parked::CostCapExceeded(reached), _)) = &run.parked else {
        return String::new();
    };
    if reached.scope.is_shared() {
        return String::new();
    }
    let [cap, settled, needed] = [reached.cap, reached.settled, reached.needed].map(Money);
    let room = settled.plus(needed).plus(needed);
    let cents = cap.plus(cap).max(room).0.div_ceil(CENT.0);
    format!(" --budget {}.{:02}", cents / 100, cents % 100)
}

fn standing(run: &Run) -> (End, &'static str, Option<String>) {
    if let Some((why, wake)) = &run.parked {
        let wake = wake.map(|at| format!(" (wakes {})", show::instant(at))).unwrap_or_default();
        return (End::Parked, "parked", Some(format!("{}{wake}", show::parked(why))));
    }
    match &run.phase {
        Phase::Over(Ended::Finished(_)) => (End::Finished, "finished", None),
        Phase::Over(Ended::Failed(code, message)) => {
            (End::Failed, "failed", Some(format!("{}: {message}", code.code())))
        }
        Phase::Over(Ended::Cancelled) => (End::Failed, "cancelled", None),
        Phase::Ready | Phase::Calling(_) | Phase::Tooling(_) | Phase::Closing(_) => {
            (End::Parked, "stopped in the middle of a step", None)
        }
    }
}

fn result_object(
    state: &State,
    run: &Run,
    status: &str,
    reason: Option<&str>,
    end: End,
    again: &str,
) -> String {
    let result = match &run.phase {
        Phase::Over(Ended::Finished(result)) => result.value(),
        Phase::Over(Ended::Failed(..) | Ended::Cancelled)
        | Phase::Ready
        | Phase::Calling(_)
        | Phase::Tooling(_)
        | Phase::Closing(_) => serde_json::Value::Null,
    };
    let code = run.parked.as_ref().map(|(why, _)| why.code());
    let value = json!({
        "type": "result",
        "session": state.session,
        "run": run.number,
        "status": status,
        "code": code,
        "reason": reason,
        "result": result,
        "turns": run.turns,
        "spent_nano_usd": run.settled,
        "resume": (end == End::Parked).then_some(again),
    });
    value.to_string()
}
