//! HTTP requests that end: in time, in size, at the origin they were meant for.
//!
//! The client is made at the first request. TLS is rustls with `ring` and the machine's
//! own certificates. A redirect to another origin is not followed, because a key in a
//! header would go along. Errors are words for a model and never hold an address's
//! query or a key.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::failure::{Failure, told, unavailable};
use crate::settings::HttpLimits;
use crate::words::plain;

/// The longest explanation of a service that is passed on, in characters.
const REASON_CHARS_MAX: usize = 200;

/// A client that is made when it is first needed.
#[derive(Debug)]
pub(crate) struct Http {
    limits: HttpLimits,
    client: OnceLock<Result<Client, String>>,
}

impl Http {
    pub(crate) fn new(limits: HttpLimits) -> Self {
        Http { limits, client: OnceLock::new() }
    }

    /// Sends one request to `who` and reads the JSON that comes back.
    pub(crate) async fn json(
        &self,
        who: &str,
        request: impl FnOnce(&Client) -> RequestBuilder,
    ) -> Result<Value, Failure> {
        let client = self.client.get_or_init(|| make(self.limits));
        let client = client.as_ref().map_err(|words| Failure::Unavailable(words.clone()))?;
        let reply = request(client).send().await.map_err(|error| lost(who, &error))?;
        let status = reply.status();
        let retry_after = retry_after(&reply);
        let body = self.body(who, reply).await?;
        if !status.is_success() {
            let words = refused(who, status, retry_after, &body);
            return if is_out(status) { unavailable(words) } else { told(words) };
        }
        serde_json::from_slice(&body)
            .or_else(|_| unavailable(format!("{who} answered with something that is not JSON")))
    }

    async fn body(&self, who: &str, mut reply: Response) -> Result<Vec<u8>, Failure> {
        let most = self.limits.reply_bytes_max;
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(|error| lost(who, &error))? {
            if body.len() + chunk.len() > most {
                return told(format!("{who} answered with more than {most} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn make(limits: HttpLimits) -> Result<Client, String> {
    // Whoever came first has chosen; every part of this program chooses `ring`.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let redirects_max = limits.redirects_max;
    Client::builder()
        .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_millis(limits.connect_ms))
        .timeout(Duration::from_millis(limits.total_ms))
        .redirect(Policy::custom(move |attempt| redirect(attempt, redirects_max)))
        .build()
        .map_err(|error| format!("this machine cannot make HTTP requests: {error}"))
}

fn redirect(attempt: Attempt<'_>, redirects_max: usize) -> reqwest::redirect::Action {
    let home = attempt.previous().first().map(|url| url.origin());
    if attempt.previous().len() > redirects_max || home != Some(attempt.url().origin()) {
        attempt.stop()
    } else {
        attempt.follow()
    }
}

fn lost(who: &str, error: &reqwest::Error) -> Failure {
    let words = if error.is_connect() {
        format!("{who} cannot be reached: {}\nwithout network, go on without it", cause(error))
    } else if error.is_timeout() {
        format!("{who} did not answer in time\nit may work later")
    } else if error.is_builder() {
        format!("the address of {who} is not valid\ncorrect it in the configuration")
    } else {
        format!("the connection to {who} broke off\nit may work when tried again")
    };
    Failure::Unavailable(words)
}

/// Whether a status says that the service serves nobody, or not us: then no other input
/// would help.
fn is_out(status: StatusCode) -> bool {
    matches!(status.as_u16(), 300..=399 | 401..=403 | 408 | 429 | 500..=599)
}

/// What lies at the bottom of an error, in the words of the system.
fn cause(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    plain(&deepest.to_string(), REASON_CHARS_MAX)
}

fn refused(who: &str, status: StatusCode, retry_after_s: Option<u64>, body: &[u8]) -> String {
    let code = status.as_u16();
    let hint = match code {
        401 | 403 => "the key or the right to use it is missing; ask the operator to check it",
        429 => "too many requests or the quota is used up; do not repeat it at once",
        300..=399 => "it points to another address; the configured one may be wrong",
        500..=599 => "the service has a fault of its own; it may work later",
        _ => "check the input",
    };
    let wait = retry_after_s.map_or(String::new(), |s| format!(" (try again in {s} s)"));
    let reason = reason(body).map_or(String::new(), |reason| format!(": {reason}"));
    format!("{who} refused with status {code}{reason}{wait}\n{hint}")
}

fn retry_after(reply: &Response) -> Option<u64> {
    reply.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()
}

/// A short explanation in an error's body, where a service is known to put one.
fn reason(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let places = ["/reason", "/error/detail", "/detail/error", "/detail", "/error", "/message"];
    let text = places.iter().find_map(|place| body.pointer(place)?.as_str())?;
    Some(plain(text, REASON_CHARS_MAX))
}
