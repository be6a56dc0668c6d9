//! What committed facts come to: an alert for each trip among them.
//!
//! A run that parks because somebody asked for it, or that wakes again by itself within
//! its patience, is no trip.

use kernel::event::{Fact, Parked, Sealed};
use kernel::ledger::CapReached;
use kernel::run::State;
use kernel::units::{Tenant, UnixMs};

use super::{Alert, CapFigures, Kind, line};

/// The alerts that new facts of a session cause. `state` is the session's after them. What
/// a fork inherits was told when its parent met it.
pub(crate) fn trips(tenant: &Tenant, state: &State, events: &[Sealed]) -> Vec<Alert> {
    let forked = state.opening.as_ref().and_then(|opening| opening.forked_from.as_ref());
    let inherited = forked.map_or(0, |fork| fork.seq);
    let trip = |sealed: &Sealed| {
        let (seq, at) = (sealed.event.seq, sealed.event.at);
        if seq <= inherited {
            return None;
        }
        let (why, wake) = parked(&sealed.event.fact)?;
        let (kind, words) = told(why, wake)?;
        Some(alert(tenant, state, (seq, at), kind, why, &words))
    };
    events.iter().filter_map(trip).collect()
}

fn parked(fact: &Fact) -> Option<(&Parked, Option<UnixMs>)> {
    if let Fact::RunParked { why, wake } = fact { Some((why, *wake)) } else { None }
}

/// The kind of a trip and what happened in words; nothing for a park that is no trip.
fn told(why: &Parked, wake: Option<UnixMs>) -> Option<(Kind, String)> {
    Some(match why {
        Parked::TurnCap { turns_max } => {
            (Kind::TurnCapReached, format!("it used all of its {turns_max} turns"))
        }
        Parked::CostCapExceeded(reached) => (Kind::CostCapExceeded, reached.to_string()),
        Parked::Outage(_) if wake.is_some() => return None,
        Parked::Outage(fault) => {
            let words = "its provider has been out for longer than its patience";
            (Kind::ProviderOutage, format!("{words}: {}", line(&fault.message)))
        }
        Parked::NeedsMending(fault) => {
            let words = "somebody must mend something at its provider";
            (Kind::ProviderNeedsMending, format!("{words}: {}", line(&fault.message)))
        }
        Parked::LoopDetected { reason, .. } => {
            (Kind::LoopDetected, format!("it went round in circles: {}", line(reason)))
        }
        Parked::NoDoneSignal => {
            (Kind::NoDoneSignal, "its model kept answering without the done signal".to_owned())
        }
        Parked::Faulted { message } => {
            (Kind::Faulted, format!("a mistake in the program stopped it: {}", line(message)))
        }
        Parked::CrashLoop { losses } => {
            (Kind::CrashLoop, format!("its owners died in the same act {losses} times in a row"))
        }
        Parked::Interrupted
        | Parked::Forked
        | Parked::HandedOver
        | Parked::WaitsForChild { .. }
        | Parked::AwaitsApproval { .. } => return None,
    })
}

fn alert(
    tenant: &Tenant,
    state: &State,
    (seq, at): (u64, UnixMs),
    kind: Kind,
    why: &Parked,
    words: &str,
) -> Alert {
    let run = state.run.as_ref().map_or(0, |run| run.number);
    let user = state.opening.as_ref().map(|opening| opening.user.clone()).unwrap_or_default();
    let (session, agent) = (state.session, &state.agent.agent_id);
    let reached = cap_reached(why);
    Alert {
        // What many runs meet together is told once: a cap has one alert, and not one
        // for each run that it parks.
        key: match reached {
            Some(CapReached { scope, measure, cap, .. }) => {
                format!("{}/{scope}/{measure}/{cap}", kind.code())
            }
            None => format!("park/{session}/{seq}"),
        },
        at,
        kind,
        tenant: Some(tenant.clone()),
        text: format!(
            "run {run} of session {session} is parked: {words} (agent {agent}, user {} of tenant {})",
            line(&user),
            line(&tenant.0)
        ),
        user: Some(user),
        agent_id: Some(agent.clone()),
        session: Some(session),
        run: Some(run),
        cap: reached.map(|reached| CapFigures {
            scope: reached.scope.clone(),
            measure: reached.measure,
            max: reached.cap,
            settled: reached.settled,
            held: reached.held,
        }),
    }
}

fn cap_reached(why: &Parked) -> Option<&CapReached> {
    if let Parked::CostCapExceeded(reached) = why { Some(reached) } else { None }
}

#[cfg(test)]
mod tests {
    use kernel::event::{FaultClass, ModelFault};
    use kernel::ledger::{Measure, Scope};

    use super::*;

    fn fault() -> ModelFault {
        let message = "over\nloaded".to_owned();
        ModelFault {
            class: FaultClass::Overloaded,
            message,
            retry_after_ms: None,
            request_id: None,
        }
    }

    #[test]
    fn trips_are_told_and_pauses_are_not() {
        let scope = Scope::Shared { name: "user-day".into(), subject: "ada".into(), window: None };
        let (measure, cap, settled, held, needed, turns) = (Measure::Requests, 9, 8, 1, 1, None);
        let reached = CapReached { scope, measure, cap, settled, held, needed, turns };
        let soon = Some(UnixMs(5));
        let panic = Parked::Faulted { message: "index out of bounds".into() };
        let kind = kernel::breaker::loops::Kind::SameResult;
        let turning = Parked::LoopDetected { kind, reason: "`look` 5 times".into() };
        for (why, wake, kind) in [
            (Parked::TurnCap { turns_max: 25 }, None, Some(Kind::TurnCapReached)),
            (Parked::CostCapExceeded(reached), soon, Some(Kind::CostCapExceeded)),
            (Parked::Outage(fault()), soon, None),
            (Parked::Outage(fault()), None, Some(Kind::ProviderOutage)),
            (Parked::NeedsMending(fault()), None, Some(Kind::ProviderNeedsMending)),
            (turning, None, Some(Kind::LoopDetected)),
            (Parked::NoDoneSignal, None, Some(Kind::NoDoneSignal)),
            (panic, None, Some(Kind::Faulted)),
            (Parked::CrashLoop { losses: 5 }, None, Some(Kind::CrashLoop)),
            (Parked::Interrupted, None, None),
            (Parked::Forked, None, None),
            (Parked::HandedOver, soon, None),
        ] {
            let told = told(&why, wake);
            assert_eq!(told.as_ref().map(|(kind, _)| *kind), kind, "{why:?}");
            assert!(told.is_none_or(|(kind, words)| kind.code() == why.code()
                && words.len() > 20
                && !words.contains('\n')));
        }
    }
}
