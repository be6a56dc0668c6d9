//! The words of `windlass doctor`.

use std::path::PathBuf;

use clap::Args;

/// `windlass doctor`
#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// Also whether the tools of this agent can run
    #[arg(long, short, value_name = "FILE")]
    pub(crate) agent: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}
