//! The installation's file, `windlass.yaml`: what holds for every agent that runs here.
//!
//! Without one there are no shared caps and the built-in prices hold, so that a newcomer
//! needs none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kernel::units::ContentHash;

use super::Environment;
use super::alerts::{self, Webhook};
use super::expect::{self, Keys};
use super::keeping::{self, Encryption, Keeping};
use super::mistake::{Broken, Source};
use super::permits::{self, Permits};
use super::plans::{self, Caps};
use super::provider::optional;
use super::redaction::{self, Redaction};
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
    /// What is blanked before anything leaves.
    pub(crate) redaction: Redaction,
    /// Who may do what.
    pub(crate) permits: Permits,
    /// Under which keys content is sealed. `None`: it is not.
    pub(crate) encryption: Option<Encryption>,
    /// How long content is kept, by environment.
    pub(crate) retention: BTreeMap<String, Keeping>,
    /// The hash of the file; nothing where there is none.
    pub(crate) hash: Option<ContentHash>,
}

const FILE: Keys = Keys {
    of: "the file",
    known: &[
        "limits",
        "prices",
        "alerts",
        "redact",
        "environment",
        "people",
        "policy",
        "task_types",
        "roles",
        "tenants",
        "roots",
        "secrets",
        "encryption",
        "retention",
    ],
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
        let redaction = redaction::read(reader, file.get("redact"));
        let permits = permits::read(reader, file, folder);
        let prices = prices?.map(|path| folder.join(path));
        let encryption = keeping::encryption(reader, file.get("encryption"));
        let retention = keeping::retention(reader, file.get("retention"));
        Some(Installation {
            caps: limits?,
            prices,
            webhooks: webhooks?,
            redaction: redaction?,
            permits: permits?,
            encryption: encryption?,
            retention: retention?,
            hash: Some(ContentHash::of(source.text.as_bytes())),
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
    let limits = FILE.known.iter().copied().chain(plans::keys()).chain(alerts::keys());
    limits.chain(redaction::keys()).chain(permits::keys()).chain(keeping::keys())
}
