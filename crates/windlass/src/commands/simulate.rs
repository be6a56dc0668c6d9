//! `windlass simulate`: a provider that is no language model, with faults on request.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anstream::println;
use anyhow::Context as _;
use models::simulated::planner::Planner;
use models::simulated::server::{FaultPlan, Server, Settings};
use models::simulated::{Brain, Latency};

use crate::assemble;
use crate::cli::SimulateArgs;
use crate::exit::{BadUsage, End};
use crate::signals;
use crate::world::Machine;

pub(crate) async fn simulate(args: SimulateArgs) -> anyhow::Result<End> {
    let brain: Arc<dyn Brain> = match args.brain.split_once(':') {
        Some(("script", file)) => Arc::new(assemble::script(Path::new(file))?),
        _ if args.brain == "planner" => Arc::new(Planner),
        _ => {
            let words =
                format!("there is no brain `{}`; there are: planner, script:FILE", args.brain);
            return Err(BadUsage(words).into());
        }
    };
    let faults = args
        .faults
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|why| BadUsage(format!("{why}")))?
        .unwrap_or(FaultPlan::Never);
    let latency = Latency { first_ms: args.latency_ms, per_token_ms: args.token_ms };
    let settings = Settings { faults, latency, seed: args.seed, ..Settings::default() };
    let address = SocketAddr::new(args.host, args.port);
    let server =
        Server::bind(address, brain, settings, Arc::new(Machine)).await.with_context(|| {
            format!("cannot listen on {address}\nanother program may: choose another `--port`")
        })?;
    println!("simulated provider, no language model, on http://{}", server.address());
    println!("  Anthropic  POST /v1/messages");
    println!("  OpenAI     POST /v1/chat/completions");
    println!("  its meter  GET  /simulate/meter");
    let listening = signals::listen(|| {})?;
    server.serve(listening.stop.soon.clone().cancelled_owned()).await?;
    Ok(End::Finished)
}
