//! `windlass drill`: rehearses what goes wrong in production, with a real agent against a
//! simulated provider over the wire, and says what the run did, what it cost and how long
//! it was down.
//!
//! Nothing of the user's store, keys or network is touched.

mod outage;
mod stage;

use anstream::{eprintln, println};
use owo_colors::OwoColorize;
use serde_json::json;

use crate::cli::{DrillCommand, OutageArgs};
use crate::exit::{BadUsage, End};
use crate::show;
use outage::{WAYS, Way};
use stage::{Outcome, play};

pub(crate) async fn drill(command: DrillCommand) -> anyhow::Result<End> {
    match command {
        DrillCommand::ProviderOutage(args) => provider_outage(args).await,
    }
}

async fn provider_outage(args: OutageArgs) -> anyhow::Result<End> {
    let ways = ways(args.only.as_deref())?;
    if !args.json {
        let plural = if args.failures == 1 { "request fails" } else { "requests fail" };
        eprintln!("simulated provider, no language model; {} {plural} in each way", args.failures);
        println!("{}", heading());
    }
    let mut lasting = true;
    for way in ways {
        let outcome = play(way, args.failures).await?;
        lasting &= outcome.lasted();
        if args.json {
            println!("{}", show::object(&object(way, &outcome)));
        } else {
            println!("{}", row(way, &outcome));
        }
    }
    if !args.json {
        eprintln!("{}", verdict(lasting));
    }
    Ok(if lasting { End::Finished } else { End::Failed })
}

/// The ways that are asked for: all of them unless one is named.
fn ways(only: Option<&str>) -> Result<Vec<&'static Way>, BadUsage> {
    let Some(name) = only else { return Ok(WAYS.iter().collect()) };
    let way = WAYS.iter().find(|way| way.name == name);
    way.map(|way| vec![way]).ok_or_else(|| {
        let names: Vec<&str> = WAYS.iter().map(|way| way.name).collect();
        BadUsage(format!(
            "there is no way to fail called `{name}`; there are: {}",
            names.join(", ")
        ))
    })
}

fn heading() -> String {
    let line = format!(
        "{:<10} {:<30} {:<9} {:>5} {:>8} {:>6} {:>8} {:>11} {:>11}",
        "way",
        "what happens",
        "run",
        "turns",
        "requests",
        "parked",
        "down",
        "we booked",
        "they charge"
    );
    line.bold().to_string()
}

fn row(way: &Way, outcome: &Outcome) -> String {
    let status = format!("{:<9}", outcome.status);
    let status =
        if outcome.lasted() { status.green().to_string() } else { status.red().to_string() };
    let booked = format!("{}{}", if outcome.estimated { "≤ " } else { "" }, outcome.booked);
    let line = format!(
        "{:<10} {:<30} {status} {:>5} {:>8} {:>6} {:>8} {:>11} {:>11}",
        way.name,
        way.words,
        outcome.turns,
        outcome.requests,
        outcome.parks,
        seconds(outcome.down_ms),
        booked,
        outcome.charged.to_string(),
    );
    match &outcome.reason {
        Some(reason) => format!("{line}\n{:<10} {}", "", reason.dimmed()),
        None => line,
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
}

fn object(way: &Way, outcome: &Outcome) -> serde_json::Value {
    json!({
        "way": way.name,
        "status": outcome.status,
        "reason": outcome.reason,
        "turns": outcome.turns,
        "requests": outcome.requests,
        "parks": outcome.parks,
        "down_ms": outcome.down_ms,
        "booked_nano_usd": outcome.booked.0,
        "estimated": outcome.estimated,
        "charged_nano_usd": outcome.charged.0,
        "model_calls_failed": outcome.failed,
        "fallback": outcome.fallback,
    })
}

fn verdict(lasting: bool) -> String {
    if lasting {
        return "every run finished or parked, with its work kept".green().to_string();
    }
    "a run neither finished nor parked".red().to_string()
}
