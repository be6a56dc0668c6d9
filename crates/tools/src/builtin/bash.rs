//! Commands of bash, in a cage.
//!
//! Before: the command is read as bash reads it and compared with what is granted. Then:
//! it runs where it can change nothing but the working directory, reach nothing but the
//! granted hosts, and see no variable that it was not given. The cage holds whatever the
//! reading made of it. A command that was running when the program died may have done
//! part of its work, and nobody can tell how much.

mod network;
mod words;

use std::path::Path;
use std::sync::Arc;

use engine::ports::{ToolCall, ToolError, ToolOutput};
use guard::shell::{self, Grants};
use kernel::agent::{Effect, EffectRule, ToolSpec};
use kernel::verdict::{Examined, Judgement, Verdict};
use sandbox::{Cage, CageError, Grant, Launcher, Limits, Probe, Protected};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::Parts;
use crate::settings::{Bash, Settings};

/// How long a command may run, in seconds; its output comes back when that is over.
const SECONDS_MAX: u64 = 110;

/// How long the call may take, in milliseconds: a command and its cage.
const DEADLINE_MS: u64 = 120_000;

/// The name under which this tool signs.
const GUARD: &str = "bash";

#[derive(Debug, Deserialize)]
pub(crate) struct Input {
    command: String,
    timeout_seconds: Option<u64>,
}

pub(crate) fn spec() -> ToolSpec {
    ToolSpec {
        name: "bash".to_owned(),
        description: "Runs a command of bash in the working directory and gives its output and \
                      exit code. It runs in a sandbox: it can change files in the working \
                      directory only, and reaches no network but what was granted. Nothing is \
                      kept from one command to the next but files."
            .to_owned(),
        input_schema: super::object(
            &["command"],
            json!({
                "command": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": shell::COMMAND_BYTES_MAX,
                    "description": "The command, like `git status` or `cargo test 2>&1 | tail -20`.",
                },
                "timeout_seconds": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": SECONDS_MAX,
                    "description": "When to end it, in seconds. Default 110.",
                },
            }),
        ),
        effect: EffectRule::Always(Effect::Effect),
        deadline_ms: DEADLINE_MS,
        output_bytes_max: 32_768,
        untrusted: false,
        sensitive: true,
    }
}

/// What a command would do, and whether it may.
pub(crate) fn examine(granted: &Bash, call: &ToolCall, input: &Value) -> Examined {
    let Some(command) = input["command"].as_str() else {
        return Examined::nothing();
    };
    let mut grants = Grants::new(&granted.allow);
    if let Some(workdir) = call.workdir.as_deref().and_then(Path::to_str) {
        grants = grants.in_workspace(workdir);
    }
    let mut found = shell::examine(command, &grants);
    let refused = found.hosts.iter().filter_map(|host| network::refusal(granted, host));
    found.judgement = refused
        .map(|why| Judgement::new(Verdict::Deny, GUARD, why))
        .fold(found.judgement.clone(), Judgement::and);
    found
}

/// What commands are caged with on this machine: tried when the first command comes.
#[derive(Debug, Default)]
pub(crate) struct Machine(OnceCell<Result<Arc<Probe>, String>>);

impl Machine {
    async fn probe(&self) -> Result<Arc<Probe>, ToolError> {
        let tried = self.0.get_or_init(|| async {
            let probe = Probe::now(Launcher::Myself).await;
            probe.map(Arc::new).map_err(|error| error.to_string())
        });
        tried.await.clone().map_err(ToolError::Unavailable)
    }
}

pub(crate) async fn run(
    parts: &Parts,
    call: &ToolCall,
    input: Input,
) -> Result<ToolOutput, ToolError> {
    let Some(workdir) = &call.workdir else {
        return Ok(ToolOutput::error("this session has no working directory to run commands in"));
    };
    let seconds = input.timeout_seconds.unwrap_or(SECONDS_MAX).clamp(1, SECONDS_MAX);
    let grant = match grant(&parts.settings, workdir, seconds) {
        Ok(grant) => grant,
        Err(words) => return Ok(ToolOutput::error(words)),
    };
    let cage = Cage::new(parts.machine.probe().await?, grant).map_err(failed)?;
    let args = ["--noprofile", "--norc", "-c", &input.command].map(str::to_owned);
    let ended = cage.run("bash", &args, b"").await.map_err(failed)?;
    Ok(words::told(&ended, seconds))
}

/// Whether commands could run in a folder, with these grants on a machine like this.
///
/// # Errors
/// What the machine cannot enforce, in words.
pub fn shell_runs(bash: &Bash, probe: &Probe, workdir: &Path) -> Result<(), String> {
    let grant =
        Grant { read: bash.read.clone(), network: network::of(bash), ..Grant::writing(workdir) };
    Cage::new(Arc::new(probe.clone()), grant).map(drop).map_err(|error| error.to_string())
}

/// What a command gets.
fn grant(settings: &Settings, workdir: &Path, seconds: u64) -> Result<Grant, String> {
    let mut protected = Protected::usual();
    protected.extend(state(settings, workdir)?);
    let bash = &settings.bash;
    Ok(Grant {
        protected,
        read: bash.read.clone(),
        network: network::of(bash),
        env: bash.env.clone(),
        limits: Limits { deadline_ms: seconds * 1_000, ..bash.limits },
        ..Grant::writing(workdir)
    })
}

/// This program's own folder, where it lies in the working directory: nobody in the cage
/// sees into it.
fn state(settings: &Settings, workdir: &Path) -> Result<Option<Protected>, String> {
    let canonical = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (state, workdir) = (canonical(&settings.state_dir), canonical(workdir));
    if workdir.starts_with(&state) {
        return Err("the working directory lies in this program's own folder, so no command \
                    runs in it"
            .to_owned());
    }
    let Ok(below) = state.strip_prefix(&workdir) else {
        return Ok(None);
    };
    match (below.components().count(), below.to_str()) {
        (1, Some(name)) => Ok(Some(Protected::new(name).hidden())),
        (_, _) => Err(format!(
            "this program's own folder lies in the working directory as `{}`, where it cannot \
             be hidden from commands, so none runs\n\
             the operator must keep it at the top of the working directory or outside of it",
            below.display()
        )),
    }
}

fn failed(error: CageError) -> ToolError {
    match error {
        CageError::Grant(_) | CageError::Refused(_) | CageError::Program { .. } => {
            ToolError::Unavailable(format!("no command can run: {error}"))
        }
        CageError::Lost(why) => ToolError::OutcomeUnknown(why),
    }
}
