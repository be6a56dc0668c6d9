//! The commands about MCP servers.

use std::path::PathBuf;

use clap::Subcommand;

/// `windlass mcp …`
#[derive(Subcommand, Debug)]
pub(crate) enum McpCommand {
    /// Ask the servers of an agent's file, and show their tools, what they are pinned to, and
    /// what waits for somebody
    #[command(after_help = "Example:  windlass mcp list agent.yaml")]
    List {
        /// The agent's YAML file
        agent: PathBuf,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Accept what a tool says of itself now
    #[command(after_help = "\
The pin is the one that `windlass mcp list` shows. Where the tool says something else by
now, nothing is accepted.

Example:  windlass mcp accept agent.yaml files__read_file 5f1d…")]
    Accept {
        /// The agent's YAML file
        agent: PathBuf,
        /// The tool's name, as in `files__read_file`
        name: String,
        /// What you saw
        pin: String,
    },
}
