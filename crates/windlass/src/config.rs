//! One YAML file per agent: what it holds, and how it becomes an agent.
//!
//! [`load`] reads a file into a plain [`Config`] with every default filled in, or
//! returns all of its mistakes at once, each with its line and column. [`agent`] picks
//! the allowed tools and gives the definition that a session is begun with. Nothing
//! here asks the network, and no file is read unless one is named.

mod agent_file;
mod environment;
mod expect;
mod mistake;
mod provider;
mod schema;
mod select;
mod standard;
mod suggest;
mod tool_settings;
mod yaml;

#[cfg(test)]
mod tests;

use std::io::Read;
use std::path::{Path, PathBuf};

use kernel::agent::Limits;
use kernel::price::Rule;
use kernel::units::Money;
use serde_json::Value;

pub(crate) use mistake::{Broken, Look};
pub(crate) use provider::{ANTHROPIC_KEY_ENV, Provider};
pub(crate) use select::agent;
pub(crate) use standard::default_agent;
pub(crate) use tool_settings::{SearchEngine, ToolSettings, WebSearch};

use mistake::{Mistake, Source, Span};

/// Longest file that is read, in bytes.
pub(crate) const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Looks up one variable of the environment.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// An agent's configuration, checked and complete.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Its name, for people and metrics.
    pub(crate) agent_id: String,
    /// The model's name as its provider knows it.
    pub(crate) model: String,
    /// Who answers for the model.
    pub(crate) provider: Provider,
    /// The system prompt.
    pub(crate) system_prompt: String,
    /// The tools that it may call.
    pub(crate) allowed_tools: AllowedTools,
    /// Longest answer asked of the model, in tokens.
    pub(crate) max_tokens: u32,
    /// Sampling temperature; the provider's default where absent.
    pub(crate) temperature: Option<f64>,
    /// The numbers that end a run.
    pub(crate) limits: Limits,
    /// Most money that one run may cost. `None`: the file says that there is no cap.
    pub(crate) budget: Option<Money>,
    /// JSON Schema of the run's result.
    pub(crate) output_schema: Option<Value>,
    /// Settings of single tools.
    pub(crate) tools: ToolSettings,
    /// The file's own price for its model. `None`: the catalogue's price holds.
    pub(crate) price: Option<Rule>,
    /// The file, to point into when a later check finds a mistake.
    source: Source,
}

/// Which of the program's tools an agent may call.
#[derive(Clone, Debug)]
pub(crate) enum AllowedTools {
    /// All of them.
    All,
    /// Those that the file names, each with its place in the file.
    Named(Vec<(String, Span)>),
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read `{}`: {why}\ngive the path of an agent's YAML file, like `examples/reference.yaml`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// The file was read and is wrong.
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl ConfigError {
    /// The whole report for a person, ending in a line feed.
    pub(crate) fn show(&self, look: Look) -> String {
        match self {
            ConfigError::Unreadable { .. } => format!("{self}\n"),
            ConfigError::Broken(broken) => broken.show(look),
        }
    }
}

/// A model that no provider is known for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "nobody is known to answer for the model `{0}`\n\
     there are `claude-…`, `planner` and `script:PATH`; for any other, give an agent's file \
     that names its `provider`"
)]
pub(crate) struct UnknownModel(String);

impl Config {
    /// The same agent, asked of another model. A name that tells its provider changes the
    /// provider; any other goes to the compatible server that the file names. The file's
    /// own price was for its own model and holds no longer.
    ///
    /// # Errors
    /// Nobody is known to answer for the model.
    pub(crate) fn with_model(mut self, model: &str, folder: &Path) -> Result<Self, UnknownModel> {
        if model == self.model {
            return Ok(self);
        }
        self.provider = match (Provider::of_model(model, folder), self.provider) {
            (Some(Provider::Anthropic { .. }), own @ Provider::Anthropic { .. }) => own,
            (Some(told), _) => told,
            (None, own @ Provider::OpenAi { .. }) => own,
            (None, Provider::Anthropic { .. } | Provider::Planner | Provider::Script { .. }) => {
                return Err(UnknownModel(model.to_owned()));
            }
        };
        self.model = model.to_owned();
        self.price = None;
        Ok(self)
    }
}

/// Reads and checks the file at `path`.
///
/// # Errors
/// The file cannot be read, or every mistake that it has.
pub(crate) fn load(path: &Path, environment: Environment) -> Result<Config, ConfigError> {
    let unreadable = |why| ConfigError::Unreadable { path: path.to_owned(), why };
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    Ok(parse(&path.display().to_string(), folder, bytes, environment)?)
}

/// Checks the bytes of a file called `name`; relative paths of scripts start at `folder`.
///
/// # Errors
/// Every mistake in the file.
pub(crate) fn parse(
    name: &str,
    folder: &Path,
    bytes: Vec<u8>,
    environment: Environment,
) -> Result<Config, Broken> {
    let source = |text: &str| Source::new(name, text);
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let mistake = Mistake::new(0..0, format!("longer than {FILE_BYTES_MAX} bytes"))
            .hint("an agent's file holds a prompt and settings, not data");
        return Err(Broken::new(source(""), vec![mistake]));
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let upto = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let mistake = Mistake::new(upto..upto, "not UTF-8 from here on")
                .hint("save the file as UTF-8 text");
            return Err(Broken::new(source(&text), vec![mistake]));
        }
    };
    agent_file::read(source(&text), folder, environment)
}
