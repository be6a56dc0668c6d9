//! The circuits of a process: one for each thing outside that can be out.
//!
//! Shared by all sessions, kept in memory only: a restart forgets them, and a few failed
//! calls bring them back. The arithmetic is `kernel::breaker::circuit`'s; here is the
//! clock, and the leave that is given back even where its call is dropped. Openings are
//! shown in the tap and traced.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use kernel::breaker::circuit::{Circuit, End, Pass, Refused, Settings, Standing, Turned};
use kernel::units::Tenant;
use tokio::time::Instant;

use crate::tap::{Seen, Tap};

/// Circuits that are kept; beyond it those that are closed are forgotten.
const CIRCUITS_MAX: usize = 4_096;

/// Something outside that can be out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependency {
    /// Whoever listens at this base URL.
    Provider(String),
    /// A model there.
    Model {
        /// The provider's base URL.
        provider: String,
        /// The model's name as the provider knows it.
        model: String,
    },
    /// A tool of a tenant: what one tenant's credentials break is no other's trouble.
    Tool {
        /// Whose calls it answers.
        tenant: Tenant,
        /// Its name.
        tool: String,
    },
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dependency::Provider(provider) => write!(f, "provider `{provider}`"),
            Dependency::Model { provider, model } => write!(f, "model `{model}` at `{provider}`"),
            Dependency::Tool { tenant, tool } => write!(f, "tool `{tool}` of `{}`", tenant.0),
        }
    }
}

/// The circuits of a process. Cheap to clone; clones are the same circuits.
#[derive(Clone, Debug)]
pub struct Circuits {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Elapsed time is the runtime's: a clock set by hand opens and closes nothing.
    began: Instant,
    known: Mutex<BTreeMap<Dependency, Known>>,
    tap: Tap,
}

#[derive(Debug)]
struct Known {
    circuit: Circuit,
    /// How the last call failed that failed.
    why: String,
}

/// What is not closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What.
    pub of: Dependency,
    /// How it stands.
    pub standing: Standing,
    /// How its last call failed, in the caller's words.
    pub why: String,
}

/// Leave for one call. Dropped without an end, it says nothing about the other side.
#[derive(Debug)]
#[must_use]
pub struct Leave {
    shared: Arc<Shared>,
    of: Dependency,
    /// `None` once it was given back.
    pass: Option<Pass>,
}

impl Circuits {
    /// No circuits yet; what happens to them is shown in `tap`.
    #[must_use]
    pub fn new(tap: Tap) -> Self {
        let known = Mutex::default();
        Circuits { shared: Arc::new(Shared { began: Instant::now(), known, tap }) }
    }

    /// Asks for leave to make a call. A circuit that is new gets these settings.
    ///
    /// # Errors
    /// The circuit is open, or its probes are under way.
    pub fn enter(&self, of: &Dependency, settings: &Settings) -> Result<Leave, Refused> {
        let now_ms = self.shared.now_ms();
        let mut known = self.shared.lock();
        if !known.contains_key(of) {
            if known.len() >= CIRCUITS_MAX {
                known.retain(|_, one| one.circuit.standing(now_ms) != Standing::Closed);
            }
            let circuit = Circuit::new(*settings);
            known.insert(of.clone(), Known { circuit, why: String::new() });
        }
        let one = known.get_mut(of).expect("INVARIANT: it was put in where it was missing");
        let pass = one.circuit.enter(now_ms)?;
        Ok(Leave { shared: Arc::clone(&self.shared), of: of.clone(), pass: Some(pass) })
    }

    /// What [`Circuits::enter`] would say, without entering.
    #[must_use]
    pub fn refusal(&self, of: &Dependency) -> Option<Refused> {
        let now_ms = self.shared.now_ms();
        self.shared.lock().get(of)?.circuit.refusal(now_ms)
    }

