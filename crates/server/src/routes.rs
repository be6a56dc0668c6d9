//! Every path of the service, what stands around it, and the document of all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Json, Response};
use axum::routing::get;
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::native::{agents, approvals, caps, events, keys, runs, sessions, users};
use crate::problem::Problem;
use crate::{Service, health, once, reference, trace};

/// What the document says of the whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Windlass",
        description = "Agents that run durably, inside hard limits. Problems are RFC 9457 with a \
                       stable `code`; every answer has a `request-id`; amounts are exact dollars \
                       in strings.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    modifiers(&Bearer),
    security(("key" = [])),
)]
struct Whole;

/// The key that requests show.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("a key, as `windlass keys create` shows it once"))
            .build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

/// Every path.
fn paths() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::with_openapi(Whole::openapi())
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(agents::list))
        .routes(routes!(sessions::begin, sessions::list))
        .routes(routes!(sessions::read))
        .routes(routes!(sessions::fork))
        .routes(routes!(runs::say))
        .routes(routes!(runs::resume))
        .routes(routes!(runs::cancel))
        .routes(routes!(events::read))
        .routes(routes!(events::socket))
        .routes(routes!(approvals::list))
        .routes(routes!(approvals::answer))
        .routes(routes!(caps::list, caps::set))
        .routes(routes!(caps::spend))
        .routes(routes!(keys::create, keys::list))
        .routes(routes!(keys::rotate))
        .routes(routes!(keys::revoke))
        .routes(routes!(users::list))
        .routes(routes!(users::set, users::remove))
}

/// The paths of a process that answers nobody.
fn probes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::with_openapi(Whole::openapi())
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
}

/// The OpenAPI document of the service.
#[must_use]
pub fn document() -> Document {
    paths().split_for_parts().1
}

pub(crate) fn app(service: Arc<Service>) -> Router {
    let paths = if service.settings.answers { paths() } else { probes() };
    let (paths, document) = paths.split_for_parts();
    let document = Arc::new(document);
    let page = reference::page(&document);
    let settings = &service.settings;
    let crowd = |max| Arc::new(Crowd { under_way: AtomicUsize::new(0), max });
    let (working, waiting) = (crowd(settings.in_flight_max), crowd(settings.waiting_max));
    paths
        .route("/v1/openapi.json", get(openapi))
        .route("/docs", get(async move || Html(page)))
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .layer(Extension(document))
        .layer(middleware::from_fn_with_state(Crowds { working, waiting }, let_in))
        .layer(axum::extract::DefaultBodyLimit::max(settings.body_bytes_max))
        .layer(CatchPanicLayer::custom(crashed))
        .layer(cors(&settings.origins))
        .layer(middleware::from_fn(harden))
        .layer(middleware::from_fn(trace::trace))
        .with_state(service)
}

async fn openapi(Extension(document): Extension<Arc<Document>>) -> Json<Document> {
    Json(Document::clone(&document))
}

async fn nowhere(request: Request) -> Problem {
    Problem::missing(&format!(
        "path `{}`; `/docs` lists those that there are",
        request.uri().path()
    ))
}

async fn not_so(request: Request) -> Problem {
    let words = format!("`{}` does not know {}", request.uri().path(), request.method());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", words)
}

/// A bug in a handler ends its request and no other.
fn crashed(panic: Box<dyn std::any::Any + Send>) -> Response {
    let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
    Problem::fault(format!("a handler crashed: {}", words.unwrap_or_default())).into_response()
}

/// Requests that are worked on.
struct Crowd {
    under_way: AtomicUsize,
    max: usize,
}

/// Those that are worked on, and those that wait for a run.
#[derive(Clone)]
struct Crowds {
    working: Arc<Crowd>,
    waiting: Arc<Crowd>,
}

/// A place among them, given back when it is dropped.
struct Place(Arc<Crowd>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Lets a request in where there is room. Probes always get in: a busy process is alive.
async fn let_in(State(crowds): State<Crowds>, request: Request, next: Next) -> Response {
    let probe = ["/healthz", "/readyz"].contains(&request.uri().path());
    // Who waits for a run does nothing meanwhile, and takes nobody's place.
    let waits = request.uri().query().is_some_and(|query| query.contains("wait_s="));
    let crowd = if waits { &crowds.waiting } else { &crowds.working };
    let before = crowd.under_way.fetch_add(1, Ordering::Relaxed);
    let place = Place(Arc::clone(crowd));
    if before >= crowd.max && !probe {
        let words = "too many requests are being worked on\ncome again in a moment";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        return Problem::new(status, "busy", words).after_s(1).into_response();
    }
    let answered = next.run(request).await;
    drop(place);
    answered
}

/// Web pages of these origins may call the service; others are not told that they may.
fn cors(origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|one| one.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::HeaderName::from_static("x-api-key"),
            header::HeaderName::from_static(once::HEADER),
            header::HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([
            header::HeaderName::from_static("request-id"),
            header::HeaderName::from_static("traceparent"),
            header::RETRY_AFTER,
        ])
}

/// What browsers must not guess or keep.
async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}
