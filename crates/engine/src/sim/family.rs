//! The laws of parents and children, checked on all logs of a play together while no
//! process lives.

use std::collections::BTreeMap;

use kernel::event::{Carve, ChildEnd, Parent};
use kernel::run::{Phase, State};
use kernel::units::SessionId;

use super::watched::Watched;

/// A child as its parent's log tells it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) run: u32,
    pub(super) carve: Carve,
    pub(super) end: Option<ChildEnd>,
}

type Sessions = BTreeMap<SessionId, Watched>;

/// Checks everything.
pub(super) fn check(sessions: &Sessions) -> Result<(), String> {
    let mut trees: BTreeMap<(SessionId, u32), (u32, u32)> = BTreeMap::new();
    for (session, watched) in sessions {
        watched.spend_is_whole()?;
        if let Some(parent) = parent_of(watched.state()) {
            one(sessions, watched.state(), parent)
                .map_err(|what| format!("child {session} of {}: {what}", parent.session))?;
        }
        for (child, told) in watched.children() {
            begun(sessions, watched.state(), *child, told)
                .map_err(|what| format!("session {session}, child {child}: {what}"))?;
            let tree = trees.entry(root_run(sessions, *session, told.run)).or_default();
            tree.0 += 1;
            tree.1 += u32::from(told.end.is_none());
        }
    }
    trees.into_iter().try_for_each(|((root, run), (all, living))| {
        let limits = sessions[&root].state().agent.limits;
        if all > limits.children_max || living > limits.children_at_once_max.max(1) {
            return Err(format!("run {run} of {root}: {all} children, {living} at once"));
        }
        Ok(())
    })
}

fn parent_of(state: &State) -> Option<&Parent> {
    state.opening.as_ref()?.parent.as_ref()
}

/// A child has less than its parent, and is known to it.
fn one(sessions: &Sessions, child: &State, parent: &Parent) -> Result<(), String> {
    let above = sessions.get(&parent.session).ok_or("it has no parent")?;
    let told = above.children().get(&child.session).ok_or("its parent never began it")?;
    let depth = parent_of(above.state()).map_or(0, |parent| parent.depth);
    if parent.depth != depth + 1 {
        return Err(format!("depth {} under depth {depth}", parent.depth));
    }
    let (own, larger) = (&child.agent, &above.state().agent);
    let (own_limits, limits) = (own.limits, larger.limits);
    let shrinks = own.task_cap == told.carve.cap
        && own_limits.turns_max == told.carve.turns
        && own_limits.children_max < limits.children_max
        && own_limits.children_at_once_max < limits.children_at_once_max.max(1)
        && own_limits.child_depth_max < limits.child_depth_max
        && own.tools.iter().all(|tool| larger.tools.contains(tool));
    if !shrinks {
        return Err(format!("it has more than its parent: {own_limits:?}, {limits:?}"));
    }
    match &child.run {
        Some(run) if run.number == 1 && run.cap == told.carve.cap => Ok(()),
        other => Err(format!("its run is {other:?}")),
    }
}

/// What a parent tells of a child is so, and none lives longer than its parent's run.
fn begun(sessions: &Sessions, parent: &State, child: SessionId, told: &Told) -> Result<(), String> {
    let run = parent.run.as_ref().ok_or("a parent without a run")?;
    let ended = run.number > told.run || matches!(run.phase, Phase::Over(_));
    if run.number == told.run && told.carve.turns >= run.turns_max {
        return Err(format!("it got {} of {} turns", told.carve.turns, run.turns_max));
    }
    let Some(end) = &told.end else {
        return if ended { Err("it outlives its parent's run".to_owned()) } else { Ok(()) };
    };
    let state = sessions.get(&child).ok_or("it ended without a session")?.state();
    let run = state.run.as_ref().ok_or("it ended without a run")?;
    let turns = run.turns + run.turns_lent;
    let same = (end.spent, end.turns, end.children) == (run.settled, turns, run.children);
    if !same || !matches!(run.phase, Phase::Over(_)) {
        return Err(format!("its parent says {end:?}, its own log {run:?}"));
    }
    Ok(())
}

/// The run of the root that a run of a session works for.
fn root_run(sessions: &Sessions, session: SessionId, run: u32) -> (SessionId, u32) {
    let above = sessions.get(&session).and_then(|watched| parent_of(watched.state()));
    above.map_or((session, run), |parent| root_run(sessions, parent.session, parent.run))
}
