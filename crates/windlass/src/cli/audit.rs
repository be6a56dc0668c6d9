//! `windlass audit …`: who did what, and proof that nobody altered it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `windlass audit …`
#[derive(Subcommand, Debug)]
pub(crate) enum AuditCommand {
    /// Find entries: calls with their verdicts, approvals, caps, keys, configuration
    #[command(after_help = "\
Example:  windlass audit search --action tool.call --subject bash --limit 20
          windlass audit search --user ada --from 2026-11-01 --json")]
    Search(SearchArgs),
    /// Write the whole chain as JSON lines, with a signed head as the last one
    #[command(after_help = "\
Each line but the last is an entry as it is chained: `seq`, `prev` (the hash before it), `body`
(the bytes that the chain covers, as a text) and `content` (what people wrote, null where there
was none or it was erased). The last line is the head: `seq`, `hash`, `at` and an Ed25519
`signature` by `public_key`. The signing key is made at the first export, in the store's folder.

Example:  windlass audit export --out audit.jsonl")]
    Export {
        /// The file; standard output where absent
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Write what people wrote beside it in the clear too, as `opened`; without, what is
        /// sealed stays sealed and is erased with its key
        #[arg(long)]
        open: bool,
    },
    /// Check the chain in the store, or an exported file with its signed head
    #[command(after_help = "\
Example:  windlass audit verify
          windlass audit verify audit.jsonl --public-key 3b6a…")]
    Verify {
        /// An exported file; the store where absent
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// The key that the head must be signed by, in hexadecimal digits
        #[arg(long, value_name = "HEX", requires = "file")]
        public_key: Option<String>,
    },
}

/// Which entries.
#[derive(Args, Debug)]
pub(crate) struct SearchArgs {
    /// Only this action, like `tool.call` or `approval.decide`
    #[arg(long, value_name = "NAME")]
    pub(crate) action: Option<String>,
    /// Only about this: a tool, a model, a cap's scope, …
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: Option<String>,
    /// Only what this user did, or an agent did for them
    #[arg(long = "by", value_name = "USER")]
    pub(crate) by: Option<String>,
    /// Only this session: its id or the beginning of its id
    #[arg(long, value_name = "SESSION")]
    pub(crate) session: Option<String>,
    /// Only with this verdict: allow, ask, deny
    #[arg(long, value_name = "VERDICT", value_parser = ["allow", "ask", "deny"])]
    pub(crate) verdict: Option<String>,
    /// Only from this day on (UTC), like 2026-11-01
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<String>,
    /// Only the last so many
    #[arg(
        long,
        default_value_t = 50,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    pub(crate) limit: u32,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}
