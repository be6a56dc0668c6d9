//! The commands about alerts.

use clap::Subcommand;

/// `windlass alerts …`
#[derive(Subcommand, Debug)]
pub(crate) enum AlertsCommand {
    /// List alerts of all tenants, newest first, and whom they have reached
    #[command(after_help = "Example:  windlass alerts list --limit 5")]
    List {
        /// At most this many
        #[arg(
            long,
            default_value_t = 20,
            value_name = "N",
            value_parser = clap::value_parser!(u32).range(1..=1_000)
        )]
        limit: u32,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Send a sample to the webhooks of the installation's file, and show what came back
    #[command(after_help = "Example:  windlass alerts test ops")]
    Test {
        /// Only this webhook
        name: Option<String>,
    },
    /// Try again what was given up
    #[command(after_help = "Example:  windlass alerts retry")]
    Retry {
        /// Only the alert with this id
        id: Option<String>,
    },
}
