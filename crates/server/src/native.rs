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

use engine::Engine;
use engine::ports::Listed;
use kernel::run::State;
use kernel::units::SessionId;

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

/// The engine with what the session works with.
pub(crate) async fn equipped(service: &Service, state: &State) -> Result<Engine, Problem> {
    let outfit = service.roster.outfit(state).await?;
    Ok(service.engine.with(outfit))
}
