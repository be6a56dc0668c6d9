//! `windlass audit verify`: whether a chain is what was committed.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anstream::println;
use anyhow::Context as _;
use engine::audit::{ChainHead, Link};

use super::export::Line;
use super::sign::{SignedHead, is_signed};
use super::{follow, reader};
use crate::exit::{BadUsage, End};
use crate::here::Here;

/// Checks the chain in the store.
pub(super) async fn store(here: &Here) -> anyhow::Result<End> {
    let engine = reader(here).await?;
    let (mut entries, mut contents) = (0_u64, 0_u64);
    let (first, last) = follow(here, &engine, async |link, _entry| {
        entries += 1;
        contents += u64::from(link.content.is_some());
        Ok(())
    })
    .await?;
    println!(
        "whole: {entries} entries, {} to {}, {contents} with content; head {}",
        first.seq + 1,
        last.seq,
        last.hash
    );
    Ok(End::Finished)
}

/// Checks an exported file with its signed head.
pub(super) fn file(here: &Here, path: &Path, key: Option<&str>) -> anyhow::Result<End> {
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| format!("cannot read `{name}`"))?;
    let mut links = Vec::new();
    let mut signed: Option<SignedHead> = None;
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.with_context(|| format!("cannot read `{name}`"))?;
        let wrong = |what: &str| BadUsage(format!("`{name}`, line {number}: {what}"));
        let read = serde_json::from_str(&line);
        match read.map_err(|why| wrong(&format!("no line of an exported audit: {why}")))? {
            _ if signed.is_some() => return Err(wrong("there is a line behind the head").into()),
            Line::Entry { seq, prev, body, content, .. } => links.push(Link {
                seq,
                prev,
                body: body.into_bytes(),
                content: content.map(|text| text.into_bytes().into()),
            }),
            Line::Head { head } => signed = Some(head),
        }
    }
    let Some(signed) = signed else {
        return Err(BadUsage(format!("`{name}` has no signed head: it was cut")).into());
    };
    let head = followed(&signed, &links)?;
    if head != signed.last {
        anyhow::bail!("`{name}` does not end where its head says: it was cut or altered");
    }
    if !is_signed(&signed) {
        anyhow::bail!("the signature of `{name}` is not that of the key that it names");
    }
    if key.is_some_and(|key| !key.eq_ignore_ascii_case(&signed.public_key)) {
        anyhow::bail!("`{name}` is signed by another key: {}", signed.public_key);
    }
    if signed.tenant != here.tenant {
        println!("this is the audit of the tenant `{}`", signed.tenant.0);
    }
    let trust = if key.is_some() { "the key that you named" } else { "this key; compare it" };
    println!(
        "whole: {} entries, {} to {}, signed by {trust}: {}",
        links.len(),
        signed.first.seq + 1,
        signed.last.seq,
        signed.public_key
    );
    Ok(End::Finished)
}

fn followed(signed: &SignedHead, links: &[Link]) -> anyhow::Result<ChainHead> {
    let mut head = signed.first;
    // A chain that was never pruned begins at its tenant's root.
    if head.seq == 0 && head != ChainHead::empty(&signed.tenant) {
        anyhow::bail!("the audit does not begin at the root of the tenant's chain");
    }
    for link in links {
        head.follow(link)?;
    }
    Ok(head)
}
