//! What was done so that a conversation fits, folded from facts.

use crate::agent::{Effect, MORE};
use crate::event::{
    Again, Cleared, FaultClass, ModelFault, Purpose, Returned, event_handle, left_out,
};
use crate::message::{Reply, Stop, text_of};
use crate::run::state::{Fit, State};
use crate::run::talk::Shown;
use crate::run::task::{Calling, Closing, Phase, Run};

use super::RESULT_BYTES_MIN;

/// What was done since the last answer so that the conversation fits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compaction {
    /// Times in a row that the provider found the conversation too long.
    pub refusals: u32,
    /// What it must come down to since then, in tokens.
    pub target: Option<u64>,
    /// Whether old results were cleared.
    pub cleared: bool,
    /// Whether long results were cut.
    pub cut: bool,
    /// Whether a summary stands for the first turns.
    pub summarised: bool,
    /// Whether the first turns were left out.
    pub dropped: bool,
    /// Summaries in a row that came to nothing.
    pub failures: u32,
    /// A summary that was given and does not stand in the conversation yet.
    pub summary: Option<String>,
    /// Where the run stood when it asked for a summary.
    aside: Option<Closing>,
}

impl Compaction {
    /// After the provider found the conversation of about `tokens` tokens too long.
    pub(in crate::run) fn refused(&self, tokens: u64) -> Self {
        Compaction {
            refusals: self.refusals.saturating_add(1),
            target: Some(tokens / 2),
            failures: self.failures,
            ..Compaction::default()
        }
    }

    /// After an answer.
    pub(in crate::run) fn answered(&self, stop: &Stop, tokens: u64) -> Self {
        match stop {
            Stop::ContextWindow => self.refused(tokens),
            Stop::EndTurn
            | Stop::MaxTokens
            | Stop::StopSequence
            | Stop::ToolUse
            | Stop::PauseTurn
            | Stop::Refusal
            | Stop::Other(_) => Compaction { failures: self.failures, ..Compaction::default() },
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.cleared || self.cut || self.summarised || self.dropped
    }

    fn heard(&mut self, reply: &Reply) {
        self.summary = summary_in(reply);
        self.failures = if self.summary.is_some() { 0 } else { self.failures + 1 };
    }
}

/// The words of an answer that can be used as a summary. One that was cut still says
/// more than none.
fn summary_in(reply: &Reply) -> Option<String> {
    match reply.stop {
        Stop::Refusal | Stop::ContextWindow => None,
        Stop::EndTurn
        | Stop::MaxTokens
        | Stop::StopSequence
        | Stop::ToolUse
        | Stop::PauseTurn
        | Stop::Other(_) => Some(text_of(&reply.content)).filter(|text| !text.trim().is_empty()),
    }
}

impl Run {
    /// Begins a model call. A summary interrupts what a complete turn means; after it the
    /// run stands where it stood.
    pub(in crate::run) fn begin_model(&mut self, calling: Calling) -> Fit {
        let before = std::mem::replace(&mut self.phase, Phase::Calling(calling));
        match (before, calling.purpose) {
            (Phase::Ready, _) | (Phase::Closing(_), Purpose::Answer) => Some(()),
            (Phase::Closing(closing), Purpose::Summary) => {
                self.compaction.aside = Some(closing);
                Some(())
            }
            (Phase::Calling(_) | Phase::Tooling(_) | Phase::Over(_), _) => None,
        }
    }

    /// Ends a model call that brought no answer to go on from.
    pub(in crate::run) fn end_model(&mut self) {
        let aside = self.compaction.aside.take();
        self.phase = aside.map_or(Phase::Ready, Phase::Closing);
    }

    /// Notes how a model call failed, for what is done about long conversations.
    pub(in crate::run) fn note_fault(&mut self, fault: &ModelFault, tokens: u64) {
        let Phase::Calling(calling) = &self.phase else { return };
        match (calling.purpose, fault.class) {
            (Purpose::Answer, FaultClass::TooLarge) => {
                self.compaction = self.compaction.refused(tokens);
            }
            (
                Purpose::Summary,
                FaultClass::TooLarge
                | FaultClass::InvalidRequest
                | FaultClass::Timeout
                | FaultClass::Cut
                | FaultClass::Malformed,
            ) => self.compaction.failures += 1,
            // The provider is out or must be mended, or we stopped: no word on the length.
            (
                Purpose::Answer | Purpose::Summary,
                FaultClass::RateLimited
                | FaultClass::Overloaded
                | FaultClass::Server
                | FaultClass::Network
                | FaultClass::Timeout
                | FaultClass::Cut
                | FaultClass::Malformed
                | FaultClass::Auth
                | FaultClass::Billing
                | FaultClass::UnknownModel
                | FaultClass::InvalidRequest
                | FaultClass::Interrupted,
            ) => {}
        }
    }
}

impl State {
    /// Takes a summary, or an answer that is none.
    pub(in crate::run) fn hear_summary(&mut self, reply: &Reply) -> Fit {
        if let Some(usage) = reply.usage.filter(|usage| usage.is_believable()) {
            self.talk.count(usage);
        }
        let run = self.live()?;
        run.compaction.heard(reply);
        (run.outages, run.losses) = (0, 0);
        run.end_model();
        Some(())
    }

    /// Notes a long result, so that it can be shown shorter one day.
    pub(in crate::run) fn note_result(&mut self, returned: &Returned) -> Fit {
        let shown = returned.content.len() as u64;
        if shown <= RESULT_BYTES_MIN {
            return Some(());
        }
        let Phase::Tooling(calls) = &self.live()?.phase else { return None };
        let call = calls.iter().find(|call| call.id == returned.call)?;
        let (tool, effect) = (call.name.clone(), call.effect);
        let handle = match &returned.rest {
            Some(rest) => rest.handle(),
            None => event_handle(self.seq + 1),
        };
        let again = match effect {
            _ if self.agent.tool(MORE).is_some() => Again::More(handle),
            Effect::Read => Again::Call,
            Effect::Idempotent | Effect::Effect => Again::Never,
        };
        let bytes = returned.rest.as_ref().map_or(shown, |rest| rest.bytes);
        let (call, turn) = (returned.call.clone(), self.turns);
        self.talk.note_result(Shown { call, turn, tool, bytes, shown, again });
        Some(())
    }

    pub(in crate::run) fn clear_results(&mut self, cleared: &Cleared) -> Fit {
        let changed = self.talk.clear(cleared);
        let run = self.between_acts()?;
        match cleared.bytes_kept {
            0 => run.compaction.cleared = true,
            _ => run.compaction.cut = true,
        }
        changed.then_some(())
    }

    pub(in crate::run) fn summarise(&mut self, turns_kept: u32) -> Fit {
        let run = self.between_acts()?;
        run.compaction.summarised = true;
        let summary = run.compaction.summary.take()?;
        self.condense(turns_kept, Some(&summary))
    }

    pub(in crate::run) fn drop_turns(&mut self, turns_kept: u32) -> Fit {
        let run = self.between_acts()?;
        (run.compaction.dropped, run.compaction.failures) = (true, 0);
        self.condense(turns_kept, None)
    }

    fn condense(&mut self, turns_kept: u32, summary: Option<&str>) -> Fit {
        if self.talk.is_paused() {
            return None;
        }
        self.talk.condense(turns_kept, |answers| left_out(answers, summary)).then_some(())
    }

    fn between_acts(&mut self) -> Option<&mut Run> {
        self.live().filter(|run| matches!(run.phase, Phase::Ready | Phase::Closing(_)))
    }
}
