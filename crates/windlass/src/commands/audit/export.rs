//! `windlass audit export`: the chain as JSON lines, and a signed head.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anstream::eprintln;
use anyhow::Context as _;
use engine::audit::Link;
use kernel::units::ContentHash;
use serde::{Deserialize, Serialize};

use super::sign::{self, SignedHead};
use super::{follow, reader};
use crate::exit::End;
use crate::here::Here;

/// One line of an exported file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Line {
    /// An entry as it is chained.
    Entry {
        /// Its number.
        seq: u64,
        /// The hash before it.
        prev: ContentHash,
        /// The bytes that the chain covers.
        body: String,
        /// What people wrote, as it is stored.
        content: Option<String>,
        /// The same in the clear, where it was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opened: Option<String>,
    },
    /// The end.
    Head {
        /// Where the chain ends.
        head: SignedHead,
    },
}

impl Line {
    fn of(link: &Link, opened: Option<&[u8]>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Line::Entry {
            seq: link.seq,
            prev: link.prev,
            body: text(&link.body),
            content: link.content.as_deref().map(text),
            opened: opened.map(text),
        }
    }
}

pub(super) async fn export(here: &Here, out: Option<&Path>, open: bool) -> anyhow::Result<End> {
    let engine = reader(here).await?;
    let mut sink: Box<dyn Write> = match out {
        Some(path) => {
            let file = File::create(path);
            Box::new(file.with_context(|| format!("cannot write `{}`", path.display()))?)
        }
        None => Box::new(std::io::stdout()),
    };
    let mut sink = BufWriter::new(&mut sink);
    let mut entries = 0_u64;
    let audit = engine.store.audit();
    let ends = follow(here, &engine, async |link, _entry| {
        entries += 1;
        let opened = if open { audit.opened(&here.tenant, link).await? } else { None };
        writeln!(sink, "{}", serde_json::to_string(&Line::of(link, opened.as_deref()))?)?;
        Ok(())
    })
    .await?;
    let head = sign::sign(&here.store, &here.tenant, ends, engine.world.now())?;
    let key = head.public_key.clone();
    writeln!(sink, "{}", serde_json::to_string(&Line::Head { head })?)?;
    sink.flush()?;
    eprintln!("{entries} entries, signed by {key}");
    Ok(End::Finished)
}
