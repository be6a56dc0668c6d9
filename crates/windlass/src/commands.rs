//! One file per command. Each parses nothing, decides nothing, and speaks to the engine
//! through its door.

pub(crate) mod chat;
pub(crate) mod config;
pub(crate) mod log;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod sessions;
pub(crate) mod simulate;
pub(crate) mod spend;
pub(crate) mod tools;

use std::path::Path;

use anyhow::Context as _;
use engine::Engine;
use engine::ports::Listing;
use kernel::units::{SessionId, Tenant};

use crate::exit::BadUsage;

/// The tenant and user of everything that is started from this command line.
const LOCAL: &str = "local";

/// Sessions looked through for an id's beginning.
const LOOKED_THROUGH_MAX: u32 = 1_000;

/// The tenant of this command line.
pub(crate) fn tenant() -> Tenant {
    Tenant(LOCAL.to_owned())
}

/// The session that somebody means: a whole id, the beginning of one, or `last`.
pub(crate) async fn session(engine: &Engine, named: &str) -> anyhow::Result<SessionId> {
    if let Ok(session) = named.parse() {
        return Ok(session);
    }
    let listing = Listing { status: None, before: None, rows_max: LOOKED_THROUGH_MAX };
    let sessions = engine.store.list(&tenant(), &listing).await?;
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

/// The command that goes on with a session, as it can be typed.
pub(crate) fn resume_words(store: &Path, session: SessionId) -> String {
    format!("{} resume {session}", program_words(store))
}

/// The command that goes on with a conversation, as it can be typed.
pub(crate) fn chat_words(store: &Path, session: SessionId) -> String {
    format!("{} chat --session {session}", program_words(store))
}

/// The beginning of a command that means the same store.
fn program_words(store: &Path) -> String {
    if store == Path::new(".windlass") {
        return "windlass".to_owned();
    }
    format!("windlass --store {}", quoted(&store.display().to_string()))
}

/// A word as a POSIX shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The folder that file tools work in, as an absolute path.
pub(crate) fn workdir(given: Option<&Path>) -> anyhow::Result<String> {
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
    Ok(words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resume_command_can_be_typed_as_it_is_printed() {
        let session: SessionId = "0198c0de-0000-7000-8000-000000000001".parse().unwrap();
        let words = |store: &str| resume_words(Path::new(store), session);
        assert_eq!(words(".windlass"), format!("windlass resume {session}"));
        assert_eq!(words("/tmp/s"), format!("windlass --store /tmp/s resume {session}"));
        let odd = format!(r"windlass --store '/tmp/it'\''s here' resume {session}");
        assert_eq!(words("/tmp/it's here"), odd);
    }
}
