//! `windlass serve`: the service and its worker in one process; `windlass worker`: the worker
//! alone, as many of them as there is work for.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use anstream::{eprintln, println};
use anyhow::Context as _;
use engine::ports::Roster as _;
use engine::worker;
use futures::FutureExt as _;
use owo_colors::OwoColorize;
use server::{Server, Settings};

use crate::alerts::Sending;
use crate::assemble::{self, Troupe};
use crate::cli::{ServeArgs, WorkArgs, WorkerArgs};
use crate::exit::{BadUsage, End};
use crate::here::{Here, LOCAL};
use crate::{process, signals};

/// How often the worker looks for work by itself, in milliseconds.
const SWEEP_EVERY_MS: u64 = 1_000;

/// How long a session that failed is left alone, in milliseconds.
const FAILED_REST_MS: u64 = 30_000;

pub(crate) async fn serve(here: &Here, args: ServeArgs) -> anyhow::Result<End> {
    if let Some(wrong) = args.origins.iter().find(|origin| !is_origin(origin)) {
        let words = format!("`{wrong}` is no origin\nwrite it like `https://app.example.com`");
        return Err(BadUsage(words).into());
    }
    let settings = Settings { origins: args.origins, ..Settings::default() };
    run(here, args.listen, settings, &args.work, !args.no_work).await
}

/// `windlass worker`: the work alone, and how the process is.
pub(crate) async fn worker(here: &Here, args: WorkerArgs) -> anyhow::Result<End> {
    let settings = Settings { answers: false, ..Settings::default() };
    run(here, args.listen, settings, &args.work, true).await
}

async fn run(
    here: &Here,
    listen: SocketAddr,
    settings: Settings,
    work: &WorkArgs,
    works: bool,
) -> anyhow::Result<End> {
    let courier = assemble::webhooks(here)?;
    let (agents, workspaces) = (work.agents.as_deref(), work.workspaces.as_deref());
    let troupe = Troupe::gather(here, agents, workspaces).await?;
    let (engine, troupe) = (troupe.engine(), Arc::new(troupe));
    assemble::tell_of_change(here, &engine).await?;
    let (answers, place) = (settings.answers, here.scope.clone());
    let server =
        Server::bind(listen, engine.clone(), troupe.clone(), place, settings).await.with_context(
            || format!("cannot listen on {listen}\nanother program may: choose another `--listen`"),
        )?;
    let listening = signals::listen(|| {
        eprintln!("finishing the steps under way; once more stops at once");
    })?;
    if answers {
        greet(here, &server, &troupe, &engine).await?;
    } else {
        println!("windlass {} works on http://{}", env!("CARGO_PKG_VERSION"), server.address());
    }
    let stop = listening.stop.clone();
    let sending = Sending::begin(&engine, courier);
    let working = works.then(|| {
        let settings = worker::Settings {
            owner: process::name(),
            sessions_max: usize::from(work.sessions_max),
            sweep_every_ms: SWEEP_EVERY_MS,
            failed_rest_ms: FAILED_REST_MS,
        };
        let working = worker::run(engine.clone(), troupe, settings, stop.clone());
        let stop = stop.clone();
        tokio::spawn(async move {
            let ended = AssertUnwindSafe(working).catch_unwind().await;
            // Who takes tasks without working on them must not go on.
            stop.soon.cancel();
            ended.is_ok()
        })
    });
    let served = tokio::select! {
        served = server.serve(stop.soon.clone().cancelled_owned()) => served,
        () = stop.now.cancelled() => Ok(()),
    };
    // Where the listener broke nobody has asked the worker to stop.
    stop.soon.cancel();
    let worked = match working {
        Some(working) => working.await.unwrap_or(false),
        None => true,
    };
    sending.end().await;
    served.context("the listener broke")?;
    anyhow::ensure!(worked, "the worker crashed; its sessions go on when the next process starts");
    Ok(End::Finished)
}

/// Says where it is, what it serves and how to call it.
async fn greet(
    here: &Here,
    server: &Server,
    troupe: &Troupe,
    engine: &engine::Engine,
) -> anyhow::Result<()> {
    let (url, cards) = (format!("http://{}", server.address()), troupe.cards());
    let names: Vec<&str> = cards.iter().map(|card| card.agent.as_str()).collect();
    println!("windlass {} on {url}", env!("CARGO_PKG_VERSION"));
    println!("  agents     {}", names.join(", "));
    println!("  reference  {url}/docs");
    let keys = engine.store.directory().keys(&here.tenant, "", 1).await?;
    if keys.is_empty() {
        let tenant = if here.tenant.0 == LOCAL { "" } else { " of this tenant" };
        let program = here.program_words();
        eprintln!(
            "{} nobody{tenant} has a key yet: `{program} init` makes the first",
            "note:".yellow()
        );
    }
    let users = engine.store.directory().members(&here.tenant, "", 2).await?;
    if users.len() > 1 && here.permits.policies.installation.name() == policy::DEFAULT {
        eprintln!(
            "{} the policies of the template `default` are for one person: every user may answer \
             what was asked for others\n      `policy: approvals` in the installation's file tells \
             them apart",
            "note:".yellow()
        );
    }
    let agent = names.first().copied().unwrap_or("…");
    println!(
        "  try        curl -s '{url}/v1/sessions?wait_s=60' -H \"Authorization: Bearer $WINDLASS_KEY\" \\\n\
         \u{20}            --json '{{\"agent\": \"{agent}\", \"input\": \"What is 17.5% of 2340?\"}}'"
    );
    Ok(())
}

/// Whether a text is an origin: a scheme and a host, and nothing behind it.
fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return false };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    !scheme.is_empty() && !host.is_empty() && host.chars().all(plain)
}
