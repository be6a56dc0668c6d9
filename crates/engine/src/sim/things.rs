//! The world that tools act on. It survives crashes, and counts what really happened.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kernel::agent::ToolSpec;
use kernel::verdict::{Examined, Judgement, Verdict};

use super::crash::Crash;
use crate::ports::{Reconciled, ToolCall, ToolError, ToolOutput, Toolbox};

pub(super) struct Things {
    inner: Mutex<Inner>,
    crash: Arc<Crash>,
    /// Whether some calls are asked about or denied.
    strict: bool,
}

struct Inner {
    chance: fastrand::Rng,
    /// How often each key's effect really happened.
    happened: BTreeMap<String, u32>,
}

/// What a call turns out to be, drawn before it runs.
enum Luck {
    Good,
    Refused,
    /// Longer than any deadline.
    Stuck,
    Crashed,
}

impl Things {
    pub(super) fn new(mut chance: fastrand::Rng, crash: Arc<Crash>) -> Self {
        let strict = chance.bool();
        Things { strict, inner: Mutex::new(Inner { chance, happened: BTreeMap::new() }), crash }
    }

    /// Effects that really happened.
    pub(super) fn effects(&self) -> u64 {
        self.lock().happened.values().map(|times| u64::from(*times)).sum()
    }

    /// The keys of all effects that happened.
    pub(super) fn keys(&self) -> Vec<String> {
        self.lock().happened.keys().cloned().collect()
    }

    /// How often the effect with this key really happened.
    pub(super) fn times(&self, key: &str) -> u32 {
        self.lock().happened.get(key).copied().unwrap_or(0)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("INVARIANT: no holder panics")
    }

    fn draw(&self) -> Luck {
        match self.lock().chance.u32(0..24) {
            0 => Luck::Refused,
            1 => Luck::Stuck,
            2 => Luck::Crashed,
            _ => Luck::Good,
        }
    }

    /// Long enough for a process to be paused in the middle.
    async fn take_time(&self) {
        let ms = self.lock().chance.u64(0..2_000);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    fn happen(&self, key: &str) {
        *self.lock().happened.entry(key.to_owned()).or_default() += 1;
    }
}

#[async_trait]
impl Toolbox for Things {
    fn specs(&self) -> Vec<ToolSpec> {
        Vec::new()
    }

    /// The same call has the same verdict, whoever asks and however often.
    async fn examine(&self, call: &ToolCall) -> Examined {
        self.crash.point().await;
        let (verdict, why) = match call.key.bytes().next() {
            _ if !self.strict => return Examined::nothing(),
            Some(b'0') => (Verdict::Deny, "the guard says so"),
            Some(b'1' | b'2') => (Verdict::Ask, "the guard is not sure"),
            Some(_) | None => return Examined::nothing(),
        };
        Examined::judged(Judgement::new(verdict, "guard", why))
    }

    async fn run(&self, call: &ToolCall) -> Result<ToolOutput, ToolError> {
        self.crash.point().await;
        let luck = self.draw();
        if matches!(luck, Luck::Refused) {
            return Ok(ToolOutput::error("refused"));
        }
        self.take_time().await;
        match call.spec.name.as_str() {
            "pay" => self.happen(&call.key),
            // A receiver that knows the key drops the second call.
            "put" if self.times(&call.key) == 0 => self.happen(&call.key),
            _ => {}
        }
        self.crash.point().await;
        match luck {
            Luck::Stuck => tokio::time::sleep(Duration::from_secs(3_600)).await,
            // As a panic, but without its words on the screen.
            Luck::Crashed => std::panic::resume_unwind(Box::new("the simulation says so")),
            Luck::Good | Luck::Refused => self.take_time().await,
        }
        let long = self.lock().chance.u32(0..6) == 0;
        Ok(ToolOutput::ok(if long { "xä€𝄞".repeat(100) } else { "done".to_owned() }))
    }

    async fn reconcile(&self, call: &ToolCall) -> Reconciled {
        self.crash.point().await;
        self.take_time().await;
        let tells = self.lock().chance.u32(0..4) > 0;
        match (tells, self.times(&call.key)) {
            (false, _) => Reconciled::Unknown("nobody remembers".to_owned()),
            (true, 0) => Reconciled::NotDone,
            (true, _) => Reconciled::Done(ToolOutput::ok("done before")),
        }
    }
}
