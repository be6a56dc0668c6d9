//! A circuit breaker: whoever fails too often is not asked for a while, then probed.
//!
//! One circuit stands for one thing that can be out: a provider's address, a model, a
//! tool. It keeps no log and needs none; forgetting it costs a few failed calls. Time
//! comes in as milliseconds of a clock that never goes back.
//!
//! | phase | what happens | then |
//! |---|---|---|
//! | closed | a call ends well, or ill with too few failures in the window | closed |
//! | closed | a failure fills the window's quota | open, for the first wait |
//! | open | a call before the wait is over | refused, told how long to wait |
//! | open | a call after it | half-open, and this call is a probe |
//! | half-open | a call while a probe's place is free | admitted as a probe |
//! | half-open | a call while all places are taken | refused |
//! | half-open | a probe ends well, more are wanted | half-open |
//! | half-open | the last wanted probe ends well | closed, with an empty window |
//! | half-open | a probe ends ill | open, for twice the wait, up to the longest |
//! | any | an end that says nothing | the same; a probe's place is free again |
//! | half-open | a probe is silent for too long | the same; its place is free again |
//! | any | a call that was admitted in an earlier phase ends | the same |

mod window;

use crate::backoff::Backoff;
use crate::event::{FaultClass, ModelFault};
use window::Window;

/// The numbers of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How far back calls are counted, in milliseconds.
    pub window_ms: u64,
    /// Calls in the window below which nothing is concluded.
    pub calls_min: u32,
    /// The part of the window's calls that must have failed, in percent, 1 to 100.
    pub failures_percent: u32,
    /// How long it stays open: doubled with each probe that fails, up to a longest wait.
    pub open: Backoff,
    /// Probes under way at once.
    pub probes_at_once_max: u32,
    /// Probes that must end well before it closes; at least one.
    pub probes_well_min: u32,
    /// How long a probe may be silent before its place is given away, in milliseconds.
    pub probe_ms_max: u64,
}

/// For models: half of at least five calls within five minutes.
impl Default for Settings {
    fn default() -> Self {
        Settings {
            window_ms: 300_000,
            calls_min: 5,
            failures_percent: 50,
            open: Backoff { base_ms: 10_000, window_ms_max: 300_000 },
            probes_at_once_max: 1,
            probes_well_min: 1,
            probe_ms_max: 600_000,
        }
    }
}

/// A circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    settings: Settings,
    phase: Phase,
    /// How often the phase changed. A pass of an earlier phase says nothing about this one.
    changes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Closed(Box<Window>),
    Open { until_ms: u64, openings: u32 },
    HalfOpen(Trial),
}

/// What is known since the first probe.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trial {
    openings: u32,
    /// Probes under way: their numbers, and when they began.
    probes: Vec<(u64, u64)>,
    begun: u64,
    well: u32,
}

/// Leave for one call. It is given back with [`Circuit::report`], whatever the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Pass {
    changes: u64,
    probe: Option<u64>,
}

/// Why a call is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// When the next call may be let through, in milliseconds from now.
    pub retry_after_ms: u64,
}

/// How a call ended, as a sign of health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Asked and answered.
    Well,
    /// As somebody who is out or overloaded ends calls.
    Ill {
        /// How long it asked not to be called, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// It says nothing about health: the call was wrong, or stopped by our side.
    Silent,
}

/// How a circuit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Calls pass.
    Closed,
    /// No call passes for so many milliseconds.
    Open {
        /// From now.
        for_ms: u64,
    },
    /// A few calls pass as probes.
    HalfOpen,
}

/// A change that people want to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// Nobody is asked for a while.
    Opened {
        /// How long, in milliseconds.
        for_ms: u64,
        /// How often in a row it opened: 1 for the first time.
        openings: u32,
    },
    /// All is well again.
    Closed,
}

impl End {
    /// What a model call's failure says about the health of who was asked. A wrong key,
    /// an empty account, a spend limit or a wrong request say nothing: asking somebody
    /// less often mends none of them.
    #[must_use]
    pub fn of_fault(fault: &ModelFault) -> Self {
        match fault.class {
            FaultClass::RateLimited
            | FaultClass::Overloaded
            | FaultClass::Server
            | FaultClass::Network
            | FaultClass::Timeout
            | FaultClass::Cut
            | FaultClass::Malformed => End::Ill { retry_after_ms: fault.retry_after_ms },
            FaultClass::Auth
            | FaultClass::Billing
            | FaultClass::UnknownModel
            | FaultClass::InvalidRequest
            | FaultClass::TooLarge
            | FaultClass::Interrupted => End::Silent,
        }
    }
}

