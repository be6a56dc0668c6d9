//! The tools by name, in the order in which a model is shown them. One file each.

mod bash;
mod calculator;
mod delegate;
mod edit;
mod end_task;
mod examine;
mod glob;
mod grep;
mod more;
mod notes;
mod read;
mod weather;
pub(crate) mod web_fetch;
mod web_search;
mod write;

use std::path::PathBuf;
use std::sync::Arc;

use engine::ports::{Reconciled, ToolCall, ToolError, ToolOutput};
use kernel::agent::ToolSpec;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::effects::{CallId, Effects, Target};
use crate::failure::{Failure, answer, told};
use crate::files::{Folder, blocking, never_written};
use crate::http::Http;
use crate::settings::{Bash, Settings};

pub(crate) use bash::Machine;
pub use bash::shell_runs;
pub use delegate::delegate_spec;
pub use end_task::end_task_spec;
pub use more::more_spec;

/// The longest path that a schema lets through, in characters.
const PATH_CHARS_MAX: usize = 4_096;

/// What the tools share.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) settings: Settings,
    pub(crate) http: Http,
    pub(crate) effects: Effects,
    pub(crate) machine: Machine,
}

/// A tool of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Calculator,
    Notes,
    Weather,
    WebSearch,
    WebFetch,
    Read,
    Write,
    Edit,
    Glob,
    Grep,
    Bash,
    EndTask,
}

/// Every built-in tool, `end_task`, `more` and `delegate` included, in the order in which a
/// model is shown them. The engine answers the last two by itself.
#[must_use]
pub fn all_specs() -> Vec<ToolSpec> {
    Tool::ALL.iter().map(|tool| tool.spec()).chain([more_spec(), delegate_spec()]).collect()
}

/// The same where the shell has these grants: what a program brings from the network is a
/// stranger's word.
#[must_use]
pub fn specs_with(bash: &Bash) -> Vec<ToolSpec> {
    let mut specs = all_specs();
    let shell = specs.iter_mut().filter(|spec| spec.name == Tool::Bash.name());
    shell.for_each(|spec| spec.untrusted = bash.network.is_some());
    specs
}

impl Tool {
    pub(crate) const ALL: [Tool; 12] = [
        Tool::Calculator,
        Tool::Notes,
        Tool::Weather,
        Tool::WebSearch,
        Tool::WebFetch,
        Tool::Read,
        Tool::Write,
        Tool::Edit,
        Tool::Glob,
        Tool::Grep,
        Tool::Bash,
        Tool::EndTask,
    ];

    pub(crate) fn named(name: &str) -> Option<Tool> {
        Tool::ALL.into_iter().find(|tool| tool.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Tool::Calculator => "calculator",
            Tool::Notes => "notes",
            Tool::Weather => "weather",
            Tool::WebSearch => "web_search",
            Tool::WebFetch => "web_fetch",
            Tool::Read => "read",
            Tool::Write => "write",
            Tool::Edit => "edit",
            Tool::Glob => "glob",
            Tool::Grep => "grep",
            Tool::Bash => "bash",
            Tool::EndTask => kernel::agent::END_TASK,
        }
    }

    pub(crate) fn spec(self) -> ToolSpec {
        match self {
            Tool::Calculator => calculator::spec(),
            Tool::Notes => notes::spec(),
            Tool::Weather => weather::spec(),
            Tool::WebSearch => web_search::spec(),
            Tool::WebFetch => web_fetch::spec(),
            Tool::Read => read::spec(),
            Tool::Write => write::spec(),
            Tool::Edit => edit::spec(),
            Tool::Glob => glob::spec(),
            Tool::Grep => grep::spec(),
            Tool::Bash => bash::spec(),
            Tool::EndTask => end_task_spec(None),
        }
    }

    /// Runs a call whose input fits its schema.
    pub(crate) async fn run(
        self,
        parts: &Arc<Parts>,
        call: &ToolCall,
        input: Value,
    ) -> Result<ToolOutput, ToolError> {
        match self.begin(parts, call, input).await {
            Ok(end) => end,
            Err(failure) => answer(Err(failure)),
        }
    }

