//! The command line: every command, flag and example in one place.

mod alerts;
mod approvals;
mod audit;
mod doctor;
mod erase;
mod guard;
mod here;
mod mcp;
mod money;
mod policy;
mod scope;
mod secrets;
mod service;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use kernel::units::Money;

pub(crate) use alerts::AlertsCommand;
pub(crate) use approvals::{AnswerArgs, ApprovalsCommand};
pub(crate) use audit::{AuditCommand, SearchArgs};
pub(crate) use doctor::DoctorArgs;
pub(crate) use erase::{EraseCommand, RetentionArgs, RetentionCommand};
pub(crate) use guard::{GuardCommand, GuardLoopArgs};
pub(crate) use here::HereArgs;
pub(crate) use mcp::McpCommand;
pub(crate) use money::{CapChange, CapsCommand, Limit, PricesCommand, SpendArgs};
pub(crate) use policy::{ExplainArgs, FilesArgs, PolicyCommand, QuestionArgs};
pub(crate) use scope::ScopeArgs;
pub(crate) use secrets::{SecretsCommand, WhoseArgs};
pub(crate) use service::{
    InitArgs, KeysCommand, NewKeyArgs, ServeArgs, UsersCommand, WorkArgs, WorkerArgs,
};

use here::label;

/// Windlass runs LLM agents durably, inside hard limits.
#[derive(Parser, Debug)]
#[command(
    name = "windlass",
    version,
    about = "The production runtime for LLM agents: durable runs, hard caps, caged tools",
    long_about = None,
    after_help = "\
Exit codes: 0 finished · 1 the machine failed (store, network) · 2 bad usage · 3 parked · \
4 failed or cancelled · 5 refused

Try it:  windlass run \"What is 17.5% of 2340? Save the result as a note called tip.\"",
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) here: HereArgs,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Give an agent a task and watch it work
    #[command(after_help = "\
Example:  windlass run \"What is 17.5% of 2340?\"
          windlass run --agent examples/reference.yaml --budget 0.20 - < task.txt")]
    Run(RunArgs),
    /// Talk with an agent; every line is a run of one session
    #[command(after_help = "Example:  windlass chat --agent examples/reference.yaml")]
    Chat(ChatArgs),
    /// Go on with a run that is parked or was interrupted
    #[command(after_help = "\
Example:  windlass resume last
          windlass resume 0198c0de --budget 2.00 --turns 10")]
    Resume(ResumeArgs),
    /// List, show, fork, cancel and export sessions
    #[command(subcommand, after_help = "Example:  windlass sessions list --status parked")]
    Sessions(SessionsCommand),
    /// Print a session's log of facts, or check that nobody altered it
    #[command(after_help = "\
Example:  windlass log last --follow
          windlass log last --verify")]
    Log(LogArgs),
    /// List the calls that wait for somebody's consent, and answer
    #[command(subcommand, after_help = "Example:  windlass approvals list")]
    Approvals(ApprovalsCommand),
    /// Find, export and verify who did what: calls, verdicts, approvals, caps
    #[command(subcommand, after_help = "Example:  windlass audit verify")]
    Audit(AuditCommand),
    /// Show, check, test and explain policies: who may do what
    #[command(subcommand, after_help = "Example:  windlass policy show")]
    Policy(PolicyCommand),
    /// Set, list, rotate and remove secrets in the encrypted file
    #[command(subcommand, after_help = "Example:  windlass secrets set stripe-key")]
    Secrets(SecretsCommand),
    /// Erase for good what was said and done, of a user or of a session
    #[command(subcommand, after_help = "Example:  windlass erase user ada")]
    Erase(EraseCommand),
    /// Let go what the installation's file gives a time
    #[command(subcommand, after_help = "Example:  windlass retention apply --dry-run")]
    Retention(RetentionCommand),
    /// List what models cost, or check a price file
    #[command(subcommand, after_help = "Example:  windlass prices list")]
    Prices(PricesCommand),
    /// List what operators were told, try whether webhooks work, send again what was given up
    #[command(subcommand, after_help = "Example:  windlass alerts list")]
    Alerts(AlertsCommand),
    /// List the caps that runs share, set them, or raise them for now
    #[command(subcommand, after_help = "Example:  windlass caps list")]
    Caps(CapsCommand),
    /// Show what was spent, by tenant, user, agent, model, day or month
    #[command(after_help = "\
Example:  windlass spend --by user --days 7
          windlass spend --by tenant --by month --from 2026-11 --to 2026-11 --csv")]
    Spend(SpendArgs),
    /// List the tools, or call one as an agent would
    #[command(subcommand, after_help = "Example:  windlass tools list")]
    Tools(ToolsCommand),
    /// List what the MCP servers of an agent offer, and accept what they say of their tools
    #[command(subcommand, after_help = "Example:  windlass mcp list agent.yaml")]
    Mcp(McpCommand),
    /// Try the program's guards on your own traffic
    #[command(subcommand, after_help = "Example:  windlass guard loop < runs.jsonl")]
    Guard(GuardCommand),
    /// Say what this machine, the configuration and the store can do here
    #[command(after_help = "\
