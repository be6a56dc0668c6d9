//! `windlass erase …` and `windlass retention …`: content that goes, asked for or by age.

use clap::{Args, Subcommand};

/// `windlass erase …`
#[derive(Subcommand, Debug)]
pub(crate) enum EraseCommand {
    /// Erase the content of all sessions of a user
    #[command(after_help = "Example:  windlass erase user ada --yes")]
    User {
        /// The user, within the tenant of `--tenant`
        name: String,
        #[command(flatten)]
        args: EraseArgs,
    },
    /// Erase the content of a session, of its children and of its forks
    #[command(after_help = "Example:  windlass erase session 0198c0de --yes")]
    Session {
        /// The session: its id, the beginning of its id, or `last`
        session: String,
        #[command(flatten)]
        args: EraseArgs,
    },
}

/// How to erase.
#[derive(Args, Debug)]
pub(crate) struct EraseArgs {
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Leave it to the next erasure to write the store's file anew, which takes as long as
    /// copying it; traces may be found in it until then
    #[arg(long)]
    pub(crate) no_scrub: bool,
}

/// `windlass retention …`
#[derive(Subcommand, Debug)]
pub(crate) enum RetentionCommand {
    /// Erase content and audit entries whose time is over, by `retention` in the
    /// installation's file
    #[command(after_help = "\
Example:  windlass retention apply --dry-run
          windlass retention apply --all-tenants")]
    Apply(RetentionArgs),
}

/// How far.
#[derive(Args, Debug)]
pub(crate) struct RetentionArgs {
    /// Say what would go, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// For every tenant that has a session, not only that of `--tenant`
    #[arg(long)]
    pub(crate) all_tenants: bool,
    /// Leave it to the next erasure to write the store's file anew
    #[arg(long)]
    pub(crate) no_scrub: bool,
}
