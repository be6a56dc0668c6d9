//! One run: a task inside a session, and where it stands.

use super::call::{Call, CallStatus};
use super::child::Child;
use super::compact::Compaction;
use super::looping::Looping;
use super::state::Fit;
use crate::agent::DELEGATE;
use crate::breaker::loops::Settings;
use crate::event::{ChildEnd, Done, FailureCode, Notice, Outcome, Parked, Purpose, Returned};
use crate::json::RawJson;
use crate::ledger::Amount;
use crate::message::{Reply, Stop, ToolResult, text_of};
use crate::units::{Epoch, Money, UnixMs};

/// Acts in a row that a run loses to crashes before it waits for a person.
const LOSSES_MAX: u32 = 3;

/// One task inside a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its number in the session: 1 for the first.
    pub number: u32,
    /// The task's words.
    pub task: String,
    /// What ends it.
    pub done: Done,
    /// The most that it may cost.
    pub cap: Option<Money>,
    /// Model responses that it may take, grants included.
    pub turns_max: u32,
    /// Model responses that it took.
    pub turns: u32,
    /// Model responses that its former children took.
    pub turns_lent: u32,
    /// Former children, their own children included.
    pub children: u32,
    /// Money spent on it, inherited spend and that of former children included.
    pub settled: Money,
    /// The version of the prices that its last call was held with.
    pub prices: Option<String>,
    /// Where it stands.
    pub phase: Phase,
    /// Why it waits in the store, and when it wakes by itself.
    pub parked: Option<(Parked, Option<UnixMs>)>,
    /// Whether somebody asked for its end.
    pub cancel_asked: bool,
    /// Who asked first, for people.
    pub cancelled_by: Option<String>,
    /// Times in a row that it waited for the provider.
    pub outages: u32,
    /// Acts in a row whose owner died before their end was told.
    pub losses: u32,
    /// Answers in a row without tool calls and without the done signal.
    pub silences: u32,
    /// What the model was told since its last answer.
    pub told: Vec<Notice>,
    /// Turns granted since the last answer.
    pub granted: u32,
    /// Whether it goes round in circles.
    pub looping: Looping,
    /// The text of the last answer.
    pub last_text: String,
    /// Why the model stopped there.
    pub last_stop: Stop,
    /// What was done so that the conversation fits.
    pub compaction: Compaction,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// The model's turn comes next.
    Ready,
    /// A model call was begun.
    Calling(Calling),
    /// The last answer asks for tools.
    Tooling(Vec<Call>),
    /// A turn is complete; somebody must say what it means.
    Closing(Closing),
    /// The run is over.
    Over(Ended),
}

/// A model call under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calling {
    /// Who makes it.
    pub epoch: Epoch,
    /// Its turn.
    pub turn: u32,
    /// The longest answer asked for, in tokens.
    pub max_tokens: u32,
    /// The money held.
    pub hold: Money,
    /// The tokens held, in and out.
    pub tokens: u64,
    /// Whether the model may not call tools.
    pub tools_off: bool,
    /// What it is for.
    pub purpose: Purpose,
}

impl Calling {
    /// All that is held for it.
    #[must_use]
    pub fn held(&self) -> Amount {
        Amount { money: self.hold, tokens: self.tokens, requests: 1 }
    }
}

/// A complete turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Closing {
    /// Why the model stopped.
    pub stop: Stop,
    /// Whether it had asked for tools.
    pub called: bool,
    /// The result, where the model gave the done signal.
    pub result: Option<RawJson>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// With a result.
    Finished(RawJson),
    /// It could not go on.
    Failed(FailureCode, String),
    /// Somebody ended it.
    Cancelled,
}

impl Run {
    pub(super) fn new(
        number: u32,
        task: String,
        done: Done,
        cap: Option<Money>,
        turns_max: u32,
        loops: Settings,
    ) -> Self {
        Run {
            number,
            task,
            done,
            cap,
            turns_max,
            turns: 0,
            turns_lent: 0,
            children: 0,
            settled: Money::ZERO,
            prices: None,
            phase: Phase::Ready,
            parked: None,
            cancel_asked: false,
            cancelled_by: None,
            outages: 0,
            losses: 0,
            silences: 0,
            told: Vec::new(),
            granted: 0,
            looping: Looping::new(loops),
            last_text: String::new(),
            last_stop: Stop::EndTurn,
            compaction: Compaction::default(),
        }
    }

    pub(super) fn hear_reply(&mut self, reply: &Reply, calls: Vec<Call>) {
        self.turns += 1;
        self.outages = 0;
        self.losses = 0;
        self.granted = 0;
        self.told.clear();
        self.last_text = text_of(&reply.content);
        self.last_stop = reply.stop.clone();
        self.silences = match &reply.stop {
            _ if !calls.is_empty() => 0,
            // A part of an answer neither breaks a silence nor is one.
            Stop::PauseTurn | Stop::MaxTokens => self.silences,
            Stop::EndTurn
            | Stop::StopSequence
            | Stop::ToolUse
            | Stop::Refusal
            | Stop::ContextWindow
            | Stop::Other(_) => self.silences + 1,
        };
        self.phase = if calls.is_empty() {
            Phase::Closing(Closing { stop: reply.stop.clone(), called: false, result: None })
        } else {
            Phase::Tooling(calls)
        };
    }

