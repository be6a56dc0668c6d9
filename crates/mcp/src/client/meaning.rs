//! What the library's errors mean for whoever asked.

use rmcp::service::{ClientInitializeError, ServiceError};
use rmcp::transport::DynamicTransportError;
use rmcp::transport::streamable_http_client::StreamableHttpError;

use super::http::HttpTrouble;
use super::message::UNREADABLE;
use super::vitals::Vitals;
use super::{Unanswered, Unstarted};
use crate::words::line;

/// The longest foreign words in an error of ours, in characters.
const WORDS_CHARS_MAX: usize = 400;

/// Why a handshake came to nothing. Where the connection itself is known to be over, that
/// is the better reason.
pub(super) fn unstarted(vitals: &Vitals, error: &ClientInitializeError) -> Unstarted {
    if let ClientInitializeError::JsonRpcError(refusal) = error {
        let words = line(&refusal.message, WORDS_CHARS_MAX);
        return if refusal.code == UNREADABLE {
            Unstarted::Failed(words)
        } else {
            Unstarted::OtherHandshake(format!("it refused the handshake: {words}"))
        };
    }
    let words = if let ClientInitializeError::TransportError { error, .. } = error {
        match not_delivered(error) {
            Unanswered::NotSent(words) | Unanswered::Lost(words) => words,
            Unanswered::Expired | Unanswered::Refused(_) => "it refused the handshake".to_owned(),
        }
    } else if matches!(error, ClientInitializeError::ConnectionClosed(_)) {
        "it ended before the handshake".to_owned()
    } else {
        // What is left prints whole messages of the server behind these words.
        let words = error.to_string();
        let told = words.split(", but received").next().unwrap_or_default();
        format!("its handshake is against the protocol: {}", line(told, WORDS_CHARS_MAX))
    };
    Unstarted::Failed(vitals.why().unwrap_or(words))
}

/// Why a request has no result.
pub(super) fn unanswered(error: &ServiceError) -> Unanswered {
    if let ServiceError::McpError(error) = error {
        let words = line(&error.message, WORDS_CHARS_MAX);
        return if error.code == UNREADABLE {
            Unanswered::Lost(words)
        } else {
            Unanswered::Refused(format!("{words} (code {})", error.code.0))
        };
    }
    if let ServiceError::TransportSend(error) = error {
        return not_delivered(error);
    }
    if matches!(error, ServiceError::TransportClosed) {
        return Unanswered::Lost("the connection broke off".to_owned());
    }
    Unanswered::Lost(line(&error.to_string(), WORDS_CHARS_MAX))
}

/// What a failure to send says about the request.
fn not_delivered(error: &DynamicTransportError) -> Unanswered {
    match error.error.downcast_ref::<StreamableHttpError<HttpTrouble>>() {
        Some(StreamableHttpError::Client(trouble)) => trouble.meaning(),
        Some(StreamableHttpError::SessionExpired) => Unanswered::Expired,
        Some(other) => Unanswered::Lost(line(&other.to_string(), WORDS_CHARS_MAX)),
        None => Unanswered::Lost(line(&error.error.to_string(), WORDS_CHARS_MAX)),
    }
}
