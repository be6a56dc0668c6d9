//! Claude over the Messages API.
//!
//! Only what is this vendor's own and not its message shapes: where it is, and which
//! headers it wants. The shapes are `wire`'s, the call itself is [`crate::remote`]'s.

use reqwest::header::{HeaderMap, HeaderValue};

use crate::catalog::Catalog;
use crate::protocol::Protocol;
use crate::remote::{Endpoint, Key, Remote};

/// Where the vendor's own service is.
pub const BASE_URL: &str = "https://api.anthropic.com";

/// The path under the base URL.
pub(crate) const PATH: &str = "/v1/messages";

/// The version of the protocol that is spoken.
const VERSION: &str = "2023-06-01";

/// A client that makes one try for each call.
#[must_use]
pub fn client(endpoint: Endpoint, catalog: Catalog) -> Remote {
    Remote::new(Protocol::Anthropic, endpoint, catalog)
}

pub(crate) fn headers(key: Option<&Key>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-version", HeaderValue::from_static(VERSION));
    if let Some(key) = key {
        headers.insert("x-api-key", key.header(""));
    }
    headers
}
