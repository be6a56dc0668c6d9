//! `windlass audit search`: entries that fit, newest last.

use std::collections::VecDeque;

use anstream::{eprintln, println};
use comfy_table::{Table, presets};
use engine::Engine;
use engine::audit::{Entry, Link};
use engine::ports::StoreError;
use kernel::units::UnixMs;
use serde_json::{Value, json};

use super::{follow, reader};
use crate::cli::SearchArgs;
use crate::exit::{BadUsage, End};
use crate::here::Here;
use crate::show;

/// What stands in the place of words whose key is not here.
const SEALED: &str = "(sealed)";

/// One entry that fits.
struct Found {
    seq: u64,
    entry: Entry,
    content: Option<String>,
}

pub(super) async fn search(here: &Here, args: &SearchArgs) -> anyhow::Result<End> {
    let engine = reader(here).await?;
    let from = args.from.as_deref().map(day).transpose()?;
    let mut fitting: VecDeque<(Link, Entry)> = VecDeque::new();
    follow(here, &engine, async |link, entry| {
        if fits(args, from, &entry) {
            fitting.push_back((link.clone(), entry));
            if fitting.len() > args.limit as usize {
                fitting.pop_front();
            }
        }
        Ok(())
    })
    .await?;
    let mut found = VecDeque::with_capacity(fitting.len());
    for (link, entry) in fitting {
        let content = opened(here, &engine, &link).await?;
        found.push_back(Found { seq: link.seq, entry, content });
    }
    if args.json {
        found.iter().for_each(|one| println!("{}", show::object(&object(one))));
    } else if found.is_empty() {
        eprintln!("no entry fits");
    } else {
        println!("{}", table(&found, engine.world.now()));
    }
    Ok(End::Finished)
}

/// What people wrote, as far as the key is here.
async fn opened(here: &Here, engine: &Engine, link: &Link) -> anyhow::Result<Option<String>> {
    match engine.store.audit().opened(&here.tenant, link).await {
        Ok(content) => Ok(content.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())),
        Err(StoreError::Locked { .. }) => Ok(Some(SEALED.to_owned())),
        Err(other) => Err(other.into()),
    }
}

fn fits(args: &SearchArgs, from: Option<UnixMs>, entry: &Entry) -> bool {
    let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|one| one == found);
    let session = entry.session.map(|session| session.to_string()).unwrap_or_default();
    is(&args.action, &entry.action)
        && is(&args.subject, &entry.subject)
        && is(&args.by, &entry.user)
        && args.session.as_ref().is_none_or(|wanted| session.starts_with(wanted.as_str()))
        && is(&args.verdict, entry.verdict.map_or("", |verdict| verdict.name()))
        && from.is_none_or(|from| entry.at >= from)
}

fn day(text: &str) -> Result<UnixMs, BadUsage> {
    let wrong = || BadUsage(format!("`{text}` is no day\nwrite it like `2026-11-01`"));
    let date: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| wrong())?;
    let ms = midnight.timestamp().as_millisecond();
    Ok(UnixMs(u64::try_from(ms).map_err(|_| wrong())?))
}

fn table(found: &VecDeque<Found>, now: UnixMs) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["#", "WHEN", "ACTION", "SUBJECT", "BY", "VERDICT", "OUTCOME", "WHAT"]);
    for Found { seq, entry, content } in found {
        let by = match &entry.agent_id {
            Some(agent) => format!("{agent} for {}", entry.user),
            None => entry.user.clone(),
        };
        table.add_row([
            seq.to_string(),
            show::ago(entry.at, now),
            entry.action.clone(),
            show::one_line(&entry.subject),
            show::one_line(&by),
            entry.verdict.map_or_else(String::new, |verdict| verdict.name().to_owned()),
            entry.outcome.clone().unwrap_or_default(),
            content.as_deref().map(show::one_line).unwrap_or_default(),
        ]);
    }
    table
}

fn object(found: &Found) -> Value {
    let mut object = json!(found.entry);
    object["seq"] = found.seq.into();
    object["at"] = show::instant(found.entry.at).into();
    let content = found.content.as_deref();
    object["content"] = content.map_or(Value::Null, |text| {
        serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
    });
    object
}
