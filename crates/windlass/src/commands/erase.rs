//! `windlass erase …`: the content of sessions, for good.

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal};

use anstream::{eprint, eprintln, println};
use engine::Engine;
use engine::ports::Doomed;
use kernel::units::SessionId;

use super::session;
use crate::cli::EraseCommand;
use crate::exit::{End, NotNow};
use crate::here::Here;
use crate::{assemble, process};

/// Sessions that are named before somebody consents; the others are counted.
const NAMED_MAX: usize = 20;

/// What somebody types who means it.
const CONSENT: &str = "erase";

pub(crate) async fn erase(here: &Here, command: EraseCommand) -> anyhow::Result<End> {
    let engine = assemble::reader(here).await?;
    let (which, args) = match command {
        EraseCommand::User { name, args } => (Doomed::User(name), args),
        EraseCommand::Session { session: named, args } => {
            (Doomed::Session(session(here, &engine, &named).await?), args)
        }
    };
    let sessions = engine.erasable(&here.tenant, &which).await?;
    if sessions.is_empty() {
        println!("nothing is there to be erased");
        if !args.no_scrub {
            engine.store.contents().scrub().await?;
        }
        return Ok(End::Finished);
    }
    if !args.yes {
        consent(&sessions)?;
    }
    let (who, owner) = (here.principal(), process::name());
    let erasure = engine.erase(&who, &here.scope, &which, &owner).await?;
    clean(here, &engine, &erasure.erased, args.no_scrub).await?;
    if !erasure.erased.is_empty() {
        println!("erased the content of {}", counted(&erasure.erased));
    }
    match erasure.busy.as_slice() {
        [] => Ok(End::Finished),
        busy => Err(NotNow(under_way(here, busy)).into()),
    }
}

/// Removes what the store's folder and files have of erased sessions beside the store.
pub(super) async fn clean(
    here: &Here,
    engine: &Engine,
    erased: &[SessionId],
    no_scrub: bool,
) -> anyhow::Result<()> {
    let erased: BTreeSet<SessionId> = erased.iter().copied().collect();
    tools::forget_effects(&std::path::absolute(&here.store)?, &erased)?;
    if !no_scrub {
        engine.store.contents().scrub().await?;
    }
    Ok(())
}

pub(super) fn counted(sessions: &[SessionId]) -> String {
    match sessions {
        [one] => format!("session {one}"),
        many => format!("{} sessions", many.len()),
    }
}

fn under_way(here: &Here, busy: &[SessionId]) -> String {
    let mut words = "not erased, because a run is under way there:".to_owned();
    for session in busy.iter().take(NAMED_MAX) {
        words.push_str(&format!("\n  {session}"));
    }
    if busy.len() > NAMED_MAX {
        words.push_str(&format!("\n  and {} more", busy.len() - NAMED_MAX));
    }
    let program = here.program_words();
    words.push_str(&format!("\nend it first: `{program} sessions cancel SESSION`"));
    words
}

/// Says what is going to be erased, and goes on only if a person at a terminal means it.
fn consent(sessions: &[SessionId]) -> anyhow::Result<()> {
    eprintln!("this erases for good what was said and done in {}:", counted(sessions));
    for session in sessions.iter().take(NAMED_MAX) {
        eprintln!("  {session}");
    }
    if sessions.len() > NAMED_MAX {
        eprintln!("  and {} more", sessions.len() - NAMED_MAX);
    }
    let not_meant = |words: &str| NotNow(format!("nothing was erased: {words}"));
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(not_meant("nobody is here to consent\n`--yes` goes on without asking").into());
    }
    eprint!("type `{CONSENT}` to go on: ");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    if line.trim() == CONSENT { Ok(()) } else { Err(not_meant("it was not meant").into()) }
}