    /// Everything that is not closed, in the order of names.
    #[must_use]
    pub fn troubles(&self) -> Vec<Trouble> {
        let now_ms = self.shared.now_ms();
        let known = self.shared.lock();
        let all = known.iter().map(|(of, one)| Trouble {
            of: of.clone(),
            standing: one.circuit.standing(now_ms),
            why: one.why.clone(),
        });
        all.filter(|trouble| trouble.standing != Standing::Closed).collect()
    }
}

impl Shared {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Dependency, Known>> {
        self.known.lock().expect("INVARIANT: nothing under this lock panics")
    }
}

impl Leave {
    /// Gives it back with the call's end; `why` says in a few words of our own how it
    /// failed.
    pub fn end(mut self, end: End, why: &str) {
        self.give_back(end, why);
    }

    fn give_back(&mut self, end: End, why: &str) {
        let Some(pass) = self.pass.take() else { return };
        let now_ms = self.shared.now_ms();
        let turned = self.shared.lock().get_mut(&self.of).and_then(|one| {
            match end {
                End::Ill { .. } => why.clone_into(&mut one.why),
                End::Well | End::Silent => {}
            }
            one.circuit.report(pass, end, now_ms)
        });
        match turned {
            None => {}
            Some(Turned::Opened { for_ms, openings }) => {
                let of = self.of.clone();
                tracing::warn!(%of, for_ms, openings, why, "circuit opened");
                let why = why.to_owned();
                self.shared.tap.show(|| Seen::CircuitOpened { of, for_ms, openings, why });
            }
            Some(Turned::Closed) => {
                tracing::info!(of = %self.of, "circuit closed");
                self.shared.tap.show(|| Seen::CircuitClosed(self.of.clone()));
            }
        }
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.give_back(End::Silent, "");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ILL: End = End::Ill { retry_after_ms: None };

    fn tool() -> Dependency {
        numbered("weather")
    }

    fn numbered(tool: &str) -> Dependency {
        Dependency::Tool { tenant: Tenant("t".to_owned()), tool: tool.to_owned() }
    }

    fn fail(circuits: &Circuits, times: u32) {
        for _ in 0..times {
            circuits.enter(&tool(), &Settings::default()).expect("closed").end(ILL, "it crashed");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn openings_and_closings_are_shown() {
        let tap = Tap::default();
        let mut seen = tap.watch();
        let circuits = Circuits::new(tap);
        fail(&circuits, 5);
        let opened = seen.try_recv().expect("it opened");
        let Seen::CircuitOpened { of, for_ms, openings, why } = opened else {
            panic!("something else was shown: {opened:?}");
        };
        assert_eq!((of, openings, why.as_str()), (tool(), 1, "it crashed"));
        assert_eq!(circuits.refusal(&tool()), Some(Refused { retry_after_ms: for_ms }));
        let standing = Standing::Open { for_ms };
        assert_eq!(circuits.troubles(), [Trouble { of: tool(), standing, why }]);
        tokio::time::advance(Duration::from_millis(for_ms)).await;
        circuits.enter(&tool(), &Settings::default()).expect("a probe").end(End::Well, "");
        assert!(matches!(seen.try_recv(), Ok(Seen::CircuitClosed(of)) if of == tool()));
        assert_eq!(circuits.troubles(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_call_gives_its_place_back_and_says_nothing() {
        let circuits = Circuits::new(Tap::default());
        fail(&circuits, 5);
        tokio::time::advance(Duration::from_secs(10)).await;
        let probe = circuits.enter(&tool(), &Settings::default()).expect("a probe");
        assert!(circuits.enter(&tool(), &Settings::default()).is_err(), "one probe at once");
        drop(probe);
        assert!(circuits.enter(&tool(), &Settings::default()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_well_is_forgotten_when_there_are_too_many() {
        let circuits = Circuits::new(Tap::default());
        fail(&circuits, 5);
        for number in 0..2 * CIRCUITS_MAX {
            let of = numbered(&number.to_string());
            circuits.enter(&of, &Settings::default()).expect("closed").end(End::Well, "");
        }
        assert!(circuits.shared.lock().len() <= CIRCUITS_MAX);
        assert!(circuits.refusal(&tool()).is_some(), "an open one is kept");
    }
}
