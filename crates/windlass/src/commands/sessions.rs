//! `windlass sessions …`: list, show, fork, cancel and export.

use std::io::Write;
use std::path::Path;

use anstream::{eprintln, println};
use anyhow::Context as _;
use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, Width, presets};
use engine::Engine;
use engine::driver::Stop;
use engine::error::EngineError;
use engine::ports::{Listed, Listing, Status, StoreError};
use kernel::event::{Fact, chain_root, unseal};
use kernel::run::{Ended, Phase};
use kernel::units::{SessionId, Tenant};
use owo_colors::OwoColorize;
use serde_json::json;

use super::session;
use crate::cli::{AgentArgs, SessionsCommand};
use crate::drive::Drive;
use crate::exit::{BadUsage, End};
use crate::here::Here;
use crate::watch::Watcher;
use crate::{assemble, process, report, show};

/// The least room that a list gives to tasks, in characters.
const TASK_CHARS_MIN: u16 = 12;

/// Digits of a parent's id that a list shows, from its end.
const PARENT_DIGITS: usize = 8;

pub(crate) async fn sessions(here: &Here, command: SessionsCommand) -> anyhow::Result<End> {
    let engine = assemble::reader(here).await?;
    match command {
        SessionsCommand::List { status, limit, json } => {
            list(here, &engine, status.as_deref(), limit, json).await
        }
        SessionsCommand::Show { session: named } => {
            let session = session(here, &engine, &named).await?;
            show_one(here, &engine, session).await
        }
        SessionsCommand::Fork { session: named, at } => {
            let parent = session(here, &engine, &named).await?;
            let fork = engine.fork(&here.tenant, parent, at).await?;
            println!("{fork}");
            eprintln!("go on with: {}", here.resume_words(fork));
            Ok(End::Finished)
        }
        SessionsCommand::Cancel { session: named } => {
            let session = session(here, &engine, &named).await?;
            cancel(here, &engine, session).await
        }
        SessionsCommand::Export { session: named, out } => {
            let session = session(here, &engine, &named).await?;
            export(here, &engine, session, out.as_deref()).await
        }
    }
}

async fn list(
    here: &Here,
    engine: &Engine,
    status: Option<&str>,
    limit: u32,
    json: bool,
) -> anyhow::Result<End> {
    let status = status.map(parse_status).transpose()?;
    let listing = Listing { status, before: None, rows_max: limit };
    let sessions = engine.store.list(&here.tenant, &listing).await?;
    if json {
        for listed in &sessions {
            let parent = parent(engine, &here.tenant, listed.session).await?;
            println!("{}", show::object(&json_row(listed, parent)));
        }
        return Ok(End::Finished);
    }
    if sessions.is_empty() {
        eprintln!("no sessions here yet; `windlass run \"…\"` makes one");
        return Ok(End::Finished);
    }
    let now = engine.world.now();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["SESSION", "STATUS", "AGENT", "TURNS", "SPENT", "CHANGED", "TASK"]);
    for listed in &sessions {
        let mut row = Row::from([
            listed.session.to_string(),
            standing(listed).to_owned(),
            listed.brief.agent_id.clone(),
            listed.brief.turns.to_string(),
            listed.brief.spent.to_string(),
            show::ago(listed.updated, now),
            task(listed, parent(engine, &here.tenant, listed.session).await?),
        ]);
        // A long task is cut at the terminal's width; an id never is, so that it can be copied.
        row.max_height(1);
        table.add_row(row);
    }
    let task = ColumnConstraint::LowerBoundary(Width::Fixed(TASK_CHARS_MIN));
    table.set_constraints([ColumnConstraint::ContentWidth; 6].into_iter().chain([task]));
    println!("{table}");
    Ok(End::Finished)
}