Looks at the cage that commands run in, the installation's file, the store, the policies,
and with --agent at each tool of that agent. Nothing is changed. Ends with 1 where
something that is configured cannot work.

Example:  windlass doctor --agent examples/reference.yaml")]
    Doctor(DoctorArgs),
    /// Serve agents over HTTP: sessions, events, approvals, caps, keys
    #[command(after_help = "\
One process is a whole service: it answers, and works on the runs. `windlass init` makes the
first key. On SIGTERM it takes no more work, finishes the step under way and leaves the rest
to whoever starts next.

Example:  windlass init
          windlass serve --agents examples")]
    Serve(ServeArgs),
    /// Work on the runs of a store that others share, without answering callers
    #[command(after_help = "\
Any number of workers may share a PostgreSQL database (`WINDLASS_DATABASE`), each on its own
machine: give all of them, and whoever serves, the same agents and the same installation's file.

Example:  windlass worker --agents examples")]
    Worker(WorkerArgs),
    /// Make a tenant's first user, an admin, and their key
    #[command(after_help = "\
The key is printed once, on standard output. Further ones: `windlass keys create`.

Example:  windlass init --tenant acme --user ann")]
    Init(InitArgs),
    /// Make, list, rotate and revoke the keys that callers of the service show
    #[command(subcommand, after_help = "Example:  windlass keys create --name ci")]
    Keys(KeysCommand),
    /// List, set and remove the users of a tenant
    #[command(subcommand, after_help = "Example:  windlass users set bob --role member")]
    Users(UsersCommand),
    /// Serve a simulated model over both vendors' protocols, with faults on request
    #[command(after_help = "\
Example:  windlass simulate --port 8089 --faults 429:0.1,cut:0.05 --latency-ms 200")]
    Simulate(SimulateArgs),
    /// Rehearse what goes wrong in production, against a simulated provider
    #[command(subcommand, after_help = "Example:  windlass drill provider-outage")]
    Drill(DrillCommand),
    /// Check configuration files
    #[command(subcommand, after_help = "Example:  windlass config check examples/reference.yaml")]
    Config(ConfigCommand),
    /// Print the completions of a shell
    #[command(after_help = "Example:  windlass completions bash > /etc/bash_completion.d/windlass")]
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// Which agent, with which limits.
#[derive(Args, Debug, Default)]
pub(crate) struct AgentArgs {
    /// The agent's YAML file; a general agent where absent
    #[arg(long, short, value_name = "FILE")]
    pub(crate) agent: Option<PathBuf>,
    /// Another model than the agent's own: `claude-…`, `planner` or `script:FILE`
    #[arg(long, short, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// The folder that file tools work in; the current one where absent
    #[arg(long, value_name = "DIR")]
    pub(crate) workdir: Option<PathBuf>,
}

/// `windlass run`
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// The task in words; `-` reads it from standard input
    pub(crate) task: String,
    #[command(flatten)]
    pub(crate) agent: AgentArgs,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// The most that this run may cost, in dollars
    #[arg(long, value_name = "USD")]
    pub(crate) budget: Option<Money>,
    /// Model responses that this run may take
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=10_000))]
    pub(crate) turns: Option<u32>,
    /// Give the task to this session instead of a new one
    #[arg(long, value_name = "SESSION", conflicts_with = "labels")]
    pub(crate) session: Option<String>,
    /// What else the session's calls are counted under, like `team=red`; repeatable
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    pub(crate) labels: Vec<(String, String)>,
    /// One JSON line per event on standard output, and a result object at the end
    #[arg(long)]
    pub(crate) json: bool,
}

/// `windlass chat`
#[derive(Args, Debug)]
pub(crate) struct ChatArgs {
    #[command(flatten)]
    pub(crate) agent: AgentArgs,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// Go on with this session instead of a new one
    #[arg(long, value_name = "SESSION", conflicts_with = "labels")]
    pub(crate) session: Option<String>,
    /// What else the session's calls are counted under, like `team=red`; repeatable
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    pub(crate) labels: Vec<(String, String)>,
}

/// `windlass resume`
#[derive(Args, Debug)]
pub(crate) struct ResumeArgs {
    /// The session: its id, the beginning of its id, or `last`
    pub(crate) session: String,
    /// A new cap for the run, in dollars
    #[arg(long, value_name = "USD")]
    pub(crate) budget: Option<Money>,
    /// Model responses to add
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) turns: Option<u32>,
    /// Take the session from another process that is still alive
    #[arg(long)]
    pub(crate) takeover: bool,
    /// The agent's YAML file, for its provider and tool settings
    #[arg(long, short, value_name = "FILE")]
    pub(crate) agent: Option<PathBuf>,
    /// One JSON line per event on standard output, and a result object at the end
    #[arg(long)]
    pub(crate) json: bool,
}

