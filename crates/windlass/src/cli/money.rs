//! The commands about money: what was spent, which caps hold, what models cost.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kernel::ledger::Scope;
use kernel::units::Money;

use crate::commands::spend::{By, Period};

/// `windlass spend`
#[derive(Args, Debug)]
pub(crate) struct SpendArgs {
    /// What to sum by, in this order; repeatable. `tenant` takes in every tenant
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    pub(crate) by: Vec<By>,
    /// Days to show, today included
    #[arg(
        long,
        default_value_t = 30,
        value_name = "N",
        conflicts_with_all = ["from", "to"],
        value_parser = clap::value_parser!(u64).range(1..=3_660)
    )]
    pub(crate) days: u64,
    /// The first day like `2026-11-21`, or month like `2026-11` (UTC)
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<Period>,
    /// The last day or month; today where absent
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<Period>,
    /// The spend of every tenant
    #[arg(long)]
    pub(crate) all_tenants: bool,
    /// Comma-separated lines with stable columns, for billing
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// `windlass prices …`
#[derive(Subcommand, Debug)]
pub(crate) enum PricesCommand {
    /// List the prices in force, in dollars per million tokens
    #[command(after_help = "\
Example:  windlass prices list
          windlass prices list --model claude-haiku-5-5 --at 2026-10-01")]
    List {
        /// Only this model, with all its prices over time
        #[arg(long, short, value_name = "NAME")]
        model: Option<String>,
        /// The prices of another day (UTC) than today
        #[arg(long, value_name = "DATE")]
        at: Option<jiff::civil::Date>,
        /// One JSON object a line, one line a price
        #[arg(long)]
        json: bool,
    },
    /// Check a price file, and that every agent with a budget has a priced model
    #[command(after_help = "\
Example:  windlass prices check --prices examples/prices.yaml
          windlass prices check --prices prices.yaml agents/*.yaml")]
    Check {
        /// Agents' files whose models are looked up
        #[arg(value_name = "AGENT_FILE")]
        agents: Vec<PathBuf>,
    },
}

/// `windlass caps …`
#[derive(Subcommand, Debug)]
pub(crate) enum CapsCommand {
    /// List the shared caps of the tenant: settled, held, free, and when the window turns
    #[command(after_help = "Example:  windlass caps list --tenant acme")]
    List {
        /// Windows that are over as well
        #[arg(long)]
        all: bool,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Set a cap for good: for every window, whatever the plan says
    #[command(after_help = "\
Example:  windlass caps set user-day/alice --usd 5
          windlass caps set user-day/alice --reset")]
    Set {
        #[command(flatten)]
        change: CapChange,
        /// Give the cap back to the plan
        #[arg(long, group = "cap", conflicts_with_all = ["usd", "tokens", "requests"])]
        reset: bool,
    },
    /// Raise a cap for the present window only
    #[command(after_help = "Example:  windlass caps raise tenant-month/acme --usd 2500")]
    Raise {
        #[command(flatten)]
        change: CapChange,
    },
}

/// A new cap. What is not named keeps its limit.
#[derive(Args, Clone, Debug)]
#[command(group = clap::ArgGroup::new("cap").required(true).multiple(true).args(["usd", "tokens", "requests"]))]
pub(crate) struct CapChange {
    /// The scope, as `caps list` shows it: `user-day/alice`
    pub(crate) scope: Scope,
    /// The most dollars, or `none` for no limit
    #[arg(long, value_name = "USD", value_parser = usd_limit)]
    pub(crate) usd: Option<Limit>,
    /// The most tokens, in and out, or `none`
    #[arg(long, value_name = "N", value_parser = count_limit)]
    pub(crate) tokens: Option<Limit>,
    /// The most model calls, or `none`
    #[arg(long, value_name = "N", value_parser = count_limit)]
    pub(crate) requests: Option<Limit>,
    /// The outcome as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// How much there may be of something: nano-dollars, tokens or requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// At most so much.
    At(u64),
    /// Any amount.
    None,
}

fn usd_limit(text: &str) -> Result<Limit, String> {
    if text == "none" {
        return Ok(Limit::None);
    }
    text.parse().map(|money: Money| Limit::At(money.0)).map_err(|why| why.to_string())
}

fn count_limit(text: &str) -> Result<Limit, String> {
    if text == "none" {
        return Ok(Limit::None);
    }
    let count = text.parse::<i64>().ok().and_then(|count| u64::try_from(count).ok());
    count.map(Limit::At).ok_or_else(|| "write a whole number, or `none`".to_owned())
}
