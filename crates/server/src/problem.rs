//! Noes and failures, as [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) has them: a
//! stable `code` for programs, words and a hint for people.
//!
//! What is the server's own fault is told to its log and not to the caller. Clients that
//! retry by themselves are told whether that helps (L17): `x-should-retry`, and
//! `Retry-After` only where waiting does.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::error::EngineError;
use engine::ports::{StoreError, Unfit};
use kernel::ledger::{CapReached, Measure};
use kernel::run::Refusal;
use kernel::units::Money;
use kernel::verdict::Judgement;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::view;

/// How long a caller should wait where the store is busy, in seconds.
const BUSY_RETRY_S: u64 = 1;

/// Why a request was not done.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    /// Members beside those of every problem.
    more: Map<String, Value>,
    retry_after_s: Option<u64>,
    /// What the server's log is told.
    fault: Option<String>,
}

/// The shape of a problem, for the document.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProblemDetails {
    /// A URN that ends in the code.
    r#type: String,
    /// The status in words.
    title: String,
    /// The status.
    status: u16,
    /// The stable code.
    code: String,
    /// What is wrong, and on further lines what to do.
    detail: String,
    /// The cap that was reached, where that is the problem.
    cap: Option<view::Cap>,
    /// The policies that decided, where that is the problem.
    by: Option<Vec<String>>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Problem { status, code, detail, more: Map::new(), retry_after_s: None, fault: None }
    }

    /// A request that nobody could fulfil as it is.
    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// Something that is not there for this caller.
    pub(crate) fn missing(what: &str) -> Self {
        Problem::new(StatusCode::NOT_FOUND, "not_found", format!("there is no {what}"))
    }

    /// Something that this caller may not do.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::FORBIDDEN, "denied", detail)
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn after_s(self, seconds: u64) -> Self {
        Problem { retry_after_s: Some(seconds), ..self }
    }

    /// Whether it is the server's: nobody can tell what was done.
    pub(crate) fn is_fault(&self) -> bool {
        self.status.is_server_error()
    }

    /// The server's own fault: the caller learns that, and its log the rest.
    pub(crate) fn fault(error: impl std::fmt::Display) -> Self {
        let words = "the server could not do this; its log says why, under this request's id";
        let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", words);
        Problem { fault: Some(error.to_string()), ..problem }
    }

    fn unavailable(code: &'static str, error: &StoreError) -> Self {
        let words = "the server cannot do this just now\nsend it again in a moment";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, words);
        Problem { fault: Some(error.to_string()), ..problem }.after_s(BUSY_RETRY_S)
    }

    fn cap(reached: &CapReached) -> Self {
        let count = |count: u64| match reached.measure {
            Measure::Money => Money(count).to_string(),
            Measure::Tokens => format!("{count} tokens"),
            Measure::Requests => format!("{count} requests"),
        };
        let words = format!(
            "`{}` has a cap of {}: {} are used, {} are held, {} were asked for",
            reached.scope,
            count(reached.cap),
            count(reached.settled),
            count(reached.held),
            count(reached.needed),
        );
        let cap = serde_json::to_value(view::Cap::of(reached)).unwrap_or_default();
        Problem::new(StatusCode::PAYMENT_REQUIRED, "cost_cap_exceeded", words).with("cap", cap)
    }

    fn denied(judgement: &Judgement) -> Self {
        let words = format!("not allowed: {}", judgement.reasons.join("; "));
        Problem::forbidden(words).with("by", json!(judgement.by))
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        if let Refusal::CostCapExceeded(reached) = &refusal {
            return Problem::cap(reached);
        }
        let status = match refusal {
            Refusal::EmptyTask | Refusal::NoPrice { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::NotOpen
            | Refusal::RunActive { .. }
            | Refusal::RunParked { .. }
            | Refusal::NotParked
            | Refusal::NotDue
            | Refusal::NothingToCancel
            | Refusal::CostCapExceeded(_)
            | Refusal::NotAwaited
            | Refusal::Delegated { .. }
            | Refusal::UncappedChild { .. }
            | Refusal::AwaitsApproval { .. }
            | Refusal::NotAsked { .. }
            | Refusal::Answered { .. }
            | Refusal::MidAct => StatusCode::CONFLICT,
        };
        Problem::new(status, refusal.code(), refusal.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Missing(what) => Problem::missing(what),
            StoreError::Erased(_) => Problem::new(StatusCode::GONE, "erased", error.to_string()),
            StoreError::Cap(reached) => Problem::cap(reached),
            StoreError::Stale { .. } | StoreError::Fenced { .. } | StoreError::Held { .. } => {
                Problem::new(StatusCode::CONFLICT, "conflict", error.to_string())
                    .after_s(BUSY_RETRY_S)
            }
            StoreError::Locked { .. } => Problem::unavailable("locked", &error),
            StoreError::Full(_) => Problem::unavailable("full", &error),
            StoreError::Unavailable(_) => Problem::unavailable("unavailable", &error),
            StoreError::Damaged(_) | StoreError::Misused(_) => Problem::fault(error),
        }
    }
}

impl From<Unfit> for Problem {
    fn from(unfit: Unfit) -> Self {
        match &unfit {
            Unfit::Unknown(words) => Problem::new(StatusCode::NOT_FOUND, "no_such_agent", words),
            Unfit::Refused(words) => Problem::forbidden(words),
            Unfit::Broken(words) => {
                let told = "the agent cannot be had just now";
                let problem =
                    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "agent_unavailable", told);
                Problem { fault: Some(words.clone()), ..problem }.after_s(BUSY_RETRY_S)
            }
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Refused(refusal) => refusal.into(),
            EngineError::Denied(judgement) => Problem::denied(&judgement),
            EngineError::Store(error) => error.into(),
            EngineError::Unfit(unfit) => unfit.into(),
            EngineError::Contended { .. } => {
                Problem::new(StatusCode::CONFLICT, "conflict", error.to_string())
                    .after_s(BUSY_RETRY_S)
            }
            EngineError::Damaged { .. } | EngineError::Agent(_) | EngineError::Crashed { .. } => {
                Problem::fault(error)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if let Some(fault) = &self.fault {
            tracing::error!(code = self.code, "{fault}");
        }
        let title = self.status.canonical_reason().unwrap_or_default();
        let mut body = json!({
            "type": format!("urn:windlass:problem:{}", self.code),
            "title": title,
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Value::Object(members) = &mut body {
            members.extend(self.more);
        }
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response =
            (self.status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response();
        let headers = response.headers_mut();
        let retry = if self.retry_after_s.is_some() { "true" } else { "false" };
        headers.insert("x-should-retry", HeaderValue::from_static(retry));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
