//! `windlass serve`, and who may call it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::secrets::overlap_ms;

/// `windlass serve`
#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// The address to listen on; port 0 takes a free one and prints it
    #[arg(long, env = "WINDLASS_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    /// Answer alone, and leave the runs to workers of the same store
    #[arg(long)]
    pub(crate) no_work: bool,
    /// A web page's origin that may call, like `app://obsidian.md`; may be given again
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    pub(crate) origins: Vec<String>,
}

/// `windlass worker`
#[derive(Args, Debug)]
pub(crate) struct WorkerArgs {
    /// The address of `/healthz` and `/readyz`; port 0 takes a free one and prints it
    #[arg(long, env = "WINDLASS_LISTEN", default_value = "127.0.0.1:8081", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// What runs are worked on with.
#[derive(Args, Debug)]
pub(crate) struct WorkArgs {
    /// A folder of agents' YAML files [default: `agents` beside the store, or one general agent]
    #[arg(long, env = "WINDLASS_AGENTS", value_name = "DIR")]
    pub(crate) agents: Option<PathBuf>,
    /// Where sessions without a folder of their own get one [default: `workspaces` beside the
    /// store]
    #[arg(long, env = "WINDLASS_WORKSPACES", value_name = "DIR")]
    pub(crate) workspaces: Option<PathBuf>,
    /// Sessions that are worked on at the same time
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) sessions_max: u16,
}

/// `windlass init`
#[derive(Args, Debug)]
pub(crate) struct InitArgs {
    /// What the key is for
    #[arg(long, default_value = "first", value_name = "TEXT")]
    pub(crate) name: String,
}

/// `windlass keys …`
#[derive(Subcommand, Debug)]
pub(crate) enum KeysCommand {
    /// Make a key; it is printed once
    #[command(after_help = "\
Example:  windlass keys create --name ci --agent reference --expires 30d
          windlass keys create --for bob --action 'run.*' --action session.read")]
    Create(NewKeyArgs),
    /// List a tenant's keys, without what proves them
    #[command(after_help = "Example:  windlass keys list")]
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Make a key in another's place, which works on for a while
    #[command(after_help = "Example:  windlass keys rotate 1f0c9a… --overlap 1h")]
    Rotate {
        /// The id of the key
        #[arg(value_name = "KEY")]
        id: String,
        /// How long the old key works beside the new one, like `15m`, `1h` or `2d`
        #[arg(long, value_name = "TIME", default_value = "1d", value_parser = overlap_ms)]
        overlap: u64,
    },
    /// End a key at once
    #[command(after_help = "Example:  windlass keys revoke 1f0c9a…")]
    Revoke {
        /// The id of the key
        #[arg(value_name = "KEY")]
        id: String,
    },
}

/// A new key.
#[derive(Args, Debug)]
pub(crate) struct NewKeyArgs {
    /// What it is for
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub(crate) name: String,
    /// The user who calls with it; whoever acts where absent
    #[arg(long = "for", value_name = "USER")]
    pub(crate) user: Option<String>,
    /// An action that it is good for, like `run.start` or `run.*`; all where absent
    #[arg(long = "action", value_name = "NAME")]
    pub(crate) actions: Vec<String>,
    /// An agent that it is good for; all where absent
    #[arg(long = "agent", value_name = "NAME")]
    pub(crate) agents: Vec<String>,
    /// A model that it is good for; all where absent
    #[arg(long = "model", value_name = "NAME")]
    pub(crate) models: Vec<String>,
    /// An environment that it is good in; all where absent
    #[arg(long = "environment", value_name = "NAME")]
    pub(crate) environments: Vec<String>,
    /// When it stops working, like `12h` or `30d`; it does not where absent
    #[arg(long, value_name = "TIME", value_parser = overlap_ms)]
    pub(crate) expires: Option<u64>,
}

/// `windlass users …`
#[derive(Subcommand, Debug)]
pub(crate) enum UsersCommand {
    /// List the users of the tenant
    #[command(after_help = "Example:  windlass users list")]
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Make a user, or change their role and team
    #[command(after_help = "Example:  windlass users set bob --role operator --team red")]
    Set {
        /// Their name
        #[arg(value_name = "USER")]
        name: String,
        /// `member`, `operator`, `admin`, or a role of your own policies
        #[arg(long, default_value = "member", value_name = "NAME")]
        role: String,
        /// The team that their calls are counted under
        #[arg(long, value_name = "NAME")]
        team: Option<String>,
    },
    /// Remove a user; their keys stop working
    #[command(after_help = "Example:  windlass users remove bob")]
    Remove {
        /// Their name
        #[arg(value_name = "USER")]
        name: String,
    },
}
