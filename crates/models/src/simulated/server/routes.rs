//! Every path of the simulated provider, and the small answers.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use wire::ErrorKind;
use wire::openai::Dialect;

use super::Provider;
use super::answer::{self, Ticket};
use super::line::Breaker;
use crate::protocol::Protocol;
use crate::simulated::input_tokens;

type Shared = State<Arc<Provider>>;

pub(super) fn routes(provider: Arc<Provider>) -> Router {
    Router::new()
        .route("/v1/messages", post(messages))
        .route("/v1/messages/count_tokens", post(count_tokens))
        .route("/v1/chat/completions", post(chat_completions))
        .route("/v1/models", get(models))
        .route("/healthz", get(async || "ok"))
        .route("/simulate/meter", get(books))
        .fallback(nowhere)
        .with_state(provider)
}

async fn messages(
    State(provider): Shared,
    ConnectInfo(breaker): ConnectInfo<Breaker>,
    request: Request,
) -> Response {
    answer::answer(provider, Protocol::Anthropic, &breaker, request).await
}

async fn chat_completions(
    State(provider): Shared,
    ConnectInfo(breaker): ConnectInfo<Breaker>,
    request: Request,
) -> Response {
    answer::answer(provider, Protocol::OpenAi(Dialect::Compatible), &breaker, request).await
}

/// Counts what a request would make the model read. Free, and never goes wrong by plan.
async fn count_tokens(State(provider): Shared, request: Request) -> Response {
    let ticket = Ticket::uncounted(&provider, Protocol::Anthropic, request.headers());
    let body = match ticket.body(request).await {
        Ok(body) => body,
        Err(refused) => return *refused,
    };
    match ticket.read(&with_max_tokens(body)) {
        Ok(incoming) => {
            Json(json!({"input_tokens": input_tokens(&incoming.request)})).into_response()
        }
        Err(refused) => *refused,
    }
}

/// Counting needs no `max_tokens`, reading a request does.
fn with_max_tokens(body: Bytes) -> Bytes {
    match serde_json::from_slice::<Value>(&body) {
        Ok(Value::Object(mut fields)) if !fields.contains_key("max_tokens") => {
            fields.insert("max_tokens".to_owned(), json!(1));
            Value::Object(fields).to_string().into()
        }
        Ok(_) | Err(_) => body,
    }
}

/// The list of models, with the fields of both protocols.
async fn models(State(provider): Shared) -> Json<Value> {
    let name = provider.brain.name();
    Json(json!({
        "object": "list",
        "data": [{
            "id": name,
            "type": "model",
            "object": "model",
            "display_name": format!("{name} (simulated, no language model)"),
            "owned_by": "windlass-simulated",
            "created": 0,
            "created_at": "1970-01-01T00:00:00Z",
        }],
        "has_more": false,
        "first_id": name,
        "last_id": name,
    }))
}

async fn books(State(provider): Shared) -> Json<Value> {
    let meter = &provider.meter;
    Json(json!({"keys": meter.accounts(), "total": meter.total()}))
}

async fn nowhere(State(provider): Shared, request: Request) -> Response {
    let ticket = Ticket::uncounted(&provider, Protocol::Anthropic, request.headers());
    let path = request.uri().path();
    ticket.error(ErrorKind::NotFound, format!("there is no `{path}` here"))
}
