//! A run: what it is now, what it owes the world, and what happens next.
//!
//! [`State`] is the fold of a session's facts. [`owed`] reads it and says what must be
//! done outside; because it is computed from the log, a crash is the same as a pause.
//! [`step`] decides a command into facts and carries on until something outside is
//! needed, so that one commit ends exactly where the world begins.

mod advance;
mod approval;
mod call;
mod child;
mod command;
mod compact;
mod decide;
mod fork;
mod hold;
mod looping;
mod owed;
mod presentable;
mod report;
mod size;
mod state;
mod talk;
mod task;
mod wish;

pub use approval::{Given, Pending, arguments_hash, pending};
pub use call::{Call, CallStatus, Leave};
pub use child::{Birth, Child, birth, child_session};
pub use command::{Command, Refusal, Wake};
pub use compact::Compaction;
pub use fork::fork;
pub use owed::{Owed, owed};
pub use report::{Report, Standing, standing};
pub use state::{Misfit, State};
pub use talk::Talk;
pub use task::{Calling, Closing, Ended, Phase, Run};

use std::fmt;

use crate::event::{Event, Fact, Parked, Returned, Sealed, Stored, seal, unseal};
use crate::ledger::{Allowance, Amount, Booking, CapReached, Move, MoveKind, Scope, Share};
use crate::message::Usage;
use crate::price::Quote;
use crate::units::{Epoch, Money, UnixMs};
use crate::verdict::{Judgement, Verdict};

/// What the shell knows and the log does not.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The present instant.
    pub now: UnixMs,
    /// The writer's lease. `None` for people and services beside the owner: their
    /// commands become facts, but nothing is begun in the world.
    pub epoch: Option<Epoch>,
    /// What the agent's model costs now; `None` where nobody knows.
    pub quote: Option<&'a Quote>,
    /// A random number, for jitter.
    pub chance: u64,
    /// Why nothing new may be begun, if so: the program stops. Where an act would begin,
    /// the run parks for this reason instead.
    pub barrier: Option<&'a Parked>,
    /// Whether nothing is begun for now: what is decided is committed, and the next act
    /// waits for room that others are about to give back.
    pub held_back: bool,
    /// The shared budgets that the session draws on now, in the order of their scopes.
    pub shares: &'a [Share],
    /// Scopes in which the ledger found no room for this very step: the next call asks
    /// for no more than they have left.
    pub full: &'a [CapReached],
    /// The tools that do not work now.
    pub out: &'a [OutOfOrder],
    /// Who says which calls may run.
    pub judge: Judge<'a>,
}

/// Says of a call whether it may run: policies and guards, as a function of the session
/// and the call.
#[derive(Clone, Copy)]
pub struct Judge<'a>(pub &'a (dyn Fn(&State, &Call) -> Judgement + Sync));

impl Judge<'static> {
    /// For steps that begin nothing: lets no call through.
    pub const NOBODY: Judge<'static> =
        Judge(&|_, _| Judgement::new(Verdict::Deny, "nobody", "nobody is here to decide"));
}

impl fmt::Debug for Judge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judge")
    }
}

impl Context<'_> {
    /// Whether a shared budget limits money: then no model may be called whose price
    /// nobody knows (L13).
    pub(crate) fn caps_money(&self) -> bool {
        self.shares.iter().any(|share| share.allowance.money.is_some())
    }
}

/// A tool that does not work now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfOrder {
    /// Its name.
    pub tool: String,
    /// Why, in words of our own that a model may read.
    pub why: String,
}

/// What a step brought: all of it is committed together or not at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stepped {
    /// The new facts.
    pub events: Vec<Sealed>,
    /// What they do to balances.
    pub moves: Vec<Move>,
    /// What they add to the spend table.
    pub bookings: Vec<Booking>,
    /// The calls that facts are about which name only their ids, with the facts' numbers.
    pub calls: Vec<(u64, Call)>,
}

