//! The laws, checked on what a play left behind.

use kernel::event::{Fact, Outcome, Sealed};
use kernel::ledger::Scope;
use kernel::message::{Arguments, Block, ToolUse};
use kernel::run::{Calling, State};
use kernel::units::{Epoch, Money, SessionId, Tenant, UnixMs};

use super::Judge;
use super::things::Things;
use crate::Engine;
use crate::perform;

/// Settled + held never passes the cap, and the ledger agrees with the log.
pub(super) async fn money(
    engine: &Engine,
    tenant: &Tenant,
    session: SessionId,
) -> Result<(), String> {
    let state = engine.state(tenant, session).await.map_err(|error| error.to_string())?;
    let Some(run) = &state.run else { return Ok(()) };
    let scope = Scope::Task { session, run: run.number };
    let balance = engine.store.balance(tenant, &scope).await.map_err(|error| error.to_string())?;
    let Some(balance) = balance else {
        return if state.opening.as_ref().is_some_and(|opening| opening.forked_from.is_some()) {
            Ok(())
        } else {
            Err(format!("{scope} has no balance"))
        };
    };
    let used = balance.settled.plus(balance.held);
    if balance.cap.is_some_and(|cap| used > cap) {
        return Err(format!("{scope} passed its cap: {balance:?}"));
    }
    if (balance.settled, balance.held) != (run.settled, state.held()) {
        let (settled, held) = (run.settled, state.held());
        return Err(format!("{scope}: ledger {balance:?}, log {settled} and {held}"));
    }
    Ok(())
}

/// Every prefix folds, and renders to a history that providers accept.
pub(super) async fn log(
    engine: &Engine,
    tenant: &Tenant,
    session: SessionId,
    log: &[Sealed],
    judge: Judge<'_>,
) -> Result<(), String> {
    let whole = engine.state(tenant, session).await.map_err(|error| error.to_string())?;
    let bytes =
        engine.store.payload(tenant, whole.agent_hash).await.map_err(|error| error.to_string())?;
    let frozen = kernel::agent::Frozen::thaw(bytes.to_vec(), whole.agent_hash)
        .map_err(|error| error.to_string())?;
    let mut state = State::new(session, &frozen);
    let mut booked = Money::ZERO;
    for sealed in log {
        state.apply(sealed).map_err(|misfit| misfit.to_string())?;
        booked = booked.plus(cost(&sealed.event.fact));
        if state.history().is_empty() {
            continue;
        }
        let calling = Calling {
            epoch: Epoch(0),
            turn: 1,
            max_tokens: 100,
            hold: Money::ZERO,
            tools_off: false,
        };
        judge(&state.request(&calling))
            .map_err(|why| format!("session {session}, after event {}: {why}", state.seq))?;
    }
    conserved(engine, tenant, &state, booked).await
}

/// What the spend table says was spent is what the logs say: checked per session through
/// its own sum, inherited spend excluded.
async fn conserved(
    engine: &Engine,
    tenant: &Tenant,
    state: &State,
    booked: Money,
) -> Result<(), String> {
    let listed = engine.store.look(tenant, state.session).await;
    let brief = listed.map_err(|error| error.to_string())?.brief;
    if brief.spent != state.spent || state.spent > booked {
        let (brief, spent) = (brief.spent, state.spent);
        return Err(format!("spent: brief {brief}, state {spent}, log {booked}"));
    }
    let far = UnixMs(u64::MAX).0;
    let rows = engine.store.spend(tenant, 0, far).await.map_err(|error| error.to_string())?;
    let total = rows.iter().fold(Money::ZERO, |sum, row| sum.plus(row.amount));
    if total < state.spent {
        return Err(format!(
            "the spend table has {total}, one session alone spent {}",
            state.spent
        ));
    }
    Ok(())
}

fn cost(fact: &Fact) -> Money {
    match fact {
        Fact::ModelReplied { cost, .. }
        | Fact::ModelFailed { cost, .. }
        | Fact::ModelLost { cost } => *cost,
        Fact::SessionOpened(_)
        | Fact::RunStarted { .. }
        | Fact::Notified(_)
        | Fact::ModelBegun { .. }
        | Fact::ToolBegun { .. }
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
pub(super) fn effects(session: SessionId, log: &[Sealed], things: &Things) -> Result<(), String> {
    let mut asked: Vec<ToolUse> = Vec::new();
    let (mut run, mut turns) = (0, 0);
    let inherited = log.first().map_or(0, inherited_to);
    for sealed in log {
        let fact = &sealed.event.fact;
        if let Fact::RunStarted { run: number, .. } = fact {
            run = *number;
        }
        if let Fact::ModelReplied { reply, .. } = fact {
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

fn inherited_to(first: &Sealed) -> u64 {
    let Fact::SessionOpened(opening) = &first.event.fact else { return 0 };
    opening.forked_from.as_ref().map_or(0, |fork| fork.seq)
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
