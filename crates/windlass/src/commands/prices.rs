//! `windlass prices …`: what models cost, and whether a price file is right.

mod check;
mod list;

use crate::cli::{HereArgs, PricesCommand};
use crate::exit::End;
use crate::here::Here;

pub(crate) use check::summary;

pub(crate) fn prices(flags: &HereArgs, command: PricesCommand) -> anyhow::Result<End> {
    match command {
        PricesCommand::List { model, at, json } => {
            list::list(&Here::of(flags)?.catalog, model.as_deref(), at, json)
        }
        PricesCommand::Check { agents } => check::check(flags, &agents),
    }
}
