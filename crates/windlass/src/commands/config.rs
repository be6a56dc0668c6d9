//! `windlass config check`: every mistake of a file of any kind, or what it comes to.

use std::path::Path;

use anstream::{eprintln, println};
use kernel::ledger::Budget;
use owo_colors::OwoColorize;

use crate::assemble::{self, environment};
use crate::cli::{ConfigCommand, HereArgs};
use crate::config::{self, Config, Installation, Kind, Permits};
use crate::exit::End;
use crate::here::Here;
use crate::show;

pub(crate) fn config(flags: &HereArgs, command: ConfigCommand) -> End {
    let ConfigCommand::Check { files } = command;
    let mut end = End::Finished;
    for file in files {
        match check(flags, &file) {
            Ok(words) => println!("{words}"),
            Err(error) => {
                end = End::Usage;
                eprintln!("{} {}", "error:".red().bold(), crate::words_of(&error).trim_end());
            }
        }
    }
    end
}

/// What a file of any kind comes to.
fn check(flags: &HereArgs, file: &Path) -> anyhow::Result<String> {
    Ok(match config::kind_of(file)? {
        Kind::Agent => {
            let (config, tools) = assemble::check(file, &Here::of(flags)?.catalog)?;
            summary(file, &config, &tools)
        }
        Kind::Installation => {
            let installation = config::load_installation(file, &environment)?;
            if let Some(prices) = &installation.prices {
                config::load_prices(prices, &environment)?;
            }
            installation.permits.policies.load()?;
            installation_summary(file, &installation)
        }
        Kind::Policy | Kind::Question => super::policy::summary(file)?,
        Kind::Prices => super::prices::summary(file, &config::load_prices(file, &environment)?),
    })
}

fn installation_summary(file: &Path, installation: &Installation) -> String {
    let (plans, prices) = (&installation.caps.plans, installation.prices.as_ref());
    let prices = prices.map_or_else(
        || "the built-in prices".to_owned(),
        |file| format!("prices of `{}`", file.display()),
    );
    let mut lines = vec![
        format!("{}: ok", file.display()),
        format!("  days begin at UTC{} · {prices}", show::offset(plans.offset_minutes)),
    ];
    lines.extend(plans.plans.iter().map(|(name, budgets)| {
        let usual = if plans.usual.as_ref() == Some(name) { " (default)" } else { "" };
        let budgets: Vec<String> = budgets.iter().map(budget).collect();
        let caps = if budgets.is_empty() { "no caps".to_owned() } else { budgets.join(" · ") };
        format!("  plan {name}{usual}: {caps}")
    }));
    lines.extend(plans.tenants.iter().map(|(tenant, plan)| format!("  tenant {tenant}: {plan}")));
    lines.extend(
        plans.users.iter().map(|((tenant, user), plan)| format!("  user {tenant}/{user}: {plan}")),
    );
    lines.push(permits(&installation.permits));
    lines.join("\n")
}

/// Where it is, which policies hold, and where sessions may work.
fn permits(permits: &Permits) -> String {
    let policy = permits.policies.installation.name();
    let narrowed = match permits.policies.tenants.len() {
        0 => String::new(),
        1 => ", narrowed for a tenant".to_owned(),
        many => format!(", narrowed for {many} tenants"),
    };
    let roots = match permits.scopes.roots.len() {
        0 => "any folder".to_owned(),
        1 => "one root".to_owned(),
        many => format!("{many} roots"),
    };
    let usual = permits.people.usual();
    let environment = &permits.environment;
    format!("  {environment} · policy {policy}{narrowed} · usual role {usual} · {roots}")
}

fn budget(budget: &Budget) -> String {
    format!("{} {}", budget.name, show::allowance(&budget.allowance))
}

fn summary(file: &Path, config: &Config, tools: &[String]) -> String {
    let budget =
        config.budget.map_or_else(|| "no cap".to_owned(), |budget| format!("at most {budget}"));
    format!(
        "{}: ok\n  agent {} · model {} · {budget} and {} turns a run\n  tools {}",
        file.display(),
        config.agent_id,
        config.model,
        config.limits.turns_max,
        tools.join(", ")
    )
}
