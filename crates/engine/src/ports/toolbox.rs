//! Running tools: the way out of the model into the world.

use std::path::PathBuf;

use async_trait::async_trait;
use kernel::agent::ToolSpec;
use kernel::event::Signs;
use kernel::json::RawJson;
use kernel::units::{SessionId, Tenant};
use kernel::verdict::Examined;

/// One call of one tool.
#[derive(Clone, Debug)]
pub struct ToolCall {
    /// Whose session asks.
    pub tenant: Tenant,
    /// The session.
    pub session: SessionId,
    /// The tool as frozen with the agent: schema, effect class and limits hold as they
    /// were when the session began.
    pub spec: ToolSpec,
    /// The arguments: one JSON object, not yet checked against the schema.
    pub arguments: RawJson,
    /// The folder that file tools work in. `None`: the session has no files.
    pub workdir: Option<PathBuf>,
    /// A key that is the same whenever this very call is run again, after a crash too.
    pub key: String,
}

/// What a tool brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolOutput {
    /// The text for the model, whole; the engine cuts it to the tool's output limit.
    pub content: String,
    /// Whether the call failed: the content says why, in words the model can work with.
    pub is_error: bool,
    /// Signs of injection that were found in it.
    pub signs: Option<Signs>,
}

impl ToolOutput {
    /// A good result.
    #[must_use]
    pub fn ok(content: impl Into<String>) -> Self {
        ToolOutput { content: content.into(), is_error: false, signs: None }
    }

    /// A failure that the model is told.
    #[must_use]
    pub fn error(content: impl Into<String>) -> Self {
        ToolOutput { content: content.into(), is_error: true, signs: None }
    }
}

/// Why a call did not come to an answer for the model.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ToolError {
    /// It may have happened or not, and the tool cannot tell.
    #[error("the outcome is unknown: {0}")]
    OutcomeUnknown(String),
    /// What it depends on is out: the network, a service, a server. Nothing was changed.
    /// The words are for the model.
    #[error("{0}")]
    Unavailable(String),
    /// The agent's frozen tool is not in this toolbox.
    #[error("there is no tool `{0}` in this program")]
    Gone(String),
}

/// What became of an effect that began before a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reconciled {
    /// It happened, and this was its result.
    Done(ToolOutput),
    /// It certainly did not happen; it may be run.
    NotDone,
    /// The tool cannot tell.
    Unknown(String),
}

/// A set of tools.
#[async_trait]
pub trait Toolbox: Send + Sync {
    /// Every tool there is, in the order in which it is shown to a model.
    fn specs(&self) -> Vec<ToolSpec>;

    /// Reads what a call would do, and says what the tool's own guards think of it. Changes
    /// nothing. Mostly a function of the call; a tool of a server may ask that whether it is
    /// still the one that was agreed to. Who does not answer soon has not said yes.
    async fn examine(&self, call: &ToolCall) -> Examined;

    /// Checks the arguments against the schema and runs the tool. The engine stops
    /// waiting at the tool's deadline; dropping the future must leave nothing half done
    /// that a later [`Toolbox::reconcile`] could not tell.
    ///
    /// # Errors
    /// Only what is not an answer for the model.
    async fn run(&self, call: &ToolCall) -> Result<ToolOutput, ToolError>;

    /// Finds out what became of an effect that began before a crash. Must not change
    /// anything.
    async fn reconcile(&self, call: &ToolCall) -> Reconciled;
}