/// `windlass sessions …`
#[derive(Subcommand, Debug)]
pub(crate) enum SessionsCommand {
    /// List sessions, newest first
    #[command(after_help = "Example:  windlass sessions list --status parked")]
    List {
        /// Only sessions that are: idle, running, parked, finished, failed, cancelled
        #[arg(long)]
        status: Option<String>,
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
    /// Show one session: where it stands, what it spent, how it goes on
    #[command(after_help = "Example:  windlass sessions show last")]
    Show {
        /// The session: its id, the beginning of its id, or `last`
        session: String,
    },
    /// Make a session that continues another from one of its events
    #[command(after_help = "Example:  windlass sessions fork last --at 7")]
    Fork {
        /// The session: its id, the beginning of its id, or `last`
        session: String,
        /// The last event that the fork shares; the session's last where absent
        #[arg(long, value_name = "SEQ")]
        at: Option<u64>,
    },
    /// End a session's run
    #[command(after_help = "Example:  windlass sessions cancel 0198c0de")]
    Cancel {
        /// The session: its id, the beginning of its id, or `last`
        session: String,
    },
    /// Write a whole session as JSON lines: agent, events with hashes, kept results
    #[command(after_help = "Example:  windlass sessions export last --out session.jsonl")]
    Export {
        /// The session: its id, the beginning of its id, or `last`
        session: String,
        /// The file; standard output where absent
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// `windlass log`
#[derive(Args, Debug)]
pub(crate) struct LogArgs {
    /// The session: its id, the beginning of its id, or `last`
    pub(crate) session: String,
    /// Go on printing until the session comes to rest
    #[arg(long, short, conflicts_with = "verify")]
    pub(crate) follow: bool,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Check the chain of hashes and say whether the log is as it was committed
    #[arg(long)]
    pub(crate) verify: bool,
}

/// `windlass tools …`
#[derive(Subcommand, Debug)]
pub(crate) enum ToolsCommand {
    /// List the tools with what they do and what running them twice would mean
    #[command(after_help = "Example:  windlass tools list --json")]
    List {
        /// One JSON object a line, schemas included
        #[arg(long)]
        json: bool,
    },
    /// Call one tool through the same checks and limits as an agent's call
    #[command(after_help = "\
Example:  windlass tools call calculator --input '{\"expression\": \"5 miles to km\"}'")]
    Call {
        /// The tool
        name: String,
        /// The folder that file tools work in; the current one where absent
        #[arg(long, value_name = "DIR")]
        workdir: Option<PathBuf>,
        /// The input as one JSON object; `-` reads it from standard input
        #[arg(long, value_name = "JSON", default_value = "{}")]
        input: String,
        /// The agent's YAML file, for its tool settings
        #[arg(long, short, value_name = "FILE")]
        agent: Option<PathBuf>,
    },
}

/// What to rehearse.
#[derive(Subcommand, Debug)]
pub(crate) enum DrillCommand {
    /// An agent works while its provider fails in each way in turn
    #[command(after_help = "\
Ends with 0 only if every run finished or parked. `we booked` may exceed `they charge` by
estimates, marked with ≤; it is never less.

Example:  windlass drill provider-outage
          windlass drill provider-outage --only cut --failures 3")]
    ProviderOutage(OutageArgs),
}

/// How to rehearse an outage.
#[derive(Args, Debug)]
pub(crate) struct OutageArgs {
    /// Requests that fail in each way, before the provider is well again
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20))]
    pub(crate) failures: u32,
    /// Only this way: 429, 529, 500, refused, cut, malformed, drip, gone, fallback
    #[arg(long, value_name = "WAY")]
    pub(crate) only: Option<String>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// `windlass simulate`
#[derive(Args, Debug)]
pub(crate) struct SimulateArgs {
    /// The brain: `planner` or `script:FILE`
    #[arg(long, default_value = "planner")]
    pub(crate) brain: String,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: std::net::IpAddr,
    /// The port; 0 takes a free one and prints it
    #[arg(long, default_value_t = 8089)]
    pub(crate) port: u16,
    /// Time before the first byte of each answer, in milliseconds
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub(crate) latency_ms: u64,
    /// Time between the pieces of a streamed answer, in milliseconds
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub(crate) token_ms: u64,
    /// Faults: rates like `429:0.1,cut:0.05`, or a sequence like `ok,529,ok`
    #[arg(long, value_name = "PLAN")]
    pub(crate) faults: Option<String>,
    /// The seed of faults drawn by rate
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// `windlass config …`
#[derive(Subcommand, Debug)]
pub(crate) enum ConfigCommand {
    /// Check agents' files, the installation's or price files, and show what they come to
    #[command(after_help = "Example:  windlass config check examples/reference.yaml")]
    Check {
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}
