//! What a session was begun with, kept beside the store under its agent's hash: the
//! path of the agent's file and the model that was asked for. No keys, no prompts.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use kernel::units::ContentHash;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::cli::AgentArgs;

/// How to find an agent's settings again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memo {
    /// The agent's file, as an absolute path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<PathBuf>,
    /// The model that was asked for instead of the file's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<String>,
}

impl Memo {
    /// What these arguments say.
    pub(super) fn of(args: &AgentArgs) -> anyhow::Result<Self> {
        let file = args.agent.as_deref().map(std::path::absolute).transpose()?;
        let model = args.model.as_deref().map(found_again).transpose()?;
        Ok(Memo { file, model })
    }

    /// Keeps it for sessions of the agent with this hash.
    pub(super) fn keep(&self, store: &Path, agent: &ContentHash) -> anyhow::Result<()> {
        let path = place(store, agent);
        let words = serde_json::to_vec(self)?;
        if fs::read(&path).is_ok_and(|kept| kept == words) {
            return Ok(());
        }
        let folder = path.parent().unwrap_or(store);
        let beside = folder.join(format!(".{}.part", Uuid::new_v4()));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&beside, words))
            .and_then(|()| fs::rename(&beside, &path))
            .with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// Finds it again. Nothing is known of sessions that were brought from elsewhere.
    pub(super) fn find(store: &Path, agent: &ContentHash) -> anyhow::Result<Self> {
        let path = place(store, agent);
        match fs::read(&path) {
            Ok(words) => serde_json::from_slice(&words).with_context(|| {
                format!("`{}` is damaged\nname the agent's file with `--agent`", path.display())
            }),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(Memo::default()),
            Err(why) => Err(why).with_context(|| format!("cannot read `{}`", path.display())),
        }
    }
}

/// A model's name that means the same from every folder.
fn found_again(model: &str) -> anyhow::Result<String> {
    match model.strip_prefix("script:") {
        Some(path) => Ok(format!("script:{}", std::path::absolute(path)?.display())),
        None => Ok(model.to_owned()),
    }
}

fn place(store: &Path, agent: &ContentHash) -> PathBuf {
    store.join("agents").join(format!("{agent}.json"))
}
