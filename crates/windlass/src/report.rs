//! How a run stands after it was driven: for people in a line or two, for programs as one
//! JSON object; and what to type next.

use anstream::{eprintln, println};
use kernel::event::Parked;
use kernel::ledger::Measure;
use kernel::run::{Ended, Phase, Run, State};
use kernel::units::Money;
use owo_colors::OwoColorize;
use serde_json::{Value, json};

use crate::exit::End;
use crate::here::{Here, quoted};
use crate::show;

const CENT: Money = Money(Money::PER_USD / 100);

/// Says how a run stands after the drive, and which end of the command that is.
pub(crate) fn report(here: &Here, state: &State, json: bool) -> End {
    let Some(run) = &state.run else { return End::Finished };
    let (end, status, reason) = standing(run);
    let next = next(here, state, run);
    if json {
        let mut object = result_object(state, run, status, reason.as_deref());
        object["resume"] = (end == End::Parked).then_some(next.resume).into();
        object["raise"] = next.raise.into();
        object["answer"] = next.answer.into();
        println!("{}", show::object(&object));
        return end;
    }
    if let Phase::Over(Ended::Finished(result)) = &run.phase {
        println!("{}", show::result(result));
    }
    let mut resume =
        next.raise.map(|raise| format!("\n  raise it with: {raise}")).unwrap_or_default();
    if let Some(answer) = next.answer {
        resume.push_str(&format!("\n  answer with: {answer}"));
    } else if end == End::Parked {
        resume.push_str(&format!("\n  go on with: {}", next.resume));
    }
    let reason = reason.map(|why| format!(": {why}")).unwrap_or_default();
    let (turns, spent) = (run.turns, run.settled);
    let plural = if turns == 1 { "turn" } else { "turns" };
    let counts = format!("{turns} {plural}, {spent}").dimmed().to_string();
    eprintln!("{status}{reason} · {counts}{resume}");
    end
}

/// What to type next about a run that waits.
pub(crate) struct Next {
    /// Goes on with it: with a higher cap where the run's own is in the way.
    pub(crate) resume: String,
    /// Raises the shared cap that is in the way, for its present window.
    pub(crate) raise: Option<String>,
    /// Says whether the calls that it waits with may run.
    pub(crate) answer: Option<String>,
}

/// A cap that is offered is twice the old one, or room for two more calls where that is
/// more; money in whole cents.
pub(crate) fn next(here: &Here, state: &State, run: &Run) -> Next {
    let resume = here.resume_words(state.session);
    if let Some((Parked::AwaitsApproval { .. }, _)) = &run.parked {
        let answer = format!("{} approvals approve {}", here.program_words(), state.session);
        return Next { resume, raise: None, answer: Some(answer) };
    }
    let Some((Parked::CostCapExceeded(reached), _)) = &run.parked else {
        return Next { resume, raise: None, answer: None };
    };
    let shared = reached.scope.is_shared();
    let others = if shared { reached.held } else { 0 };
    let two_calls = reached.needed.saturating_mul(2);
    let room = reached.settled.saturating_add(others).saturating_add(two_calls);
    let enough = reached.cap.saturating_mul(2).max(room);
    let enough = match reached.measure {
        Measure::Money => {
            let cents = enough.div_ceil(CENT.0);
            format!("{}.{:02}", cents / 100, cents % 100)
        }
        Measure::Tokens | Measure::Requests => enough.to_string(),
    };
    if !shared {
        return Next { resume: format!("{resume} --budget {enough}"), raise: None, answer: None };
    }
    let (program, scope) = (here.program_words(), quoted(&reached.scope.to_string()));
    let flag = show::measure(reached.measure);
    let raise = Some(format!("{program} caps raise {scope} --{flag} {enough}"));
    Next { resume, raise, answer: None }
}

fn standing(run: &Run) -> (End, &'static str, Option<String>) {
    if let Some((why, wake)) = &run.parked {
        let wake = wake.map(|at| format!(" (wakes {})", show::instant(at))).unwrap_or_default();
        return (End::Parked, "parked", Some(format!("{}{wake}", show::parked(why))));
    }
    match &run.phase {
        Phase::Over(Ended::Finished(_)) => (End::Finished, "finished", None),
        Phase::Over(Ended::Failed(code, message)) => {
            (End::Failed, "failed", Some(format!("{}: {message}", code.code())))
        }
        Phase::Over(Ended::Cancelled) => (End::Failed, "cancelled", None),
        Phase::Ready | Phase::Calling(_) | Phase::Tooling(_) | Phase::Closing(_) => {
            (End::Parked, "stopped in the middle of a step", None)
        }
    }
}

fn result_object(state: &State, run: &Run, status: &str, reason: Option<&str>) -> Value {
    let result = match &run.phase {
        Phase::Over(Ended::Finished(result)) => result.value(),
        Phase::Over(Ended::Failed(..) | Ended::Cancelled)
        | Phase::Ready
        | Phase::Calling(_)
        | Phase::Tooling(_)
        | Phase::Closing(_) => Value::Null,
    };
    let cap = run.parked.as_ref().and_then(|(why, _)| cap_object(why));
    let code = run.parked.as_ref().map(|(why, _)| why.code());
    json!({
        "type": "result",
        "session": state.session,
        "run": run.number,
        "status": status,
        "code": code,
        "reason": reason,
        "result": result,
        "turns": run.turns,
        "spent_nano_usd": run.settled,
        "cap": cap,
    })
}

/// The cap that a run waits at, for programs: exact dollars, or whole numbers.
fn cap_object(why: &Parked) -> Option<Value> {
    let Parked::CostCapExceeded(reached) = why else { return None };
    let count = |count| show::quantity(reached.measure, count);
    Some(json!({
        "scope": reached.scope.to_string(),
        "measure": reached.measure.code(),
        "cap": count(reached.cap),
        "settled": count(reached.settled),
        "held": count(reached.held),
        "needed": count(reached.needed),
        "turns": reached.turns.map(show::instant),
    }))
}
