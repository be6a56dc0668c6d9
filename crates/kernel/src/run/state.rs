//! The fold: facts in, state out.
//!
//! Each fact is applied strictly. One that does not fit the state before it means that
//! the log is not ours, and is refused as a [`Misfit`]; it is never skipped.

use std::sync::Arc;

use serde_json::Value;

use super::talk::{Talk, uses};
use crate::agent::{Agent, END_TASK, Effect, Frozen};
use crate::event::{
    Broken, Done, Fact, FailureCode, Notice, Opening, Outcome, Parked, PayloadRef, Returned,
    Sealed, chain_root,
};
use crate::json::RawJson;
use crate::message::{
    Arguments, Block, Message, Reply, Request, Stop, ToolChoice, ToolDecl, ToolResult, text_of,
};
use crate::units::{ContentHash, Epoch, Money, SessionId, UnixMs};

/// A session as its facts tell it.
#[derive(Clone, Debug)]
pub struct State {
    /// Which session.
    pub session: SessionId,
    /// The agent it was begun with.
    pub agent: Arc<Agent>,
    /// The hash of the agent's bytes.
    pub agent_hash: ContentHash,
    /// How it came into being; `None` before the first fact.
    pub opening: Option<Opening>,
    /// The last event's number; 0 before the first.
    pub seq: u64,
    /// The last event's hash; the chain's root before the first.
    pub head: ContentHash,
    /// The conversation.
    pub talk: Talk,
    /// The present run, or the last one.
    pub run: Option<Run>,
    /// Long results that `more` may read.
    pub payloads: Vec<PayloadRef>,
    /// Model responses in all runs.
    pub turns: u32,
    /// Money spent in all runs, without what a fork inherited.
    pub spent: Money,
    system: Arc<str>,
    tools: Arc<[ToolDecl]>,
}

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
    /// Money spent on it, inherited spend included.
    pub settled: Money,
    /// Where it stands.
    pub phase: Phase,
    /// Why it waits in the store, and when it wakes by itself.
    pub parked: Option<(Parked, Option<UnixMs>)>,
    /// Whether somebody asked for its end.
    pub cancel_asked: bool,
    /// Times in a row that it waited for the provider.
    pub outages: u32,
    /// Answers in a row without tool calls and without the done signal.
    pub silences: u32,
    /// What the model was told since its last answer.
    pub told: Vec<Notice>,
    /// Turns granted since the last answer.
    pub granted: u32,
    /// The text of the last answer.
    pub last_text: String,
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
    /// Whether the model may not call tools.
    pub tools_off: bool,
}

/// One call for a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its id, unique in the session.
    pub id: String,
    /// The tool's name as the model wrote it.
    pub name: String,
    /// The arguments.
    pub arguments: Arguments,
    /// What running it twice would mean.
    pub effect: Effect,
    /// Why it is answered without running, if it is.
    pub barred: Option<String>,
    /// How far it is.
    pub status: CallStatus,
}

/// How far a call is.
#[derive(Clone, Debug, PartialEq)]
pub enum CallStatus {
    /// Nothing happened yet.
    Waiting,
    /// It was begun by the owner with this epoch.
    Begun(Epoch),
    /// It came to an end.
    Returned(Outcome, ToolResult),
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

/// Why a log does not fold.
#[derive(Debug, thiserror::Error)]
pub enum Misfit {
    /// The chain is broken.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// A fact makes no sense where it stands.
    #[error("event {seq} (`{fact}`) makes no sense after the events before it")]
    OutOfPlace {
        /// Where.
        seq: u64,
        /// Which.
        fact: &'static str,
    },
}

/// `None`: the fact is out of place.
type Fit = Option<()>;

impl State {
    /// A session before its first fact.
    #[must_use]
    pub fn new(session: SessionId, frozen: &Frozen) -> Self {
        let agent = Arc::clone(&frozen.agent);
        let tools: Arc<[ToolDecl]> = agent
            .tools
            .iter()
            .map(|tool| ToolDecl {
                name: tool.name.clone(),
                description: tool.description.clone(),
                input_schema: tool.input_schema.clone(),
                extra: Default::default(),
            })
            .collect();
        State {
            session,
            agent_hash: frozen.hash,
            opening: None,
            seq: 0,
            head: chain_root(session),
            talk: Talk::new(frozen.bytes.len() as u64),
            run: None,
            payloads: Vec::new(),
            turns: 0,
            spent: Money::ZERO,
            system: Arc::from(agent.system_prompt.as_str()),
            tools,
            agent,
        }
    }

