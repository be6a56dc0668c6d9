//! What a new session may be told about its scope. It only narrows.

use clap::Args;
use kernel::verdict::Trust;

use crate::show::{self, TRUSTS};

/// How a new session is narrowed.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ScopeArgs {
    /// The kind of task: it gets the tools and the trust that the installation's file says
    #[arg(long, value_name = "NAME", conflicts_with = "session")]
    pub(crate) task_type: Option<String>,
    /// Less trust than the agent's own: `read_only`, `standard` or `elevated`
    #[arg(long, value_name = "LEVEL", conflicts_with = "session", value_parser = trust)]
    pub(crate) trust: Option<Trust>,
}

/// How far tools may reach.
pub(super) fn trust(text: &str) -> Result<Trust, String> {
    let found = TRUSTS.into_iter().find(|trust| show::trust(*trust) == text);
    found.ok_or_else(|| format!("one of `{}`", TRUSTS.map(show::trust).join("`, `")))
}
