//! Why a tool did not do its work, named for what becomes of the call.

use engine::ports::{ToolError, ToolOutput};

/// Why a tool did not do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It certainly changed nothing, and these words tell the model why.
    Told(String),
    /// What it depends on is out; nothing was changed. The words are for the model.
    Unavailable(String),
    /// It may have changed something or not, and cannot tell.
    Unknown(String),
}

/// A failure that the model is told.
pub(crate) fn told<T>(words: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Told(words.into()))
}

/// A failure of what the tool depends on, which the model is told.
pub(crate) fn unavailable<T>(words: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Unavailable(words.into()))
}

/// What a tool's end means to the port.
pub(crate) fn answer(end: Result<String, Failure>) -> Result<ToolOutput, ToolError> {
    match end {
        Ok(text) => Ok(ToolOutput::ok(text)),
        Err(Failure::Told(words)) => Ok(ToolOutput::error(words)),
        Err(Failure::Unavailable(words)) => Err(ToolError::Unavailable(words)),
        Err(Failure::Unknown(words)) => Err(ToolError::OutcomeUnknown(words)),
    }
}
