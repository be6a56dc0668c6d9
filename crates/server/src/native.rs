//! The service's own API, one file for each thing that it speaks of. Handlers read the
//! request, ask the door, and show what came of it.

pub(crate) mod agents;
pub(crate) mod approvals;
pub(crate) mod caps;
pub(crate) mod events;
pub(crate) mod keys;
pub(crate) mod runs;
pub(crate) mod sessions;
pub(crate) mod users;

use axum::http::StatusCode;
use engine::Engine;
use engine::ports::{Action, Listed};
use kernel::agent::Agent;
use kernel::run::State;
use kernel::units::{Money, SessionId};

use crate::Service;
use crate::caller::Caller;
use crate::problem::Problem;

/// Rows of a page where nobody says how many, and at most.
pub(crate) const ROWS: u32 = 50;
pub(crate) const ROWS_MAX: u32 = 500;

/// How many rows a page has.
pub(crate) fn rows(limit: Option<u32>) -> u32 {
    limit.unwrap_or(ROWS).clamp(1, ROWS_MAX)
}

/// A session that the caller sees. Another's is missing like one that is not there.
pub(crate) async fn seen(
    service: &Service,
    caller: &Caller,
    session: SessionId,
) -> Result<Listed, Problem> {
    let what = format!("session `{session}`");
    let listed = service.engine.store.look(caller.tenant(), session).await?;
    let agent = caller.grants.allow_agent(&listed.brief.agent_id);
    if agent && caller.sees(service, &listed.brief.user, &what) {
        return Ok(listed);
    }
    Err(Problem::missing(&what))
}

/// A session of the caller's own, for what is done in its owner's name: whoever may read a
/// colleague's session gives it no task. Its role must be the one that its user has now.
pub(crate) async fn own(
    service: &Service,
    caller: &Caller,
    session: SessionId,
) -> Result<State, Problem> {
    let listed = seen(service, caller, session).await?;
    if listed.brief.user != caller.who.user {
        let words = "this is another user's session\nbegin one of your own";
        return Err(Problem::forbidden(words));
    }
    let state = service.engine.state(caller.tenant(), session).await?;
    let scope = state.opening.as_ref().and_then(|opening| opening.scope.as_ref());
    if scope.is_some_and(|scope| scope.role != caller.who.role) {
        let words = "the session was composed for a role that its user has no more\nbegin another";
        return Err(Problem::new(StatusCode::CONFLICT, "role_changed", words));
    }
    Ok(state)
}

/// A session that the caller may act on: their own, or by leave of policies for the action.
pub(crate) async fn entrusted(
    service: &Service,
    caller: &Caller,
    session: SessionId,
    action: &str,
) -> Result<(), Problem> {
    let listed = seen(service, caller, session).await?;
    if listed.brief.user != caller.who.user {
        caller.may(service, action, &format!("session/{session}"))?;
    }
    Ok(())
}

/// Whether the caller may have an agent work with its model for so much.
pub(crate) fn may_begin(
    service: &Service,
    caller: &Caller,
    agent: &Agent,
    cap: Option<Money>,
) -> Result<(), Problem> {
    let Agent { agent_id, model, task_cap, .. } = agent;
    if !caller.grants.allow_agent(agent_id) {
        return Err(Problem::forbidden(format!("this key is not good for the agent `{agent_id}`")));
    }
    if !caller.grants.allow_model(model) {
        return Err(Problem::forbidden(format!("this key is not good for the model `{model}`")));
    }
    let engine = &service.engine;
    let start = Action::RunStart { agent: agent_id, task_type: None };
    engine.may(&caller.who, &caller.place, start)?;
    engine.may(&caller.who, &caller.place, Action::ModelCall { model })?;
    // More than the agent's own cap is a raised one.
    if task_cap.is_some_and(|own| cap.is_some_and(|cap| cap > own)) {
        caller.granted("cap.raise")?;
        engine.may(&caller.who, &caller.place, Action::CapRaise { scope: "task" })?;
    }
    Ok(())
}

/// The most model responses that a run may be given at a time.
const TURNS_MAX: u32 = 10_000;

/// Whether a number of turns is one that runs have.
pub(crate) fn check_turns(name: &str, turns: Option<u32>) -> Result<(), Problem> {
    if turns.is_none_or(|turns| (1..=TURNS_MAX).contains(&turns)) {
        return Ok(());
    }
    let words = format!("`{name}` is a number from 1 to {TURNS_MAX}");
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_body", words))
}

/// The engine with what the session works with.
pub(crate) async fn equipped(service: &Service, state: &State) -> Result<Engine, Problem> {
    let outfit = service.roster.outfit(state).await?;
    Ok(service.engine.with(outfit))
}
