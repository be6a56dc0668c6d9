//! Streamable HTTP over our own client: no redirects, no retries, no proxy, one address that
//! is checked before each request.
//!
//! The tenant's secret is looked up for each request and goes nowhere but into its
//! `authorization` header; one that is refused is looked up afresh once. No body of an
//! error is shown to anybody.

mod answer;
mod port;
mod trouble;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::units::Tenant;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, redirect, retry};
use rmcp::RoleClient;
use rmcp::transport::Transport;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClientTransport, StreamableHttpClientTransportConfig,
};
use secrecy::{ExposeSecret, SecretString};

use super::vitals::Vitals;
use crate::meter::Meter;
use crate::outside::Outside;
use crate::settings::{Limits, Server, Text};

pub(crate) use self::trouble::HttpTrouble;

/// Idle connections kept open to one server.
const IDLE_CONNECTIONS_MAX: usize = 8;

/// Streams that may be opened a second, so that a server that ends each at once is not asked
/// in a circle.
const STREAMS_PER_SECOND_MAX: u64 = 1;

/// Tries to open a stream anew.
const STREAM_TRIES_MAX: usize = 8;

/// The way to one server for one tenant. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Http(Arc<Inner>);

struct Inner {
    client: Client,
    url: Url,
    server: Arc<Server>,
    tenant: Tenant,
    outside: Outside,
    vitals: Arc<Vitals>,
    streams: Mutex<Meter>,
}

impl Http {
    /// The way there. Nothing is connected yet.
    pub(crate) fn new(
        server: &Arc<Server>,
        url: &Url,
        tenant: &Tenant,
        outside: &Outside,
    ) -> Result<Self, String> {
        let client = make(server.settings.start_timeout_seconds, url, outside)
            .map_err(|error| format!("this machine cannot make HTTP requests: {error}"))?;
        Ok(Http(Arc::new(Inner {
            client,
            url: url.clone(),
            server: server.clone(),
            tenant: tenant.clone(),
            outside: outside.clone(),
            vitals: Vitals::new(&server.settings.limits),
            streams: Mutex::new(Meter::new(STREAMS_PER_SECOND_MAX)),
        })))
    }

    pub(super) fn vitals(&self) -> Arc<Vitals> {
        self.0.vitals.clone()
    }

    pub(super) fn transport(self, limits: &Limits) -> impl Transport<RoleClient> + use<> + 'static {
        let mut config = StreamableHttpClientTransportConfig::with_uri(self.0.url.as_str())
            .max_concurrent_requests(limits.calls_at_once_max)
            .max_sse_event_size(limits.message_bytes_max)
            .max_json_response_size(limits.message_bytes_max)
            // A new session is a new connection of ours: its tools are looked at again.
            .reinit_on_expired_session(false);
        config.retry_config = Arc::new(trouble::Patience { tries_max: STREAM_TRIES_MAX });
        StreamableHttpClientTransport::with_client(self, config)
    }

    /// Sends a request. `prepare` adds what is its own; it is called again for a second try
    /// with a fresh secret.
    async fn send(
        &self,
        method: &Method,
        prepare: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, HttpTrouble> {
        let response = self.try_once(method, &prepare, false).await?;
        let is_refused = response.status() == StatusCode::UNAUTHORIZED;
        if is_refused && self.shows_secrets() {
            // A refused request was not looked at: it may be sent again.
            return self.try_once(method, &prepare, true).await;
        }
        Ok(response)
    }

    async fn try_once(
        &self,
        method: &Method,
        prepare: &impl Fn(RequestBuilder) -> RequestBuilder,
        fresh: bool,
    ) -> Result<Response, HttpTrouble> {
        let inner = &*self.0;
        (inner.outside.check_address)(&inner.url).map_err(HttpTrouble::Forbidden)?;
        let mut request = inner.client.request(method.clone(), inner.url.clone());
        for (name, value) in self.headers(fresh).await? {
            request = request.header(name, value);
        }
        prepare(request).send().await.map_err(|error| HttpTrouble::of(&error))
    }

    fn shows_secrets(&self) -> bool {
        let settings = &self.0.server.settings;
        let is_secret = |text: &Text| matches!(text, Text::Secret(_));
        settings.auth.is_some() || settings.headers.values().any(is_secret)
    }

    /// The headers of the configuration, secrets filled in.
    async fn headers(&self, fresh: bool) -> Result<BTreeMap<String, HeaderValue>, HttpTrouble> {
        let settings = &self.0.server.settings;
        let mut headers = BTreeMap::new();
        for (name, text) in &settings.headers {
            let value = match text {
                Text::Plain(value) => header(value)?,
                Text::Secret(handle) => {
                    header(self.secret(&handle.secret, fresh).await?.expose_secret())?
                }
            };
            headers.insert(name.clone(), value);
        }
        if let Some(handle) = &settings.auth {
            let secret = self.secret(&handle.secret, fresh).await?;
            let value = SecretString::from(format!("Bearer {}", secret.expose_secret()));
            headers.insert(AUTHORIZATION.to_string(), header(value.expose_secret())?);
        }
        Ok(headers)
    }

    async fn secret(&self, handle: &str, fresh: bool) -> Result<SecretString, HttpTrouble> {
        let found = self.0.outside.credentials.resolve(&self.0.tenant, handle, fresh).await;
        found.map_err(|error| HttpTrouble::NoCredential(error.to_string()))
    }

    /// Waits until one more stream may be opened.
    async fn wait_for_a_stream(&self) {
        let wait = self.0.streams.lock().unwrap_or_else(PoisonError::into_inner).book();
        tokio::time::sleep(wait).await;
    }
}

/// A value that is not shown by anything that prints headers.
fn header(text: &str) -> Result<HeaderValue, HttpTrouble> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| HttpTrouble::NoCredential("a secret cannot be a header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn make(connect_seconds: u64, url: &Url, outside: &Outside) -> Result<Client, reqwest::Error> {
    // Whoever came first has chosen; every part of this program chooses `ring`.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(connect_seconds))
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy();
    if url.scheme() == "http" {
        // Without TLS there is nothing to read the machine's certificates for.
        builder = builder.tls_certs_only([]);
    }
    if let Some(resolver) = &outside.resolver {
        builder = builder.dns_resolver(resolver.clone());
    }
    builder.build()
}

/// Headers of the protocol, as the library wants them sent.
fn with_headers(
    request: RequestBuilder,
    headers: &std::collections::HashMap<HeaderName, HeaderValue>,
) -> RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}