    pub(super) fn begin_call(&mut self, epoch: Epoch, id: &str) -> Fit {
        let call = self.call_mut(id)?;
        let fits = match call.status {
            CallStatus::Waiting => true,
            CallStatus::Begun(before) => before < epoch,
            CallStatus::Delegated(_) | CallStatus::Returned(..) => false,
        };
        let fits = fits && call.may_run();
        let lost = matches!(call.status, CallStatus::Begun(_));
        call.status = CallStatus::Begun(epoch);
        self.losses += u32::from(lost);
        fits.then_some(())
    }

    /// Notes a call's end. When it was the turn's last, gives all results in call order.
    pub(super) fn return_call(&mut self, returned: &Returned) -> Option<Option<Vec<ToolResult>>> {
        let call = self.call_mut(&returned.call)?;
        if returned.outcome == Outcome::Ok && !call.may_run() {
            return None;
        }
        let child = match (&call.status, &returned.child) {
            (CallStatus::Returned(..), _) => return None,
            (CallStatus::Delegated(child), Some(end)) if child.session == end.session => Some(*end),
            (CallStatus::Delegated(_), _) | (_, Some(_)) => return None,
            (CallStatus::Waiting | CallStatus::Begun(_), None) => None,
        };
        let result = ToolResult {
            id: returned.call.clone(),
            content: returned.content.clone(),
            is_error: returned.outcome != Outcome::Ok,
            extra: Default::default(),
        };
        call.status = CallStatus::Returned(returned.outcome, result);
        self.losses = 0;
        if let Some(end) = child {
            self.take_back(&end);
        }
        let Phase::Tooling(calls) = &self.phase else {
            return None;
        };
        let all_back = calls.iter().all(|call| matches!(call.status, CallStatus::Returned(..)));
        if !all_back {
            return Some(None);
        }
        self.looping.hear(calls);
        let results = calls.iter().map(Call::result_so_far).collect();
        let result = calls.iter().find_map(Call::done_signal);
        let stop = self.last_stop.clone();
        self.phase = Phase::Closing(Closing { stop, called: true, result });
        Some(Some(results))
    }

    /// Why a run that lost one act more is not tried again, if so: what killed its
    /// owners so often will kill the next one too, and each try costs money.
    pub(super) fn crash_loop(&self) -> Option<Parked> {
        let losses = self.losses + 1;
        (losses >= LOSSES_MAX).then_some(Parked::CrashLoop { losses })
    }

    pub(super) fn begin_child(&mut self, id: &str, child: Child) -> Fit {
        let call = self.call_mut(id)?;
        let fits = call.name == DELEGATE && call.status == CallStatus::Waiting && call.may_run();
        call.status = CallStatus::Delegated(child);
        fits.then_some(())
    }

    /// Books what a child used; what it did not use is free again, with its call's end.
    fn take_back(&mut self, end: &ChildEnd) {
        self.settled = self.settled.plus(end.spent);
        self.turns_lent = self.turns_lent.saturating_add(end.turns);
        self.children = self.children.saturating_add(end.children).saturating_add(1);
    }

    pub(super) fn call_mut(&mut self, id: &str) -> Option<&mut Call> {
        match &mut self.phase {
            Phase::Tooling(calls) => calls.iter_mut().find(|call| call.id == id),
            Phase::Ready | Phase::Calling(_) | Phase::Closing(_) | Phase::Over(_) => None,
        }
    }

    pub(super) fn park(&mut self, why: &Parked, wake: Option<UnixMs>) -> Fit {
        match why {
            Parked::Outage(_) => self.outages += 1,
            Parked::TurnCap { .. }
            | Parked::CostCapExceeded(_)
            | Parked::NeedsMending(_)
            | Parked::NoDoneSignal
            | Parked::Interrupted
            | Parked::Forked
            | Parked::HandedOver
            | Parked::Faulted { .. }
            | Parked::CrashLoop { .. }
            | Parked::LoopDetected { .. }
            | Parked::WaitsForChild { .. }
            | Parked::AwaitsApproval { .. } => {}
        }
        self.parked = Some((why.clone(), wake));
        (!matches!(self.phase, Phase::Calling(_))).then_some(())
    }

    pub(super) fn wake(&mut self, turns_more: u32, cap: Option<Money>) -> Fit {
        self.turns_max = self.turns_max.saturating_add(turns_more);
        self.granted = self.granted.saturating_add(turns_more);
        self.cap = cap.or(self.cap);
        self.losses = 0;
        let (why, _) = self.parked.take()?;
        if why == Parked::NoDoneSignal {
            self.silences = 0;
        }
        if matches!(why, Parked::LoopDetected { .. }) {
            self.looping.forget();
        }
        Some(())
    }
}
