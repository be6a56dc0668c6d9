//! How the program ends: one exit code for each kind of end, documented in `--help`.

use std::process::ExitCode;

use engine::error::EngineError;
use engine::ports::StoreError;
use secrets::SecretError;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It did what it was asked.
    Finished,
    /// The machine failed: the store, the network, a file.
    Broken,
    /// The command line or a file it names is wrong.
    Usage,
    /// The run waits in the store and can be resumed.
    Parked,
    /// The run failed or was cancelled.
    Failed,
    /// A lawful no; nothing was changed.
    Refused,
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        ExitCode::from(match end {
            End::Finished => 0,
            End::Broken => 1,
            End::Usage => 2,
            End::Parked => 3,
            End::Failed => 4,
            End::Refused => 5,
        })
    }
}

/// A wrong word on the command line, found after parsing it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadUsage(pub(crate) String);

/// A lawful no of this program itself; nothing was changed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotNow(pub(crate) String);

/// Which end an error is.
pub(crate) fn end_of(error: &anyhow::Error) -> End {
    if error.is::<BadUsage>() || error.is::<crate::config::ConfigError>() {
        return End::Usage;
    }
    if error.is::<NotNow>() {
        return End::Refused;
    }
    if let Some(error) = error.downcast_ref::<SecretError>() {
        return of_secret(error);
    }
    match error.downcast_ref::<StoreError>() {
        Some(StoreError::Missing(_)) => return End::Usage,
        Some(StoreError::Erased(_)) => return End::Refused,
        Some(_) | None => {}
    }
    match error.downcast_ref::<EngineError>() {
        Some(EngineError::Refused(_) | EngineError::Denied(_)) => End::Refused,
        Some(EngineError::Store(StoreError::Missing(_))) => End::Usage,
        Some(EngineError::Store(StoreError::Erased(_))) => End::Refused,
        Some(
            EngineError::Store(_)
            | EngineError::Damaged { .. }
            | EngineError::Agent(_)
            | EngineError::Crashed { .. }
            | EngineError::Contended { .. }
            | EngineError::Unfit(_),
        )
        | None => End::Broken,
    }
}

fn of_secret(error: &SecretError) -> End {
    match error {
        SecretError::Missing { .. } | SecretError::Unusable { .. } => End::Usage,
        SecretError::Denied { .. } => End::Refused,
        SecretError::Unavailable { .. } | SecretError::Damaged { .. } => End::Broken,
    }
}
