//! Errors of chat completions: after an HTTP status, and in the midst of a stream.
//!
//! Compatible servers spell them in their own ways: the error may be a text, the code a
//! number, the message may stand in `message` or `detail`. The vendor calls most things
//! an invalid request, so the status says more than the type.

use kernel::event::{FaultClass, ModelFault};
use serde_json::{Value, json};

use crate::fault::{self, ErrorKind, ErrorOut, Told, WireError};

/// Reads an HTTP answer that is not a success. `header` looks a header up by its name
/// in small letters.
#[must_use]
pub fn read_error(status: u16, header: &dyn Fn(&str) -> Option<String>, body: &[u8]) -> ModelFault {
    let body_value: Option<Value> = serde_json::from_slice(body).ok();
    let told = body_value.and_then(|body| told(body.get("error").unwrap_or(&body)));
    fault::of_answer(status, header, told.unwrap_or_else(|| fault::plain(status, body)))
}

/// Reads the `error` of a stream, or of a body that came with HTTP 200.
pub(super) fn fault_of_object(error: &Value) -> WireError {
    let text = error.to_string();
    let told = told(error).unwrap_or_else(|| fault::plain(200, text.as_bytes()));
    let by_status = || Some(fault::class_of_status(u16::try_from(error["code"].as_u64()?).ok()?));
    let class = told.class.or_else(by_status).or_else(|| class_of_type(error));
    WireError {
        class: class.unwrap_or(FaultClass::Server),
        message: fault::shorten(&told.message),
        request_id: told.request_id,
    }
}

fn told(error: &Value) -> Option<Told> {
    let said = [error, &error["message"], &error["detail"]];
    let message = said.iter().find_map(|message| message.as_str())?;
    let word = |name: &str| error[name].as_str().unwrap_or_default();
    Some(Told {
        class: class_of(word("code"), word("type"), message),
        message: message.to_owned(),
        request_id: None,
    })
}

/// Codes that say more than the status.
fn class_of(code: &str, kind: &str, message: &str) -> Option<FaultClass> {
    Some(match (code, kind) {
        ("insufficient_quota" | "billing_hard_limit_reached" | "billing_not_active", _)
        | (_, "insufficient_quota") => FaultClass::Billing,
        ("rate_limit_exceeded", _) => FaultClass::RateLimited,
        ("server_is_overloaded" | "slow_down", _) => FaultClass::Overloaded,
        ("timeout", _) => FaultClass::Timeout,
        // The second is the type that servers of llama.cpp give.
        ("context_length_exceeded", _) | (_, "exceed_context_size_error") => FaultClass::TooLarge,
        ("model_not_found", _) => FaultClass::UnknownModel,
        ("invalid_api_key", _) => FaultClass::Auth,
        // Compatible servers have no code for it, but share the words.
        _ if message.contains("maximum context length") => FaultClass::TooLarge,
        _ => return None,
    })
}

/// Types, for errors that come without a status.
fn class_of_type(error: &Value) -> Option<FaultClass> {
    Some(match error["type"].as_str()? {
        "invalid_request_error" => FaultClass::InvalidRequest,
        "authentication_error" | "permission_error" => FaultClass::Auth,
        "rate_limit_error" | "tokens" | "requests" => FaultClass::RateLimited,
        "overloaded_error" => FaultClass::Overloaded,
        "timeout_error" => FaultClass::Timeout,
        _ => return None,
    })
}

/// Writes an error as the API does: the status and the body. The same body is the data
/// of the last frame in a stream that breaks.
#[must_use]
pub fn write_error(error: &ErrorOut) -> (u16, String) {
    let invalid = "invalid_request_error";
    let (status, kind, code) = match error.kind {
        ErrorKind::InvalidRequest => (400, invalid, None),
        ErrorKind::Authentication => (401, invalid, Some("invalid_api_key")),
        ErrorKind::Permission => (403, invalid, Some("permission_denied")),
        ErrorKind::NotFound => (404, invalid, Some("model_not_found")),
        ErrorKind::TooLarge => (413, invalid, Some("context_length_exceeded")),
        ErrorKind::RateLimited => (429, "requests", Some("rate_limit_exceeded")),
        ErrorKind::Billing | ErrorKind::SpendLimit => {
            (429, "insufficient_quota", Some("insufficient_quota"))
        }
        ErrorKind::Server => (500, "server_error", None),
        ErrorKind::Timeout => (504, "server_error", Some("timeout")),
        ErrorKind::Overloaded => (503, "server_error", Some("server_is_overloaded")),
    };
    let message = &error.message;
    let inner = json!({"message": message, "type": kind, "param": null, "code": code});
    (status, json!({"error": inner}).to_string())
}
