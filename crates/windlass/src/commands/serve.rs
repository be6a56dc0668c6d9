//! `windlass serve`: the service and its worker in one process.

use std::sync::Arc;

use anstream::{eprintln, println};
use anyhow::Context as _;
use engine::ports::Roster as _;
use engine::worker;
use owo_colors::OwoColorize;
use server::{Server, Settings};

use crate::alerts::Sending;
use crate::assemble::{self, Troupe};
use crate::cli::ServeArgs;
use crate::exit::{BadUsage, End};
use crate::here::{Here, LOCAL};
use crate::{process, signals};

/// How often the worker looks for work by itself, in milliseconds.
const SWEEP_EVERY_MS: u64 = 1_000;

/// How long a session that failed is left alone, in milliseconds.
const FAILED_REST_MS: u64 = 30_000;

pub(crate) async fn serve(here: &Here, args: ServeArgs) -> anyhow::Result<End> {
    let courier = assemble::webhooks(here)?;
    if let Some(wrong) = args.origins.iter().find(|origin| !is_origin(origin)) {
        let words = format!("`{wrong}` is no origin\nwrite it like `https://app.example.com`");
        return Err(BadUsage(words).into());
    }
    let troupe = Troupe::gather(here, args.agents.as_deref(), args.workspaces.as_deref())?;
    let (engine, troupe) = (troupe.engine(), Arc::new(troupe));
    assemble::tell_of_change(here, &engine).await?;
    let settings = Settings { origins: args.origins, ..Settings::default() };
    let address = args.listen;
    let server =
        Server::bind(address, engine.clone(), troupe.clone(), here.scope.clone(), settings)
            .await
            .with_context(|| {
            format!("cannot listen on {address}\nanother program may: choose another `--listen`")
        })?;
    let listening = signals::listen(|| {
        eprintln!("finishing the steps under way; once more stops at once");
    })?;
    greet(here, &server, &troupe, &engine).await?;
    let worker = worker::Settings {
        owner: process::name(),
        sessions_max: usize::from(args.sessions_max),
        sweep_every_ms: SWEEP_EVERY_MS,
        failed_rest_ms: FAILED_REST_MS,
    };
    let stop = listening.stop.clone();
    let working = tokio::spawn(worker::run(engine.clone(), troupe, worker, stop.clone()));
    let sending = Sending::begin(&engine, courier);
    let served = server.serve(stop.soon.clone().cancelled_owned()).await;
    // Where the listener broke nobody has asked the worker to stop.
    stop.soon.cancel();
    if let Err(error) = working.await {
        tracing::error!(%error, "the worker crashed; its sessions go on when their leases run out");
    }
    sending.end().await;
    served.context("the listener broke")?;
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