impl Stepped {
    /// Adds what a later step of the same commit brought.
    pub fn append(&mut self, mut later: Stepped) {
        self.events.append(&mut later.events);
        self.moves.append(&mut later.moves);
        self.bookings.append(&mut later.bookings);
        self.calls.append(&mut later.calls);
    }
}

/// Facts that one step may bring; more means that the laws below run in a circle. It is
/// twice the calls that are kept of one answer, each of which a step may have to answer.
const FACTS_PER_STEP_MAX: usize = 512;

/// Decides a command and carries on until something outside is needed.
///
/// On a refusal the state is unchanged. After `Ok` the state holds the new facts; a
/// caller that cannot commit them must drop the state and fold again.
///
/// # Errors
/// The lawful no.
pub fn step(
    state: &mut State,
    command: Command,
    context: &Context<'_>,
) -> Result<Stepped, Refusal> {
    let mut stepped = Stepped::default();
    for fact in decide::decide(state, command, context)? {
        record(state, fact, context, &mut stepped);
    }
    if let Some(epoch) = context.epoch {
        while let Some(fact) = advance::advance(state, epoch, context) {
            record(state, fact, context, &mut stepped);
            assert!(
                stepped.events.len() <= FACTS_PER_STEP_MAX,
                "INVARIANT: each advance brings a run closer to the world or to its end"
            );
        }
    }
    Ok(stepped)
}

fn record(state: &mut State, fact: Fact, context: &Context<'_>, stepped: &mut Stepped) {
    stepped.moves.append(&mut moves_of(state, &fact, context.shares));
    stepped.bookings.extend(booking_of(state, &fact));
    stepped.calls.extend(call_of(state, &fact).map(|call| (state.seq + 1, call)));
    let event = Event { seq: state.seq + 1, at: context.now, fact };
    let sealed = seal(state.head, event);
    state.apply(&sealed).expect("INVARIANT: decided facts fit the state they were decided on");
    stepped.events.push(sealed);
}

/// Folds stored events into a state, checking the chain on the way.
///
/// `state` is fresh for a whole log, or the fold of an earlier part of it.
///
/// # Errors
/// The log was altered, or does not make sense to this program.
pub fn fold(state: &mut State, rows: impl IntoIterator<Item = Stored>) -> Result<(), Misfit> {
    for row in rows {
        let sealed = unseal(state.head, state.seq + 1, row)?;
        state.apply(&sealed)?;
    }
    Ok(())
}

/// What a fact does to balances, given the state before it. A call is held and settled
/// in its run's scope and in every shared one, in one commit.
fn moves_of(state: &State, fact: &Fact, shares: &[Share]) -> Vec<Move> {
    let own = |run| Scope::Task { session: state.session, run };
    match fact {
        Fact::RunStarted { run, cap, .. } => vec![grant(own(*run), *cap)],
        Fact::RunWoken { cap: cap @ Some(_), .. } => {
            state.run.iter().map(|run| grant(own(run.number), *cap)).collect()
        }
        Fact::ModelBegun { hold, tokens, .. } => {
            let amount = Amount { money: *hold, tokens: *tokens, requests: 1 };
            let run = state.run.iter().map(|run| (own(run.number), None));
            let shared = shares.iter().map(|share| (share.scope.clone(), Some(share.allowance)));
            let scopes = run.chain(shared);
            scopes
                .map(|(scope, cap)| Move { scope, kind: MoveKind::Hold { amount, cap } })
                .collect()
        }
        Fact::ModelReplied { reply, cost, .. } => {
            let told = reply.usage.filter(Usage::is_believable).map(|usage| usage.total());
            let tokens = told.unwrap_or_else(|| state.held().tokens);
            settle(state, Amount { money: *cost, tokens, requests: 1 })
        }
        Fact::ModelFailed { cost, tokens, .. } => {
            let requests = u64::from(*tokens > 0 || *cost > Money::ZERO);
            settle(state, Amount { money: *cost, tokens: *tokens, requests })
        }
        Fact::ModelLost { cost } => settle(state, Amount { money: *cost, ..state.held() }),
        Fact::ChildBegun { carve, .. } => {
            let amount = Amount::of(carve.cap.unwrap_or(Money::ZERO));
            own_move(state, MoveKind::Hold { amount, cap: None })
        }
        Fact::ToolReturned(Returned { call, child: Some(end), .. }) => {
            let held = Amount::of(child::held_for(state, call));
            own_move(state, MoveKind::Settle { held, spent: Amount::of(end.spent) })
        }
        Fact::RunWoken { cap: None, .. }
        | Fact::SessionOpened(_)
        | Fact::Notified(_)
        | Fact::Budgeted { .. }
        | Fact::ResultsCleared(_)
        | Fact::Summarised { .. }
        | Fact::TurnsDropped { .. }
        | Fact::ToolsJudged { .. }
        | Fact::ApprovalDecided { .. }
        | Fact::ToolBegun { .. }
        | Fact::ToolReturned(_)
        | Fact::CancelAsked { .. }
        | Fact::RunParked { .. }
        | Fact::RunFinished { .. }
        | Fact::RunFailed { .. }
        | Fact::RunCancelled {} => Vec::new(),
    }
}

