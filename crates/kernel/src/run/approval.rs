//! Leave for calls: who says which may run, what people are asked, and what their answers
//! mean.
//!
//! All calls of a turn are judged before any of them runs. An ask parks the run; an answer
//! is bound to the call and its arguments, is given once, and comes too late after its
//! time. A no becomes a result that the model can work with (L24, L25).

use super::Context;
use super::call::{Call, CallStatus, Leave};
use super::command::Refusal;
use super::state::{Fit, State};
use super::task::Run;
use crate::agent::{END_TASK, MORE};
use crate::event::{Answer, Ask, Fact, Parked, Ruling};
use crate::message::Arguments;
use crate::units::{ContentHash, UnixMs};
use crate::verdict::{Judgement, Verdict};

/// The longest words of a person to the model about a call, in bytes.
const WORDS_BYTES_MAX: usize = 4_096;

/// Somebody's answer to what was asked about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The id of the call.
    pub call: String,
    /// The hash of the arguments that the answer is about.
    pub arguments: ContentHash,
    /// Yes or no.
    pub approve: bool,
    /// Who answers, for people.
    pub by: String,
    /// What they say to the model.
    pub words: String,
}

/// A call that waits for somebody's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending<'a> {
    /// The call.
    pub call: &'a Call,
    /// What the answer is bound to.
    pub ask: Ask,
}

/// The calls of a session that wait for an answer.
#[must_use]
pub fn pending(state: &State) -> Vec<Pending<'_>> {
    state.run.as_ref().map(|run| asked(run).collect()).unwrap_or_default()
}

fn asked(run: &Run) -> impl Iterator<Item = Pending<'_>> {
    run.calls().iter().filter_map(|call| match (call.leave, &call.status) {
        (Leave::Asked(ask), CallStatus::Waiting) if call.barred.is_none() => {
            Some(Pending { call, ask })
        }
        (Leave::Asked(_) | Leave::Unjudged | Leave::Given, _) => None,
    })
}

/// The verdicts on all calls of a turn that have none.
pub(super) fn judge(state: &State, calls: &[Call], context: &Context<'_>) -> Fact {
    let unjudged = calls.iter().filter(|call| {
        call.leave == Leave::Unjudged && call.barred.is_none() && call.status == CallStatus::Waiting
    });
    let expires = context.now.plus_ms(state.agent.limits.approval_ms);
    let rulings = unjudged.map(|call| {
        let judgement = judgement(state, call, context);
        let ask = (judgement.verdict == Verdict::Ask)
            .then(|| Ask { arguments: arguments_hash(&call.arguments), expires });
        Ruling { call: call.id.clone(), judgement, ask }
    });
    Fact::ToolsJudged { rulings: rulings.collect() }
}

/// What ends a task or reads on in its own results asks nobody.
fn judgement(state: &State, call: &Call, context: &Context<'_>) -> Judgement {
    match call.name.as_str() {
        END_TASK | MORE => Judgement::allow(),
        _ => (context.judge.0)(state, call),
    }
}

/// The hash that an answer is bound to: that of the arguments as the model wrote them.
#[must_use]
pub fn arguments_hash(arguments: &Arguments) -> ContentHash {
    match arguments {
        Arguments::Json(raw) => ContentHash::of(raw.text().as_bytes()),
        Arguments::Malformed(text) => ContentHash::of(text.as_bytes()),
    }
}

/// The run waits for answers, until the first of them expires.
pub(super) fn await_answers(calls: &[Call]) -> Fact {
    let asks = || {
        calls.iter().filter_map(|call| match call.leave {
            Leave::Asked(ask) if call.barred.is_none() => Some((call, ask)),
            Leave::Asked(_) | Leave::Unjudged | Leave::Given => None,
        })
    };
    let mut tools: Vec<String> = asks().map(|(call, _)| call.name.clone()).collect();
    tools.dedup();
    let wake = asks().map(|(_, ask)| ask.expires).min();
    Fact::RunParked { why: Parked::AwaitsApproval { tools }, wake }
}

/// Somebody answers. The same answer again changes nothing; another one comes too late.
pub(super) fn answer(
    state: &State,
    given: Given,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let wanted = if given.approve { Answer::Approved } else { Answer::Denied };
    let run = state.run.as_ref().ok_or_else(|| not_asked(&given))?;
    let Some(open) = asked(run).find(|open| open.call.id == given.call) else {
        return match state.answered.get(&given.call) {
            Some((answer, _)) if *answer == wanted => Ok(Vec::new()),
            Some((answer, by)) => {
                Err(Refusal::Answered { call: given.call.clone(), answer: *answer, by: by.clone() })
            }
            None => Err(not_asked(&given)),
        };
    };
    if open.ask.arguments != given.arguments {
        return Err(not_asked(&given));
    }
    if open.ask.expires <= context.now {
        let by = "the clock".to_owned();
        return Err(Refusal::Answered { call: given.call, answer: Answer::Expired, by });
    }
    let last = asked(run).count() == 1;
    let waits = matches!(run.parked, Some((Parked::AwaitsApproval { .. }, _)));
    let words = cut(given.words);
    let (call, by) = (given.call, given.by);
    let woken = Fact::RunWoken { by: by.clone(), turns_more: 0, cap: None };
    let mut facts = vec![Fact::ApprovalDecided { call, answer: wanted, by, words }];
    facts.extend((last && waits).then_some(woken));
    Ok(facts)
}

