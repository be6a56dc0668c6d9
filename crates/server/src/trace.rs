//! An id and a trace on every request and answer, and a line in the log for each.
//!
//! Ids that callers send are kept where they are well-formed, so that one id leads through
//! their logs and ours. <https://www.w3.org/TR/trace-context/>

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

/// The header of a request's id, as Anthropic's clients read it.
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// The same, as OpenAI's clients read it.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The longest id that is kept, in bytes.
const ID_BYTES_MAX: usize = 128;

/// Gives a request its id and trace, and tells the log how it ended.
pub(crate) async fn trace(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = request_id(request.headers());
    let trace_id = trace_id(request.headers());
    let method = request.method().clone();
    // The route and not the path: ids in it belong to nobody's log.
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("(none)", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", request_id = %id, trace_id = %trace_id);
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(%method, route, status, took_ms, "answered"));
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value.clone());
        headers.insert(X_REQUEST_ID, value);
    }
    let parent_id = &Uuid::new_v4().simple().to_string()[..16];
    if let Ok(value) = HeaderValue::from_str(&format!("00-{trace_id}-{parent_id}-01")) {
        headers.insert(TRACEPARENT, value);
    }
    response
}

fn request_id(headers: &HeaderMap) -> String {
    let sent = headers.get(REQUEST_ID).or_else(|| headers.get(X_REQUEST_ID));
    let sent = sent.and_then(|value| value.to_str().ok());
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"-_.:".contains(&c);
    let good =
        sent.filter(|id| !id.is_empty() && id.len() <= ID_BYTES_MAX && id.bytes().all(plain));
    good.map_or_else(|| format!("req_{}", Uuid::new_v4().simple()), str::to_owned)
}

/// The trace that a caller's request belongs to, or a new one.
fn trace_id(headers: &HeaderMap) -> String {
    let sent = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
    let sent = sent.and_then(|text| {
        let mut parts = text.split('-');
        let (version, trace) = (parts.next()?, parts.next()?);
        let digits = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
        let good = version.len() == 2
            && version != "ff"
            && trace.len() == 32
            && trace.bytes().all(digits)
            && trace.bytes().any(|c| c != b'0');
        good.then(|| trace.to_owned())
    });
    sent.unwrap_or_else(|| Uuid::new_v4().simple().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn well_formed_ids_are_kept_and_others_replaced() {
        assert_eq!(request_id(&headers(REQUEST_ID, "req_1.a:b")), "req_1.a:b");
        assert_eq!(request_id(&headers(X_REQUEST_ID, "x-1")), "x-1");
        let long = "a".repeat(ID_BYTES_MAX + 1);
        for wrong in ["", "a b", "<b>", long.as_str()] {
            assert!(request_id(&headers(REQUEST_ID, wrong)).starts_with("req_"), "{wrong}");
        }
    }

    #[test]
    fn a_trace_goes_on_where_it_is_one() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let sent = format!("00-{trace}-00f067aa0ba902b7-01");
        assert_eq!(trace_id(&headers(TRACEPARENT, &sent)), trace);
        let zeros = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
        for wrong in ["", "00", "ff-4bf92f3577b34da6a3ce929d0e0e4736-1-1", zeros.as_str()] {
            let made = trace_id(&headers(TRACEPARENT, wrong));
            assert!(made.len() == 32 && made != trace, "{wrong}: {made}");
        }
    }
}
