//! The life of one connection, shared by those who read, write and wait.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio_util::sync::{CancellationToken, DropGuard};

use crate::meter::Meter;
use crate::settings::Limits;

/// Whether a connection lives, why not, and how much came over it.
#[derive(Debug)]
pub(crate) struct Vitals {
    over: CancellationToken,
    why: OnceLock<String>,
    is_fault: AtomicBool,
    gone: CancellationToken,
    changes: AtomicU64,
    bytes: Mutex<Meter>,
    unasked: Mutex<Meter>,
    limits: Limits,
}

impl Vitals {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Vitals {
            over: CancellationToken::new(),
            why: OnceLock::new(),
            is_fault: AtomicBool::new(false),
            gone: CancellationToken::new(),
            changes: AtomicU64::new(0),
            bytes: Mutex::new(Meter::new(limits.bytes_per_second_max)),
            unasked: Mutex::new(Meter::new(limits.unasked_per_second_max)),
            limits: *limits,
        })
    }

    /// Ends the connection through the server's fault: what is left of it gets no time to
    /// end by itself. The first reason stays.
    pub(super) fn fail(&self, why: impl Into<String>) {
        if self.why.set(why.into()).is_ok() {
            self.is_fault.store(true, Ordering::Release);
        }
        self.over.cancel();
    }

    /// Ends the connection because it is not needed any more.
    pub(super) fn finish(&self, why: impl Into<String>) {
        let _the_first = self.why.set(why.into());
        self.over.cancel();
    }

    /// Whether it ended through the server's fault.
    pub(super) fn is_fault(&self) -> bool {
        self.is_fault.load(Ordering::Acquire)
    }

    /// Why it is over, if it is.
    pub(super) fn why(&self) -> Option<String> {
        self.why.get().cloned()
    }

    /// Waits for its end.
    pub(super) async fn ended(&self) {
        self.over.cancelled().await;
    }

    /// Waits until the transport is dropped.
    pub(super) async fn gone(&self) {
        self.gone.cancelled().await;
    }

    /// Kept by the transport as long as there is one.
    pub(super) fn presence(&self) -> DropGuard {
        self.gone.clone().drop_guard()
    }

    /// Counts bytes that came. Too many of them end the connection.
    pub(super) fn came(&self, bytes: usize) {
        if !take(&self.bytes, bytes as u64) {
            let most = self.limits.bytes_per_second_max;
            self.fail(format!("it sent more than {most} bytes a second"));
        }
    }

    /// Counts a message that nobody asked for. Too many of them end the connection.
    pub(super) fn came_unasked(&self) {
        if !take(&self.unasked, 1) {
            let most = self.limits.unasked_per_second_max;
            self.fail(format!("it sent more than {most} unasked messages a second"));
        }
    }

    /// Takes note that the tools changed.
    pub(super) fn add_change(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// How often the tools changed so far.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }
}

fn take(meter: &Mutex<Meter>, amount: u64) -> bool {
    meter.lock().unwrap_or_else(PoisonError::into_inner).take(amount)
}
