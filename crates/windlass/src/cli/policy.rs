//! `windlass policy …`: who may do what, and why.

use clap::{Args, Subcommand};
use kernel::agent::Effect;
use kernel::verdict::{Trust, Verdict};

/// `windlass policy …`
#[derive(Subcommand, Debug)]
pub(crate) enum PolicyCommand {
    /// Show the policies that hold here with their reasons, or a template's text
    #[command(after_help = "\
Example:  windlass policy show
          windlass policy show approvals > policy.yaml")]
    Show {
        /// A template: `default`, `read-only`, `approvals` or `full`
        #[arg(value_name = "TEMPLATE")]
        template: Option<String>,
        /// One JSON object a line
        #[arg(long, conflicts_with = "template")]
        json: bool,
    },
    /// Say what is wrong with policy files, their examples included
    #[command(after_help = "\
Example:  windlass policy check policy.yaml
          windlass policy check --narrows policies/acme.yaml")]
    Check(FilesArgs),
    /// Try the examples of policy files, and print how each came out
    #[command(after_help = "Example:  windlass policy test policy.yaml")]
    Test(FilesArgs),
    /// Answer a question as the policies here do, and show every policy that was near
    #[command(after_help = "\
What is left out is the usual: a tool call by you, here, on trust `standard`, with the strictest
effect class. A file holds one question in YAML or JSON, and there the usual is a member of
the tenant `local` in development.

Example:  windlass policy explain --tool write --path src/main.rs
          windlass policy explain --action cap.raise --scope user-day
          windlass policy explain --file question.yaml --json")]
    Explain(Box<ExplainArgs>),
}

/// Which files.
#[derive(Args, Debug)]
pub(crate) struct FilesArgs {
    /// Policy files, or names of templates
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// Read them as tenants' files, which only narrow; those that the installation's file
    /// names for a tenant are read so anyway
    #[arg(long)]
    pub(crate) narrows: bool,
}

/// Which question.
#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// A file with the question; `-` reads it from standard input
    #[arg(long, value_name = "FILE", conflicts_with = "question")]
    pub(crate) file: Option<String>,
    #[command(flatten)]
    pub(crate) question: QuestionArgs,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// A question in flags.
#[derive(Args, Debug)]
#[group(id = "question", multiple = true)]
#[command(next_help_heading = "The question")]
pub(crate) struct QuestionArgs {
    /// What is done: `tool.call`, `model.call`, `run.start`, `approval.decide`, `cap.raise`, or
    /// an operator's act like `audit.read`
    #[arg(long, value_name = "NAME")]
    pub(crate) action: Option<String>,
    /// The tool of a call or an ask
    #[arg(long, value_name = "NAME")]
    pub(crate) tool: Option<String>,
    /// The model of a call
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// The agent that speaks, or that is begun
    #[arg(long = "by-agent", value_name = "NAME")]
    pub(crate) agent: Option<String>,
    /// The scope of a cap
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Option<String>,
    /// What an operator's act is done to
    #[arg(long, value_name = "NAME")]
    pub(crate) resource: Option<String>,
    /// Who asked for what is to be approved
    #[arg(long, value_name = "USER")]
    pub(crate) asked_by: Option<String>,
    /// The kind of task of a run
    #[arg(long, value_name = "NAME")]
    pub(crate) task_type: Option<String>,
    /// As if the user had this role
    #[arg(long, value_name = "NAME")]
    pub(crate) as_role: Option<String>,
    /// As if this were there
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// The user's team
    #[arg(long, value_name = "NAME")]
    pub(crate) team: Option<String>,
    /// What running the call twice would mean: `read`, `idempotent`, `effect`
    #[arg(long, value_name = "CLASS", value_parser = effect)]
    pub(crate) effect: Option<Effect>,
    /// A path that the call names; repeatable
    #[arg(long = "path", value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// A host that it would connect to; repeatable
    #[arg(long = "host", value_name = "HOST")]
    pub(crate) hosts: Vec<String>,
    /// A program that it would run; repeatable
    #[arg(long = "command", value_name = "NAME")]
    pub(crate) commands: Vec<String>,
    /// The kind of its database statement
    #[arg(long, value_name = "KIND")]
    pub(crate) statement: Option<String>,
    /// What the tool's own guards say: `allow`, `ask`, `deny`
    #[arg(long, value_name = "VERDICT", value_parser = verdict)]
    pub(crate) guard: Option<Verdict>,
    /// How far the session's tools reach: `read_only`, `standard`, `elevated`
    #[arg(long = "on-trust", value_name = "LEVEL", value_parser = super::scope::trust)]
    pub(crate) trust: Option<Trust>,
    /// The tool is marked as one that must not run on untrusted words
    #[arg(long)]
    pub(crate) sensitive: bool,
    /// Untrusted content came into the session
    #[arg(long)]
    pub(crate) tainted: bool,
}

fn effect(text: &str) -> Result<Effect, String> {
    match text {
        "read" => Ok(Effect::Read),
        "idempotent" => Ok(Effect::Idempotent),
        "effect" => Ok(Effect::Effect),
        _ => Err("one of `read`, `idempotent` and `effect`".to_owned()),
    }
}

fn verdict(text: &str) -> Result<Verdict, String> {
    let all = [Verdict::Allow, Verdict::Ask, Verdict::Deny];
    let found = all.into_iter().find(|verdict| verdict.name() == text);
    found.ok_or_else(|| "one of `allow`, `ask` and `deny`".to_owned())
}
