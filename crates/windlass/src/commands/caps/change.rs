//! `windlass caps set` and `raise`: a cap for good, or for the present window. What is
//! not named keeps its limit; both say which parked runs find room again.

use anstream::{eprintln, println};
use engine::Engine;
use kernel::ledger::{Allowance, Measure, Scope};
use kernel::units::{Money, SessionId};
use serde_json::json;

use super::{balances, budget, cap_object, share};
use crate::cli::{CapChange, Limit};
use crate::exit::{BadUsage, End};
use crate::here::Here;
use crate::show;

/// A cap for good: of every window, or of the one window that is named.
pub(super) async fn set(
    here: &Here,
    engine: &Engine,
    change: &CapChange,
    reset: bool,
) -> anyhow::Result<End> {
    let scope = scope(here, engine, &change.scope).await?;
    if reset {
        let woken = engine.set_cap(&here.principal(), &here.scope, &scope, None).await?;
        return Ok(report(here, change, &scope, None, &woken));
    }
    let before = present(here, engine, &scope).await?;
    let after = changed(before, change);
    check_priced(here, &scope, &after)?;
    let woken = engine.set_cap(&here.principal(), &here.scope, &scope, Some(after)).await?;
    Ok(report(here, change, &scope, Some((before, after)), &woken))
}

/// A higher cap for one window, the present one unless another is named.
pub(super) async fn raise(here: &Here, engine: &Engine, change: &CapChange) -> anyhow::Result<End> {
    let scope = scope(here, engine, &change.scope).await?;
    let scope = windowed(here, engine, scope).await?;
    let before = present(here, engine, &scope).await?;
    let after = changed(before, change);
    if let Some(measure) = Measure::ALL.into_iter().find(|of| lowers(&before, &after, *of)) {
        let cap = before.get(measure).map_or_else(
            || "has no cap".to_owned(),
            |cap| format!("has a cap of {}", show::amount(measure, cap)),
        );
        let flag = show::measure(measure);
        return Err(BadUsage(format!(
            "`{scope}` {cap}, and `raise` only raises\n\
             give a higher `--{flag}`, or use `windlass caps set {scope} --{flag} …`"
        ))
        .into());
    }
    let woken = engine.set_cap(&here.principal(), &here.scope, &scope, Some(after)).await?;
    Ok(report(here, change, &scope, Some((before, after)), &woken))
}

/// L13: models without a price are refused where a plan caps money. Under a cap on money
/// that no plan knows of they would count as free, so there is no such cap.
fn check_priced(here: &Here, scope: &Scope, cap: &Allowance) -> Result<(), BadUsage> {
    let Scope::Shared { name, .. } = scope else { return Ok(()) };
    let mut budgets = here.caps.plans.plans.iter().flat_map(|(plan, budgets)| {
        let same = budgets.iter().filter(|budget| budget.name == *name);
        same.map(move |budget| (plan, budget))
    });
    let free = budgets.find(|(_, budget)| budget.allowance.money.is_none());
    match free.filter(|_| cap.money.is_some()) {
        None => Ok(()),
        Some((plan, _)) => Err(BadUsage(format!(
            "the plan `{plan}` has no `usd` in its budget `{name}`, so models without a price \
             would pass under this cap\n\
             give the budget a `usd` in the installation's file first, and then another cap here"
        ))),
    }
}

/// Whether there would be less room than before.
fn lowers(before: &Allowance, after: &Allowance, measure: Measure) -> bool {
    match (before.get(measure), after.get(measure)) {
        (Some(before), Some(after)) => after < before,
        (None, Some(_)) => true,
        (_, None) => false,
    }
}

/// The cap with the limits that were named in place of its own.
fn changed(before: Allowance, change: &CapChange) -> Allowance {
    let or = |limit: Option<Limit>, own: Option<u64>| match limit {
        Some(Limit::None) => None,
        Some(Limit::At(most)) => Some(most),
        None => own,
    };
    Allowance {
        money: or(change.usd, before.money.map(|money| money.0)).map(Money),
        tokens: or(change.tokens, before.tokens),
        requests: or(change.requests, before.requests),
    }
}

