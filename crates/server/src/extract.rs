//! What a request says: its body, its query, the session in its path. Whatever is wrong
//! with them is a problem with words.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Json, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use kernel::units::{Money, SessionId};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};

use crate::Service;
use crate::problem::Problem;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Service>> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, service: &Arc<Service>) -> Result<Self, Problem> {
        let body = in_time(service, Json::<T>::from_request(request, service)).await?;
        body.map(|Json(body)| Body(body)).map_err(|rejected| wrong_body(&rejected))
    }
}

/// A body that may be left out.
impl<T: DeserializeOwned> axum::extract::OptionalFromRequest<Arc<Service>> for Body<T> {
    type Rejection = Problem;

    async fn from_request(
        request: Request,
        service: &Arc<Service>,
    ) -> Result<Option<Self>, Problem> {
        let bytes = in_time(service, Bytes::from_request(request, service)).await?;
        let bytes = bytes.map_err(|rejected| too_much(rejected.status(), &rejected.body_text()))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        match Json::<T>::from_bytes(&bytes) {
            Ok(Json(body)) => Ok(Some(Body(body))),
            Err(rejected) => Err(wrong_body(&rejected)),
        }
    }
}

/// A body that comes in time.
async fn in_time<T>(service: &Service, body: impl Future<Output = T>) -> Result<T, Problem> {
    let limit = Duration::from_millis(service.settings.body_ms_max);
    tokio::time::timeout(limit, body).await.map_err(|_late| {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "the body did not come in time")
    })
}

fn wrong_body(rejected: &JsonRejection) -> Problem {
    let (status, words) = (rejected.status(), rejected.body_text());
    match status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            let words = "the body must be JSON\nsend `Content-Type: application/json`";
            Problem::new(status, "not_json", words)
        }
        StatusCode::UNPROCESSABLE_ENTITY => Problem::new(status, "wrong_body", words),
        _ => too_much(status, &words),
    }
}

fn too_much(status: StatusCode, words: &str) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        let words = "the body is larger than this service takes\nput what is long in a file \
                     that the agent can read";
        return Problem::new(status, "too_large", words);
    }
    Problem::bad(words)
}

/// A query.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Service>> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<Service>,
    ) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, service).await {
            Ok(Query(query)) => Ok(Asked(query)),
            Err(rejected) => Err(Problem::bad(rejected.body_text())),
        }
    }
}

/// The session in the path. What has not the form of an id is no session of anybody.
pub(crate) struct Session(pub(crate) SessionId);

impl FromRequestParts<Arc<Service>> for Session {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<Service>,
    ) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, service)
            .await
            .map_err(|rejected| Problem::bad(rejected.body_text()))?;
        text.parse().map(Session).map_err(|_| Problem::missing(&format!("session `{text}`")))
    }
}

/// A name in the path.
pub(crate) struct Named(pub(crate) String);

impl FromRequestParts<Arc<Service>> for Named {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<Service>,
    ) -> Result<Self, Problem> {
        let name = Path::<String>::from_request_parts(parts, service).await;
        name.map(|Path(name)| Named(name)).map_err(|rejected| Problem::bad(rejected.body_text()))
    }
}

/// Dollars, exactly: `"2.50"` or `2.5`.
pub(crate) fn dollars<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Money>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Said {
        Text(String),
        Number(serde_json::Number),
    }
    let said = Option::<Said>::deserialize(from)
        .map_err(|_| D::Error::custom("expected an amount in dollars, like \"2.50\""))?;
    said.map(|said| match said {
        Said::Text(text) => text.parse().map_err(D::Error::custom),
        Said::Number(number) => number.to_string().parse().map_err(D::Error::custom),
    })
    .transpose()
}
