//! One request to one subscriber.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;
use engine::alerts::Alert;
use engine::ports::{Courier, Undelivered};
use kernel::units::UnixMs;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, redirect, retry};

use crate::answer::Answer;
use crate::body::body;
use crate::hook::Hook;

/// Time for a connection, in milliseconds.
const CONNECT_MS: u64 = 5_000;

/// Time for the whole request with its answer, in milliseconds.
const DEADLINE_MS: u64 = 10_000;

/// The longest body that is sent, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1_024;

/// Idle connections kept open to one subscriber.
const IDLE_CONNECTIONS_MAX: usize = 2;

/// All subscribers over HTTP, by their names.
#[derive(Debug)]
pub struct Webhooks {
    hooks: BTreeMap<String, Hook>,
    client: Client,
    deadline: Duration,
}

impl Webhooks {
    /// Opens no connection yet.
    ///
    /// # Errors
    /// No HTTP client can be made, as where the machine's certificates cannot be read.
    pub fn new(hooks: Vec<Hook>) -> Result<Self, reqwest::Error> {
        install_tls();
        let mut builder = Client::builder()
            .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_millis(CONNECT_MS))
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .redirect(redirect::Policy::none())
            .retry(retry::never());
        if hooks.iter().all(|hook| hook.url.scheme() == "http") {
            // Without TLS there is nothing to read the machine's certificates for.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build()?;
        let hooks = hooks.into_iter().map(|hook| (hook.name.clone(), hook)).collect();
        Ok(Webhooks { hooks, client, deadline: Duration::from_millis(DEADLINE_MS) })
    }

    /// The same with another time for the whole request, in milliseconds.
    #[must_use]
    pub fn within(self, deadline_ms: u64) -> Self {
        Webhooks { deadline: Duration::from_millis(deadline_ms), ..self }
    }

    /// Sends an alert at `now`, and tells what came back.
    ///
    /// # Errors
    /// [`Undelivered`].
    pub async fn post(&self, to: &str, alert: &Alert, now: UnixMs) -> Result<Answer, Undelivered> {
        let rejected = |why: String| Undelivered::Rejected { why };
        let hook = self.hooks.get(to);
        let hook = hook.ok_or_else(|| rejected(format!("there is no webhook `{to}`")))?;
        let id = alert.id();
        let body = body(hook.shape, &id, alert).map_err(|why| rejected(why.to_string()))?;
        if body.len() > BODY_BYTES_MAX {
            return Err(rejected(format!("it has {} bytes, more than are sent", body.len())));
        }
        let seconds = now.0 / 1_000;
        let mut request = self
            .client
            .post(hook.url.clone())
            .timeout(self.deadline)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", seconds);
        if let Some(secret) = &hook.secret {
            request = request.header("webhook-signature", secret.sign(&id, seconds, &body));
        }
        match request.body(body).send().await {
            Ok(response) => {
                let (answer, retry_after_ms) = Answer::read(response).await;
                answer.judge(retry_after_ms)
            }
            Err(error) => {
                Err(Undelivered::Unreachable { why: reason(&error), retry_after_ms: None })
            }
        }
    }
}

#[async_trait]
impl Courier for Webhooks {
    async fn bring(&self, to: &str, alert: &Alert, now: UnixMs) -> Result<(), Undelivered> {
        self.post(to, alert, now).await.map(drop)
    }
}

/// Makes ring the process's TLS, unless somebody has chosen before.
fn install_tls() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error says that another thread was faster, with the same result.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// Why nothing came back. The innermost reason helps a person most, and unlike the
/// outermost it does not name the address.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    match innermost.downcast_ref::<reqwest::Error>() {
        Some(_) => "it cannot be reached".to_owned(),
        None => format!("it cannot be reached: {innermost}"),
    }
}
