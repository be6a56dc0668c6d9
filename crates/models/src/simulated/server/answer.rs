//! One request for an answer: its fault, its checks, and the answer itself.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use kernel::message::Reply;
use tokio::time::timeout;
use wire::rules::Violation;
use wire::{ErrorKind, ErrorOut, Incoming, ReplyHead};

use super::Provider;
use super::fault::Fault;
use super::line::Breaker;
use super::meter::{Tab, key_name};
use super::speech::Speech;
use crate::protocol::Protocol;
use crate::simulated::answered;

/// The header with which a request asks for its own fault.
const FORCE: HeaderName = HeaderName::from_static("x-simulate-fault");

/// The header that says who answers.
const LABEL: HeaderName = HeaderName::from_static("x-simulated-model");

/// Time for a request's body, in milliseconds.
const BODY_MS_MAX: u64 = 60_000;

/// A response that is an error. Boxed: it is much larger than what stands beside it.
type Refused = Box<Response>;

/// One request's place in the books.
pub(super) struct Ticket<'a> {
    provider: &'a Provider,
    protocol: Protocol,
    key: String,
    request_id: String,
}

/// Answers a request in one of the protocols.
pub(super) async fn answer(
    provider: Arc<Provider>,
    protocol: Protocol,
    breaker: &Breaker,
    request: Request,
) -> Response {
    let number = provider.next_number();
    let ticket = Ticket::new(&provider, protocol, request.headers(), Some(number));
    let fault = match ticket.fault(request.headers(), number) {
        Ok(fault) => fault,
        Err(refused) => return *refused,
    };
    provider.meter.requested(&ticket.key, fault);
    let Ok(permit) = provider.room.clone().try_acquire_owned() else {
        return ticket.error(ErrorKind::Overloaded, "too many requests are being answered");
    };
    if let Some(refused) = ticket.outage(fault, breaker) {
        return refused;
    }
    let incoming = match ticket.incoming(request).await {
        Ok(incoming) => incoming,
        Err(refused) => return *refused,
    };
    let reply = answered(&incoming.request, provider.brain.reply(&incoming.request));
    let speech = Speech {
        latency: provider.settings.latency,
        drip_ms: provider.settings.drip_ms,
        fault,
        tab: ticket.tab(&incoming, &reply),
        _permit: permit,
    };
    ticket.speak(&incoming, &reply, number, speech).await
}

impl<'a> Ticket<'a> {
    /// A ticket of a request that counts nowhere.
    pub(super) fn uncounted(
        provider: &'a Provider,
        protocol: Protocol,
        headers: &HeaderMap,
    ) -> Self {
        Ticket::new(provider, protocol, headers, None)
    }

    fn new(
        provider: &'a Provider,
        protocol: Protocol,
        headers: &HeaderMap,
        number: Option<u64>,
    ) -> Self {
        let number = number.map_or("other".to_owned(), |number| format!("{number:08}"));
        let request_id = format!("req_simulated_{number}");
        Ticket { provider, protocol, key: key_name(shown_key(headers)), request_id }
    }

    fn fault(&self, headers: &HeaderMap, number: u64) -> Result<Option<Fault>, Refused> {
        let settings = &self.provider.settings;
        let Some(forced) = headers.get(FORCE) else {
            return Ok(settings.faults.pick(settings.seed, number));
        };
        Fault::read(&String::from_utf8_lossy(forced.as_bytes()))
            .map_err(|error| self.rejected(ErrorKind::InvalidRequest, error.to_string()))
    }

    /// Faults that come before the request is even read.
    fn outage(&self, fault: Option<Fault>, breaker: &Breaker) -> Option<Response> {
        match fault? {
            Fault::RateLimited => {
                let mut response =
                    self.error(ErrorKind::RateLimited, "simulated: too many requests");
                let wait = HeaderValue::from(self.provider.settings.retry_after_s);
                response.headers_mut().insert(RETRY_AFTER, wait);
                Some(response)
            }
            Fault::Overloaded => Some(self.error(ErrorKind::Overloaded, "simulated: overloaded")),
            Fault::Broken => Some(self.error(ErrorKind::Server, "simulated: internal error")),
            Fault::Refused => {
                breaker.trip();
                Some(StatusCode::OK.into_response())
            }
            Fault::Cut | Fault::Malformed | Fault::Drip => None,
        }
    }

