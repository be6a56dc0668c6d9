//! `windlass alerts …`: what was told, to whom it got, and trying whether it would.

use anstream::{eprintln, println};
use comfy_table::{Table, presets};
use engine::alerts::{Alert, Kind};
use engine::ports::{AlertListed, Copied, CopyStanding};
use kernel::units::UnixMs;
use serde_json::{Value, json};

use crate::alerts::Sending;
use crate::cli::AlertsCommand;
use crate::exit::{BadUsage, End};
use crate::here::Here;
use crate::{assemble, show};

pub(crate) async fn alerts(here: &Here, command: AlertsCommand) -> anyhow::Result<End> {
    match command {
        AlertsCommand::List { limit, json } => list(here, limit, json).await,
        AlertsCommand::Test { name } => test(here, name.as_deref()).await,
        AlertsCommand::Retry { id } => retry(here, id.as_deref()).await,
    }
}

async fn list(here: &Here, limit: u32, json: bool) -> anyhow::Result<End> {
    let engine = assemble::reader(here).await?;
    let listed = engine.store.outbox().alerts(None, limit).await?;
    if json {
        listed.iter().for_each(|one| println!("{}", show::object(&object(one))));
    } else if listed.is_empty() {
        eprintln!("no alerts");
    } else {
        println!("{}", table(&listed, engine.world.now()));
    }
    Ok(End::Finished)
}

fn object(one: &AlertListed) -> Value {
    let copies = one.copies.iter().map(|copy| {
        let (standing, due) = match copy.standing {
            CopyStanding::Waiting(due) => ("waiting", Some(due)),
            CopyStanding::Delivered => ("delivered", None),
            CopyStanding::Dead => ("dead", None),
        };
        let (to, attempts, why) = (&copy.to, copy.attempts, &copy.why);
        json!({"to": to, "standing": standing, "due": due, "attempts": attempts, "why": why})
    });
    let copies: Vec<Value> = copies.collect();
    json!({"id": one.alert.id(), "alert": one.alert, "copies": copies})
}

fn table(listed: &[AlertListed], now: UnixMs) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["WHEN", "KIND", "TENANT", "WHAT", "TO"]);
    for AlertListed { alert, copies } in listed {
        let to: Vec<String> = copies.iter().map(|copy| standing(copy, now)).collect();
        table.add_row([
            show::ago(alert.at, now),
            alert.kind.code().to_owned(),
            alert.tenant.as_ref().map(|tenant| show::one_line(&tenant.0)).unwrap_or_default(),
            show::one_line(&alert.text),
            if to.is_empty() { "nobody".to_owned() } else { to.join("\n") },
        ]);
    }
    table
}

fn standing(copy: &Copied, now: UnixMs) -> String {
    let why = if copy.why.is_empty() { String::new() } else { format!(": {}", copy.why) };
    match copy.standing {
        CopyStanding::Delivered => format!("{}: delivered", copy.to),
        CopyStanding::Dead => format!("{}: given up{why}", copy.to),
        CopyStanding::Waiting(due) if due > now => {
            let seconds = (due.0 - now.0).div_ceil(1_000);
            format!("{}: tried again in {seconds} s{why}", copy.to)
        }
        CopyStanding::Waiting(_) => format!("{}: waiting{why}", copy.to),
    }
}

/// Sends a sample past the store, so that it changes nothing.
async fn test(here: &Here, only: Option<&str>) -> anyhow::Result<End> {
    let names: Vec<&str> = here.webhooks.iter().map(|one| one.subscriber.name.as_str()).collect();
    if names.is_empty() {
        let words = "there is no webhook\nname one in the installation's file under `alerts`";
        return Err(BadUsage(words.to_owned()).into());
    }
    if let Some(unknown) = only.filter(|only| !names.contains(only)) {
        let words = format!("there is no webhook `{unknown}`\nthere are: {}", names.join(", "));
        return Err(BadUsage(words).into());
    }
    let webhooks = assemble::webhooks(here)?;
    let now = assemble::now();
    let mut end = End::Finished;
    for name in names.into_iter().filter(|name| only.is_none_or(|only| only == *name)) {
        match webhooks.post(name, &sample(here, now), now).await {
            Ok(answer) => println!("{name}: {answer}"),
            Err(why) => {
                end = End::Broken;
                println!("{name}: failed, {why}");
            }
        }
    }
    Ok(end)
}

fn sample(here: &Here, now: UnixMs) -> Alert {
    Alert {
        key: format!("test/{}", now.0),
        at: now,
        kind: Kind::Test,
        tenant: Some(here.tenant.clone()),
        user: Some(here.user.clone()),
        agent_id: None,
        session: None,
        run: None,
        cap: None,
        text: "a test: alerts of windlass arrive here".to_owned(),
    }
}

/// Makes what was given up due, and sends it at once as far as the time at an end goes.
async fn retry(here: &Here, id: Option<&str>) -> anyhow::Result<End> {
    let engine = assemble::reader(here).await?;
    let count = engine.store.outbox().again(id, engine.world.now()).await?;
    let plural = if count == 1 { "delivery is" } else { "deliveries are" };
    eprintln!("{count} {plural} tried again; `windlass alerts list` shows how it went");
    Sending::begin(&engine, assemble::webhooks(here)?).end().await;
    Ok(End::Finished)
}
