//! HTTP to places that others choose: judged, resolved once, and connected to nothing but
//! what was judged.
//!
//! Each request has a client of its own, which knows one name with the addresses that were
//! checked for it: it can look nothing up, follow no redirect, use no proxy, and shares no
//! connection with anybody. Nothing is sent that the caller did not give. Compression is
//! not asked for and not undone, so a small reply stays small.

mod resolve;

pub use resolve::{Resolve, SystemResolver};

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use guard::url::{Host, Policy, Target, check_answer};
use kernel::verdict::Judgement;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode};

use crate::words::plain;

/// Addresses that one name may have.
const ADDRESSES_MAX: usize = 64;

/// The longest cause of a failure that is repeated, in characters.
const CAUSE_CHARS_MAX: usize = 200;

/// Limits of one exchange. How long everything together may take is the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Time to connect, in milliseconds.
    pub(crate) connect_ms: u64,
    /// Time for the whole exchange, in milliseconds.
    pub(crate) total_ms: u64,
}

/// What is sent.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
}

/// Why there is no whole reply, named for what may have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It may not go there. Nothing was sent.
    Refused(Judgement),
    /// Nobody was reached. Nothing was sent.
    NotSent(String),
    /// It was sent, and no reply came that can be used.
    Unanswered(String),
}

/// A reply whose body was not read yet.
pub(crate) struct Opened {
    response: Response,
    who: String,
}

/// Sends one request to a target that the policy allows, and waits for the head of the
/// reply.
pub(crate) async fn open(
    resolver: &dyn Resolve,
    limits: Limits,
    target: &Target,
    policy: &Policy,
    outgoing: Outgoing,
) -> Result<Opened, Lost> {
    let who = target.host().to_string();
    let addresses = addresses(resolver, target, policy).await?;
    let client = client(limits, target, addresses).map_err(Lost::NotSent)?;
    let mut request = client
        .request(outgoing.method, target.url().clone())
        .headers(outgoing.headers)
        .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(body) = outgoing.body {
        request = request.body(body);
    }
    let response = request.send().await.map_err(|error| lost(&who, &error))?;
    Ok(Opened { response, who })
}

impl Opened {
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Reads the body, which must not be longer than so many bytes.
    pub(crate) async fn read(mut self, body_bytes_max: usize) -> Result<Vec<u8>, Lost> {
        let encoding = self.response.headers().get(CONTENT_ENCODING);
        if let Some(encoding) = encoding.filter(|encoding| *encoding != "identity") {
            let encoding = plain(&String::from_utf8_lossy(encoding.as_bytes()), 40);
            let words = format!("`{}` answers in `{encoding}`, which nobody asked for", self.who);
            return Err(Lost::Unanswered(words));
        }
        let too_long = || {
            let words = format!("`{}` answers with more than {body_bytes_max} bytes", self.who);
            Err(Lost::Unanswered(words))
        };
        let told = self.response.content_length().unwrap_or(0);
        if usize::try_from(told).is_ok_and(|told| told > body_bytes_max) {
            return too_long();
        }
        let mut body = Vec::new();
        while let Some(chunk) =
            self.response.chunk().await.map_err(|error| lost(&self.who, &error))?
        {
            if body.len() + chunk.len() > body_bytes_max {
                return too_long();
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Where the target is: its own address, or all that its name resolves to now, checked.
async fn addresses(
    resolver: &dyn Resolve,
    target: &Target,
    policy: &Policy,
) -> Result<Vec<IpAddr>, Lost> {
    let name = match target.host() {
        Host::Address(_) => return Ok(Vec::new()),
        Host::Name(name) => name,
    };
    let mut found = resolver.resolve(name).await.map_err(|why| {
        Lost::NotSent(format!("`{name}` does not resolve: {}", plain(&why, CAUSE_CHARS_MAX)))
    })?;
    found.truncate(ADDRESSES_MAX);
    check_answer(&found, target, policy).map_err(Lost::Refused)?;
    Ok(found)
}

fn client(limits: Limits, target: &Target, addresses: Vec<IpAddr>) -> Result<Client, String> {
    // Whoever came first has chosen; every part of this program chooses `ring`.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let port = target.port();
    let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
    let host = target.url().host_str().unwrap_or_default().to_owned();
    Client::builder()
        .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .referer(false)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .dns_resolver(Arc::new(resolve::Checked { host, addresses }))
        .connect_timeout(Duration::from_millis(limits.connect_ms))
        .timeout(Duration::from_millis(limits.total_ms))
        .build()
        .map_err(|error| format!("this machine cannot make HTTP requests: {error}"))
}

fn lost(who: &str, error: &reqwest::Error) -> Lost {
    if error.is_connect() {
        Lost::NotSent(format!("`{who}` cannot be reached: {}", cause(error)))
    } else if error.is_builder() {
        Lost::NotSent(format!("the request to `{who}` cannot be made: {}", cause(error)))
    } else if error.is_timeout() {
        Lost::Unanswered(format!("`{who}` did not answer in time"))
    } else {
        Lost::Unanswered(format!("the connection to `{who}` broke off: {}", cause(error)))
    }
}

/// What lies at the bottom of an error, in the words of the system: no address, no header.
fn cause(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    plain(&deepest.to_string(), CAUSE_CHARS_MAX)
}

/// A denial in words for a model.
pub(crate) fn denial(judgement: &Judgement) -> String {
    judgement.reasons.join("; ")
}
