//! Handing a part of a task to a child: what is carved out, who the child is, and how its
//! end looks to its parent.
//!
//! All of it is a function of the parent's log and the call, so that every owner after a
//! crash comes to the same child. Children shrink: nothing here gives more than there is.

use super::call::{Call, CallStatus};
use super::command::Command;
use super::owed::NextCall;
use super::presentable::askable;
use super::state::State;
use super::task::{Phase, Run};
use super::wish::{self, Wish};
use crate::agent::{Agent, DELEGATE, END_TASK, Frozen, Limits, MORE, ToolSpec};
use crate::event::{Carve, ChildEnd, Done, Opening, Parent, SessionScope};
use crate::message::Block;
use crate::units::{ContentHash, Money, SessionId};

/// A child that was begun and is not known to be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Child {
    /// Its session.
    pub session: SessionId,
    /// What was carved out for it.
    pub carve: Carve,
}

/// All that the session of a child is opened with.
#[derive(Clone, Debug)]
pub struct Birth {
    /// Its agent.
    pub agent: Frozen,
    /// Its first fact.
    pub opening: Opening,
    /// Its task.
    pub start: Command,
}

/// The session of the child that a call begins: of version 8, from a hash of where the
/// call stands. Its first 48 bits are one less than its parent's, which are a time: so a
/// list of the newest sessions first shows it behind its parent.
#[must_use]
pub fn child_session(parent: SessionId, run: u32, turn: u32, call: &str) -> SessionId {
    let name = format!("child/{parent}/{run}/{turn}/{call}");
    let hash = ContentHash::of(name.as_bytes()).0;
    let time = (parent.0.as_u128() >> 80).saturating_sub(1) << 80;
    let mut bytes = time.to_be_bytes();
    bytes[6..].copy_from_slice(&hash[..10]);
    SessionId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// What comes next where delegations stand first in the queue: as many children as may
/// live at once are begun, all of them in the log before any of them works.
pub(super) fn next_child<'a>(agent: &Agent, queue: &[&'a Call]) -> NextCall<'a> {
    let delegations = || queue.iter().take_while(|call| call.name == DELEGATE);
    let living: Vec<&Call> = delegations().filter(|call| call.child().is_some()).copied().collect();
    let waiting = delegations().find(|call| call.status == CallStatus::Waiting);
    let weights = living.iter().filter_map(|call| call.child()).map(weight);
    let used = weights.fold(0, u32::saturating_add);
    let room = at_once_max(&agent.limits).saturating_sub(used);
    match waiting {
        Some(call) if living.is_empty() || at_once_of(agent, call) < room => NextCall::Begin(call),
        Some(_) | None => NextCall::Children(living),
    }
}

/// Places that a living child takes: its own, and those of its children.
fn weight(child: &Child) -> u32 {
    child.carve.at_once.saturating_add(1)
}

fn at_once_max(limits: &Limits) -> u32 {
    limits.children_at_once_max.max(1)
}

/// Children of a child that may live at once: as many as it may begin, if the tree has
/// places for them beside itself.
fn at_once_of(agent: &Agent, call: &Call) -> u32 {
    let asked = Wish::read(&call.arguments).map_or(0, |wish| wish.children());
    asked.min(at_once_max(&agent.limits) - 1)
}

/// What is carved out for a call, or in words for the model why nothing can be.
pub(super) fn carve(state: &State, run: &Run, call: &Call, priced: bool) -> Result<Carve, String> {
    let agent = &*state.agent;
    let wish = Wish::read(&call.arguments)?;
    wish.check_tools(agent)?;
    let sharing = 1 + run.waiting_delegations();
    Ok(Carve {
        cap: wish::cap(&wish, run.free(), sharing, priced)?,
        turns: wish::turns(&wish, run.turns_left(), sharing)?,
        children: wish::children(&wish, &agent.limits, run.children_left(agent))?,
        at_once: at_once_of(agent, call),
        trust: wish::trust(&wish, state.trust())?,
        tainted: state.tainted,
    })
}

/// The child of a call that was begun; `None` for any other call.
#[must_use]
pub fn birth(state: &State, call: &Call) -> Option<Birth> {
    let (child, run) = (call.child()?, state.run.as_ref()?);
    let above = state.opening.as_ref()?;
    let wish = Wish::read(&call.arguments).ok()?;
    let agent = child_agent(&state.agent, &wish, &child.carve).freeze();
    let parent = Parent {
        session: state.session,
        run: run.number,
        call: call.id.clone(),
        depth: above.parent.as_ref().map_or(0, |parent| parent.depth) + 1,
        root: above.parent.as_ref().map_or(state.session, |parent| parent.root),
    };
    let opening = Opening {
        agent: agent.hash,
        forked_from: None,
        parent: Some(parent),
        scope: child_scope(above.scope.as_ref(), &child.carve),
        ..above.clone()
    };
    let done = if agent.agent.can_end_task() { Done::EndTask } else { Done::Answer };
    let input = askable(vec![Block::text(wish.task)]);
    let start = Command::Start { input, done, cap: None, turns_max: None };
    Some(Birth { agent, opening, start })
}

