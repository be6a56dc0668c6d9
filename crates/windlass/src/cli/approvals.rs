//! `windlass approvals …`: what is asked about calls, and answering it.

use clap::{Args, Subcommand};

/// `windlass approvals …`
#[derive(Subcommand, Debug)]
pub(crate) enum ApprovalsCommand {
    /// List the calls that wait for an answer, with what they would do and why it is asked
    #[command(after_help = "Example:  windlass approvals list")]
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Let a call run
    #[command(after_help = "\
An approval is for this call with these arguments, once. Nobody's answer in time means no.

Example:  windlass approvals approve last
          windlass approvals approve 0198c0de toolu_01")]
    Approve(AnswerArgs),
    /// Do not let a call run; the model is told, and goes on without it
    #[command(after_help = "\
Example:  windlass approvals deny last --say \"ask the accountants first\"")]
    Deny(AnswerArgs),
}

/// Which call is meant.
#[derive(Args, Debug)]
pub(crate) struct AnswerArgs {
    /// The session: its id, the beginning of its id, or `last`
    pub(crate) session: String,
    /// The call's id; needed only where several are asked about
    pub(crate) call: Option<String>,
    /// Words for the model
    #[arg(long, value_name = "WORDS", default_value = "")]
    pub(crate) say: String,
}
