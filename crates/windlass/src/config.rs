//! Files in YAML: one per agent, one for the installation, one with an operator's prices.
//!
//! [`load`] reads an agent's file into a plain [`Config`] with every default filled in, or
//! returns all of its mistakes at once, each with its line and column. [`agent`] picks
//! the allowed tools and gives the definition that a session is begun with. Nothing
//! here asks the network, and no file is read unless one is named.

mod agent_file;
mod alerts;
mod databases;
mod dealing;
mod environment;
mod expect;
mod fallbacks;
mod http_tools;
mod installation;
mod keeping;
mod loops;
mod mcp_servers;
mod mistake;
mod permits;
mod plans;
mod price_file;
mod provider;
mod rates;
mod redaction;
mod schema;
mod select;
mod standard;
mod suggest;
mod text;
mod tool_settings;
mod web_settings;
mod window;
mod yaml;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use kernel::agent::Limits;
use kernel::price::Rule;
use kernel::units::Money;
use kernel::verdict::Trust;
use serde_json::Value;

pub(crate) use alerts::Webhook;
pub(crate) use dealing::Dealing;
pub(crate) use fallbacks::Fallback;
pub(crate) use installation::Installation;
pub(crate) use keeping::{Encryption, Keeping};
pub(crate) use mcp_servers::{CageSettings, McpServers};
pub(crate) use mistake::{Broken, Look};
pub(crate) use permits::{Chosen, Permits, PolicyFiles, question, question_in};
pub(crate) use plans::{Caps, label_name};
pub(crate) use price_file::PriceFile;
pub(crate) use provider::{ANTHROPIC_KEY_ENV, Provider};
pub(crate) use redaction::Redaction;
pub(crate) use select::agent;
pub(crate) use standard::default_agent;
pub(crate) use suggest::nearest;
pub(crate) use tool_settings::{SearchEngine, ToolSettings, WebSearch};

use mistake::{Source, Span};

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
    /// How that one is dealt with.
    pub(crate) dealing: Dealing,
    /// The models that answer where it does not, in this order.
    pub(crate) fallbacks: Vec<Fallback>,
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
    /// How far its tools may reach.
    pub(crate) trust: Trust,
    /// The kind of its tasks, where the file tells it.
    pub(crate) task_type: Option<String>,
    /// Tools that must not run on untrusted words, each with its place in the file.
    pub(crate) sensitive: Vec<(String, Span)>,
    /// Tools that are requests to the operator's addresses.
    pub(crate) http_tools: Vec<tools::HttpTool>,
    /// Servers whose tools it may use.
    pub(crate) mcp: McpServers,
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

/// The kinds of files there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An agent's.
    Agent,
    /// The installation's.
    Installation,
    /// An operator's prices.
    Prices,
    /// Policies.
    Policy,
    /// A question for them.
    Question,
}

impl Kind {
    /// What to give where a file of this kind is asked for.
    fn wanted(self) -> &'static str {
        match self {
            Kind::Agent => "give the path of an agent's YAML file, like `examples/reference.yaml`",
            Kind::Installation => {
                "give the path of the installation's YAML file, like `examples/windlass.yaml`"
            }
            Kind::Prices => "give the path of a price file, like `examples/prices.yaml`",
            Kind::Policy => "give the path of a policy file, like `examples/policy.yaml`",
            Kind::Question => "give the path of a file with a question in YAML or JSON",
        }
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read `{}`: {why}\n{}", path.display(), kind.wanted())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What it was to be.
        kind: Kind,
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
    /// own price and fallbacks were for its own model and hold no longer.
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
        self.fallbacks.clear();
        Ok(self)
    }
}

/// Reads and checks an agent's file at `path`.
///
/// # Errors
/// The file cannot be read, or every mistake that it has.
pub(crate) fn load(path: &Path, environment: Environment) -> Result<Config, ConfigError> {
    let source = text::load(path, Kind::Agent)?;
    Ok(agent_file::read(source, folder_of(path), environment)?)
}

/// Checks the bytes of an agent's file called `name`; relative paths of scripts start at
/// `folder`.
///
/// # Errors
/// Every mistake in the file.
#[cfg(test)]
pub(crate) fn parse(
    name: &str,
    folder: &Path,
    bytes: Vec<u8>,
    environment: Environment,
) -> Result<Config, Broken> {
    agent_file::read(text::of_bytes(name, bytes)?, folder, environment)
}

/// Reads and checks the installation's file at `path`.
///
/// # Errors
/// The file cannot be read, or every mistake that it has.
pub(crate) fn load_installation(
    path: &Path,
    environment: Environment,
) -> Result<Installation, ConfigError> {
    let source = text::load(path, Kind::Installation)?;
    Ok(installation::read(&source, folder_of(path), environment)?)
}

/// Reads and checks the price file at `path`.
///
/// # Errors
/// The file cannot be read, or every mistake that it has.
pub(crate) fn load_prices(path: &Path, environment: Environment) -> Result<PriceFile, ConfigError> {
    Ok(price_file::read(&text::load(path, Kind::Prices)?, environment)?)
}

/// What kind of file it is: told by its name and by the keys at its top. Agents are the
/// most common, so whatever tells nothing is read as one.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn kind_of(path: &Path) -> Result<Kind, ConfigError> {
    let source = text::load(path, Kind::Agent)?;
    let named = path.file_name().is_some_and(|name| name == crate::here::FILE_NAME);
    let (root, _) = yaml::parse(&source.text);
    Ok(match root {
        _ if named => Kind::Installation,
        Some(root) if price_file::is_told_by(&root) => Kind::Prices,
        Some(root) if installation::is_told_by(&root) => Kind::Installation,
        Some(root) if permits::is_policies(&root) => Kind::Policy,
        Some(_) | None => Kind::Agent,
    })
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}
