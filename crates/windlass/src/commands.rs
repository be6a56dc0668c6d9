//! One file per command. Each parses nothing, decides nothing, and speaks to the engine
//! through its door.

pub(crate) mod alerts;
pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod caps;
pub(crate) mod chat;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod drill;
pub(crate) mod erase;
pub(crate) mod guard;
pub(crate) mod init;
pub(crate) mod keys;
pub(crate) mod log;
pub(crate) mod mcp;
pub(crate) mod policy;
pub(crate) mod prices;
pub(crate) mod resume;
pub(crate) mod retention;
pub(crate) mod run;
pub(crate) mod secrets;
pub(crate) mod serve;
pub(crate) mod sessions;
pub(crate) mod simulate;
pub(crate) mod spend;
pub(crate) mod tools;
pub(crate) mod users;

use std::path::Path;

use anyhow::Context as _;
use engine::Engine;
use engine::ports::Listing;
use kernel::units::SessionId;

use crate::assemble;
use crate::exit::BadUsage;
use crate::here::Here;

/// Sessions looked through for an id's beginning.
const LOOKED_THROUGH_MAX: u32 = 1_000;

/// The session that somebody means: a whole id, the beginning of one, or `last`.
pub(crate) async fn session(
    here: &Here,
    engine: &Engine,
    named: &str,
) -> anyhow::Result<SessionId> {
    if let Ok(session) = named.parse() {
        return Ok(session);
    }
    let listing = Listing { status: None, before: None, rows_max: LOOKED_THROUGH_MAX };
    let sessions = engine.store.list(&here.tenant, &listing).await?;
    let mut meant = sessions.iter().map(|listed| listed.session).filter(|session| {
        named == "last" || (!named.is_empty() && session.to_string().starts_with(named))
    });
    match (meant.next(), meant.next()) {
        (Some(session), None) => Ok(session),
        (Some(session), Some(_)) if named == "last" => Ok(session),
        (Some(_), Some(_)) => Err(BadUsage(format!(
            "several sessions begin with `{named}`\ngive more of the id; `windlass sessions list` shows them"
        ))
        .into()),
        (None, _) => Err(BadUsage(format!(
            "there is no session `{named}`\n`windlass sessions list` shows those that there are"
        ))
        .into()),
    }
}

/// The folder that file tools work in, as an absolute path under one of the roots.
pub(crate) fn workdir(here: &Here, given: Option<&Path>) -> anyhow::Result<String> {
    let folder = given.unwrap_or(Path::new("."));
    let absolute = folder.canonicalize().map_err(|why| {
        BadUsage(format!("cannot work in `{}`: {why}\ngive a folder that exists", folder.display()))
    })?;
    if !absolute.is_dir() {
        return Err(BadUsage(format!("`{}` is not a folder", folder.display())).into());
    }
    let words = absolute.to_str().with_context(|| {
        format!("the path of `{}` is not UTF-8, and sessions store it as text", folder.display())
    })?;
    assemble::admit(here, words)?;
    Ok(words.to_owned())
}