    async fn begin(
        self,
        parts: &Arc<Parts>,
        call: &ToolCall,
        input: Value,
    ) -> Result<Result<ToolOutput, ToolError>, Failure> {
        Ok(match self {
            Tool::Calculator => calculator::run(arguments(input)?).await,
            Tool::Notes => notes::run(parts, call, arguments(input)?).await,
            Tool::Weather => answer(weather::run(parts, arguments(input)?).await),
            Tool::WebSearch => answer(web_search::run(parts, arguments(input)?).await),
            Tool::WebFetch => answer(web_fetch::run(&parts.settings, &arguments(input)?).await),
            Tool::Read => {
                let input = arguments(input)?;
                in_workdir(parts, call, move |folder, _| read::run(folder, &input)).await
            }
            Tool::Write => write::run(parts, call, arguments(input)?).await,
            Tool::Edit => edit::run(parts, call, arguments(input)?).await,
            Tool::Glob => {
                let input = arguments(input)?;
                in_workdir(parts, call, move |folder, stop| glob::run(folder, &input, stop)).await
            }
            Tool::Grep => {
                let input = arguments(input)?;
                in_workdir(parts, call, move |folder, stop| grep::run(folder, &input, stop)).await
            }
            Tool::Bash => bash::run(parts, call, arguments(input)?).await,
            Tool::EndTask => Ok(ToolOutput::ok("the task is ended")),
        })
    }

    /// Finds out what became of a call whose input fits its schema.
    pub(crate) async fn reconcile(
        self,
        parts: &Arc<Parts>,
        call: &ToolCall,
        input: Value,
    ) -> Reconciled {
        if self == Tool::Bash {
            return Reconciled::Unknown("the command may have done part of its work".to_owned());
        }
        let id = CallId::of(call);
        let parts = parts.clone();
        let workdir = call.workdir.clone();
        let asked =
            tokio::task::spawn_blocking(move || match self.target(&parts, workdir, input) {
                Ok(None) => Reconciled::NotDone,
                Ok(Some(target)) => parts.effects.reconcile(&id, &target),
                Err(
                    Failure::Told(words) | Failure::Unavailable(words) | Failure::Unknown(words),
                ) => parts.effects.reconcile_lost(&id, &words),
            });
        let crashed = |_| Reconciled::Unknown("the tool crashed when asked".to_owned());
        asked.await.unwrap_or_else(crashed)
    }

    /// The file that a call changes; `None` where it changes nothing.
    fn target(
        self,
        parts: &Parts,
        workdir: Option<PathBuf>,
        input: Value,
    ) -> Result<Option<Target>, Failure> {
        match self {
            Tool::Notes => notes::target(parts, workdir, &arguments(input)?),
            Tool::Write => {
                let input: write::Input = arguments(input)?;
                file_target(parts, workdir, &input.path).map(Some)
            }
            Tool::Edit => {
                let input: edit::Input = arguments(input)?;
                file_target(parts, workdir, &input.path).map(Some)
            }
            Tool::Calculator
            | Tool::Weather
            | Tool::WebSearch
            | Tool::WebFetch
            | Tool::Read
            | Tool::Glob
            | Tool::Grep
            | Tool::Bash
            | Tool::EndTask => Ok(None),
        }
    }
}

/// The input in the tool's own shape. A schema frozen long ago may let through what the
/// tool of today does not understand.
fn arguments<T: DeserializeOwned>(mut input: Value) -> Result<T, Failure> {
    for field in input.as_object_mut().into_iter().flat_map(|fields| fields.values_mut()) {
        if let Some(whole) = field.as_f64().and_then(whole) {
            *field = whole.into();
        }
    }
    serde_json::from_value(input)
        .or_else(|error| told(format!("the input does not fit this tool: {error}")))
}

/// A number like `2.0` as the integer that JSON Schema takes it for.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within the bounds asked for
fn whole(number: f64) -> Option<u64> {
    /// Beyond it not every integer is a number of this kind: 2^53.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let fits = number.fract() == 0.0 && (0.0..=EXACT_MAX).contains(&number);
    fits.then_some(number as u64)
}

/// Does blocking work in the working directory.
async fn in_workdir(
    parts: &Arc<Parts>,
    call: &ToolCall,
    work: impl FnOnce(&Folder, &crate::files::Stop) -> Result<String, Failure> + Send + 'static,
) -> Result<ToolOutput, ToolError> {
    let parts = parts.clone();
    let workdir = call.workdir.clone();
    blocking(move |stop| work(&open_workdir(&parts, workdir)?, stop)).await
}

fn open_workdir(parts: &Parts, workdir: Option<PathBuf>) -> Result<Folder, Failure> {
    let Some(workdir) = workdir else {
        return told("this session has no working directory, so it has no files");
    };
    Folder::open(&workdir, &parts.settings.state_dir)
}

fn file_target(parts: &Parts, workdir: Option<PathBuf>, path: &str) -> Result<Target, Failure> {
    let folder = open_workdir(parts, workdir)?;
    let path = folder.inside(path)?;
    if let Some(words) = never_written(&path) {
        return told(words);
    }
    Ok(Target { folder, path })
}

/// The schema of an object with these fields and no others.
fn object(required: &[&str], properties: Value) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// The schema of a path inside the working directory.
fn path_field(description: &str) -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": PATH_CHARS_MAX,
        "description": description,
    })
}