/// The session that a session works for.
async fn parent(
    engine: &Engine,
    tenant: &Tenant,
    session: SessionId,
) -> anyhow::Result<Option<SessionId>> {
    let first = match engine.store.read(tenant, session, 0, 1).await {
        Ok(rows) => rows.into_iter().next(),
        // Lists go on without what cannot be read any more, or not here.
        Err(StoreError::Erased(_) | StoreError::Locked { .. }) => None,
        Err(other) => return Err(other.into()),
    };
    let opened = first.and_then(|row| unseal(chain_root(session), 1, row).ok());
    Ok(match opened.map(|sealed| sealed.event.fact) {
        Some(Fact::SessionOpened(opening)) => opening.parent.map(|parent| parent.session),
        Some(_) | None => None,
    })
}

/// The task, and of a child the end of its parent's id, by which those are told apart.
fn task(listed: &Listed, parent: Option<SessionId>) -> String {
    let title = show::one_line(&listed.brief.title);
    match parent {
        None => title,
        Some(parent) => {
            let id = parent.to_string();
            format!("(child of …{}) {title}", &id[id.len() - PARENT_DIGITS..])
        }
    }
}

fn json_row(listed: &Listed, parent: Option<SessionId>) -> serde_json::Value {
    json!({
        "session": listed.session,
        "status": word(listed.brief.status),
        "agent": listed.brief.agent_id,
        "turns": listed.brief.turns,
        "spent_nano_usd": listed.brief.spent,
        "changed": show::instant(listed.updated),
        "task": listed.brief.title,
        "parent": parent,
        "events": listed.head.seq,
        "head": listed.head.hash,
        "owner": listed.lease.as_ref().map(|(owner, _)| owner),
    })
}

/// The status, told apart from a run whose owner died.
fn standing(listed: &Listed) -> &'static str {
    let dead = listed.lease.as_ref().is_none_or(|(owner, _)| process::is_dead(owner));
    if listed.brief.status == Status::Running && dead {
        return "cut off";
    }
    word(listed.brief.status)
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Idle => "idle",
        Status::Running => "running",
        Status::Parked => "parked",
        Status::Finished => "finished",
        Status::Failed => "failed",
        Status::Cancelled => "cancelled",
    }
}

fn parse_status(text: &str) -> Result<Status, BadUsage> {
    let all = [
        Status::Idle,
        Status::Running,
        Status::Parked,
        Status::Finished,
        Status::Failed,
        Status::Cancelled,
    ];
    all.into_iter().find(|status| word(*status) == text).ok_or_else(|| {
        let names: Vec<&str> = all.into_iter().map(word).collect();
        BadUsage(format!("there is no status `{text}`; there are: {}", names.join(", ")))
    })
}

async fn show_one(here: &Here, engine: &Engine, session: SessionId) -> anyhow::Result<End> {
    let listed = engine.store.look(&here.tenant, session).await?;
    let state = match engine.state(&here.tenant, session).await {
        Err(EngineError::Store(StoreError::Erased(_))) => return Ok(show_erased(&listed)),
        other => other?,
    };
    let opening = state.opening.as_ref();
    let mut rows = vec![
        ("session", session.to_string()),
        ("status", standing(&listed).to_owned()),
        ("agent", format!("{} ({})", state.agent.agent_id, state.agent.model)),
        ("folder", opening.and_then(|o| o.workdir.clone()).unwrap_or_default()),
        ("changed", show::instant(listed.updated)),
        ("events", listed.head.seq.to_string()),
        ("spent", state.spent.to_string()),
    ];
    if let Some(point) = opening.and_then(|opening| opening.forked_from.as_ref()) {
        rows.push(("fork of", format!("{} at event {}", point.session, point.seq)));
    }
    if let Some(parent) = opening.and_then(|opening| opening.parent.as_ref()) {
        rows.push(("child of", format!("{} (call {})", parent.session, parent.call)));
    }
    if let Some(run) = &state.run {
        let cap = run.cap.map_or_else(|| "no cap".to_owned(), |cap| format!("cap {cap}"));
        rows.push(("task", show::one_line(&run.task)));
        rows.push((
            "run",
            format!(
                "{} · {} of {} turns · {} of {cap}",
                run.number, run.turns, run.turns_max, run.settled
            ),
        ));
        if let Some((why, wake)) = &run.parked {
            let wake = wake.map(|at| format!(", wakes {}", show::instant(at))).unwrap_or_default();
            rows.push(("parked", format!("{}{wake}", show::parked(why))));
        }
        match &run.phase {
            Phase::Over(Ended::Finished(result)) => rows.push(("result", show::result(result))),
            Phase::Over(Ended::Failed(code, message)) => {
                rows.push(("failed", format!("{}: {}", code.code(), show::one_line(message))));
            }
            Phase::Over(Ended::Cancelled) => {}
            Phase::Ready | Phase::Calling(_) | Phase::Tooling(_) | Phase::Closing(_) => {
                let next = report::next(here, &state, run);
                rows.extend(next.raise.map(|raise| ("raise with", raise)));
                rows.extend(next.answer.map(|answer| ("answer with", answer)));
                rows.push(("go on with", next.resume));
            }
        }
    }
    print(rows);
    Ok(End::Finished)
}

