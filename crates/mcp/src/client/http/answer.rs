//! Answers of an HTTP server: one message in a body, or a stream of events, both bounded.

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use rmcp::model::{JsonRpcMessage, RequestId, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::SseError;
use sse_stream::Sse;

use super::super::message;
use super::super::sse::{Events, TooLong};
use super::super::vitals::Vitals;
use super::HttpTrouble;
use super::trouble::innermost;

pub(super) type EventStream = BoxStream<'static, Result<Sse, SseError>>;

/// The kind of a body, without its parameters.
pub(super) fn kind(response: &Response) -> String {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = value.unwrap_or_default().split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

/// A whole body of at most so many bytes.
pub(super) async fn body(
    mut response: Response,
    vitals: &Vitals,
    bytes_max: usize,
) -> Result<Vec<u8>, HttpTrouble> {
    let mut body = Vec::new();
    loop {
        let chunk = tokio::select! {
            chunk = response.chunk() => chunk.map_err(|error| HttpTrouble::of_body(&error))?,
            () = vitals.ended() => return Err(HttpTrouble::Broken(ended(vitals))),
        };
        let Some(chunk) = chunk else { return Ok(body) };
        vitals.came(chunk.len());
        if body.len() + chunk.len() > bytes_max {
            return Err(HttpTrouble::TooLong(bytes_max));
        }
        body.extend_from_slice(&chunk);
    }
}

/// What is read of a stream.
struct Reading {
    response: Option<Response>,
    events: Events,
    ready: std::vec::IntoIter<Sse>,
    vitals: Arc<Vitals>,
    /// The request that the stream answers.
    asked: Option<RequestId>,
}

/// The events of a body. An event that is too long, or an answer that cannot be read, fails
/// the request at once.
pub(super) fn events(
    response: Response,
    vitals: Arc<Vitals>,
    asked: Option<RequestId>,
    bytes_max: usize,
) -> EventStream {
    let events = Events::new(bytes_max);
    let ready = Vec::new().into_iter();
    let reading = Reading { response: Some(response), events, ready, vitals, asked };
    stream::unfold(reading, |mut reading| async move {
        let next = reading.next().await?;
        Some((next, reading))
    })
    .boxed()
}

impl Reading {
    async fn next(&mut self) -> Option<Result<Sse, SseError>> {
        loop {
            if let Some(event) = self.ready.next() {
                return Some(Ok(legible(event)));
            }
            let response = self.response.as_mut()?;
            let chunk = tokio::select! {
                chunk = response.chunk() => chunk,
                () = self.vitals.ended() => return self.end(ended(&self.vitals)),
            };
            match chunk {
                Ok(Some(chunk)) => {
                    self.vitals.came(chunk.len());
                    match self.events.feed(&chunk) {
                        Ok(events) => self.ready = events.into_iter(),
                        Err(too_long) => return self.too_long(too_long),
                    }
                }
                Ok(None) => return None,
                Err(error) => return self.end(HttpTrouble::of_body(&error).to_string()),
            }
        }
    }

    fn too_long(&mut self, too_long: TooLong) -> Option<Result<Sse, SseError>> {
        match self.asked.take() {
            Some(id) => {
                self.response = None;
                let why = HttpTrouble::TooLong(too_long.0).to_string();
                Some(Ok(in_place(Sse::default(), &message::failed(id, &why))))
            }
            None => {
                self.vitals.fail(format!("in its stream {too_long}"));
                self.end(too_long.to_string())
            }
        }
    }

    fn end(&mut self, why: String) -> Option<Result<Sse, SseError>> {
        self.response = None;
        Some(Err(SseError::Body(why.into())))
    }
}

/// The event, or in place of an answer that cannot be read one that says so.
fn legible(event: Sse) -> Sse {
    let Some(data) = &event.data else { return event };
    match message::read(data.as_bytes()) {
        Some(JsonRpcMessage::Error(failed)) if failed.error.code == message::UNREADABLE => {
            in_place(event, &JsonRpcMessage::Error(failed))
        }
        Some(_) | None => event,
    }
}

fn in_place(event: Sse, message: &ServerJsonRpcMessage) -> Sse {
    let data = serde_json::to_string(message).unwrap_or_default();
    Sse { event: None, data: Some(data), ..event }
}

fn ended(vitals: &Vitals) -> String {
    vitals.why().unwrap_or_default()
}

impl HttpTrouble {
    /// A body that broke off: the request itself arrived.
    fn of_body(error: &reqwest::Error) -> Self {
        HttpTrouble::Broken(innermost(error))
    }
}
