//! `windlass policy …`: who may do what, and why.

mod explain;
mod files;
mod show;

pub(super) use files::summary;
pub(super) use show::origin;

use crate::cli::{HereArgs, PolicyCommand};
use crate::exit::End;
use crate::here::Here;

pub(crate) fn policy(flags: &HereArgs, command: PolicyCommand) -> anyhow::Result<End> {
    match command {
        PolicyCommand::Show { template: Some(name), .. } => show::template(&name),
        PolicyCommand::Show { template: None, json } => Ok(show::show(&Here::of(flags)?, json)),
        PolicyCommand::Check(args) => files::check(flags, &args),
        PolicyCommand::Test(args) => files::test(flags, &args),
        PolicyCommand::Explain(args) => explain::explain(&Here::of(flags)?, *args),
    }
}
