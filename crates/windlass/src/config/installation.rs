//! The installation's file, `windlass.yaml`: what holds for every agent that runs here.
//!
//! Without one there are no shared caps and the built-in prices hold, so that a newcomer
//! needs none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Environment;
use super::alerts::{self, Webhook};
use super::expect::{self, Keys};
use super::keeping::{self, Encryption, Keeping};
use super::mistake::{Broken, Source};
use super::plans::{self, Caps};
use super::provider::optional;
use super::yaml::{Node, Value};

/// What the installation's file says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Installation {
    /// The plans that name shared caps, and who is under which.
    pub(crate) caps: Caps,
    /// The price file that is laid over the built-in prices.
    pub(crate) prices: Option<PathBuf>,
    /// Who is told of trips.
    pub(crate) webhooks: Vec<Webhook>,
    /// Where secrets are.
    pub(crate) secrets: secrets::Configuration,
    /// Under which keys content is sealed. `None`: it is not.
    pub(crate) encryption: Option<Encryption>,
    /// How long content is kept, by environment.
    pub(crate) retention: BTreeMap<String, Keeping>,
}

const FILE: Keys = Keys {
    of: "the file",
    known: &["limits", "prices", "alerts", "secrets", "encryption", "retention"],
    required: &[],
};

/// Reads the whole file. Relative paths start at `folder`.
pub(super) fn read(
    source: &Source,
    folder: &Path,
    environment: Environment,
) -> Result<Installation, Broken> {
    expect::file(source, environment, &FILE, |reader, file| {
        let prices = optional(file.get("prices"), |entry| reader.text(entry));
        let limits = plans::read(reader, file.get("limits"));
        let webhooks = alerts::read(reader, file.get("alerts"));
        let prices = prices?.map(|path| folder.join(path));
        let secrets = keeping::secrets(reader, file.get("secrets"));
        let encryption = keeping::encryption(reader, file.get("encryption"));
        let retention = keeping::retention(reader, file.get("retention"));
        Some(Installation {
            caps: limits?,
            prices,
            webhooks: webhooks?,
            secrets: secrets?,
            encryption: encryption?,
            retention: retention?,
        })
    })
}

/// Whether a file with these keys at its top is the installation's. No agent's file has
/// any of them.
pub(super) fn is_told_by(root: &Node) -> bool {
    let ours = |key: &str| FILE.known.contains(&key);
    matches!(&root.value, Value::Map(entries) if entries.iter().any(|one| ours(&one.key)))
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    FILE.known.iter().copied().chain(plans::keys()).chain(alerts::keys()).chain(keeping::keys())
}