impl Circuit {
    /// A closed circuit that has seen nothing.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let phase = Phase::Closed(Box::new(Window::new(settings.window_ms)));
        Circuit { settings, phase, changes: 0 }
    }

    /// Asks for leave to make a call.
    ///
    /// # Errors
    /// The circuit is open, or all probes are under way.
    pub fn enter(&mut self, now_ms: u64) -> Result<Pass, Refused> {
        if let Some(refused) = self.refusal(now_ms) {
            return Err(refused);
        }
        match &mut self.phase {
            Phase::Closed(_) => Ok(Pass { changes: self.changes, probe: None }),
            Phase::HalfOpen(trial) => {
                trial.forget(now_ms, self.settings.probe_ms_max);
                Ok(Pass { changes: self.changes, probe: Some(trial.begin(now_ms)) })
            }
            Phase::Open { openings, .. } => {
                let mut trial =
                    Trial { openings: *openings, probes: Vec::new(), begun: 0, well: 0 };
                let probe = Some(trial.begin(now_ms));
                self.change(Phase::HalfOpen(trial));
                Ok(Pass { changes: self.changes, probe })
            }
        }
    }

    /// What [`Circuit::enter`] would say, without entering.
    #[must_use]
    pub fn refusal(&self, now_ms: u64) -> Option<Refused> {
        match &self.phase {
            Phase::Closed(_) => None,
            Phase::Open { until_ms, .. } => {
                let left = until_ms.saturating_sub(now_ms);
                (left > 0).then_some(Refused { retry_after_ms: left })
            }
            Phase::HalfOpen(trial) => trial.refusal(now_ms, &self.settings),
        }
    }

    /// Gives a pass back with the call's end. The answer is a change, if there was one.
    pub fn report(&mut self, pass: Pass, end: End, now_ms: u64) -> Option<Turned> {
        if pass.changes != self.changes {
            return None;
        }
        match &mut self.phase {
            Phase::Open { .. } => None,
            Phase::Closed(window) => {
                let (calls, failures) = match end {
                    End::Silent => return None,
                    End::Well => window.count(now_ms, false),
                    End::Ill { .. } => window.count(now_ms, true),
                };
                let Settings { calls_min, failures_percent, .. } = self.settings;
                let enough = calls >= u64::from(calls_min);
                let full = failures * 100 >= calls * u64::from(failures_percent);
                match end {
                    End::Ill { retry_after_ms } if enough && full => {
                        Some(self.open(1, retry_after_ms, now_ms))
                    }
                    End::Ill { .. } | End::Well | End::Silent => None,
                }
            }
            Phase::HalfOpen(trial) => {
                let known = trial.end(pass.probe);
                let again = trial.openings.saturating_add(1);
                match end {
                    End::Silent => None,
                    // A probe whose place was given away still tells the truth.
                    End::Ill { retry_after_ms } => Some(self.open(again, retry_after_ms, now_ms)),
                    End::Well => {
                        trial.well += u32::from(known);
                        (trial.well >= self.settings.probes_well_min).then(|| self.close())
                    }
                }
            }
        }
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self, now_ms: u64) -> Standing {
        match &self.phase {
            Phase::Closed(_) => Standing::Closed,
            Phase::Open { until_ms, .. } if *until_ms > now_ms => {
                Standing::Open { for_ms: until_ms - now_ms }
            }
            Phase::Open { .. } | Phase::HalfOpen(_) => Standing::HalfOpen,
        }
    }

    fn open(&mut self, openings: u32, asked_ms: Option<u64>, now_ms: u64) -> Turned {
        let Backoff { window_ms_max, .. } = self.settings.open;
        let own_ms = self.settings.open.window_ms(openings);
        let for_ms = own_ms.max(asked_ms.unwrap_or(0).min(window_ms_max));
        self.change(Phase::Open { until_ms: now_ms.saturating_add(for_ms), openings });
        Turned::Opened { for_ms, openings }
    }

    fn close(&mut self) -> Turned {
        let window = Window::new(self.settings.window_ms);
        self.change(Phase::Closed(Box::new(window)));
        Turned::Closed
    }

    fn change(&mut self, phase: Phase) {
        self.phase = phase;
        self.changes += 1;
    }
}

impl Trial {
    fn begin(&mut self, now_ms: u64) -> u64 {
        self.begun += 1;
        self.probes.push((self.begun, now_ms));
        self.begun
    }

    /// Frees the probe's place. `false`: it had been given away, or there never was one.
    fn end(&mut self, probe: Option<u64>) -> bool {
        let before = self.probes.len();
        self.probes.retain(|(number, _)| Some(*number) != probe);
        self.probes.len() < before
    }

    /// Gives away the places of probes that never reported.
    fn forget(&mut self, now_ms: u64, probe_ms_max: u64) {
        self.probes.retain(|(_, began_ms)| now_ms.saturating_sub(*began_ms) < probe_ms_max);
    }

    fn refusal(&self, now_ms: u64, settings: &Settings) -> Option<Refused> {
        let left = |(_, began_ms): &(u64, u64)| {
            settings.probe_ms_max.saturating_sub(now_ms.saturating_sub(*began_ms))
        };
        let silent: Vec<u64> = self.probes.iter().map(left).filter(|left| *left > 0).collect();
        // Without any place the circuit could never close again.
        let places = settings.probes_at_once_max.max(1) as usize;
        let soonest = silent.iter().min().copied().filter(|_| silent.len() >= places)?;
        Some(Refused { retry_after_ms: soonest.min(settings.open.base_ms.max(1)) })
    }
}

#[cfg(test)]
mod tests;
