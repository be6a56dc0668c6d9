//! One life of a process with one session: it may be killed at any await, told to stop,
//! disturbed while it works, or paused past its lease while another takes over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt;
use kernel::event::Parked;
use kernel::units::{SessionId, Tenant};

use super::crash::Crash;
use super::people::Deed;
use crate::Engine;
use crate::driver::{Driver, Lease, Rest, Stop};
use crate::error::EngineError;
use crate::ports::StoreError;

/// Longer than any lease, in milliseconds.
const PAUSE_MS: u64 = 31_000;

/// How a life ended.
pub(super) enum End {
    /// Nothing is owed.
    Rested,
    /// Something is still owed, or the store failed.
    Unfinished,
    /// The process was killed.
    Died,
    /// It came back from a pause, and found that another owner had taken over.
    Fenced,
}

/// What will happen in one life, drawn before it begins.
pub(super) struct Life {
    stop: Option<(Stop, bool, u64)>,
    /// What somebody does beside it, and when, in milliseconds.
    beside: Vec<(u64, Deed)>,
    /// When somebody tries to take the lease although its owner lives, in milliseconds.
    rival_ms: Option<u64>,
    /// When the process is paused, in milliseconds.
    pause_ms: Option<u64>,
}

impl Life {
    pub(super) fn draw(chance: &mut fastrand::Rng, calm: bool, may_fork: bool) -> Self {
        if calm {
            return Life { stop: None, beside: Vec::new(), rival_ms: None, pause_ms: None };
        }
        let stop = (chance.u32(0..8) == 0).then(|| {
            let reason = if chance.bool() { Parked::HandedOver } else { Parked::Interrupted };
            let stop = Stop { reason, ..Stop::default() };
            (stop, chance.bool(), chance.u64(0..20_000))
        });
        let deeds = if chance.u32(0..3) == 0 { chance.usize(1..4) } else { 0 };
        let beside =
            (0..deeds).map(|_| (chance.u64(0..6_000), Deed::draw(chance, may_fork))).collect();
        let rival_ms = (chance.u32(0..4) == 0).then(|| chance.u64(0..60_000));
        let pause_ms = (chance.u32(0..6) == 0).then(|| chance.u64(0..10_000));
        Life { stop, beside, rival_ms, pause_ms }
    }

    pub(super) async fn lived(
        self,
        engine: &Engine,
        tenant: &Tenant,
        session: SessionId,
        crash: &Crash,
    ) -> Result<End, String> {
        let Life { stop, beside, rival_ms, pause_ms } = self;
        let stop = stop.map(told).unwrap_or_default();
        let holding = AtomicBool::new(false);
        let mut life = Box::pin(one_life(engine, tenant, session, stop, true, &holding));
        let disturbed = futures::future::try_join(
            disturb(engine, tenant, session, beside),
            rival(engine, tenant, session, rival_ms, &holding),
        );
        tokio::select! {
            biased;
            () = crash.happened() => return Ok(End::Died),
            Err(what) = disturbed => return Err(what),
            ended = &mut life => return end_of(engine, ended).await,
            () = sleep_or_never(pause_ms) => {}
        }
        // It may have been killed in the very moment of the pause.
        if crash.happened().now_or_never().is_some() {
            return Ok(End::Died);
        }
        // INVARIANT: nobody polls `life` from here on until the other one has come to rest.
        sleep(PAUSE_MS).await;
        let alone = AtomicBool::new(false);
        let second = one_life(engine, tenant, session, Stop::default(), false, &alone);
        tokio::select! {
            biased;
            () = crash.happened() => {}
            ended = second => { end_of(engine, ended).await?; }
        }
        tokio::select! {
            biased;
            () = crash.happened() => Ok(End::Died),
            ended = life => match ended {
                Err(EngineError::Store(StoreError::Fenced { .. })) => Ok(End::Fenced),
                other => end_of(engine, other).await,
            },
        }
    }
}

/// A stop that will be asked for in a while: soon or now.
fn told((stop, soon, after_ms): (Stop, bool, u64)) -> Stop {
    let token = if soon { stop.soon.clone() } else { stop.now.clone() };
    tokio::spawn(async move {
        sleep(after_ms).await;
        token.cancel();
    });
    stop
}

/// From claim to rest. `over`: the process before is known to be dead, as a supervisor
/// would know it.
async fn one_life(
    engine: &Engine,
    tenant: &Tenant,
    session: SessionId,
    stop: Stop,
    over: bool,
    holding: &AtomicBool,
) -> Result<Rest, EngineError> {
    let epoch = engine.store.look(tenant, session).await?.head.epoch;
    let lease = Lease::claim(engine, tenant, session, "sim", over.then_some(epoch)).await?;
    holding.store(true, Ordering::Relaxed);
    let driver = Driver::load(engine.clone(), lease, stop).await;
    let mut driver = driver.inspect_err(|_| holding.store(false, Ordering::Relaxed))?;
    let rest = driver.run().await;
    holding.store(false, Ordering::Relaxed);
    driver.release().await?;
    rest
}

async fn disturb(
    engine: &Engine,
    tenant: &Tenant,
    session: SessionId,
    deeds: Vec<(u64, Deed)>,
) -> Result<(), String> {
    for (after_ms, deed) in deeds {
        sleep(after_ms).await;
        deed.done(engine, tenant, session).await?;
    }
    Ok(())
}

/// Tries to take the lease from an owner that lives: it must not succeed.
async fn rival(
    engine: &Engine,
    tenant: &Tenant,
    session: SessionId,
    after_ms: Option<u64>,
    holding: &AtomicBool,
) -> Result<(), String> {
    sleep_or_never(after_ms).await;
    let before = holding.load(Ordering::Relaxed);
    let taken = Lease::claim(engine, tenant, session, "rival", None).await;
    match taken {
        Ok(_) if before && holding.load(Ordering::Relaxed) => {
            Err(format!("session {session}: the lease of a living owner was taken"))
        }
        Ok(lease) => {
            let _runs_out = engine.store.release(tenant, session, lease.epoch).await;
            Ok(())
        }
        Err(_held) => Ok(()),
    }
}

async fn end_of(engine: &Engine, ended: Result<Rest, EngineError>) -> Result<End, String> {
    let wait_ms = |until: kernel::units::UnixMs| until.0.saturating_sub(engine.world.now().0);
    match ended {
        Ok(Rest::Nothing) => Ok(End::Rested),
        Ok(Rest::Dropped) => Ok(End::Unfinished),
        Ok(Rest::Until(at)) => {
            sleep(wait_ms(at)).await;
            Ok(End::Unfinished)
        }
        Err(EngineError::Store(StoreError::Unavailable(_) | StoreError::Full(_))) => {
            Ok(End::Unfinished)
        }
        Err(EngineError::Store(StoreError::Held { until, .. })) => {
            sleep(wait_ms(until) + 1).await;
            Ok(End::Unfinished)
        }
        Err(error) => Err(format!("drive: {error}")),
    }
}

async fn sleep_or_never(ms: Option<u64>) {
    match ms {
        Some(ms) => sleep(ms).await,
        None => std::future::pending().await,
    }
}

async fn sleep(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
