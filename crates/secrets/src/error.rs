//! Why a secret is not there, named for what the caller does next.
//!
//! No error holds a value or a part of one.

/// Why a secret was not given or not changed. `what` names the handle, source or file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Set it or grant it: no source has it for this tenant.
    #[error("there is no secret `{what}`\nhint: {hint}")]
    Missing {
        /// The handle.
        what: String,
        /// How it comes to be there.
        hint: String,
    },
    /// Somebody must permit it: the source has refused.
    #[error("`{what}` is refused: {why}")]
    Denied {
        /// The handle, source or file.
        what: String,
        /// Who refuses, and why.
        why: String,
    },
    /// Try again: the source is out or busy.
    #[error("`{what}` cannot be reached now: {why}")]
    Unavailable {
        /// The handle, source or file.
        what: String,
        /// What happened.
        why: String,
        /// When to try again, where the source said so, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// Stop: what is kept was changed or cut, and a person must look at it.
    #[error("`{what}` is damaged: {why}")]
    Damaged {
        /// The file, or what the source sent.
        what: String,
        /// Which part, as far as it can be told.
        why: String,
    },
    /// Mend the request or the configuration: it cannot work as it is.
    #[error("`{what}` cannot be used: {why}")]
    Unusable {
        /// The handle, source or file.
        what: String,
        /// What is wrong with it, with a hint where there is one.
        why: String,
    },
}

impl SecretError {
    pub(crate) fn denied(what: impl Into<String>, why: impl Into<String>) -> Self {
        SecretError::Denied { what: what.into(), why: why.into() }
    }

    pub(crate) fn unavailable(what: impl Into<String>, why: impl Into<String>) -> Self {
        SecretError::Unavailable { what: what.into(), why: why.into(), retry_after_ms: None }
    }

    pub(crate) fn damaged(what: impl Into<String>, why: impl Into<String>) -> Self {
        SecretError::Damaged { what: what.into(), why: why.into() }
    }

    pub(crate) fn unusable(what: impl Into<String>, why: impl Into<String>) -> Self {
        SecretError::Unusable { what: what.into(), why: why.into() }
    }

    /// The code in logs and answers.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            SecretError::Missing { .. } => "secret_missing",
            SecretError::Denied { .. } => "secret_denied",
            SecretError::Unavailable { .. } => "secret_source_unavailable",
            SecretError::Damaged { .. } => "secret_damaged",
            SecretError::Unusable { .. } => "secret_unusable",
        }
    }
}