    async fn incoming(&self, request: Request) -> Result<Incoming, Refused> {
        let body = self.body(request).await?;
        self.read(&body)
    }

    /// The body, within its limits of size and time.
    pub(super) async fn body(&self, request: Request) -> Result<Bytes, Refused> {
        let bytes_max = self.provider.settings.body_bytes_max;
        let whole = to_bytes(request.into_body(), bytes_max);
        match timeout(Duration::from_millis(BODY_MS_MAX), whole).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(_)) => {
                let words = format!("the request is cut, or larger than {bytes_max} bytes");
                Err(self.rejected(ErrorKind::TooLarge, words))
            }
            Err(_late) => {
                let words = format!("the request did not come within {BODY_MS_MAX} ms");
                Err(self.rejected(ErrorKind::Timeout, words))
            }
        }
    }

    /// The request, if a vendor would take it.
    pub(super) fn read(&self, body: &[u8]) -> Result<Incoming, Refused> {
        let refused = |why: String| self.rejected(ErrorKind::InvalidRequest, why);
        let incoming = self.protocol.read_request(body).map_err(|error| refused(error.message))?;
        let tree = serde_json::from_slice(body).map_err(|error| refused(error.to_string()))?;
        let broken: Vec<String> =
            self.protocol.violations(&tree).iter().map(Violation::to_string).collect();
        if broken.is_empty() { Ok(incoming) } else { Err(refused(broken.join("; "))) }
    }

    fn tab(&self, incoming: &Incoming, reply: &Reply) -> Tab {
        let (settings, world) = (&self.provider.settings, &self.provider.world);
        let quote = settings.catalog.quote(&incoming.request.model, world.now());
        let (meter, key) = (self.provider.meter.clone(), self.key.clone());
        Tab::open(meter, key, quote.map(|quote| quote.rule), reply.usage.unwrap_or_default())
    }

    async fn speak(
        &self,
        incoming: &Incoming,
        reply: &Reply,
        number: u64,
        speech: Speech,
    ) -> Response {
        let head = ReplyHead {
            id: self.protocol.answer_id(number),
            model: incoming.request.model.clone(),
            created_unix_s: self.provider.world.now().0 / 1_000,
        };
        let (kind, body) = if incoming.stream {
            let frames = self.protocol.write_stream(reply, &head, incoming.include_usage);
            ("text/event-stream", speech.stream(self.protocol, frames, reply))
        } else {
            let text = self.protocol.write_reply(reply, &head);
            ("application/json", speech.whole(text, reply).await)
        };
        self.response(StatusCode::OK, kind, body)
    }

    /// An error that counts as a request which was not what the protocol says.
    fn rejected(&self, kind: ErrorKind, message: String) -> Refused {
        self.provider.meter.rejected(&self.key);
        Box::new(self.error(kind, message))
    }

    /// An error as the vendor would tell it.
    pub(super) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Response {
        let request_id = Some(self.request_id.clone());
        let error = ErrorOut { kind, message: message.into(), request_id };
        let (status, body) = self.protocol.write_error(&error);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.response(status, "application/json", body.into())
    }

    fn response(&self, status: StatusCode, kind: &'static str, body: Body) -> Response {
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        let label = format!("{}; no language model", self.provider.brain.name());
        for (name, value) in [
            (LABEL, label),
            (HeaderName::from_static(self.protocol.id_header()), self.request_id.clone()),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// The key that a request shows, in either vendor's way.
fn shown_key(headers: &HeaderMap) -> Option<&str> {
    let direct = headers.get("x-api-key").and_then(|value| value.to_str().ok());
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    direct.or_else(|| bearer.and_then(|value| value.strip_prefix("Bearer ")))
}
