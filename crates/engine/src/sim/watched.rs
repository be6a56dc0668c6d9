//! A session as somebody outside follows it: each fact is folded once, and judged as the
//! end of a prefix when it comes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kernel::agent::Frozen;
use kernel::event::{Answer, Fact, Purpose, Ruling, Sealed, unseal};
use kernel::message::Message;
use kernel::run::{Calling, State};
use kernel::units::{Epoch, Money, SessionId, Tenant};
use kernel::verdict::Verdict;

use super::family::Told;
use super::{Judge, laws};
use crate::Engine;

/// Facts that a session brings forth in one life; more means that it runs in a circle.
const FACTS_PER_LIFE_MAX: usize = 1_000;

pub(super) struct Watched {
    state: State,
    /// The history that was judged last.
    judged: Vec<Arc<Message>>,
    /// What the facts cost, inherited ones included.
    booked: Money,
    /// The owner that began the last act.
    epoch: Epoch,
    /// What the present run's calls and former children cost.
    of_run: Money,
    /// Its children, as told here.
    children: BTreeMap<SessionId, Told>,
    /// Keys of the calls that were begun here.
    begun: Vec<String>,
    /// Calls of the present turn that somebody let run.
    let_run: BTreeSet<String>,
}

impl Watched {
    pub(super) async fn begin(
        engine: &Engine,
        tenant: &Tenant,
        session: SessionId,
    ) -> Result<Self, String> {
        let state = engine.state(tenant, session).await.map_err(|error| error.to_string())?;
        let bytes = engine.store.payload(tenant, None, state.agent_hash).await;
        let bytes = bytes.map_err(|error| error.to_string())?.to_vec();
        let frozen = Frozen::thaw(bytes, state.agent_hash).map_err(|error| error.to_string())?;
        let state = State::new(session, &frozen);
        let (judged, begun) = (Vec::new(), Vec::new());
        let (booked, of_run, children) = (Money::ZERO, Money::ZERO, BTreeMap::new());
        let let_run = BTreeSet::new();
        Ok(Watched { state, judged, booked, epoch: Epoch(0), of_run, children, begun, let_run })
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    pub(super) fn begun(&self) -> &[String] {
        &self.begun
    }

    /// The children that were begun here.
    pub(super) fn children(&self) -> &BTreeMap<SessionId, Told> {
        &self.children
    }

    /// A run costs what its own calls and its children cost, to the nano-dollar.
    pub(super) fn spend_is_whole(&self) -> Result<(), String> {
        let settled = self.state.run.as_ref().map_or(Money::ZERO, |run| run.settled);
        let (session, parts) = (self.state.session, self.of_run);
        if settled == parts {
            return Ok(());
        }
        Err(format!("session {session}: its run cost {settled}, its calls and children {parts}"))
    }

    /// Folds and judges what is new. Says whether anything is.
    pub(super) async fn catch_up(
        &mut self,
        engine: &Engine,
        tenant: &Tenant,
        judge: Judge<'_>,
    ) -> Result<bool, String> {
        let session = self.state.session;
        let rows = engine.store.read(tenant, session, self.state.seq, u32::MAX).await;
        let rows = rows.map_err(|error| error.to_string())?;
        let is_new = !rows.is_empty();
        if rows.len() > FACTS_PER_LIFE_MAX {
            return Err(format!("session {session}: {} facts in one life", rows.len()));
        }
        for row in rows {
            let sealed = unseal(self.state.head, self.state.seq + 1, row)
                .map_err(|broken| broken.to_string())?;
            self.take(&sealed)?;
            self.judge(judge).map_err(|why| {
                format!("session {session}, after event {}: {why}", self.state.seq)
            })?;
        }
        if is_new {
            let listed = engine.store.look(tenant, session).await;
            let brief = listed.map_err(|error| error.to_string())?.brief;
            if brief.spent != self.state.spent || self.state.spent > self.booked {
                let (brief, spent, log) = (brief.spent, self.state.spent, self.booked);
                return Err(format!("spent: brief {brief}, state {spent}, log {log}"));
            }
        }
        Ok(is_new)
    }

    fn take(&mut self, sealed: &Sealed) -> Result<(), String> {
        self.state.apply(sealed).map_err(|misfit| misfit.to_string())?;
        self.booked = self.booked.plus(laws::cost(&sealed.event.fact));
        let own = sealed.event.seq > laws::inherited_to(self.state.opening.as_ref());
        self.count(&sealed.event.fact, own);
        if let Fact::ToolBegun { epoch, .. }
        | Fact::ChildBegun { epoch, .. }
        | Fact::ModelBegun { epoch, .. } = &sealed.event.fact
            && own
        {
            if *epoch < self.epoch {
                let (seq, old) = (self.state.seq, epoch.0);
                return Err(format!("event {seq} was written by a former owner, of epoch {old}"));
            }
            self.epoch = *epoch;
        }
        if let Fact::ToolBegun { call, .. } = &sealed.event.fact {
            let run = self.state.run.as_ref().map_or(0, |run| run.number);
            let (session, turns) = (self.state.session, self.state.turns);
            self.begun.push(crate::perform::key_of(session, run, turns, call));
        }
        self.check_leave(&sealed.event.fact)
    }

    /// No call is begun that nobody let run.
    fn check_leave(&mut self, fact: &Fact) -> Result<(), String> {
        if let Fact::ToolsJudged { rulings } = fact {
            let allowed = |ruling: &&Ruling| ruling.judgement.verdict == Verdict::Allow;
            self.let_run = rulings.iter().filter(allowed).map(|one| one.call.clone()).collect();
        }
        if let Fact::ApprovalDecided { call, answer: Answer::Approved, .. } = fact {
            self.let_run.insert(call.clone());
        }
        if let Fact::ToolBegun { call, .. } | Fact::ChildBegun { call, .. } = fact
            && !self.let_run.contains(call)
        {
            return Err(format!("event {}: nobody let `{call}` run", self.state.seq));
        }
        Ok(())
    }

    /// Keeps what the run's own calls and its children cost, and what is told of children.
    fn count(&mut self, fact: &Fact, own: bool) {
        let run = self.state.run.as_ref().map_or(0, |run| run.number);
        self.of_run = self.of_run.plus(laws::cost(fact));
        match fact {
            Fact::RunStarted { .. } => self.of_run = Money::ZERO,
            Fact::ChildBegun { child, carve, .. } if own => {
                self.children.insert(*child, Told { run, carve: *carve, end: None });
            }
            Fact::ToolReturned(returned) => {
                let Some(end) = returned.child else { return };
                self.of_run = self.of_run.plus(end.spent);
                if let Some(told) = self.children.get_mut(&end.session) {
                    told.end = Some(end);
                }
            }
            Fact::SessionOpened(_)
            | Fact::Notified(_)
            | Fact::Budgeted { .. }
            | Fact::ResultsCleared(_)
            | Fact::Summarised { .. }
            | Fact::TurnsDropped { .. }
            | Fact::ModelBegun { .. }
            | Fact::ModelReplied { .. }
            | Fact::ModelFailed { .. }
            | Fact::ModelLost { .. }
            | Fact::ToolsJudged { .. }
            | Fact::ApprovalDecided { .. }
            | Fact::ToolBegun { .. }
            | Fact::ChildBegun { .. }
            | Fact::CancelAsked { .. }
            | Fact::RunParked { .. }
            | Fact::RunWoken { .. }
            | Fact::RunFinished { .. }
            | Fact::RunFailed { .. }
            | Fact::RunCancelled {} => {}
        }
    }

    /// A prefix that renders as the one before needs no second judgement.
    fn judge(&mut self, judge: Judge<'_>) -> Result<(), String> {
        let history = self.state.history();
        if history == self.judged {
            return Ok(());
        }
        let calling = Calling {
            epoch: Epoch(0),
            turn: 1,
            max_tokens: 100,
            hold: Money::ZERO,
            tokens: 0,
            tools_off: false,
            purpose: Purpose::Answer,
        };
        judge(&self.state.request(&calling))?;
        judge(&self.state.request(&Calling { purpose: Purpose::Summary, ..calling }))?;
        self.judged = history;
        Ok(())
    }

    /// The whole log is what was seen of it, and folds to the same at once.
    pub(super) async fn is_all(
        &self,
        engine: &Engine,
        tenant: &Tenant,
        log: &[Sealed],
    ) -> Result<(), String> {
        let whole = engine.state(tenant, self.state.session).await;
        let whole = whole.map_err(|error| error.to_string())?;
        let ends = [
            (self.state.seq, Some(self.state.head)),
            (log.len() as u64, log.last().map(|sealed| sealed.hash)),
        ];
        if ends.iter().any(|end| *end != (whole.seq, Some(whole.head))) {
            return Err(format!("session {}: its log changed after it was read", whole.session));
        }
        if format!("{whole:?}") != format!("{:?}", self.state) {
            return Err(format!("session {}: it folds to two states", whole.session));
        }
        Ok(())
    }
}