fn grant(scope: Scope, cap: Option<Money>) -> Move {
    let kind = MoveKind::Grant { cap: Allowance::of(cap), inherited: Amount::ZERO };
    Move { scope, kind }
}

/// A move in the present run's own scope alone: what a child uses of shared scopes is held
/// there by the child.
fn own_move(state: &State, kind: MoveKind) -> Vec<Move> {
    let own = state.run.iter().map(|run| Scope::Task { session: state.session, run: run.number });
    own.map(|scope| Move { scope, kind: kind.clone() }).collect()
}

/// Ends the hold of the call under way wherever it was held.
fn settle(state: &State, spent: Amount) -> Vec<Move> {
    let own = state.run.iter().map(|run| Scope::Task { session: state.session, run: run.number });
    let scopes = own.chain(state.budgets.iter().cloned());
    let kind = MoveKind::Settle { held: state.held(), spent };
    scopes.map(|scope| Move { scope, kind: kind.clone() }).collect()
}

/// The call that a fact ends or answers about, as it stood before.
fn call_of(state: &State, fact: &Fact) -> Option<Call> {
    let (Fact::ToolReturned(Returned { call: id, .. }) | Fact::ApprovalDecided { call: id, .. }) =
        fact
    else {
        return None;
    };
    state.run.as_ref()?.calls().iter().find(|call| call.id == *id).cloned()
}

/// What a fact adds to the spend table.
fn booking_of(state: &State, fact: &Fact) -> Option<Booking> {
    let (usage, amount, estimated, fallback) = match fact {
        Fact::ModelReplied { reply, cost, estimated } => {
            (reply.usage.unwrap_or_default(), *cost, *estimated, reply.fallback.clone())
        }
        Fact::ModelFailed { cost, estimated, fallback, .. } if *cost > Money::ZERO => {
            (Default::default(), *cost, *estimated, fallback.clone())
        }
        Fact::ModelLost { cost } if *cost > Money::ZERO => (Default::default(), *cost, true, None),
        Fact::ModelFailed { .. }
        | Fact::ModelLost { .. }
        | Fact::RunStarted { .. }
        | Fact::RunWoken { .. }
        | Fact::ModelBegun { .. }
        | Fact::Budgeted { .. }
        | Fact::SessionOpened(_)
        | Fact::Notified(_)
        | Fact::ResultsCleared(_)
        | Fact::Summarised { .. }
        | Fact::TurnsDropped { .. }
        | Fact::ToolsJudged { .. }
        | Fact::ApprovalDecided { .. }
        | Fact::ToolBegun { .. }
        | Fact::ChildBegun { .. }
        | Fact::ToolReturned(_)
        | Fact::CancelAsked { .. }
        | Fact::RunParked { .. }
        | Fact::RunFinished { .. }
        | Fact::RunFailed { .. }
        | Fact::RunCancelled {} => return None,
    };
    let prices = state.run.as_ref().and_then(|run| run.prices.clone());
    Some(Booking { fallback, prices, usage, amount, estimated })
}
