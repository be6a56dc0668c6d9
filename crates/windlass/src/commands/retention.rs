//! `windlass retention apply`: what the installation's file gives a time, goes when that
//! is over.

use anstream::{eprintln, println};
use engine::Engine;
use engine::door::AuditBounds;
use engine::ports::{Doomed, Principal};
use kernel::units::{SessionId, Tenant, UnixMs};

use super::erase::{clean, counted};
use crate::cli::{RetentionArgs, RetentionCommand};
use crate::config::Keeping;
use crate::exit::{BadUsage, End};
use crate::here::Here;
use crate::{assemble, process};

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

pub(crate) async fn retention(here: &Here, command: RetentionCommand) -> anyhow::Result<End> {
    let RetentionCommand::Apply(args) = command;
    if here.retention.is_empty() {
        let words = "nothing has a time after which it goes\n\
                     say so in the installation's file: `retention: {production: {content_days: 90}}`";
        return Err(BadUsage(words.to_owned()).into());
    }
    let engine = assemble::reader(here).await?;
    let tenants = match args.all_tenants {
        true => engine.store.tenants().await?,
        false => vec![here.tenant.clone()],
    };
    let mut erased = Vec::new();
    for tenant in &tenants {
        apply(here, &engine, tenant, &args, &mut erased).await?;
    }
    if !args.dry_run {
        clean(here, &engine, &erased, args.no_scrub).await?;
    }
    Ok(End::Finished)
}

/// Applies it to one tenant.
async fn apply(
    here: &Here,
    engine: &Engine,
    tenant: &Tenant,
    args: &RetentionArgs,
    erased: &mut Vec<SessionId>,
) -> anyhow::Result<()> {
    let now = engine.world.now();
    let who = Principal { tenant: tenant.clone(), ..here.principal() };
    let word = if args.dry_run { "would be erased" } else { "erased" };
    let name = &tenant.0;
    for (environment, keeping) in &here.retention {
        let Some(days) = keeping.content_days else { continue };
        let which = Doomed::Environment { name: environment.clone(), before: ago(now, days) };
        let gone = if args.dry_run {
            engine.erasable(tenant, &which).await?
        } else {
            let done = engine.erase(&who, &here.scope, &which, &process::name()).await?;
            if !done.busy.is_empty() {
                let busy = counted(&done.busy);
                eprintln!("{name}, {environment}: a run is under way in {busy}; left for later");
            }
            done.erased
        };
        println!("{name}, {environment}: {} older than {days} days {word}", counted(&gone));
        erased.extend(gone);
    }
    let bounds = bounds(here, now);
    let outdated = match args.dry_run {
        true => engine.outdated(tenant, &bounds).await?,
        false => engine.let_audit_go(&who, &here.scope, &bounds).await?,
    };
    println!(
        "{name}, audit: the content of {} entries and the first {} entries {word}",
        outdated.contents, outdated.entries
    );
    Ok(())
}

/// Until when the audit is let go. A chain is one for all environments: its first entries
/// go when the longest time is over, and stay where an environment has none.
fn bounds(here: &Here, now: UnixMs) -> AuditBounds {
    let all = here.retention.iter();
    let contents = all.filter_map(|(environment, keeping)| {
        Some((environment.clone(), ago(now, keeping.content_days?)))
    });
    let days: Option<Vec<u32>> =
        here.retention.values().map(|one: &Keeping| one.audit_days).collect();
    let longest = days.and_then(|days| days.into_iter().max());
    AuditBounds { contents: contents.collect(), entries: longest.map(|days| ago(now, days)) }
}

fn ago(now: UnixMs, days: u32) -> UnixMs {
    UnixMs(now.0.saturating_sub(u64::from(days) * DAY_MS))
}
