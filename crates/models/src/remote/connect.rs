//! The HTTP client under a provider: one TLS, no redirects, no retries of its own.

use std::error::Error;
use std::time::Duration;

use reqwest::{Client, redirect, retry};

use super::endpoint::Endpoint;

/// Idle connections kept open to one provider.
const IDLE_CONNECTIONS_MAX: usize = 64;

/// Makes the client. Keys go to nobody but the base URL's host: redirects are answers.
pub(super) fn client(endpoint: &Endpoint) -> Result<Client, reqwest::Error> {
    install_tls();
    let mut builder = Client::builder()
        .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_millis(endpoint.limits().connect_ms))
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .redirect(redirect::Policy::none())
        .retry(retry::never());
    if endpoint.is_here() {
        builder = builder.no_proxy();
    }
    if !endpoint.is_encrypted() {
        // Without TLS there is nothing to read the machine's certificates for.
        builder = builder.tls_certs_only([]);
    }
    builder.build()
}

/// Makes ring the process's TLS, unless somebody has chosen before.
fn install_tls() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error says that another thread was faster, with the same result.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// The innermost reason of an error, which is what helps a person.
pub(super) fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
