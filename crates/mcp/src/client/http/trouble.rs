//! What can go wrong on the way to a server, and what that says about a request.

use std::error::Error;
use std::time::Duration;

use rmcp::transport::common::client_side_sse::SseRetryPolicy;

use super::super::Unanswered;
use crate::words::line;

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpTrouble {
    /// The address may not be asked.
    #[error("its address is refused: {0}")]
    Forbidden(String),
    /// The tenant's secret cannot be had.
    #[error("{0}")]
    NoCredential(String),
    /// No connection.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// The server answered with this status instead of a message.
    #[error("it refused with status {0}{hint}", hint = hint(*.0))]
    Status(u16),
    /// The server accepted the request and answered with something that is no message.
    #[error("it answered with something that is no message")]
    NoMessage,
    /// The connection broke off.
    #[error("the connection broke off: {0}")]
    Broken(String),
    /// The answer is longer than allowed.
    #[error("its answer is longer than {0} bytes")]
    TooLong(usize),
}

impl HttpTrouble {
    pub(super) fn of(error: &reqwest::Error) -> Self {
        let words = innermost(error);
        if error.is_connect() || error.is_builder() {
            HttpTrouble::Unreachable(words)
        } else {
            HttpTrouble::Broken(words)
        }
    }

    /// What it says about the request that met it. A server that fails (5xx) may have done
    /// everything before.
    pub(crate) fn meaning(&self) -> Unanswered {
        let words = self.to_string();
        match self {
            HttpTrouble::Forbidden(_)
            | HttpTrouble::NoCredential(_)
            | HttpTrouble::Unreachable(_)
            | HttpTrouble::Status(300..=499) => Unanswered::NotSent(words),
            HttpTrouble::Status(_)
            | HttpTrouble::NoMessage
            | HttpTrouble::Broken(_)
            | HttpTrouble::TooLong(_) => Unanswered::Lost(words),
        }
    }
}

/// What lies at the bottom of an error, which never holds an address.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    line(&innermost.to_string(), 200)
}

fn hint(status: u16) -> &'static str {
    match status {
        300..=399 => ": it points elsewhere, and redirects are not followed",
        401 | 403 => ": the tenant's secret is missing or has no right to this",
        429 => ": too many requests",
        _ => "",
    }
}

/// How often and how fast a broken stream is opened anew.
#[derive(Debug)]
pub(super) struct Patience {
    pub(super) tries_max: usize,
}

impl SseRetryPolicy for Patience {
    fn retry(&self, tries: usize) -> Option<Duration> {
        let doublings = u32::try_from(tries).unwrap_or(u32::MAX).min(5);
        (tries < self.tries_max).then(|| Duration::from_secs(1 << doublings))
    }
}