/// What is left of a session whose content was erased.
fn show_erased(listed: &Listed) -> End {
    print(vec![
        ("session", listed.session.to_string()),
        ("status", standing(listed).to_owned()),
        ("agent", listed.brief.agent_id.clone()),
        ("changed", show::instant(listed.updated)),
        ("events", listed.head.seq.to_string()),
        ("spent", listed.brief.spent.to_string()),
        ("content", "erased".to_owned()),
    ]);
    End::Finished
}

fn print(rows: Vec<(&str, String)>) {
    for (name, value) in rows {
        println!("{:<11} {value}", name.dimmed());
    }
}

/// Asks for the end. Where nobody drives the session, this process ends it itself.
async fn cancel(here: &Here, engine: &Engine, session: SessionId) -> anyhow::Result<End> {
    let tenant = &here.tenant;
    engine.cancel(tenant, session, &here.user).await?;
    let listed = engine.store.look(tenant, session).await?;
    let driven = listed.lease.as_ref().is_some_and(|(owner, _)| !process::is_dead(owner));
    if listed.brief.status == Status::Running && !driven {
        let engine = assemble::for_session(here, session, &AgentArgs::default()).await?;
        let drive =
            Drive { engine: &engine, tenant, session, stop: Stop::default(), takeover: false };
        let (mut watcher, mut seen) = (Watcher::new(false), engine.tap.watch());
        drive.to_rest(&mut watcher, &mut seen).await?;
    }
    match engine.store.look(tenant, session).await?.brief.status {
        Status::Running => println!("asked; its owner ends it at the next step"),
        Status::Idle | Status::Parked | Status::Finished | Status::Failed | Status::Cancelled => {
            println!("cancelled");
        }
    }
    Ok(End::Finished)
}

/// A whole session in JSON lines: one for the session, one per kept payload, one per event.
async fn export(
    here: &Here,
    engine: &Engine,
    session: SessionId,
    out: Option<&Path>,
) -> anyhow::Result<End> {
    let log = engine.log(&here.tenant, session).await?;
    let state = engine.state(&here.tenant, session).await?;
    let mut lines = vec![show::object(&json!({
        "type": "session",
        "session": session,
        "format": kernel::event::FORMAT,
        "agent": *state.agent,
        "agent_hash": state.agent_hash,
        "head": state.head,
    }))];
    for kept in &state.payloads {
        let bytes = engine.store.payload(&here.tenant, Some(session), kept.hash).await?;
        lines.push(show::object(&json!({
            "type": "payload",
            "hash": kept.hash,
            "text": String::from_utf8_lossy(&bytes),
        })));
    }
    lines.extend(log.iter().map(|sealed| show::json_line(session, sealed)));
    match out {
        None => lines.iter().for_each(|line| println!("{line}")),
        Some(path) => write_whole(path, &lines)
            .with_context(|| format!("cannot write `{}`", path.display()))?,
    }
    Ok(End::Finished)
}

/// Writes beside and renames, so that nobody finds half an export.
fn write_whole(path: &Path, lines: &[String]) -> std::io::Result<()> {
    let beside = path.with_extension("part");
    let mut file = std::fs::File::create(&beside)?;
    for line in lines {
        writeln!(file, "{line}")?;
    }
    file.sync_all()?;
    std::fs::rename(beside, path)
}
