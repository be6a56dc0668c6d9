//! How model calls fail, classed by what the caller does next.

use serde::{Deserialize, Serialize};

/// How a model call failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFault {
    /// The class, which says what to do next.
    pub class: FaultClass,
    /// The provider's words, shortened.
    pub message: String,
    /// How long the provider asked us to wait, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The provider's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// The classes of model failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultClass {
    /// Too many requests or tokens for now.
    RateLimited,
    /// The provider has no room for anybody now.
    Overloaded,
    /// The provider broke.
    Server,
    /// No connection, or it broke before anything came.
    Network,
    /// No answer within the deadline.
    Timeout,
    /// The stream ended before the answer did.
    Cut,
    /// What came is not what the protocol says.
    Malformed,
    /// The key is missing, wrong or not entitled.
    Auth,
    /// The account has no money or a spend limit is reached.
    Billing,
    /// There is no such model.
    UnknownModel,
    /// The request is wrong; the same request will be wrong again.
    InvalidRequest,
    /// The request is larger than the provider takes.
    TooLarge,
    /// Our side stopped the call.
    Interrupted,
}

/// What the caller of a failed model call does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Wait and try the same again.
    Retry,
    /// A person must mend the account, the key or the configuration; then try again.
    Mend,
    /// Never the same again.
    GiveUp,
}

impl FaultClass {
    /// What the caller does next.
    #[must_use]
    pub fn next_step(self) -> NextStep {
        match self {
            FaultClass::RateLimited
            | FaultClass::Overloaded
            | FaultClass::Server
            | FaultClass::Network
            | FaultClass::Timeout
            | FaultClass::Cut
            | FaultClass::Malformed
            | FaultClass::Interrupted => NextStep::Retry,
            FaultClass::Auth | FaultClass::Billing | FaultClass::UnknownModel => NextStep::Mend,
            FaultClass::InvalidRequest | FaultClass::TooLarge => NextStep::GiveUp,
        }
    }

    /// The stable code, as in the log.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            FaultClass::RateLimited => "rate_limited",
            FaultClass::Overloaded => "overloaded",
            FaultClass::Server => "server",
            FaultClass::Network => "network",
            FaultClass::Timeout => "timeout",
            FaultClass::Cut => "cut",
            FaultClass::Malformed => "malformed",
            FaultClass::Auth => "auth",
            FaultClass::Billing => "billing",
            FaultClass::UnknownModel => "unknown_model",
            FaultClass::InvalidRequest => "invalid_request",
            FaultClass::TooLarge => "too_large",
            FaultClass::Interrupted => "interrupted",
        }
    }
}
