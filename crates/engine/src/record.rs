//! Between the kernel's state and the store's rows: loading a session, and committing
//! what a step brought.

use std::sync::Arc;

use kernel::agent::Frozen;
use kernel::event::{Broken, Fact, Sealed, Stored, unseal};
use kernel::ledger::CapReached;
use kernel::run::{Ended, Misfit, Phase, Run, State, Stepped, fold};
use kernel::units::{ContentHash, Epoch, SessionId, Tenant, UnixMs};

use crate::Engine;
use crate::alerts::{Alert, trips};
use crate::audit::entries;
use crate::error::EngineError;
use crate::ports::{Brief, Charge, Commit, Content, Payload, Status, StoreError, Waits};
use crate::tap::Seen;

/// Events read from the store at a time.
pub(crate) const PAGE_ROWS: u32 = 1_000;

/// The longest title in lists, in bytes.
const TITLE_BYTES_MAX: usize = 120;

/// Reads a session's whole log and folds it, checking the chain and its recorded end.
pub(crate) async fn load(
    engine: &Engine,
    tenant: &Tenant,
    session: SessionId,
) -> Result<State, EngineError> {
    let rows = engine.store.read(tenant, session, 0, PAGE_ROWS).await?;
    let frozen = frozen(engine, tenant, session, &rows).await?;
    let mut state = State::new(session, &frozen);
    read_on(engine, tenant, session, rows, |page| {
        fold(&mut state, page)?;
        Ok((state.seq, state.head))
    })
    .await?;
    Ok(state)
}

/// Gives `take` one page of rows after the other, beginning with `rows`, until the log
/// ends where the store says that it ends. `take` tells the number and hash of the last
/// row so far. Others may write meanwhile; what they add is read too.
pub(crate) async fn read_on(
    engine: &Engine,
    tenant: &Tenant,
    session: SessionId,
    mut rows: Vec<Stored>,
    mut take: impl FnMut(Vec<Stored>) -> Result<(u64, ContentHash), Misfit>,
) -> Result<(), EngineError> {
    let damaged = |why: Misfit| EngineError::Damaged { session, why };
    loop {
        let full_page = rows.len() == PAGE_ROWS as usize;
        let (seq, hash) = take(rows).map_err(damaged)?;
        let recorded =
            if full_page { None } else { Some(engine.store.look(tenant, session).await?.head) };
        match recorded {
            Some(end) if end.seq == seq && end.hash == hash => return Ok(()),
            Some(end) if end.seq <= seq => {
                return Err(damaged(Broken::Chain { seq: end.seq }.into()));
            }
            Some(_) | None => {}
        }
        rows = engine.store.read(tenant, session, seq, PAGE_ROWS).await?;
        if let Some(end) = recorded.filter(|_| rows.is_empty()) {
            return Err(damaged(Broken::Gap { expected: end.seq, found: seq }.into()));
        }
    }
}

/// The agent that the session's first event names.
pub(crate) async fn frozen(
    engine: &Engine,
    tenant: &Tenant,
    session: SessionId,
    rows: &[Stored],
) -> Result<Frozen, EngineError> {
    let damaged = |why| EngineError::Damaged { session, why };
    let first = rows.first().ok_or_else(|| StoreError::Missing(format!("session {session}")))?;
    let root = kernel::event::chain_root(session);
    let sealed = unseal(root, 1, first.clone()).map_err(|why| damaged(why.into()))?;
    let Fact::SessionOpened(opening) = &sealed.event.fact else {
        let fact = sealed.event.fact.name();
        return Err(damaged(Misfit::OutOfPlace { seq: 1, fact }));
    };
    let bytes = engine.store.payload(tenant, None, opening.agent).await?;
    Ok(Frozen::thaw(bytes.to_vec(), opening.agent)?)
}