/// The parent's scope with less: never more trust, and what came into the parent is told.
fn child_scope(above: Option<&SessionScope>, carve: &Carve) -> Option<SessionScope> {
    if above.is_none() && carve.trust.is_none() && !carve.tainted {
        return None;
    }
    let above = above.cloned().unwrap_or_default();
    let trust = carve.trust.unwrap_or(above.trust).min(above.trust);
    Some(SessionScope { trust, tainted: carve.tainted, ..above })
}

/// The parent's agent with less: fewer tools, and the carve in place of its limits.
fn child_agent(parent: &Agent, wish: &Wish, carve: &Carve) -> Agent {
    let given = |tool: &&ToolSpec| match tool.name.as_str() {
        MORE | END_TASK => true,
        DELEGATE => carve.children > 0,
        name => wish.gives(name),
    };
    let free_of_shape = |tool: &ToolSpec| match parent.output_schema {
        Some(_) if tool.name == END_TASK => plain_end(tool),
        Some(_) | None => tool.clone(),
    };
    Agent {
        tools: parent.tools.iter().filter(given).map(free_of_shape).collect(),
        limits: Limits {
            turns_max: carve.turns,
            children_max: carve.children,
            children_at_once_max: carve.at_once,
            child_depth_max: parent.limits.child_depth_max.saturating_sub(1),
            ..parent.limits
        },
        task_cap: carve.cap,
        output_schema: None,
        ..parent.clone()
    }
}

/// The done signal with a text for its result: the shape that an agent's result must have
/// is that of the whole task.
fn plain_end(tool: &ToolSpec) -> ToolSpec {
    let result = serde_json::json!({
        "type": "string",
        "description": "The final answer, complete in itself.",
    });
    let input_schema = serde_json::json!({
        "type": "object",
        "properties": { "result": result },
        "required": ["result"],
        "additionalProperties": false,
    });
    ToolSpec { input_schema, ..tool.clone() }
}

/// What is held in its parent's run for the living child of a call.
pub(super) fn held_for(state: &State, call: &str) -> Money {
    let calls = state.run.as_ref().map_or(&[][..], Run::calls);
    let child = calls.iter().find(|one| one.id == call).and_then(Call::child);
    child.and_then(|child| child.carve.cap).unwrap_or(Money::ZERO)
}

impl Call {
    /// The child that answers it, while that lives.
    #[must_use]
    pub fn child(&self) -> Option<&Child> {
        match &self.status {
            CallStatus::Delegated(child) => Some(child),
            CallStatus::Waiting | CallStatus::Begun(_) | CallStatus::Returned(..) => None,
        }
    }
}

impl Child {
    /// The end of a child of which nothing can be known any more: all that it was given
    /// counts as used.
    #[must_use]
    pub fn lost(&self) -> ChildEnd {
        let Carve { cap, turns, children, .. } = self.carve;
        let spent = cap.unwrap_or(Money::ZERO);
        // Nobody knows what it read.
        ChildEnd { session: self.session, spent, turns, children, tainted: true }
    }
}

impl Run {
    /// The calls of the present turn, if it has any open.
    #[must_use]
    pub fn calls(&self) -> &[Call] {
        match &self.phase {
            Phase::Tooling(calls) => calls,
            Phase::Ready | Phase::Calling(_) | Phase::Closing(_) | Phase::Over(_) => &[],
        }
    }

    /// Its living children.
    pub fn living(&self) -> impl Iterator<Item = &Child> {
        self.calls().iter().filter_map(Call::child)
    }

    /// Money held for its living children.
    #[must_use]
    pub fn carved(&self) -> Money {
        self.living().filter_map(|child| child.carve.cap).fold(Money::ZERO, Money::plus)
    }

    /// Money that may still be held for it or carved out of it; `None`: there is no cap.
    #[must_use]
    pub fn free(&self) -> Option<Money> {
        self.cap.map(|cap| cap.less(self.settled).less(self.carved()))
    }

    /// Model responses that it may still take itself: without those that its children
    /// took or may take.
    #[must_use]
    pub fn turns_left(&self) -> u32 {
        let lent = self.living().map(|child| child.carve.turns);
        let used = lent.fold(self.turns.saturating_add(self.turns_lent), u32::saturating_add);
        self.turns_max.saturating_sub(used)
    }

    /// Children that it may still begin, their own children included.
    #[must_use]
    pub fn children_left(&self, agent: &Agent) -> u32 {
        let lent = self.living().map(|child| child.carve.children.saturating_add(1));
        let used = lent.fold(self.children, u32::saturating_add);
        agent.limits.children_max.saturating_sub(used)
    }

    /// Delegations of the present turn that were not begun yet.
    fn waiting_delegations(&self) -> u32 {
        let waits = |call: &&Call| {
            call.name == DELEGATE && call.barred.is_none() && call.status == CallStatus::Waiting
        };
        u32::try_from(self.calls().iter().filter(waits).count()).unwrap_or(u32::MAX)
    }
}
