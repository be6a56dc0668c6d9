//! `windlass run`: a task for a new session, or the next task of an old one.

use std::io::Read;

use anyhow::Context as _;
use engine::door::Task;
use kernel::message::Block;

use super::{session, workdir};
use crate::alerts::Sending;
use crate::assemble::{self, Assembled};
use crate::cli::RunArgs;
use crate::drive::Drive;
use crate::exit::{BadUsage, End};
use crate::here::Here;
use crate::report::report;
use crate::signals;
use crate::watch::Watcher;

/// The longest task read from standard input, in bytes.
const TASK_BYTES_MAX: u64 = 4 * 1024 * 1024;

pub(crate) async fn run(here: &Here, args: RunArgs) -> anyhow::Result<End> {
    let courier = assemble::webhooks(here)?;
    let task = Task {
        input: vec![Block::text(words(&args.task)?)],
        done: None,
        cap: args.budget,
        turns_max: args.turns,
    };
    let mut watcher = Watcher::new(args.json);
    let listening = signals::listen(watcher.voice(signals::STOPPING))?;
    let (engine, session) = match &args.session {
        None => {
            let folder = workdir(here, args.agent.workdir.as_deref())?;
            let assembled = assemble::agent(here, &args.agent, &args.scope).await?;
            let Assembled { engine, agent, scope, words } = assembled;
            let owner = here.owner(&args.labels, folder, scope);
            let mut seen = engine.tap.watch();
            let session = engine.start(&owner, &agent, task).await?;
            words.iter().for_each(|line| watcher.say(line));
            while let Ok(seen) = seen.try_recv() {
                watcher.see(session, &seen);
            }
            (engine, session)
        }
        Some(named) => {
            let reader = assemble::reader(here).await?;
            let session = session(here, &reader, named).await?;
            let engine = assemble::for_session(here, session, &args.agent).await?;
            engine.say(&here.tenant, session, task).await?;
            (engine, session)
        }
    };
    let mut seen = engine.tap.watch();
    let stop = listening.stop.clone();
    let drive = Drive { engine: &engine, tenant: &here.tenant, session, stop, takeover: false };
    let sending = Sending::begin(&engine, courier);
    let driven = drive.to_rest(&mut watcher, &mut seen).await;
    // Whoever waits for the answer has it before the alerts are said farewell to.
    let end = driven.map(|state| report(here, &state, args.json));
    sending.end().await;
    end
}

/// The task as given, or read from standard input.
fn words(task: &str) -> anyhow::Result<String> {
    if task != "-" {
        return Ok(task.to_owned());
    }
    let mut bytes = Vec::new();
    std::io::stdin()
        .take(TASK_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .context("cannot read the task from standard input")?;
    if bytes.len() as u64 > TASK_BYTES_MAX {
        let words = format!(
            "the task is longer than {TASK_BYTES_MAX} bytes\nput it in a file that the agent can read"
        );
        return Err(BadUsage(words).into());
    }
    String::from_utf8(bytes).map_err(|_| BadUsage("the task is not UTF-8 text".to_owned()).into())
}
