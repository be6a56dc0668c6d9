//! What a run does about going round in circles: the model is told once, and the run is
//! parked when it goes on all the same.
//!
//! Folded from the calls of complete turns and nothing else, so that a run resumed after a
//! crash is exactly as near to its end as before.

use super::call::{Call, CallStatus};
use crate::agent::END_TASK;
use crate::breaker::loops::{Detector, Heard, Settings};
use crate::event::{Fact, Notice, Outcome, Parked};

/// A run's loop breaker.
#[derive(Clone, Debug, PartialEq)]
pub struct Looping {
    detector: Detector,
    warned: bool,
}

impl Looping {
    pub(super) fn new(settings: Settings) -> Self {
        Looping { detector: Detector::new(settings), warned: false }
    }

    /// Hears the calls of a complete turn.
    pub(super) fn hear(&mut self, calls: &[Call]) {
        let heard: Vec<Heard<'_>> = calls.iter().filter_map(heard).collect();
        self.detector.hear_turn(&heard);
    }

    /// What a loop means for the run, if there is one.
    pub(super) fn answer(&self) -> Option<Fact> {
        let finding = self.detector.finding()?;
        let (kind, reason) = (finding.kind, finding.reason.clone());
        Some(if self.warned {
            Fact::RunParked { why: Parked::LoopDetected { kind, reason }, wake: None }
        } else {
            Fact::Notified(Notice::Looping { kind, reason })
        })
    }

    /// The model was told.
    pub(super) fn tell(&mut self) {
        self.warned = true;
        self.detector.warned();
    }

    /// Somebody who saw the loop lets the run go on, or the conversation was shortened and
    /// the model may honestly ask again for what it no longer knows.
    pub(super) fn forget(&mut self) {
        self.warned = false;
        self.detector.reset();
    }
}

/// A call as the detector hears it. What was not run because the run was cancelled says
/// nothing, and a done signal that was taken ends the run.
fn heard(call: &Call) -> Option<Heard<'_>> {
    let CallStatus::Returned(outcome, result) = &call.status else {
        return None;
    };
    let says_something = match outcome {
        Outcome::Ok => call.name != END_TASK,
        Outcome::Error | Outcome::OutcomeUnknown => true,
        Outcome::Cancelled => false,
    };
    says_something.then(|| Heard {
        name: &call.name,
        arguments: call.arguments.text(),
        result: &result.content,
        is_error: Some(*outcome != Outcome::Ok),
    })
}
