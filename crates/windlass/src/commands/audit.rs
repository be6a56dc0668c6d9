//! `windlass audit …`: who did what, and proof that nobody altered it.

mod export;
mod search;
mod sign;
mod verify;

use engine::Engine;
use engine::audit::{ChainHead, Entry, Link};

use crate::assemble;
use crate::cli::AuditCommand;
use crate::exit::End;
use crate::here::Here;

/// Entries read from the store at a time.
const PAGE_ROWS: u32 = 1_000;

pub(crate) async fn audit(here: &Here, command: AuditCommand) -> anyhow::Result<End> {
    match command {
        AuditCommand::Search(args) => search::search(here, &args).await,
        AuditCommand::Export { out, open } => export::export(here, out.as_deref(), open).await,
        AuditCommand::Verify { file: Some(file), public_key } => {
            verify::file(here, &file, public_key.as_deref())
        }
        AuditCommand::Verify { file: None, .. } => verify::store(here).await,
    }
}

/// Reads the tenant's chain from its beginning, checking each link on the way. Brings its
/// ends: where it begins, and where it was followed to.
///
/// # Errors
/// The store failed, the chain is broken, or `take` failed.
async fn follow(
    here: &Here,
    engine: &Engine,
    mut take: impl AsyncFnMut(&Link, Entry) -> anyhow::Result<()>,
) -> anyhow::Result<(ChainHead, ChainHead)> {
    let audit = engine.store.audit();
    let (first, last) = audit.ends(&here.tenant).await?;
    let mut head = first;
    while head.seq < last.seq {
        let links = audit.links(&here.tenant, head.seq, PAGE_ROWS).await?;
        if links.is_empty() {
            let words = format!(
                "the audit was cut: its last entry is {}, and {} is recorded\n\
                 restore the store from a backup",
                head.seq, last.seq
            );
            anyhow::bail!(words);
        }
        for link in links.iter().take_while(|link| link.seq <= last.seq) {
            let entry = head.follow(link)?;
            take(link, entry).await?;
        }
    }
    if head.hash != last.hash {
        anyhow::bail!("the last entry of the audit was altered\nrestore the store from a backup");
    }
    Ok((first, head))
}

/// An engine for reading the audit, for somebody whom policies let.
async fn reader(here: &Here) -> anyhow::Result<Engine> {
    let engine = assemble::reader(here).await?;
    let read = engine::ports::Action::Administer { name: "audit.read", resource: "audit" };
    engine.may(&here.principal(), &here.scope, read)?;
    Ok(engine)
}