    /// Adds one fact.
    ///
    /// # Errors
    /// It makes no sense here. The state may then be half changed and must be dropped.
    pub fn apply(&mut self, sealed: &Sealed) -> Result<(), Misfit> {
        let seq = sealed.event.seq;
        let inherited = self.is_inherited(seq);
        self.take(&sealed.event.fact, inherited)
            .ok_or(Misfit::OutOfPlace { seq, fact: sealed.event.fact.name() })?;
        self.seq = seq;
        self.head = sealed.hash;
        Ok(())
    }

    fn take(&mut self, fact: &Fact, inherited: bool) -> Fit {
        if let Fact::SessionOpened(opening) = fact {
            let fresh = self.opening.is_none() && opening.agent == self.agent_hash;
            self.opening = Some(opening.clone());
            return fresh.then_some(());
        }
        self.opening.as_ref()?;
        match fact {
            Fact::SessionOpened(_) => None,
            Fact::RunStarted { run, input, done, cap, turns_max } => {
                self.start(*run, input, *done, *cap, *turns_max)
            }
            Fact::Notified(notice) => {
                self.talk.hear(Block::text(notice.text()));
                self.live()?.told.push(notice.clone());
                Some(())
            }
            Fact::ModelBegun { epoch, turn, max_tokens, hold, tools_off, .. } => {
                let calling = Calling {
                    epoch: *epoch,
                    turn: *turn,
                    max_tokens: *max_tokens,
                    hold: *hold,
                    tools_off: *tools_off,
                };
                self.begin(calling)
            }
            Fact::ModelReplied { reply, cost, .. } => {
                self.settle(*cost, inherited)?;
                self.hear_reply(reply)
            }
            Fact::ModelFailed { cost, .. } | Fact::ModelLost { cost } => {
                self.settle(*cost, inherited)?;
                self.live()?.phase = Phase::Ready;
                Some(())
            }
            Fact::ToolBegun { epoch, call } => self.live()?.begin_call(*epoch, call),
            Fact::ToolReturned(returned) => self.hear_return(returned),
            Fact::CancelAsked { .. } => {
                self.live_or_parked()?.cancel_asked = true;
                Some(())
            }
            Fact::RunParked { why, wake } => self.live()?.park(why, *wake),
            Fact::RunWoken { turns_more, cap, .. } => {
                self.live_or_parked()?.wake(*turns_more, *cap)
            }
            Fact::RunFinished { result } => self.end(Ended::Finished(result.clone())),
            Fact::RunFailed { code, message } => self.end(Ended::Failed(*code, message.clone())),
            Fact::RunCancelled {} => self.end(Ended::Cancelled),
        }
    }

    fn start(
        &mut self,
        number: u32,
        input: &[Block],
        done: Done,
        cap: Option<Money>,
        turns_max: u32,
    ) -> Fit {
        let before = self.run.as_ref().map_or(0, |run| run.number);
        let over = self.run.as_ref().is_none_or(|run| matches!(run.phase, Phase::Over(_)));
        for block in input {
            self.talk.hear(block.clone());
        }
        let task = text_of(input);
        self.run = Some(Run::new(number, task, done, cap, turns_max));
        (over && number == before + 1).then_some(())
    }

    fn begin(&mut self, calling: Calling) -> Fit {
        let run = self.live()?;
        let fits = matches!(run.phase, Phase::Ready | Phase::Closing(_));
        run.phase = Phase::Calling(calling);
        self.talk.send();
        fits.then_some(())
    }

    /// Books a call's cost and ends its hold, which goes with the phase.
    fn settle(&mut self, cost: Money, inherited: bool) -> Fit {
        if !inherited {
            self.spent = self.spent.plus(cost);
        }
        let run = self.live()?;
        run.settled = run.settled.plus(cost);
        matches!(run.phase, Phase::Calling(_)).then_some(())
    }

    fn hear_reply(&mut self, reply: &Reply) -> Fit {
        self.talk.speak(reply);
        self.turns += 1;
        let agent = Arc::clone(&self.agent);
        let run = self.live()?;
        let Phase::Calling(calling) = run.phase else {
            return None;
        };
        let calls = calls_of(&agent, reply, calling.tools_off);
        run.hear_reply(reply, calls);
        Some(())
    }

