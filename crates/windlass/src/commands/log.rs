//! `windlass log`: the facts of a session, as they are or as they come.

use std::cmp::Ordering;
use std::time::Duration;

use anstream::println;
use engine::Engine;
use engine::error::EngineError;
use engine::ports::{Head, Status};
use kernel::event::{Broken, Sealed, chain_root, unseal};
use kernel::units::{ContentHash, SessionId, Tenant};

use super::session;
use crate::cli::LogArgs;
use crate::exit::End;
use crate::here::Here;
use crate::{assemble, show};

/// How often a followed log is read, in milliseconds.
const FOLLOW_EVERY_MS: u64 = 200;

pub(crate) async fn log(here: &Here, args: LogArgs) -> anyhow::Result<End> {
    let engine = assemble::reader(here).await?;
    let session = session(here, &engine, &args.session).await?;
    if args.verify {
        return verify(&engine, &here.tenant, session, args.json).await;
    }
    let (mut seen, mut head) = (0, chain_root(session));
    loop {
        let listed = engine.store.look(&here.tenant, session).await?;
        let resting = args.follow && is_resting(listed.brief.status);
        loop {
            let rows = engine.read_after(&here.tenant, session, seen).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let sealed = unseal(head, seen + 1, row)
                    .map_err(|why| EngineError::Damaged { session, why: why.into() })?;
                (seen, head) = (sealed.event.seq, sealed.hash);
                print(session, &sealed, args.json);
            }
        }
        if let Some(why) = off_the_record(seen, head, &listed.head) {
            return Err(EngineError::Damaged { session, why: why.into() }.into());
        }
        if !args.follow || resting {
            return Ok(End::Finished);
        }
        tokio::time::sleep(Duration::from_millis(FOLLOW_EVERY_MS)).await;
    }
}

/// Whether what was read misses the end that the session's row records: a tail that was
/// cut off or altered leaves a chain that holds. More than was recorded came meanwhile.
fn off_the_record(seen: u64, head: ContentHash, recorded: &Head) -> Option<Broken> {
    match seen.cmp(&recorded.seq) {
        Ordering::Less => Some(Broken::Gap { expected: recorded.seq, found: seen }),
        Ordering::Equal if head != recorded.hash => Some(Broken::Chain { seq: seen }),
        Ordering::Equal | Ordering::Greater => None,
    }
}

/// Whether nothing will be added unless somebody commands something.
fn is_resting(status: Status) -> bool {
    match status {
        Status::Running => false,
        Status::Idle | Status::Parked | Status::Finished | Status::Failed | Status::Cancelled => {
            true
        }
    }
}

fn print(session: SessionId, sealed: &Sealed, json: bool) {
    if json {
        println!("{}", show::json_line(session, sealed));
    } else {
        println!("{}", show::line(&sealed.event));
    }
}

/// Checks the chain and the recorded end, and folds the whole log.
async fn verify(
    engine: &Engine,
    tenant: &Tenant,
    session: SessionId,
    json: bool,
) -> anyhow::Result<End> {
    let log = engine.log(tenant, session).await?;
    let state = engine.state(tenant, session).await?;
    let (events, head) = (log.len(), state.head);
    if json {
        let value = serde_json::json!({
            "session": session, "intact": true, "events": events, "head": head,
        });
        println!("{}", show::object(&value));
    } else {
        println!("intact: {events} events, the chain of hashes holds\nhead {head}");
    }
    Ok(End::Finished)
}
