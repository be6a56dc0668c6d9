//! What to say where nobody of a chain answered.
//!
//! One class for the caller, which decides what becomes of the run, and everybody's
//! words for people. An outage that passes outweighs a fault that must be mended: the
//! run waits for the one that will be back by itself.

use engine::ports::ModelError;
use kernel::event::{FaultClass, ModelFault, NextStep};
use kernel::price::Spent;

use super::Candidate;
use super::spent::both;

/// What the candidates said, in the order in which they were asked.
pub(super) struct Told {
    /// Whether there is but one candidate, who needs no introduction.
    alone: bool,
    words: Vec<String>,
    faults: Vec<ModelFault>,
    spent: Spent,
    fallback: Option<String>,
}

impl Told {
    pub(super) fn new(alone: bool) -> Self {
        let (words, faults) = (Vec::new(), Vec::new());
        Told { alone, words, faults, spent: Spent::Nothing, fallback: None }
    }

    /// A candidate was not asked, because it could not take the request.
    pub(super) fn skipped(&mut self, candidate: &Candidate, words: String) {
        self.words.push(format!("`{}`: not asked: {words}", candidate.model));
    }

    /// A candidate failed, or nobody could ask it. What is spent on a later candidate
    /// replaces what was spent on an earlier one, which was free or the call had ended.
    pub(super) fn failed(&mut self, candidate: &Candidate, name: Option<&str>, error: ModelError) {
        self.words.push(format!("`{}`: {}", candidate.model, error.fault.message));
        self.faults.push(error.fault);
        let same = self.fallback.as_deref() == name;
        match error.spent {
            Spent::Nothing => {}
            Spent::Told(_) | Spent::Estimated(_) | Spent::Unknown => {
                self.spent = if same { both(self.spent, error.spent) } else { error.spent };
                self.fallback = name.map(str::to_owned);
            }
        }
    }

    pub(super) fn verdict(self) -> ModelError {
        let Told { alone, words, faults, spent, fallback } = self;
        let retry_after_ms = soonest(&faults);
        let chosen = faults.iter().min_by_key(|fault| rank(fault.class)).cloned();
        let fault = chosen.map(|fault| match alone {
            true => fault,
            false => {
                let message = words.join("\n");
                ModelFault { message, retry_after_ms, ..fault }
            }
        });
        let fault = fault.unwrap_or_else(|| {
            let message = words.join("\n");
            ModelError::free(FaultClass::InvalidRequest, message).fault
        });
        ModelError { fault, spent, fallback }
    }
}

/// Among equals the first counts.
fn rank(class: FaultClass) -> u8 {
    match class.next_step() {
        NextStep::Retry => 0,
        NextStep::Mend => 1,
        NextStep::GiveUp => 2,
    }
}

/// When the first of those that will be back may be asked again. `None` where one of
/// them did not say.
fn soonest(faults: &[ModelFault]) -> Option<u64> {
    let passing = faults.iter().filter(|fault| fault.class.next_step() == NextStep::Retry);
    let waits: Option<Vec<u64>> = passing.map(|fault| fault.retry_after_ms).collect();
    waits?.into_iter().min()
}