/// Commits a step, and shows it to whoever watches.
pub(crate) async fn commit(
    engine: &Engine,
    tenant: &Tenant,
    epoch: Option<Epoch>,
    state: &State,
    stepped: Stepped,
    payloads: Vec<Payload>,
) -> Result<(), StoreError> {
    let Some(first) = stepped.events.first() else { return Ok(()) };
    let brief = brief(state);
    let charges = charges(state, &brief, &stepped);
    let alerts = alerts(engine, tenant, state, &stepped.events);
    let content = content(state, first);
    let audit = entries(tenant, state, &stepped.events, &stepped.calls, &engine.redact);
    let shown = stepped.events.clone();
    let commit = Commit {
        tenant: tenant.clone(),
        session: state.session,
        expected_seq: first.event.seq - 1,
        epoch,
        events: stepped.events,
        moves: stepped.moves,
        charges,
        payloads,
        brief,
        alerts,
        audit,
        content,
        subscriptions: Arc::clone(&engine.subscriptions),
    };
    let raised = engine.store.commit(commit).await?;
    raised.iter().for_each(Alert::trace);
    engine.tap.show(|| Seen::Committed(state.session, shown.into()));
    Ok(())
}

/// The alerts of a step. They leave the house by webhook and by the log of diagnostics, so
/// what must not leave it is blanked in their words.
fn alerts(engine: &Engine, tenant: &Tenant, state: &State, events: &[Sealed]) -> Vec<Alert> {
    let scope = state.opening.as_ref().and_then(|opening| opening.scope.as_ref());
    let environment = scope.map_or("", |scope| scope.environment.as_str());
    let blanked = |alert: Alert| {
        let text = (engine.redact)(tenant, environment, &alert.text);
        Alert { text, ..alert }
    };
    trips(tenant, state, events).into_iter().map(blanked).collect()
}

/// Whose the content of a new session is. The store's keeper of keys seals it or does not.
fn content(state: &State, first: &Sealed) -> Option<Content> {
    let opening = state.opening.as_ref().filter(|_| first.event.seq == 1)?;
    let environment = opening.scope.clone().unwrap_or_default().environment;
    Some(Content { user: opening.user.clone(), environment, made: first.event.at, key: None })
}

/// A frozen agent as a payload.
pub(crate) fn agent_payload(frozen: &Frozen) -> Payload {
    Payload::of(None, frozen.bytes.clone())
}

fn charges(state: &State, brief: &Brief, stepped: &Stepped) -> Vec<Charge> {
    let at = stepped.events.last().map_or(UnixMs(0), |sealed| sealed.event.at);
    stepped
        .bookings
        .iter()
        .map(|booking| Charge {
            at,
            user: brief.user.clone(),
            agent_id: brief.agent_id.clone(),
            model: booking.fallback.clone().unwrap_or_else(|| state.agent.model.clone()),
            prices: booking.prices.clone().unwrap_or_default(),
            usage: booking.usage,
            amount: booking.amount,
            estimated: booking.estimated,
        })
        .collect()
}

/// What lists show of a session.
pub(crate) fn brief(state: &State) -> Brief {
    let user = state.opening.as_ref().map(|opening| opening.user.clone()).unwrap_or_default();
    let run = state.run.as_ref();
    let (status, due) = run.map_or((Status::Idle, None), standing);
    Brief {
        status,
        due,
        title: run.map(|run| title(&run.task)).unwrap_or_default(),
        agent_id: state.agent.agent_id.clone(),
        user,
        turns: state.turns,
        spent: state.spent,
        waits: run.and_then(waits),
    }
}

fn waits(run: &Run) -> Option<Waits> {
    let (why, _) = run.parked.as_ref()?;
    let reached = why.waits_for_room()?;
    let CapReached { scope, measure, needed, .. } = reached.clone();
    Some(Waits { scope, measure, needed })
}

/// How a run stands, and when a worker should look at it. Work that is owed now has one
/// constant due time, so that the index of due sessions is not written at each commit.
fn standing(run: &Run) -> (Status, Option<UnixMs>) {
    if let Some((_, wake)) = &run.parked {
        return (Status::Parked, *wake);
    }
    match &run.phase {
        Phase::Ready | Phase::Calling(_) | Phase::Tooling(_) | Phase::Closing(_) => {
            (Status::Running, Some(UnixMs(0)))
        }
        Phase::Over(Ended::Finished(_)) => (Status::Finished, None),
        Phase::Over(Ended::Failed(..)) => (Status::Failed, None),
        Phase::Over(Ended::Cancelled) => (Status::Cancelled, None),
    }
}

/// The first line of a task, cut at a character's border.
fn title(task: &str) -> String {
    let line = task.trim().lines().next().unwrap_or_default();
    let mut end = line.len().min(TITLE_BYTES_MAX);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line[..end].to_owned()
}
