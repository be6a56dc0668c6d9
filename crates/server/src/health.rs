//! Whether the process lives, and whether it should be sent requests.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde_json::json;

use crate::Service;

/// Whether the process is alive
#[utoipa::path(get, path = "/healthz", tag = "health", security(()),
    responses((status = 200, description = "the process is alive")))]
pub(crate) async fn healthz() -> &'static str {
    "ok"
}

/// Whether requests should be sent here
///
/// They should where the store answers and nobody asked the process to stop.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()), responses(
    (status = 200, description = "send requests here"),
    (status = 503, description = "send them elsewhere"),
))]
pub(crate) async fn readyz(State(service): State<Arc<Service>>) -> Response {
    let engine = &service.engine;
    let store = engine.store.due(engine.world.now(), 1).await;
    if let Err(error) = &store {
        tracing::warn!(%error, "not ready: the store does not answer");
    }
    let stopping = service.stopping.is_cancelled();
    let ready = store.is_ok() && !stopping;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({"ready": ready, "store": store.is_ok(), "stopping": stopping})))
        .into_response()
}
