//! One request to Vault, with a limit on its answer, and what the answer means.

use std::error::Error;

use reqwest::header::{LOCATION, RETRY_AFTER};
use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Vault;
use super::login::Token;
use crate::error::SecretError;

/// The longest answer, in bytes: what an entry of KV may have by Vault's defaults.
const REPLY_BYTES_MAX: usize = 1_024 * 1_024;

/// How much of Vault's own words is passed on, in characters.
const WORDS_MAX: usize = 200;

/// An answer.
pub(super) struct Reply {
    status: StatusCode,
    retry_after_ms: Option<u64>,
    redirected: bool,
    pub(super) body: Zeroizing<Vec<u8>>,
}

#[derive(Default, Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<String>,
}

impl Vault {
    /// Sends a request and takes its answer in.
    pub(super) async fn send(
        &self,
        mut request: RequestBuilder,
        token: Option<&Token>,
    ) -> Result<Reply, SecretError> {
        request = request.header("X-Vault-Request", "true");
        if let Some(namespace) = &self.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        if let Some(token) = token {
            request = request.header("X-Vault-Token", token.header()?);
        }
        let out = |error: reqwest::Error| SecretError::unavailable("Vault", reason(&error));
        let mut response = request.send().await.map_err(out)?;
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let seconds = header(RETRY_AFTER).and_then(|text| text.parse::<u64>().ok());
        let mut reply = Reply {
            status: response.status(),
            retry_after_ms: seconds.map(|seconds| seconds.saturating_mul(1_000)),
            redirected: header(LOCATION).is_some(),
            body: Zeroizing::new(Vec::with_capacity(4 * 1_024)),
        };
        while let Some(chunk) = response.chunk().await.map_err(out)? {
            if reply.body.len() + chunk.len() > REPLY_BYTES_MAX {
                let why = format!("its answer is longer than {REPLY_BYTES_MAX} bytes");
                return Err(SecretError::unusable("Vault", why));
            }
            reply.body.extend_from_slice(&chunk);
        }
        Ok(reply)
    }
}

impl Reply {
    /// The answer, nothing where there is no such path, or what went wrong.
    pub(super) fn judge(self, what: &str) -> Result<Option<Self>, SecretError> {
        let said = self.said();
        match self.status.as_u16() {
            200 => Ok(Some(self)),
            404 if said.contains("no handler for route") => {
                let why = format!("nothing is mounted there: {said}\nhint: look at `mount`");
                Err(SecretError::unusable(what, why))
            }
            404 => Ok(None),
            403 => Err(SecretError::denied(what, format!("Vault says: {said}"))),
            // Behind its leader, too many requests, a stand-by of another kind, sealed.
            412 | 429 | 472 | 473 | 500..=599 => Err(SecretError::Unavailable {
                what: what.to_owned(),
                why: format!("Vault answers {}: {said}", self.status.as_u16()),
                retry_after_ms: self.retry_after_ms,
            }),
            300..=399 if self.redirected => {
                let why = "Vault sends us to another address, and the token does not go there\n\
                           hint: name the active node or the load balancer as `address`";
                Err(SecretError::unusable(what, why))
            }
            status => Err(SecretError::unusable(what, format!("Vault answers {status}: {said}"))),
        }
    }

    /// Vault's own words in an answer that is an error.
    fn said(&self) -> String {
        if self.status.is_success() {
            return String::new();
        }
        let errors: Errors = serde_json::from_slice(&self.body).unwrap_or_default();
        let words = errors.errors.join("; ");
        let plain = words.chars().map(|c| if c.is_control() { ' ' } else { c });
        let words: String = plain.take(WORDS_MAX).collect();
        if words.trim().is_empty() { "nothing more".to_owned() } else { words }
    }
}

/// Why nothing came back: the innermost reason, which does not name the address.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    match innermost.downcast_ref::<reqwest::Error>() {
        Some(_) => "there is no connection".to_owned(),
        None => innermost.to_string(),
    }
}
