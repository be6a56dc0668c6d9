//! The fold: facts in, state out.
//!
//! Each fact is applied strictly. One that does not fit the state before it means that
//! the log is not ours, and is refused as a [`Misfit`]; it is never skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::call::{Call, calls_of};
use super::child::Child;
use super::talk::Talk;
use super::task::{Calling, Ended, Phase, Run};
use crate::agent::{Agent, Frozen};
use crate::event::{
    Answer, Broken, Done, Fact, Notice, Opening, Outcome, PayloadRef, Purpose, Returned,
    SUMMARY_REQUEST, Sealed, chain_root,
};
use crate::ledger::{Amount, Scope, Share};
use crate::message::{Block, Message, Reply, Request, ToolChoice, ToolDecl, text_of};
use crate::units::{ContentHash, Money, SessionId};
use crate::verdict::Trust;

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
    /// The shared scopes that its calls are held in.
    pub budgets: Arc<[Scope]>,
    /// Tools that the model was told are withdrawn.
    pub withdrawn: BTreeSet<String>,
    /// Whether untrusted content came into it. It never becomes false again.
    pub tainted: bool,
    /// What was asked about calls and is answered, with who answered.
    pub answered: BTreeMap<String, (Answer, String)>,
    system: Arc<str>,
    tools: Arc<[ToolDecl]>,
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
pub(super) type Fit = Option<()>;

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
            budgets: Arc::default(),
            withdrawn: BTreeSet::new(),
            tainted: false,
            answered: BTreeMap::new(),
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
            self.tainted = opening.scope.as_ref().is_some_and(|scope| scope.tainted);
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
                self.hear_notice(notice);
                let run = self.live()?;
                run.told.push(notice.clone());
                matches!(run.phase, Phase::Ready | Phase::Closing(_)).then_some(())
            }
            Fact::Budgeted { to } => {
                self.budgets = to.as_slice().into();
                let run = self.live()?;
                matches!(run.phase, Phase::Ready | Phase::Closing(_)).then_some(())
            }
            Fact::ModelBegun {
                epoch,
                turn,
                max_tokens,
                hold,
                tokens,
                prices,
                tools_off,
                purpose,
                ..
            } => {
                self.live()?.prices.clone_from(prices);
                let calling = Calling {
                    epoch: *epoch,
                    turn: *turn,
                    max_tokens: *max_tokens,
                    hold: *hold,
                    tokens: *tokens,
                    tools_off: *tools_off,
                    purpose: *purpose,
                };
                self.begin(calling)
            }
            Fact::ModelReplied { reply, cost, .. } => {
                self.settle(*cost, inherited)?;
                self.hear_reply(reply)
            }
            Fact::ModelFailed { fault, cost, .. } => {
                self.settle(*cost, inherited)?;
                let tokens = self.talk.size().tokens_likely();
                let run = self.live()?;
                run.note_fault(fault, tokens);
                run.end_model();
                run.losses = 0;
                Some(())
            }
            Fact::ModelLost { cost } => {
                self.settle(*cost, inherited)?;
                let run = self.live()?;
                run.end_model();
                run.losses += 1;
                Some(())
            }
            Fact::ResultsCleared(cleared) => self.clear_results(cleared),
            Fact::Summarised { turns_kept } => {
                self.live()?.looping.forget();
                self.summarise(*turns_kept)
            }
            Fact::TurnsDropped { turns_kept } => {
                self.live()?.looping.forget();
                self.drop_turns(*turns_kept)
            }
            Fact::ToolsJudged { rulings } => self.live()?.hear_rulings(rulings),
            Fact::ApprovalDecided { call, answer, by, words } => {
                self.answered.insert(call.clone(), (*answer, by.clone()));
                self.live_or_parked()?.hear_answer(call, *answer, by, words)
            }
            Fact::ToolBegun { epoch, call } => self.live()?.begin_call(*epoch, call),
            Fact::ChildBegun { call, child, carve, .. } => {
                self.live()?.begin_child(call, Child { session: *child, carve: *carve })
            }
            Fact::ToolReturned(returned) => self.hear_return(returned),
            Fact::CancelAsked { by } => {
                let run = self.live_or_parked()?;
                run.cancel_asked = true;
                run.cancelled_by.get_or_insert_with(|| by.clone());
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

    fn hear_notice(&mut self, notice: &Notice) {
        match notice {
            Notice::ToolWithdrawn { tool, .. } => {
                self.withdrawn.insert(tool.clone());
            }
            Notice::ToolBack { tool } => {
                self.withdrawn.remove(tool);
            }
            Notice::TurnsLeft(_)
            | Notice::LastTurn
            | Notice::DoneSignalMissing
            | Notice::AnswerCut
            | Notice::TurnsGranted(_)
            | Notice::GoOn => {}
            Notice::Looping { .. } => {
                if let Some(run) = self.live() {
                    run.looping.tell();
                }
            }
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
        self.talk.hear_task(input);
        let task = text_of(input);
        let loops = self.agent.limits.loops;
        self.run = Some(Run::new(number, task, done, cap, turns_max, loops));
        (over && number == before + 1).then_some(())
    }

    fn begin(&mut self, calling: Calling) -> Fit {
        self.live()?.begin_model(calling)?;
        match calling.purpose {
            Purpose::Answer => self.talk.send(),
            // What was said since stays open: the next answer is to it.
            Purpose::Summary => {}
        }
        Some(())
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
        let Phase::Calling(calling) = self.live()?.phase else {
            return None;
        };
        match calling.purpose {
            Purpose::Answer => {}
            Purpose::Summary => return self.hear_summary(reply),
        }
        self.talk.speak(reply);
        self.turns += 1;
        let tokens = self.talk.size().tokens_likely();
        let calls = calls_of(&self.agent, reply, calling.tools_off, &self.withdrawn);
        let run = self.live()?;
        run.compaction = run.compaction.answered(&reply.stop, tokens);
        run.hear_reply(reply, calls);
        Some(())
    }

    fn hear_return(&mut self, returned: &Returned) -> Fit {
        self.note_result(returned)?;
        self.tainted = self.tainted || self.taints(returned);
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

    /// Whether a result brings words into the session that nobody vouches for.
    fn taints(&self, returned: &Returned) -> bool {
        let calls = self.run.as_ref().map_or(&[][..], Run::calls);
        let name = calls.iter().find(|call| call.id == returned.call).map(|call| &call.name);
        let spec = name.and_then(|name| self.agent.tool(name));
        let ran = returned.outcome != Outcome::Cancelled;
        returned.signs.is_some()
            || returned.child.is_some_and(|end| end.tainted)
            || (ran && spec.is_some_and(|spec| spec.untrusted))
    }

    /// How far its tools may reach.
    #[must_use]
    pub fn trust(&self) -> Trust {
        let scope = self.opening.as_ref().and_then(|opening| opening.scope.as_ref());
        scope.map_or(Trust::default(), |scope| scope.trust)
    }

    fn end(&mut self, ended: Ended) -> Fit {
        let run = self.live_or_parked()?;
        let fits = matches!(run.phase, Phase::Ready | Phase::Closing(_));
        run.parked = None;
        run.phase = Phase::Over(ended);
        fits.then_some(())
    }

    /// The run, if it is under way.
    pub(super) fn live(&mut self) -> Option<&mut Run> {
        self.live_or_parked().filter(|run| run.parked.is_none())
    }

    fn live_or_parked(&mut self) -> Option<&mut Run> {
        self.run.as_mut().filter(|run| !matches!(run.phase, Phase::Over(_)))
    }

    fn is_inherited(&self, seq: u64) -> bool {
        let fork = self.opening.as_ref().and_then(|opening| opening.forked_from.as_ref());
        fork.is_some_and(|point| seq <= point.seq)
    }

    /// What is held at this moment, in the run's own scope and in each shared one.
    #[must_use]
    pub fn held(&self) -> Amount {
        self.calling().map_or(Amount::ZERO, Calling::held)
    }

    /// The model call under way.
    #[must_use]
    pub fn calling(&self) -> Option<&Calling> {
        match self.run.as_ref().map(|run| &run.phase) {
            Some(Phase::Calling(calling)) => Some(calling),
            Some(Phase::Ready | Phase::Tooling(_) | Phase::Closing(_) | Phase::Over(_)) | None => {
                None
            }
        }
    }

    /// Whether the log says that calls are held in just these scopes.
    pub(super) fn is_budgeted_to(&self, shares: &[Share]) -> bool {
        self.budgets.iter().eq(shares.iter().map(|share| &share.scope))
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
        let mut messages = self.history();
        match calling.purpose {
            Purpose::Answer => {}
            Purpose::Summary => messages.push(Arc::new(Message::user(SUMMARY_REQUEST))),
        }
        Request {
            model: self.agent.model.clone(),
            system: Arc::clone(&self.system),
            tools: Arc::clone(&self.tools),
            tool_choice: if calling.tools_off { ToolChoice::Off } else { ToolChoice::Auto },
            messages,
            max_tokens: calling.max_tokens,
            temperature: self.agent.temperature,
            stop_sequences: Vec::new(),
            extra: Default::default(),
        }
    }
}