/// The scope that is meant, if anything is or will be counted there.
async fn scope(here: &Here, engine: &Engine, scope: &Scope) -> anyhow::Result<Scope> {
    let name = match scope {
        Scope::Shared { name, .. } => name,
        Scope::Task { session, .. } => {
            let again = here.resume_words(*session);
            return Err(BadUsage(format!(
                "`{scope}` is a run's own cap, which is raised where the run goes on\n\
                 `{again} --budget USD`"
            ))
            .into());
        }
    };
    let plans = &here.caps.plans;
    let rows = balances(here, engine).await?;
    let lasting = scope.lasting();
    if budget(plans, name).is_some() || rows.iter().any(|(row, _)| row.lasting() == lasting) {
        return Ok(scope.clone());
    }
    let names: Vec<&str> =
        plans.plans.values().flatten().map(|budget| budget.name.as_str()).collect();
    let hint = match crate::config::nearest(name, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => {
            "no plan has any; plans stand under `limits` in the installation's file".to_owned()
        }
        None => "`windlass caps list` shows those that there are".to_owned(),
    };
    Err(BadUsage(format!("nothing is counted under `{name}`\n{hint}")).into())
}

/// The scope in the window that runs now.
async fn windowed(here: &Here, engine: &Engine, scope: Scope) -> anyhow::Result<Scope> {
    let Scope::Shared { name, subject, window: None } = &scope else { return Ok(scope) };
    let now = engine.world.now();
    if let Some(share) = share(here, name, subject, now) {
        return Ok(share.scope);
    }
    let offset = here.caps.plans.offset_minutes;
    let span = budget(&here.caps.plans, name).and_then(|budget| budget.window.at(now, offset));
    let window = span.map(|span| span.name);
    Ok(Scope::Shared { name: name.clone(), subject: subject.clone(), window })
}

/// The cap that holds for a scope now: its own, a lasting one, or what configuration says.
async fn present(here: &Here, engine: &Engine, scope: &Scope) -> anyhow::Result<Allowance> {
    for scope in [scope, &scope.lasting()] {
        let row = engine.store.balance(&here.tenant, scope).await?;
        if let Some(row) = row.filter(|row| row.pinned) {
            return Ok(row.cap);
        }
    }
    let Scope::Shared { name, subject, .. } = scope else { return Ok(Allowance::NONE) };
    if let Some(share) = share(here, name, subject, engine.world.now()) {
        return Ok(share.allowance);
    }
    let row = engine.store.balance(&here.tenant, scope).await?;
    Ok(row.map_or(Allowance::NONE, |row| row.cap))
}

fn report(
    here: &Here,
    change: &CapChange,
    scope: &Scope,
    caps: Option<(Allowance, Allowance)>,
    woken: &[SessionId],
) -> End {
    if change.json {
        let cap = caps.map(|(_, after)| cap_object(&after));
        let value = json!({"scope": scope.to_string(), "cap": cap, "woken": woken});
        println!("{}", show::object(&value));
        return End::Finished;
    }
    let words = |cap: &Allowance| match show::allowance(cap) {
        none if none.is_empty() => "no cap".to_owned(),
        some => some,
    };
    match &caps {
        Some((before, after)) => {
            println!("{scope}: {}, was {}", words(after), words(before));
        }
        None => println!("{scope}: configuration decides again, from the next call on"),
    }
    match woken {
        [] => eprintln!("no parked run finds room by it"),
        [one] => eprintln!("a parked run has room again; go on with: {}", here.resume_words(*one)),
        many => {
            eprintln!("{} parked runs have room again; go on with:", many.len());
            for session in many {
                eprintln!("  {}", here.resume_words(*session));
            }
        }
    }
    End::Finished
}
