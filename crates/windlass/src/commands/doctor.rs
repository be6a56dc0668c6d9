//! `windlass doctor`: what this machine, the configuration and the store can do here.
//!
//! It changes nothing: what is not there is not made. A tool that an agent's file gives
//! and that could not run is a failure, because its runs would find out one by one.

use std::path::Path;

use anstream::println;
use owo_colors::OwoColorize;
use sandbox::{Launcher, Probe};
use serde_json::json;

use crate::assemble::{self, environment};
use crate::cli::{DoctorArgs, HereArgs};
use crate::config;
use crate::exit::End;
use crate::here::{self, Here};

/// How something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Well,
    /// Nothing that is configured needs it.
    Missing,
    Ill,
}

/// One thing that was looked at.
struct Finding {
    what: String,
    state: State,
    words: String,
}

pub(crate) async fn doctor(flags: &HereArgs, args: DoctorArgs) -> anyhow::Result<End> {
    let probe = Probe::now(Launcher::Myself).await.map_err(|error| error.to_string());
    let mut findings = vec![cage(&probe), configuration(flags)];
    // Where it cannot be read, that was told with the configuration.
    if let Ok(here) = Here::of(flags) {
        findings.extend([store(&here).await, policy(&here)]);
    }
    if let Some(file) = &args.agent {
        findings.extend(agent(flags, file, &probe));
    }
    findings.iter().for_each(|finding| show(finding, args.json));
    let ill = findings.iter().any(|finding| finding.state == State::Ill);
    Ok(if ill { End::Broken } else { End::Finished })
}

fn finding(what: &str, state: State, words: impl Into<String>) -> Finding {
    Finding { what: what.to_owned(), state, words: words.into() }
}

fn cage(probe: &Result<Probe, String>) -> Finding {
    match probe {
        Ok(probe) => finding("cage", State::Well, probe.to_string()),
        Err(why) => finding("cage", State::Missing, format!("{why}\nthe tool `bash` cannot run")),
    }
}

/// The installation's file, and every file that it names.
fn configuration(flags: &HereArgs) -> Finding {
    match (here::file(flags), Here::of(flags)) {
        (Some(file), Ok(_)) => finding("configuration", State::Well, file.display().to_string()),
        (None, Ok(_)) => {
            finding("configuration", State::Well, "no file; what the program comes with holds")
        }
        (_, Err(error)) => finding("configuration", State::Ill, crate::words_of(&error)),
    }
}

async fn store(here: &Here) -> Finding {
    let place = match &here.database {
        Some(_) => "PostgreSQL".to_owned(),
        None => here.store.display().to_string(),
    };
    if here.database.is_none() && !here.store.exists() {
        return finding(
            "store",
            State::Missing,
            format!("none in `{place}`; the first run makes it"),
        );
    }
    let opened = async {
        let engine = assemble::reader(here).await?;
        let listing = engine::ports::Listing { status: None, before: None, rows_max: 1 };
        anyhow::Ok(engine.store.list(&here.tenant, &listing).await?)
    };
    match opened.await {
        Ok(sessions) if sessions.is_empty() => finding(
            "store",
            State::Well,
            format!("`{place}`, without sessions of `{}`", here.tenant.0),
        ),
        Ok(_) => finding("store", State::Well, format!("`{place}`")),
        Err(error) => finding("store", State::Ill, crate::words_of(&error)),
    }
}

/// Who may do what.
fn policy(here: &Here) -> Finding {
    let tenant = here.policies.of_tenant(&here.tenant);
    let count = here.policies.installation().listed().count()
        + tenant.map_or(0, |set| set.listed().count());
    let words = format!("{count} policies {}", super::policy::origin(here, tenant));
    finding("policy", State::Well, words)
}

/// An agent's tools, and whether each could run here.
fn agent(flags: &HereArgs, file: &Path, probe: &Result<Probe, String>) -> Vec<Finding> {
    let checked = Here::of(flags)
        .and_then(|here| assemble::check(file, &here.catalog))
        .map_err(|error| crate::words_of(&error));
    let tools = match checked {
        Ok((_, tools)) => tools,
        Err(words) => return vec![finding("agent", State::Ill, words)],
    };
    let config = match config::load(file, &environment) {
        Ok(config) => config,
        Err(error) => return vec![finding("agent", State::Ill, error.to_string())],
    };
    let known = assemble::known_tools();
    let is_built_in = |name: &str| known.iter().any(|spec| spec.name == name);
    let is_caged = |name: &str| {
        let server = name.split_once("__").and_then(|(server, _)| config.mcp.servers.0.get(server));
        server.is_some_and(|server| server.command.is_some())
    };
    let tool = |name: &String| {
        let what = format!("tool {name}");
        let state = match (name.as_str(), probe) {
            (name, Err(why)) if name == "bash" || is_caged(name) => {
                Err(why.lines().next().unwrap_or_default().to_owned())
            }
            ("bash", Ok(probe)) => assemble::shell_runs(&config, probe),
            ("web_search", _) if config.tools.web_search.is_none() => {
                return finding(
                    &what,
                    State::Missing,
                    "no engine is configured: it says so when called",
                );
            }
            (_, _) => Ok(()),
        };
        match state {
            Ok(()) if is_built_in(name) => finding(&what, State::Well, "can run"),
            Ok(()) => finding(&what, State::Well, "is configured; whom it asks was not called"),
            Err(why) => finding(&what, State::Ill, format!("cannot run: {why}")),
        }
    };
    tools.iter().map(tool).collect()
}

fn show(finding: &Finding, as_json: bool) {
    let Finding { what, state, words } = finding;
    let word = match state {
        State::Well => "ok",
        State::Missing => "missing",
        State::Ill => "broken",
    };
    if as_json {
        println!("{}", json!({"what": what, "state": word, "words": words}));
        return;
    }
    let mark = match state {
        State::Well => word.green().to_string(),
        State::Missing => word.yellow().to_string(),
        State::Ill => word.red().to_string(),
    };
    println!("{what}: {mark}");
    crate::show::harmless(words).lines().for_each(|line| println!("  {line}"));
}
