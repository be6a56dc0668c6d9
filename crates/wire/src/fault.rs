//! What goes wrong on the wire, classed by what the caller does next.
//!
//! Holds what both vendors share: the classes of HTTP statuses, the headers that say
//! when to come back, and the kinds of error that a server of ours answers with.

use kernel::event::{FaultClass, ModelFault, NextStep};

use crate::ERROR_MESSAGE_BYTES_MAX;

/// Something that could not be read, or an error that a vendor told in its stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WireError {
    /// The class, which says what to do next.
    pub class: FaultClass,
    /// What happened, for people.
    pub message: String,
    /// The vendor's id of the request, where it told one.
    pub request_id: Option<String>,
}

impl WireError {
    pub(crate) fn new(class: FaultClass, message: impl Into<String>) -> Self {
        WireError { class, message: message.into(), request_id: None }
    }

    /// What came is not what the protocol says.
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        WireError::new(FaultClass::Malformed, message)
    }

    /// The stream ended before the answer did.
    pub(crate) fn cut() -> Self {
        WireError::new(FaultClass::Cut, "the stream ended before the answer did")
    }

    /// The same as a fact.
    #[must_use]
    pub fn into_fault(self) -> ModelFault {
        ModelFault {
            class: self.class,
            message: self.message,
            retry_after_ms: None,
            request_id: self.request_id,
        }
    }
}

/// The kinds of error that a server answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is wrong.
    InvalidRequest,
    /// The key is missing or wrong.
    Authentication,
    /// The account has no money.
    Billing,
    /// The key may not do this.
    Permission,
    /// There is no such model or path.
    NotFound,
    /// The request is too large.
    TooLarge,
    /// Too many requests or tokens for now.
    RateLimited,
    /// A spend limit is reached: waiting does not help.
    SpendLimit,
    /// The server broke.
    Server,
    /// The answer took too long.
    Timeout,
    /// There is no room for anybody now.
    Overloaded,
}

impl ErrorKind {
    /// What the header `x-should-retry` must say, so that the vendors' own client
    /// libraries, which retry every 429 twice, leave a refusal alone (L17).
    #[must_use]
    pub fn should_retry(self) -> bool {
        match self {
            ErrorKind::RateLimited
            | ErrorKind::Server
            | ErrorKind::Timeout
            | ErrorKind::Overloaded => true,
            ErrorKind::InvalidRequest
            | ErrorKind::Authentication
            | ErrorKind::Billing
            | ErrorKind::Permission
            | ErrorKind::NotFound
            | ErrorKind::TooLarge
            | ErrorKind::SpendLimit => false,
        }
    }
}

/// An error that a server answers with. In a stream that has begun, the body that is
/// written for it is the data of one more frame (named `error` for Anthropic).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorOut {
    /// Its kind.
    pub kind: ErrorKind,
    /// What happened, for people.
    pub message: String,
    /// The request's id.
    pub request_id: Option<String>,
}

/// An error body in words of no vendor: what both vendors' bodies are read into.
pub(crate) struct Told {
    /// The class by the vendor's own words, where they are known.
    pub(crate) class: Option<FaultClass>,
    pub(crate) message: String,
    pub(crate) request_id: Option<String>,
}

/// The fault of an HTTP answer that is not a success.
pub(crate) fn of_answer(
    status: u16,
    header: &dyn Fn(&str) -> Option<String>,
    told: Told,
) -> ModelFault {
    let class = told.class.unwrap_or_else(|| class_of_status(status));
    ModelFault {
        class: obey(class, status, header("x-should-retry").as_deref()),
        message: shorten(&told.message),
        retry_after_ms: retry_after_ms(header),
        request_id: header("request-id").or_else(|| header("x-request-id")).or(told.request_id),
    }
}

/// The class of an HTTP status by itself.
pub(crate) fn class_of_status(status: u16) -> FaultClass {
    match status {
        401 | 403 => FaultClass::Auth,
        402 => FaultClass::Billing,
        404 => FaultClass::UnknownModel,
        408 | 504 => FaultClass::Timeout,
        413 => FaultClass::TooLarge,
        429 => FaultClass::RateLimited,
        503 | 529 => FaultClass::Overloaded,
        // 409: a lock that the vendor could not take; its libraries retry it.
        409 | 500.. => FaultClass::Server,
        400..=499 => FaultClass::InvalidRequest,
        _ => FaultClass::Malformed,
    }
}

/// `x-should-retry` goes before everything else that an answer says.
fn obey(class: FaultClass, status: u16, should_retry: Option<&str>) -> FaultClass {
    let retried = class.next_step() == NextStep::Retry;
    match should_retry.map(str::trim) {
        Some("true") if !retried => FaultClass::Server,
        Some("false") if retried && status == 429 => FaultClass::Billing,
        Some("false") if retried => FaultClass::InvalidRequest,
        Some(_) | None => class,
    }
}

/// The longest wait that is believed: one day.
const RETRY_AFTER_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// `retry-after-ms`, then `retry-after` in seconds, fractions allowed, or as a date
/// (RFC 9110 §10.2.3). How far that is, is told by the answer's own `date`: the server's
/// clock then counts, and ours may be wrong.
fn retry_after_ms(header: &dyn Fn(&str) -> Option<String>) -> Option<u64> {
    let number = |name: &str| -> Option<f64> {
        let number: f64 = header(name)?.trim().parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(number)
    };
    let ms = number("retry-after-ms").or_else(|| Some(number("retry-after")? * 1000.0));
    let ms = ms.map(|ms| ms.ceil() as u64).or_else(|| until_date_ms(header))?;
    Some(ms.min(RETRY_AFTER_MS_MAX))
}

/// From the answer's date to the one in `retry-after`. A date that is past is no wait.
fn until_date_ms(header: &dyn Fn(&str) -> Option<String>) -> Option<u64> {
    let date = |name: &str| httpdate::parse_http_date(header(name)?.trim()).ok();
    let wait = date("retry-after")?.duration_since(date("date")?).unwrap_or_default();
    u64::try_from(wait.as_millis()).ok()
}

/// At most [`ERROR_MESSAGE_BYTES_MAX`] bytes, cut between characters.
pub(crate) fn shorten(message: &str) -> String {
    let message = message.trim();
    if message.len() <= ERROR_MESSAGE_BYTES_MAX {
        return message.to_owned();
    }
    let end = message.floor_char_boundary(ERROR_MESSAGE_BYTES_MAX);
    format!("{}…", &message[..end])
}

/// A body that is no error object: a page of some proxy, or nothing.
pub(crate) fn plain(status: u16, body: &[u8]) -> Told {
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * ERROR_MESSAGE_BYTES_MAX)]);
    let words: Vec<&str> = text.split_whitespace().collect();
    let message = match words.is_empty() {
        true => format!("http status {status} without a message"),
        false => format!("http status {status}: {}", words.join(" ")),
    };
    Told { class: None, message, request_id: None }
}
