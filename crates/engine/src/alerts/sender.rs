//! Brings alerts to those who subscribed, beside the work and never in its way.
//!
//! Each subscriber has a line of its own, so that a slow one holds up nobody else. What
//! is due is taken for a while, tried, and noted: delivered, later, or given up, which the
//! log of diagnostics says. A delivery that a dead process had taken is due again when its
//! while is over. When it is told to stop it brings what is due, within a short time.

mod line;

use std::sync::Arc;
use std::time::Duration;

use futures::future::{join, join_all};
use kernel::backoff::Backoff;
use kernel::units::{Tenant, UnixMs};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio_util::sync::CancellationToken;

use self::line::Line;
use super::{Alert, opened, standing_open};
use crate::Engine;
use crate::ports::Courier;
use crate::tap::Seen;

/// How alerts are sent. Change what you mean and take the rest from `default()`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How often each line looks for what is due, in milliseconds.
    pub look_every_ms: u64,
    /// For how long a delivery is taken, in milliseconds: longer than the courier's own
    /// deadline.
    pub taken_ms: u64,
    /// Deliveries to one subscriber under way at once.
    pub at_once_max: u32,
    /// Tries after which a delivery is given up.
    pub attempts_max: u32,
    /// The same where the subscriber says that it does not want it.
    pub rejected_attempts_max: u32,
    /// The waits between tries.
    pub backoff: Backoff,
    /// The longest wait that a subscriber is granted by asking, in milliseconds.
    pub asked_wait_ms_max: u64,
    /// Time for what is still due when the program stops, in milliseconds.
    pub farewell_ms: u64,
    /// How often old alerts are forgotten, in milliseconds.
    pub forget_every_ms: u64,
    /// How long an alert is kept that nobody waits for, in milliseconds.
    pub keep_ms: u64,
    /// Alerts kept at most; beyond it the oldest are forgotten whatever became of them.
    pub rows_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            look_every_ms: 1_000,
            taken_ms: 30_000,
            at_once_max: 4,
            attempts_max: 20,
            rejected_attempts_max: 3,
            // Doubles from seconds to hours: twenty tries take about a day at the most.
            backoff: Backoff { base_ms: 2_000, window_ms_max: 4 * 3_600_000 },
            asked_wait_ms_max: 3_600_000,
            farewell_ms: 3_000,
            forget_every_ms: 3_600_000,
            keep_ms: 30 * 86_400_000,
            rows_max: 10_000,
        }
    }
}

/// Sends until `stop` is asked and what is due then has been tried, or its time is over.
pub async fn run(
    engine: Engine,
    courier: Arc<dyn Courier>,
    settings: Settings,
    stop: CancellationToken,
) {
    let seen = engine.tap.watch();
    // The lines say farewell only after the last opening that was seen has been kept.
    let farewell = CancellationToken::new();
    let lines = engine.subscriptions.subscribers.iter().map(|one| {
        let (engine, courier, farewell) = (engine.clone(), Arc::clone(&courier), farewell.clone());
        Line { engine, courier, settings: &settings, to: one.name.clone(), farewell }.run()
    });
    let circuits = async {
        watch_circuits(&engine, seen, &stop).await;
        farewell.cancel();
    };
    let working = join(join_all(lines), join(circuits, tidy(&engine, &settings, &stop)));
    let too_late = async {
        stop.cancelled().await;
        pause(settings.farewell_ms).await;
    };
    tokio::select! {
        _ended = working => {}
        () = too_late => tracing::info!("some alerts are left to the next process"),
    }
}

/// Raises an alert for each circuit that opens.
async fn watch_circuits(engine: &Engine, mut seen: Receiver<Seen>, stop: &CancellationToken) {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            next = seen.recv() => match next {
                Ok(one) => raise(engine, opened(&one, engine.world.now())).await,
                Err(RecvError::Lagged(_)) => look_around(engine).await,
                Err(RecvError::Closed) => break,
            },
        }
    }
    loop {
        match seen.try_recv() {
            Ok(one) => raise(engine, opened(&one, engine.world.now())).await,
            Err(TryRecvError::Lagged(_)) => look_around(engine).await,
            Err(TryRecvError::Empty | TryRecvError::Closed) => return,
        }
    }
}

/// Raises what is open now, where openings may have been missed.
async fn look_around(engine: &Engine) {
    for trouble in engine.circuits.troubles() {
        raise(engine, standing_open(&trouble, engine.world.now())).await;
    }
}

async fn raise(engine: &Engine, alert: Option<Alert>) {
    let Some(mut alert) = alert else { return };
    // What a dependency said is nobody's in particular: blanked as the house blanks.
    alert.text = (engine.redact)(&Tenant(String::new()), "", &alert.text);
    let to = engine.subscriptions.to(alert.kind);
    match engine.store.outbox().raise(alert.clone(), to).await {
        Ok(true) => alert.trace(),
        Ok(false) => {}
        Err(error) => tracing::error!(%error, text = alert.text, "an alert was not kept"),
    }
}

/// Keeps the table of alerts small.
async fn tidy(engine: &Engine, settings: &Settings, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        let before = engine.world.now().0.saturating_sub(settings.keep_ms);
        let outbox = engine.store.outbox();
        match outbox.forget(UnixMs(before), settings.rows_max).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::debug!(forgotten, "old alerts were forgotten"),
            Err(error) => tracing::warn!(%error, "cannot forget old alerts; trying again later"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = pause(settings.forget_every_ms) => {}
        }
    }
}

async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