fn not_asked(given: &Given) -> Refusal {
    Refusal::NotAsked { call: given.call.clone() }
}

fn cut(mut words: String) -> String {
    let mut end = words.len().min(WORDS_BYTES_MAX);
    while !words.is_char_boundary(end) {
        end -= 1;
    }
    words.truncate(end);
    words
}

/// A no for each ask whose time is over.
pub(super) fn expired(run: &Run, now: UnixMs) -> Vec<Fact> {
    let late = asked(run).filter(|open| open.ask.expires <= now);
    late.map(|open| Fact::ApprovalDecided {
        call: open.call.id.clone(),
        answer: Answer::Expired,
        by: "the clock".to_owned(),
        words: String::new(),
    })
    .collect()
}

/// The no to a push where an answer is needed.
pub(super) fn unanswered(why: &Parked) -> Refusal {
    let tools = match why {
        Parked::AwaitsApproval { tools } => tools.join("`, `"),
        Parked::TurnCap { .. }
        | Parked::CostCapExceeded(_)
        | Parked::Outage(_)
        | Parked::NeedsMending(_)
        | Parked::NoDoneSignal
        | Parked::Interrupted
        | Parked::Forked
        | Parked::HandedOver
        | Parked::Faulted { .. }
        | Parked::CrashLoop { .. }
        | Parked::LoopDetected { .. }
        | Parked::WaitsForChild { .. } => String::new(),
    };
    Refusal::AwaitsApproval { tools }
}

impl Call {
    /// Whether nothing forbids that it runs. Logs from before there were verdicts have none.
    pub(super) fn may_run(&self) -> bool {
        self.barred.is_none() && !matches!(self.leave, Leave::Asked(_))
    }

    /// Whether somebody was asked about it and said yes.
    pub(super) fn was_approved(&self) -> bool {
        let asked = self.judgement.as_ref().is_some_and(|one| one.verdict == Verdict::Ask);
        asked && self.leave == Leave::Given && self.barred.is_none()
    }
}

impl Run {
    pub(super) fn hear_rulings(&mut self, rulings: &[Ruling]) -> Fit {
        for ruling in rulings {
            let call = self.call_mut(&ruling.call)?;
            let fits = call.leave == Leave::Unjudged
                && call.status == CallStatus::Waiting
                && (ruling.judgement.verdict == Verdict::Ask) == ruling.ask.is_some();
            call.judgement = Some(ruling.judgement.clone());
            match (ruling.judgement.verdict, ruling.ask) {
                (Verdict::Ask, Some(ask)) => call.leave = Leave::Asked(ask),
                (Verdict::Deny, _) => {
                    call.leave = Leave::Given;
                    call.barred = Some(denied(&ruling.judgement));
                }
                (Verdict::Allow | Verdict::Ask, _) => call.leave = Leave::Given,
            }
            fits.then_some(())?;
        }
        Some(())
    }

    pub(super) fn hear_answer(&mut self, id: &str, answer: Answer, by: &str, words: &str) -> Fit {
        let call = self.call_mut(id)?;
        let fits = matches!(call.leave, Leave::Asked(_)) && call.status == CallStatus::Waiting;
        call.leave = Leave::Given;
        call.barred = refused(answer, by, words);
        fits.then_some(())
    }
}

/// What the model reads of a denied call.
fn denied(judgement: &Judgement) -> String {
    let reasons = judgement.reasons.join("; ");
    format!(
        "not allowed: {reasons}. The call was not run. Do not try to get around this; go on \
         in another way, or end the task and say what could not be done."
    )
}

/// What the model reads of a call that people did not let through.
fn refused(answer: Answer, by: &str, words: &str) -> Option<String> {
    let said = if words.trim().is_empty() { String::new() } else { format!(": {}", words.trim()) };
    match answer {
        Answer::Approved => None,
        Answer::Denied => Some(format!(
            "{by} was asked and did not allow this call{said}. It was not run. Go on in \
             another way, or end the task and say what could not be done."
        )),
        Answer::Expired => Some(
            "nobody answered in time whether this call may run, which means no. It was not \
             run. Go on without it, or end the task and say what could not be done."
                .to_owned(),
        ),
    }
}

impl State {
    /// Whether the turn has calls that nobody judged yet.
    #[must_use]
    pub fn is_unjudged(&self) -> bool {
        let calls = self.run.as_ref().map_or(&[][..], Run::calls);
        calls.iter().any(|call| {
            call.leave == Leave::Unjudged
                && call.barred.is_none()
                && call.status == CallStatus::Waiting
        })
    }
}
