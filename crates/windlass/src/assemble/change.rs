//! Noticing that the configuration has changed: where its files differ from what the
//! tenant's audit last says, the audit is told, once.
//!
//! Where the audit says it is remembered beside the store, so that a long audit is not
//! searched each time. The memory is believed only where the audit bears it out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use engine::Engine;
use engine::audit::Link;
use kernel::verdict::Judgement;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::here::Here;

/// The action under which a change stands in the audit.
const ACTION: &str = "config.change";

/// The subject where nothing is configured.
const NONE: &str = "none";

/// Digits of the configuration's hash that the audit tells: enough to see a change. The
/// whole hashes of its files stand in the entry's content.
const SHOWN_DIGITS: usize = 16;

/// Entries read from the audit at a time.
const PAGE_ROWS: u32 = 1_000;

/// For each tenant an entry of its audit: the last one that tells of the configuration, or
/// one up to which none does.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Memory(BTreeMap<String, u64>);

/// Tells the audit of a configuration that it does not know. Nothing is told of an
/// installation that never had any.
pub(crate) async fn tell(here: &Here, engine: &Engine) -> anyhow::Result<()> {
    let place = here.store.join("configuration.json");
    let mut memory = remembered(&place);
    let tenant = &here.tenant.0;
    let known = memory.0.get(tenant).copied();
    let (mut at, told) = look_up(here, engine, known.unwrap_or(0)).await?;
    let hash = here.configuration.hash().map(|hash| hash.to_string()[..SHOWN_DIGITS].to_owned());
    let subject = hash.unwrap_or_else(|| NONE.to_owned());
    let is_new = told.as_deref().unwrap_or(NONE) != subject;
    if is_new {
        let files = here.configuration.files.iter();
        let files = files.map(|(what, hash)| json!({ "what": what, "hash": hash.to_string() }));
        let content = json!({ "files": files.collect::<Vec<_>>() });
        let who = here.principal();
        let told = engine.told(&who, &here.scope, ACTION, &subject, &Judgement::allow(), content);
        engine.store.audit().append(&here.tenant, vec![told]).await?;
        (at, _) = look_up(here, engine, 0).await?;
    }
    let is_far = at.abs_diff(known.unwrap_or(0)) >= u64::from(PAGE_ROWS);
    if is_new || is_far || (subject != NONE && known != Some(at)) {
        memory.0.insert(tenant.clone(), at);
        // Without it the audit is searched again, and nothing is lost.
        let _ = keep(&place, &memory);
    }
    Ok(())
}

/// Where the audit last tells of the configuration, and which hash it tells; or its end,
/// where it tells of none.
async fn look_up(
    here: &Here,
    engine: &Engine,
    known: u64,
) -> anyhow::Result<(u64, Option<String>)> {
    let audit = engine.store.audit();
    let (first, last) = audit.ends(&here.tenant).await?;
    if known > first.seq {
        let links = audit.links(&here.tenant, known - 1, 1).await?;
        if let Some(subject) = links.first().and_then(told) {
            return Ok((known, Some(subject)));
        }
    }
    let from = if known > last.seq { first.seq } else { known.max(first.seq) };
    let mut upto = last.seq;
    while upto > from {
        let after = upto.saturating_sub(u64::from(PAGE_ROWS)).max(from);
        let links = audit.links(&here.tenant, after, PAGE_ROWS).await?;
        let mut page = links.iter().rev().filter(|link| link.seq <= upto);
        if let Some((seq, subject)) = page.find_map(|link| Some((link.seq, told(link)?))) {
            return Ok((seq, Some(subject)));
        }
        upto = after;
    }
    Ok((last.seq, None))
}

/// What an entry tells of the configuration, if that is what it is about.
fn told(link: &Link) -> Option<String> {
    let entry = link.checked().ok()?;
    (entry.action == ACTION).then_some(entry.subject)
}

/// A memory that is lost or damaged is an empty one: the audit is searched again.
fn remembered(place: &Path) -> Memory {
    let words = fs::read(place).unwrap_or_default();
    serde_json::from_slice(&words).unwrap_or_default()
}

fn keep(place: &Path, memory: &Memory) -> std::io::Result<()> {
    let beside = place.with_extension(format!("{}.part", std::process::id()));
    fs::write(&beside, serde_json::to_vec(memory)?)?;
    fs::rename(&beside, place)
}
