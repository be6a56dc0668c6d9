//! What the shell is granted, beyond its working directory.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use guard::url::Policy;
use sandbox::Limits;

/// What the shell is granted. The default grants no program and no network, so that
/// somebody is asked for every command.
#[derive(Clone, Default)]
pub struct Bash {
    /// Allow entries: the first words of a program's plain form, like `git status`.
    pub allow: Vec<String>,
    /// Where commands may connect. `None`: nowhere.
    pub network: Option<Policy>,
    /// Variables of every command. They are never printed.
    pub env: BTreeMap<String, String>,
    /// Files and folders that may be read and executed besides the system's own.
    pub read: Vec<PathBuf>,
    /// What one command may use up. Its time is the call's own.
    pub limits: Limits,
}

impl fmt::Debug for Bash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bash")
            .field("allow", &self.allow)
            .field("network", &self.network)
            .field("env", &self.env.keys().collect::<Vec<_>>())
            .field("read", &self.read)
            .field("limits", &self.limits)
            .finish()
    }
}
