//! The facts of a session: as a list, as a stream of server-sent events, or over a
//! WebSocket. All three go on from a number.

use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use kernel::message::Delta;
use kernel::units::SessionId;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::{rows, seen};
use crate::Service;
use crate::caller::{Caller, shown};
use crate::extract::{Asked, Session};
use crate::follow::{Told, Watcher};
use crate::problem::{Problem, ProblemDetails};
use crate::view;

/// The largest message that a watcher may send, in bytes: none is expected.
const MESSAGE_BYTES_MAX: usize = 4_096;

/// Where to go on from.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct From {
    /// The number of the last event that was seen; 0 for the beginning.
    #[serde(default)]
    after: u64,
    /// Rows of the list: 1 to 500, 50 where absent. A stream has no end.
    limit: Option<u32>,
}

/// Read the events of a session, or follow them
///
/// With `Accept: text/event-stream` this is a stream: each fact with its number as `id` and
/// its name as `event`, and pieces of answers on their way as `delta` without an id. It goes
/// on from `Last-Event-ID`, or from `after`; it stays open, with a comment as a sign of life.
/// Leaving cancels nothing.
#[utoipa::path(get, path = "/v1/sessions/{session}/events", operation_id = "read_events", tag = "events",
    params(("session" = String, Path), From,
        ("Last-Event-ID" = Option<u64>, Header, description = "goes before `after`")),
    responses(
        (status = 200, description = "a page of events, or the stream", content(
            (view::Events = "application/json"),
            (String = "text/event-stream"),
        )),
        (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub(crate) async fn read(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Session(session): Session,
    Asked(from): Asked<From>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.granted("session.read")?;
    seen(&service, &caller, session).await?;
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/event-stream")) {
        let after = cursor(&headers)?.unwrap_or(from.after);
        return stream(service, caller, &headers, session, after);
    }
    page(&service, &caller, session, &from).await
}

/// The number that an event source comes back with.
fn cursor(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let sent = headers.get("last-event-id").filter(|value| !value.is_empty());
    let read = sent.map(|value| value.to_str().ok().and_then(|text| text.parse().ok()));
    let wrong = || Problem::bad("`Last-Event-ID` is the number of an event");
    read.map(|number| number.ok_or_else(wrong)).transpose()
}

async fn page(
    service: &Service,
    caller: &Caller,
    session: SessionId,
    from: &From,
) -> Result<Response, Problem> {
    let rows_max = rows(from.limit);
    let store = &service.engine.store;
    let mut events = store.read(caller.tenant(), session, from.after, rows_max + 1).await?;
    let more = events.len() > rows_max as usize;
    events.truncate(rows_max as usize);
    let next = if more { events.last().map(|row| row.seq) } else { None };
    // Spliced, so that facts are the bytes that were committed.
    let all: Vec<String> = events.iter().map(view::event).collect();
    let mut body = format!("{{\"data\":[{}]", all.join(","));
    if let Some(next) = next {
        let _never_fails = write!(body, ",\"next\":{next}");
    }
    body.push('}');
    let kind = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}

/// A watcher, if there is room for one more.
fn watcher(
    service: Arc<Service>,
    caller: Caller,
    headers: &HeaderMap,
    session: SessionId,
    after: u64,
) -> Result<Watcher, Problem> {
    if service.hub.watchers() >= service.settings.followers_max {
        let words = "too many streams are open\ncome again in a moment";
        return Err(
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_streams", words).after_s(5)
        );
    }
    let key = shown(headers).unwrap_or_default().to_owned();
    Ok(Watcher::new(service, caller, key, session, after))
}

fn stream(
    service: Arc<Service>,
    caller: Caller,
    headers: &HeaderMap,
    session: SessionId,
    after: u64,
) -> Result<Response, Problem> {
    let told = watcher(service, caller, headers, session, after)?.stream();
    let frames = told.map(|told| Ok::<Bytes, Infallible>(Bytes::from(frame(&told))));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform")),
        // Proxies of the nginx kind hold streams back unless told.
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, Body::from_stream(frames)).into_response())
}

/// One frame of the stream. <https://html.spec.whatwg.org/multipage/server-sent-events.html>
fn frame(told: &Told) -> String {
    match told {
        // JSON on one line has no line break that could end the frame.
        Told::Fact { seq, name, event } => format!("id: {seq}\nevent: {name}\ndata: {event}\n\n"),
        Told::Piece(delta) => format!("event: delta\ndata: {}\n\n", piece(delta)),
        Told::Alive => ": alive\n\n".to_owned(),
    }
}

fn piece(delta: &Delta) -> serde_json::Value {
    match delta {
        Delta::Text(text) => json!({"type": "text", "text": text}),
        Delta::Thinking(text) => json!({"type": "thinking", "text": text}),
        Delta::ToolUse(name) => json!({"type": "tool_use", "name": name}),
    }
}

/// Follow a session over a WebSocket
///
/// One JSON object a message: `{"type": "event", "event": …}` or `{"type": "delta",
/// "delta": …}`. It goes on from `after`; a ping is the sign of life.
#[utoipa::path(get, path = "/v1/sessions/{session}/ws", operation_id = "follow_events", tag = "events",
    params(("session" = String, Path), From),
    responses(
        (status = 101, description = "the socket"),
        (status = "4XX", description = "refused", body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub(crate) async fn socket(
    Shared(service): Shared<Arc<Service>>,
    caller: Caller,
    Session(session): Session,
    Asked(from): Asked<From>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    caller.granted("session.read")?;
    seen(&service, &caller, session).await?;
    let upgrade = upgrade.map_err(|why| {
        let words =
            format!("this is a WebSocket: {}\n`…/events` is the same over HTTP", why.body_text());
        Problem::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", words)
    })?;
    let watcher = watcher(service, caller, &headers, session, from.after)?;
    let upgrade = upgrade.max_message_size(MESSAGE_BYTES_MAX);
    Ok(upgrade.on_upgrade(|socket| talk(socket, watcher)))
}

async fn talk(mut socket: WebSocket, mut watcher: Watcher) {
    loop {
        tokio::select! {
            told = watcher.next() => {
                let message = match told {
                    Some(Told::Fact { event, .. }) => {
                        Message::text(format!(r#"{{"type":"event","event":{event}}}"#))
                    }
                    Some(Told::Piece(delta)) => {
                        Message::text(json!({"type": "delta", "delta": piece(&delta)}).to_string())
                    }
                    Some(Told::Alive) => Message::Ping(Bytes::new()),
                    None => break,
                };
                if socket.send(message).await.is_err() {
                    return;
                }
            }
            heard = socket.recv() => match heard {
                // Whatever a watcher says, watching is all it can do here.
                Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
        }
    }
    let _gone = socket.send(Message::Close(None)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_ends_where_it_ends() {
        let fact = Told::Fact { seq: 7, name: "notified", event: r#"{"a":"x\ny"}"#.to_owned() };
        assert_eq!(frame(&fact), "id: 7\nevent: notified\ndata: {\"a\":\"x\\ny\"}\n\n");
        let piece = Told::Piece(Delta::Text("one\n\ndata: two".to_owned()));
        let shown = frame(&piece);
        assert_eq!(shown.matches('\n').count(), 3, "{shown}");
        assert!(!shown.contains("id:"), "a piece is no place to go on from: {shown}");
    }
}
