//! Errors of the Messages API: after an HTTP status, and in the midst of a stream.
//!
//! The type is an open string: an unknown one is classed by the status. Of the three
//! kinds of 429 the monthly spend limit is no sign of overload and never worth a retry.

use kernel::event::{FaultClass, ModelFault};
use kernel::json::Extra;
use serde_json::{Value, json};

use crate::fault::{self, ErrorKind, ErrorOut, Told, WireError};
use crate::json::object;

/// Reads an HTTP answer that is not a success. `header` looks a header up by its name
/// in small letters.
#[must_use]
pub fn read_error(status: u16, header: &dyn Fn(&str) -> Option<String>, body: &[u8]) -> ModelFault {
    let told = serde_json::from_slice(body).ok().and_then(|body| told(&body));
    fault::of_answer(status, header, told.unwrap_or_else(|| fault::plain(status, body)))
}

/// Reads an `error` event.
pub(super) fn fault_of_event(data: &[u8]) -> WireError {
    let told = serde_json::from_slice(data).ok().and_then(|body| told(&body));
    let told = told.unwrap_or_else(|| fault::plain(200, data));
    WireError {
        class: told.class.unwrap_or(FaultClass::Server),
        message: fault::shorten(&told.message),
        request_id: told.request_id,
    }
}

fn told(body: &Value) -> Option<Told> {
    let error: &Extra = body.get("error")?.as_object()?;
    let word = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
    let code = error.get("details").and_then(|details| details["error_code"].as_str());
    let (kind, message) = (word("type"), word("message"));
    Some(Told {
        class: class_of(kind, code.unwrap_or_default(), message),
        message: match message.is_empty() {
            true => kind.to_owned(),
            false => message.to_owned(),
        },
        request_id: body["request_id"].as_str().map(str::to_owned),
    })
}

fn class_of(kind: &str, code: &str, message: &str) -> Option<FaultClass> {
    Some(match kind {
        "rate_limit_error" if code == "enforced_spend_limit_reached" => FaultClass::Billing,
        "rate_limit_error" => FaultClass::RateLimited,
        // These come as plain invalid requests, told apart by their words only.
        "invalid_request_error" if message.contains("credit balance") => FaultClass::Billing,
        "invalid_request_error"
            if message.contains("prompt is too long")
                || message.contains("exceed context limit") =>
        {
            FaultClass::TooLarge
        }
        "invalid_request_error" => FaultClass::InvalidRequest,
        "authentication_error" | "permission_error" => FaultClass::Auth,
        "billing_error" => FaultClass::Billing,
        "not_found_error" => FaultClass::UnknownModel,
        "request_too_large" => FaultClass::TooLarge,
        "api_error" => FaultClass::Server,
        "timeout_error" => FaultClass::Timeout,
        "overloaded_error" => FaultClass::Overloaded,
        _ => return None,
    })
}

/// Writes an error as the API does: the status and the body. The same body is the data
/// of an `error` event in a stream that has begun.
#[must_use]
pub fn write_error(error: &ErrorOut) -> (u16, String) {
    let (status, kind) = match error.kind {
        ErrorKind::InvalidRequest => (400, "invalid_request_error"),
        ErrorKind::Authentication => (401, "authentication_error"),
        ErrorKind::Billing => (402, "billing_error"),
        ErrorKind::Permission => (403, "permission_error"),
        ErrorKind::NotFound => (404, "not_found_error"),
        ErrorKind::TooLarge => (413, "request_too_large"),
        ErrorKind::RateLimited | ErrorKind::SpendLimit => (429, "rate_limit_error"),
        ErrorKind::Server => (500, "api_error"),
        ErrorKind::Timeout => (504, "timeout_error"),
        ErrorKind::Overloaded => (529, "overloaded_error"),
    };
    let mut inner = json!({"type": kind, "message": error.message});
    if error.kind == ErrorKind::SpendLimit {
        inner["details"] = json!({"error_code": "enforced_spend_limit_reached"});
    }
    let body = object(|out| {
        out.put("type", "error");
        out.put("error", &inner);
        out.put_some("request_id", error.request_id.as_ref());
    });
    (status, body)
}