    fn hear_return(&mut self, returned: &Returned) -> Fit {
        let run = self.live()?;
        let turn_over = run.return_call(returned)?;
        if let Some(results) = turn_over {
            for result in results {
                self.talk.hear(Block::ToolResult(result));
            }
        }
        self.payloads.extend(returned.rest.clone());
        Some(())
    }

    fn end(&mut self, ended: Ended) -> Fit {
        let run = self.live_or_parked()?;
        let fits = matches!(run.phase, Phase::Ready | Phase::Closing(_));
        run.parked = None;
        run.phase = Phase::Over(ended);
        fits.then_some(())
    }

    /// The run, if it is under way.
    fn live(&mut self) -> Option<&mut Run> {
        self.live_or_parked().filter(|run| run.parked.is_none())
    }

    fn live_or_parked(&mut self) -> Option<&mut Run> {
        self.run.as_mut().filter(|run| !matches!(run.phase, Phase::Over(_)))
    }

    fn is_inherited(&self, seq: u64) -> bool {
        let fork = self.opening.as_ref().and_then(|opening| opening.forked_from.as_ref());
        fork.is_some_and(|point| seq <= point.seq)
    }

    /// The money held at this moment.
    #[must_use]
    pub fn held(&self) -> Money {
        match self.run.as_ref().map(|run| &run.phase) {
            Some(Phase::Calling(calling)) => calling.hold,
            Some(Phase::Ready | Phase::Tooling(_) | Phase::Closing(_) | Phase::Over(_)) | None => {
                Money::ZERO
            }
        }
    }

    /// The conversation, valid to every provider at every moment: calls that have no
    /// result yet are answered with words that say so.
    #[must_use]
    pub fn history(&self) -> Vec<Arc<Message>> {
        let unanswered = match self.run.as_ref().map(|run| &run.phase) {
            Some(Phase::Tooling(calls)) => calls.iter().map(Call::result_so_far).collect(),
            Some(Phase::Ready | Phase::Calling(_) | Phase::Closing(_) | Phase::Over(_)) | None => {
                Vec::new()
            }
        };
        self.talk.rendered(unanswered)
    }

    /// What the model call under way sends.
    #[must_use]
    pub fn request(&self, calling: &Calling) -> Request {
        Request {
            model: self.agent.model.clone(),
            system: Arc::clone(&self.system),
            tools: Arc::clone(&self.tools),
            tool_choice: if calling.tools_off { ToolChoice::Off } else { ToolChoice::Auto },
            messages: self.history(),
            max_tokens: calling.max_tokens,
            temperature: self.agent.temperature,
            stop_sequences: Vec::new(),
            extra: Default::default(),
        }
    }
}

/// The calls for tools in an answer, each with its class, in the order they were asked
/// for. `super::owed` says in which order they run.
fn calls_of(agent: &Agent, reply: &Reply, tools_off: bool) -> Vec<Call> {
    let limit = agent.limits.calls_per_turn_max as usize;
    let calls = uses(&reply.content).enumerate().map(|(place, call)| Call {
        id: call.id.clone(),
        name: call.name.clone(),
        arguments: call.arguments.clone(),
        effect: agent.effect_of(&call.name, &call.arguments),
        barred: bar(agent, &call.name, &call.arguments, tools_off, place >= limit),
        status: CallStatus::Waiting,
    });
    calls.collect()
}

/// Why a call is answered without running, in words for the model.
fn bar(
    agent: &Agent,
    name: &str,
    arguments: &Arguments,
    tools_off: bool,
    too_many: bool,
) -> Option<String> {
    if tools_off {
        return Some("tools are off for this answer".to_owned());
    }
    if too_many {
        let limit = agent.limits.calls_per_turn_max;
        return Some(format!("only the first {limit} tool calls of an answer are run"));
    }
    if agent.tool(name).is_none() {
        let names: Vec<&str> = agent.tools.iter().map(|tool| tool.name.as_str()).collect();
        return Some(format!("there is no tool `{name}`; there are: {}", names.join(", ")));
    }
    match arguments {
        Arguments::Json(_) => None,
        Arguments::Malformed(_) => Some(
            "the arguments are not one JSON object; send the call again with valid JSON".to_owned(),
        ),
    }
}

impl Run {
    fn new(number: u32, task: String, done: Done, cap: Option<Money>, turns_max: u32) -> Self {
        Run {
            number,
            task,
            done,
            cap,
            turns_max,
            turns: 0,
            settled: Money::ZERO,
            phase: Phase::Ready,
            parked: None,
            cancel_asked: false,
            outages: 0,
            silences: 0,
            told: Vec::new(),
            granted: 0,
            last_text: String::new(),
        }
    }

