//! `windlass caps …`: the caps that runs share, how much of them is used, and changing
//! them. A run's own cap is not among them: it is raised where the run is resumed.

mod change;
mod list;

use engine::Engine;
use kernel::event::Opening;
use kernel::ledger::{Allowance, Balance, Budget, Measure, Per, Plans, Scope, Share};
use kernel::units::{ContentHash, UnixMs};
use serde_json::{Map, Value};

use crate::assemble;
use crate::cli::CapsCommand;
use crate::exit::End;
use crate::here::Here;
use crate::show;

pub(crate) async fn caps(here: &Here, command: CapsCommand) -> anyhow::Result<End> {
    let engine = assemble::reader(here).await?;
    match command {
        CapsCommand::List { all, json } => list::list(here, &engine, all, json).await,
        CapsCommand::Set { change, reset } => change::set(here, &engine, &change, reset).await,
        CapsCommand::Raise { change } => change::raise(here, &engine, &change).await,
    }
}

/// Every shared scope of the tenant that was ever charged or set.
async fn balances(here: &Here, engine: &Engine) -> anyhow::Result<Vec<(Scope, Balance)>> {
    let mut all: Vec<(Scope, Balance)> = Vec::new();
    loop {
        let after = all.last().map(|(scope, _)| scope.to_string()).unwrap_or_default();
        let page = engine.caps(&here.tenant, &after).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// What the present user would draw on by configuration, as a session that begins now.
fn own_shares(here: &Here, now: UnixMs) -> Vec<Share> {
    here.caps.plans.shares(&opening(here), now)
}

/// What configuration says of a budget for one of those that it counts.
fn share(here: &Here, name: &str, subject: &str, now: UnixMs) -> Option<Share> {
    let budget = budget(&here.caps.plans, name)?;
    let mut opening = opening(here);
    match &budget.per {
        Per::Tenant => {}
        Per::User => subject.clone_into(&mut opening.user),
        Per::Agent => subject.clone_into(&mut opening.agent_id),
        Per::Label(label) => {
            opening.labels.insert(label.clone(), subject.to_owned());
        }
    }
    let shares = here.caps.plans.shares(&opening, now);
    let meant = Scope::Shared { name: name.to_owned(), subject: subject.to_owned(), window: None };
    shares.into_iter().find(|share| share.scope.lasting() == meant)
}

/// A budget by its name, which means the same in every plan.
fn budget<'a>(plans: &'a Plans, name: &str) -> Option<&'a Budget> {
    plans.plans.values().flatten().find(|budget| budget.name == name)
}

/// The opening of a session that is only thought of.
fn opening(here: &Here) -> Opening {
    Opening {
        tenant: here.tenant.clone(),
        user: here.user.clone(),
        labels: std::collections::BTreeMap::new(),
        agent: ContentHash::of(&[]),
        agent_id: String::new(),
        workdir: None,
        scope: None,
        forked_from: None,
        parent: None,
    }
}

/// A cap for programs: what it limits, and nothing else.
fn cap_object(cap: &Allowance) -> Value {
    let limits = Measure::ALL.into_iter().filter_map(|measure| {
        let limit = cap.get(measure)?;
        Some((show::measure(measure).to_owned(), show::quantity(measure, limit)))
    });
    Value::Object(limits.collect::<Map<String, Value>>())
}
