//! The laws, checked on what a play left behind.

use std::collections::{BTreeMap, BTreeSet};

use kernel::event::{Fact, Opening, Outcome, Purpose, Sealed};
use kernel::ledger::{Amount, Balance, Measure, Scope};
use kernel::message::{Arguments, Block, ToolUse};
use kernel::run::State;
use kernel::units::{Money, SessionId, Tenant};

use super::things::Things;
use super::watched::Watched;
use crate::Engine;
use crate::perform;

/// More alerts than any play raises.
const ALERTS_MAX: u32 = 1_000;

/// Settled + held never passes the cap, and the ledger agrees with the log.
pub(super) async fn money(engine: &Engine, tenant: &Tenant, state: &State) -> Result<(), String> {
    let Some(run) = &state.run else { return Ok(()) };
    let scope = Scope::Task { session: state.session, run: run.number };
    let balance = engine.store.balance(tenant, &scope).await.map_err(|error| error.to_string())?;
    let Some(balance) = balance else {
        return if state.opening.as_ref().is_some_and(|opening| opening.forked_from.is_some()) {
            Ok(())
        } else {
            Err(format!("{scope} has no balance"))
        };
    };
    within_cap(&scope, &balance)?;
    let held = state.held().plus(Amount::of(run.carved()));
    if (balance.settled.money, balance.held) != (run.settled, held) {
        let settled = run.settled;
        return Err(format!("{scope}: ledger {balance:?}, log {settled} and {held:?}"));
    }
    Ok(())
}

/// Settled + held is at most the cap, in every measure.
pub(super) fn within_cap(scope: &Scope, balance: &Balance) -> Result<(), String> {
    let used = balance.settled.plus(balance.held);
    let passed =
        |measure: &Measure| balance.cap.get(*measure).is_some_and(|cap| used.get(*measure) > cap);
    match Measure::ALL.iter().find(|measure| passed(measure)) {
        Some(measure) => Err(format!("{scope} passed its cap in {measure}: {balance:?}")),
        None => Ok(()),
    }
}

/// The spend table and all sessions together, forks without what they inherited, tell
/// the same sum.
pub(super) async fn spend(
    engine: &Engine,
    tenant: &Tenant,
    sessions: &BTreeMap<SessionId, Watched>,
) -> Result<(), String> {
    let rows = engine.store.spend(tenant, 0, u64::MAX).await.map_err(|error| error.to_string())?;
    let table = rows.iter().fold(Money::ZERO, |sum, row| sum.plus(row.amount));
    let spent = sessions.values().map(|watched| watched.state().spent);
    let logs = spent.fold(Money::ZERO, Money::plus);
    if table == logs { Ok(()) } else { Err(format!("spent: table {table}, logs {logs}")) }
}

/// There is an alert for each trip in the logs, and no other.
pub(super) async fn alerts(engine: &Engine, trips: BTreeSet<String>) -> Result<(), String> {
    let listed = engine.store.outbox().alerts(None, ALERTS_MAX).await;
    let listed = listed.map_err(|error| error.to_string())?;
    let told: BTreeSet<String> = listed.into_iter().map(|one| one.alert.key).collect();
    match told.symmetric_difference(&trips).next() {
        Some(key) if told.contains(key) => Err(format!("the alert `{key}` has no fact")),
        Some(key) => Err(format!("the trip `{key}` has no alert")),
        None => Ok(()),
    }
}

/// Nothing happened in the world that no log had begun.
pub(super) fn begun(
    sessions: &BTreeMap<SessionId, Watched>,
    things: &Things,
) -> Result<(), String> {
    let begun: BTreeSet<&String> =
        sessions.values().flat_map(|watched| watched.begun().iter()).collect();
    let stray = things.keys().into_iter().find(|key| !begun.contains(key));
    stray.map_or(Ok(()), |key| Err(format!("the effect `{key}` happened, but no log began it")))
}

