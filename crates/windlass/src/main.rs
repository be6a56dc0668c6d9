//! The `windlass` command: parse, run one command, end with its exit code.

mod alerts;
mod assemble;
mod bar;
mod cli;
mod commands;
mod config;
mod diagnostics;
mod drive;
mod exit;
mod here;
mod hint;
mod process;
mod report;
mod show;
mod signals;
mod watch;
mod world;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anstream::eprintln;
use clap::{CommandFactory, Parser};
use owo_colors::OwoColorize;

use cli::{Cli, Command};
use config::{ConfigError, Look};
use exit::{End, end_of};
use here::Here;

fn main() -> ExitCode {
    // Caged programs are started by this program, run again as their launcher.
    sandbox::launch::main_if_launcher();
    let cli = Cli::parse();
    diagnostics::begin();
    match run(cli) {
        Ok(end) => end.into(),
        Err(error) if is_closed_pipe(&error) => End::Finished.into(),
        Err(error) => {
            eprintln!("{} {}", "error:".red().bold(), words_of(&error).trim_end());
            end_of(&error).into()
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<End> {
    if let Command::Completions { shell } = cli.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "windlass", &mut script);
        std::io::stdout().write_all(&script)?;
        return Ok(End::Finished);
    }
    let (flags, command) = (cli.here, cli.command);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(64)
        .enable_all()
        .build()?;
    let end = runtime.block_on(async {
        let here = || Here::of(&flags);
        match command {
            Command::Run(args) => commands::run::run(&here()?, args).await,
            Command::Chat(args) => commands::chat::chat(&here()?, args).await,
            Command::Resume(args) => commands::resume::resume(&here()?, args).await,
            Command::Sessions(command) => commands::sessions::sessions(&here()?, command).await,
            Command::Log(args) => commands::log::log(&here()?, args).await,
            Command::Approvals(command) => commands::approvals::approvals(&here()?, command).await,
            Command::Audit(command) => commands::audit::audit(&here()?, command).await,
            Command::Policy(command) => commands::policy::policy(&flags, command),
            Command::Secrets(command) => commands::secrets::secrets(&here()?, command).await,
            Command::Erase(command) => commands::erase::erase(&here()?, command).await,
            Command::Retention(command) => commands::retention::retention(&here()?, command).await,
            Command::Prices(command) => commands::prices::prices(&flags, command),
            Command::Alerts(command) => commands::alerts::alerts(&here()?, command).await,
            Command::Caps(command) => commands::caps::caps(&here()?, command).await,
            Command::Spend(args) => commands::spend::spend(&here()?, args).await,
            Command::Mcp(command) => commands::mcp::mcp(&here()?, command).await,
            Command::Tools(command) => commands::tools::tools(&here()?, command).await,
            Command::Doctor(args) => commands::doctor::doctor(&flags, args).await,
            Command::Guard(command) => commands::guard::guard(command),
            Command::Simulate(args) => commands::simulate::simulate(args).await,
            Command::Serve(args) => commands::serve::serve(&here()?, args).await,
            Command::Worker(args) => commands::serve::worker(&here()?, args).await,
            Command::Init(args) => commands::init::init(&here()?, args).await,
            Command::Keys(command) => commands::keys::keys(&here()?, command).await,
            Command::Users(command) => commands::users::users(&here()?, command).await,
            Command::Drill(command) => commands::drill::drill(command).await,
            Command::Config(command) => Ok(commands::config::config(&flags, command)),
            Command::Completions { .. } => Ok(End::Finished),
        }
    });
    // A tool that still blocks a thread must not keep the program alive.
    runtime.shutdown_background();
    end
}

/// An error and its causes, each on its own line unless the one before says it already.
pub(crate) fn words_of(error: &anyhow::Error) -> String {
    if let Some(broken) = error.downcast_ref::<ConfigError>() {
        return broken.show(look());
    }
    let mut words = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !words.contains(&cause) {
            words.push_str(&format!("\n  because: {cause}"));
        }
    }
    if let Some(hint) = hint::of(error) {
        words.push('\n');
        words.push_str(&hint);
    }
    words
}

/// How reports are drawn on standard error. `NO_COLOR` is the custom of no-color.org.
fn look() -> Look {
    match (std::io::stderr().is_terminal(), std::env::var_os("NO_COLOR")) {
        (true, None) => Look::Coloured,
        (true, Some(_)) => Look::Drawn,
        (false, _) => Look::Plain,
    }
}

/// Whether whoever read our output has stopped reading, as `head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}
