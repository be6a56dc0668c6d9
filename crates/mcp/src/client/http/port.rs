//! The library's HTTP port over our client.

use std::collections::HashMap;
use std::sync::Arc;

use reqwest::header::{ACCEPT, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use rmcp::model::{
    ClientJsonRpcMessage, ErrorCode, ErrorData, JsonRpcMessage, RequestId, ServerJsonRpcMessage,
};
use rmcp::transport::streamable_http_client::{
    StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
};

use super::super::message;
use super::answer::{EventStream, body, events, kind};
use super::{Http, HttpTrouble, with_headers};

const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json";
const SESSION: &str = "mcp-session-id";

/// The longest id of a session that is taken.
const SESSION_BYTES_MAX: usize = 1_024;

type Failure = StreamableHttpError<HttpTrouble>;
type Headers = HashMap<HeaderName, HeaderValue>;

impl StreamableHttpClient for Http {
    type Error = HttpTrouble;

    async fn post_message(
        &self,
        _uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _auth: Option<String>,
        headers: Headers,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let prepare = |request: RequestBuilder| {
            let request = with_session(request, session.as_deref());
            let request = request.header(ACCEPT, format!("{JSON}, {EVENTS}")).json(&message);
            with_headers(request, &headers)
        };
        let response = self.send(&Method::POST, prepare).await.map_err(Failure::Client)?;
        let status = response.status();
        if status == StatusCode::NOT_FOUND && session.is_some() {
            return Err(Failure::SessionExpired);
        }
        if matches!(message, JsonRpcMessage::Request(_)) {
            self.answer(response, &message, session.is_some()).await
        } else if status.is_success() {
            // Nothing is asked, so nothing in the answer matters.
            Ok(StreamableHttpPostResponse::Accepted)
        } else {
            Err(Failure::Client(HttpTrouble::Status(status.as_u16())))
        }
    }

    async fn delete_session(
        &self,
        _uri: Arc<str>,
        session: Arc<str>,
        _auth: Option<String>,
        headers: Headers,
    ) -> Result<(), Failure> {
        let prepare = |request| with_headers(with_session(request, Some(&session)), &headers);
        // A server that keeps its session forgets it by itself.
        self.send(&Method::DELETE, prepare).await.map(|_| ()).map_err(Failure::Client)
    }

    async fn get_stream(
        &self,
        _uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        _auth: Option<String>,
        headers: Headers,
    ) -> Result<EventStream, Failure> {
        self.wait_for_a_stream().await;
        let prepare = |request: RequestBuilder| {
            let mut request = with_session(request, session.as_deref()).header(ACCEPT, EVENTS);
            if let Some(last) = &last_event {
                request = request.header("last-event-id", last);
            }
            with_headers(request, &headers)
        };
        let response = self.send(&Method::GET, prepare).await.map_err(Failure::Client)?;
        let status = response.status();
        if status.is_success() && kind(&response) == EVENTS {
            let (vitals, most) = (self.vitals(), self.bytes_max());
            Ok(events(response, vitals, None, most))
        } else if status.is_server_error() {
            Err(Failure::Client(HttpTrouble::Status(status.as_u16())))
        } else {
            // Whatever it says instead, asking again would not help.
            Err(Failure::ServerDoesNotSupportSse)
        }
    }
}

impl Http {
    fn bytes_max(&self) -> usize {
        self.0.server.settings.limits.message_bytes_max
    }

    /// The answer to a request.
    async fn answer(
        &self,
        response: Response,
        asked: &ClientJsonRpcMessage,
        has_session: bool,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let (status, kind) = (response.status(), kind(&response));
        let session = response.headers().get(SESSION).and_then(|value| value.to_str().ok());
        let session = session.filter(|id| id.len() <= SESSION_BYTES_MAX).map(str::to_owned);
        if status == StatusCode::ACCEPTED {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        if status.is_success() && kind == EVENTS {
            let (vitals, most) = (self.vitals(), self.bytes_max());
            return Ok(StreamableHttpPostResponse::Sse(
                events(response, vitals, id_of(asked), most),
                session,
            ));
        }
        let is_credential = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        if kind != JSON || is_credential || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(refused(status, has_session));
        }
        let body = body(response, &self.0.vitals, self.bytes_max()).await;
        match message::read(&body.map_err(Failure::Client)?) {
            Some(message) if status.is_success() && answers(&message, asked) => {
                Ok(StreamableHttpPostResponse::Json(message, session))
            }
            Some(JsonRpcMessage::Error(error))
                if status.is_client_error()
                    && !(has_session && may_be_forgotten(status, &error.error)) =>
            {
                // Something before the server itself does not know the id.
                let error = JsonRpcMessage::error(error.error, id_of(asked));
                Ok(StreamableHttpPostResponse::Json(error, session))
            }
            Some(_) | None => Err(refused(status, has_session)),
        }
    }
}

/// What a status without a message of use means. The protocol says 404 for a session that
/// the server does not know; many servers that forgot theirs in a restart say 400.
fn refused(status: StatusCode, has_session: bool) -> Failure {
    match status.as_u16() {
        200..=299 => Failure::Client(HttpTrouble::NoMessage),
        400 if has_session => Failure::SessionExpired,
        other => Failure::Client(HttpTrouble::Status(other)),
    }
}

/// Whether an error may mean that the session is not known, and does not say what is wrong
/// with the request.
fn may_be_forgotten(status: StatusCode, error: &ErrorData) -> bool {
    let of_requests = [ErrorCode::INVALID_PARAMS, ErrorCode::METHOD_NOT_FOUND];
    status == StatusCode::BAD_REQUEST && !of_requests.contains(&error.code)
}

fn id_of(asked: &ClientJsonRpcMessage) -> Option<RequestId> {
    match asked {
        JsonRpcMessage::Request(request) => Some(request.id.clone()),
        JsonRpcMessage::Response(_)
        | JsonRpcMessage::Notification(_)
        | JsonRpcMessage::Error(_) => None,
    }
}

/// Whether a message answers what was asked, in either spelling of the id.
fn answers(message: &ServerJsonRpcMessage, asked: &ClientJsonRpcMessage) -> bool {
    let id = match message {
        JsonRpcMessage::Response(response) => Some(&response.id),
        JsonRpcMessage::Error(error) => error.id.as_ref(),
        JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
    };
    id.map(ToString::to_string) == id_of(asked).map(|id| id.to_string())
}

fn with_session(request: RequestBuilder, session: Option<&str>) -> RequestBuilder {
    match session {
        Some(session) => request.header(SESSION, session),
        None => request,
    }
}