/// The whole of every cut result is kept.
pub(super) async fn payloads(
    engine: &Engine,
    tenant: &Tenant,
    session: SessionId,
    log: &[Sealed],
) -> Result<(), String> {
    for sealed in log {
        if let Fact::ToolReturned(returned) = &sealed.event.fact
            && let Some(rest) = &returned.rest
        {
            let kept = engine.store.payload(tenant, Some(session), rest.hash).await;
            let kept = kept.map_err(|error| format!("a cut result: {error}"))?;
            if kept.len() as u64 != rest.bytes {
                return Err(format!("a cut result has {} bytes, not {}", kept.len(), rest.bytes));
            }
        }
    }
    Ok(())
}

pub(super) fn cost(fact: &Fact) -> Money {
    match fact {
        Fact::ModelReplied { cost, .. }
        | Fact::ModelFailed { cost, .. }
        | Fact::ModelLost { cost } => *cost,
        Fact::SessionOpened(_)
        | Fact::RunStarted { .. }
        | Fact::Notified(_)
        | Fact::Budgeted { .. }
        | Fact::ModelBegun { .. }
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
        | Fact::RunWoken { .. }
        | Fact::RunFinished { .. }
        | Fact::RunFailed { .. }
        | Fact::RunCancelled {} => Money::ZERO,
    }
}

/// No effect happened twice; each that is told as done happened once; none happened
/// that was not asked for. What a fork inherited happened under its parent's name.
pub(super) fn effects(state: &State, log: &[Sealed], things: &Things) -> Result<(), String> {
    let session = state.session;
    let mut asked: Vec<ToolUse> = Vec::new();
    let (mut run, mut turns) = (0, 0);
    let mut calling = Purpose::Answer;
    let inherited = inherited_to(state.opening.as_ref());
    for sealed in log {
        let fact = &sealed.event.fact;
        if let Fact::RunStarted { run: number, .. } = fact {
            run = *number;
        }
        if let Fact::ModelBegun { purpose, .. } = fact {
            calling = *purpose;
        }
        if let Fact::ModelReplied { reply, .. } = fact
            && calling == Purpose::Answer
        {
            turns += 1;
            asked = reply.content.iter().filter_map(tool_use).cloned().collect();
        }
        if let Fact::ToolReturned(returned) = fact
            && sealed.event.seq > inherited
        {
            let Some(call) = asked.iter().find(|call| call.id == returned.call) else {
                return Err(format!("`{}` returned but was not asked for", returned.call));
            };
            let times = things.times(&perform::key_of(session, run, turns, &call.id));
            once(call, returned.outcome, times)
                .map_err(|what| format!("session {session}, call {}: {what}", call.id))?;
        }
    }
    Ok(())
}

/// The last event that a fork shares with its parent; 0 in any other session.
pub(super) fn inherited_to(opening: Option<&Opening>) -> u64 {
    opening.and_then(|opening| opening.forked_from.as_ref()).map_or(0, |fork| fork.seq)
}

fn tool_use(block: &Block) -> Option<&ToolUse> {
    if let Block::ToolUse(call) = block { Some(call) } else { None }
}

fn once(call: &ToolUse, outcome: Outcome, times: u32) -> Result<(), String> {
    let acts =
        matches!(call.name.as_str(), "pay" | "put") && matches!(call.arguments, Arguments::Json(_));
    match (outcome, times) {
        (_, 2..) => Err(format!("`{}` happened {times} times", call.name)),
        (Outcome::Cancelled, 1) => Err("told as cancelled, but it happened".to_owned()),
        (Outcome::Ok, 0) if acts => Err("told as done, but it never happened".to_owned()),
        (_, 1) if !acts => Err("happened without being asked for".to_owned()),
        (Outcome::Ok | Outcome::Error | Outcome::OutcomeUnknown | Outcome::Cancelled, _) => Ok(()),
    }
}