    fn hear_reply(&mut self, reply: &Reply, calls: Vec<Call>) {
        self.turns += 1;
        self.outages = 0;
        self.granted = 0;
        self.told.clear();
        self.last_text = text_of(&reply.content);
        let silent = calls.is_empty() && reply.stop != Stop::PauseTurn;
        self.silences = if silent { self.silences + 1 } else { 0 };
        self.phase = if calls.is_empty() {
            Phase::Closing(Closing { stop: reply.stop.clone(), called: false, result: None })
        } else {
            Phase::Tooling(calls)
        };
    }

    fn begin_call(&mut self, epoch: Epoch, id: &str) -> Fit {
        let call = self.call_mut(id)?;
        let fits = match call.status {
            CallStatus::Waiting => true,
            CallStatus::Begun(before) => before < epoch,
            CallStatus::Returned(..) => false,
        };
        call.status = CallStatus::Begun(epoch);
        fits.then_some(())
    }

    /// Notes a call's end. When it was the turn's last, gives all results in call order.
    fn return_call(&mut self, returned: &Returned) -> Option<Option<Vec<ToolResult>>> {
        let call = self.call_mut(&returned.call)?;
        if matches!(call.status, CallStatus::Returned(..)) {
            return None;
        }
        let result = ToolResult {
            id: returned.call.clone(),
            content: returned.content.clone(),
            is_error: returned.outcome != Outcome::Ok,
            extra: Default::default(),
        };
        call.status = CallStatus::Returned(returned.outcome, result);
        let Phase::Tooling(calls) = &self.phase else {
            return None;
        };
        let all_back = calls.iter().all(|call| matches!(call.status, CallStatus::Returned(..)));
        if !all_back {
            return Some(None);
        }
        let results = calls.iter().map(Call::result_so_far).collect();
        let result = calls.iter().find_map(Call::done_signal);
        self.phase = Phase::Closing(Closing { stop: Stop::ToolUse, called: true, result });
        Some(Some(results))
    }

    fn call_mut(&mut self, id: &str) -> Option<&mut Call> {
        match &mut self.phase {
            Phase::Tooling(calls) => calls.iter_mut().find(|call| call.id == id),
            Phase::Ready | Phase::Calling(_) | Phase::Closing(_) | Phase::Over(_) => None,
        }
    }

    fn park(&mut self, why: &Parked, wake: Option<UnixMs>) -> Fit {
        match why {
            Parked::Outage(_) => self.outages += 1,
            Parked::TurnCap { .. }
            | Parked::CostCapExceeded { .. }
            | Parked::NeedsMending(_)
            | Parked::NoDoneSignal
            | Parked::Interrupted
            | Parked::Forked => {}
        }
        self.parked = Some((why.clone(), wake));
        (!matches!(self.phase, Phase::Calling(_))).then_some(())
    }

    fn wake(&mut self, turns_more: u32, cap: Option<Money>) -> Fit {
        self.turns_max = self.turns_max.saturating_add(turns_more);
        self.granted += turns_more;
        self.silences = 0;
        self.cap = cap.or(self.cap);
        self.parked.take().map(|_why| ())
    }
}

impl Call {
    /// The result as the model reads it, or words that there is none yet.
    fn result_so_far(&self) -> ToolResult {
        match &self.status {
            CallStatus::Returned(_, result) => result.clone(),
            CallStatus::Waiting | CallStatus::Begun(_) => ToolResult {
                id: self.id.clone(),
                content: "no result: the call was not finished".to_owned(),
                is_error: true,
                extra: Default::default(),
            },
        }
    }

    /// The result given with the done signal, if this call is one and succeeded.
    fn done_signal(&self) -> Option<RawJson> {
        let succeeded = matches!(self.status, CallStatus::Returned(Outcome::Ok, _));
        match &self.arguments {
            Arguments::Json(raw) if succeeded && self.name == END_TASK => {
                let result = raw.value().get("result").cloned().unwrap_or(Value::Null);
                Some(RawJson::of(&result))
            }
            Arguments::Json(_) | Arguments::Malformed(_) => None,
        }
    }
}
