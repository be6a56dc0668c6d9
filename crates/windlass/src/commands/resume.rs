//! `windlass resume`: go on with a run that is parked, or that a crash cut off.

use kernel::run::Phase;

use super::session;
use crate::alerts::Sending;
use crate::assemble;
use crate::cli::{AgentArgs, ResumeArgs};
use crate::drive::Drive;
use crate::exit::{BadUsage, End};
use crate::here::Here;
use crate::report::report;
use crate::signals;
use crate::watch::Watcher;

pub(crate) async fn resume(here: &Here, args: ResumeArgs) -> anyhow::Result<End> {
    let courier = assemble::webhooks(here)?;
    let reader = assemble::reader(here).await?;
    let session = session(here, &reader, &args.session).await?;
    let given = AgentArgs { agent: args.agent, ..AgentArgs::default() };
    let engine = assemble::for_session(here, session, &given).await?;
    let mut watcher = Watcher::new(args.json);
    let listening = signals::listen(watcher.voice(signals::STOPPING))?;
    let mut seen = engine.tap.watch();
    let tenant = &here.tenant;
    let state = engine.state(tenant, session).await?;
    let run = state.run.as_ref();
    let over = run.is_none_or(|run| matches!(run.phase, Phase::Over(_)));
    let parked = run.is_some_and(|run| run.parked.is_some());
    if parked || over {
        // A run that is over is refused by the kernel, in its own words.
        engine.resume(&here.principal(), session, args.turns, args.budget).await?;
    } else if args.turns.is_some() || args.budget.is_some() {
        let words = "the run was cut off, not parked: it goes on with the limits it has\n\
                     leave out `--turns` and `--budget`";
        return Err(BadUsage(words.to_owned()).into());
    }
    let stop = listening.stop.clone();
    let drive = Drive { engine: &engine, tenant, session, stop, takeover: args.takeover };
    let sending = Sending::begin(&engine, courier);
    let driven = drive.to_rest(&mut watcher, &mut seen).await;
    // Whoever waits for the answer has it before the alerts are said farewell to.
    let end = driven.map(|state| report(here, &state, args.json));
    sending.end().await;
    end
}
