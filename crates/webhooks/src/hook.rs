//! A subscriber's address, secret, and the shape of what it is sent.
//!
//! Addresses are secrets as well: whoever knows that of a chat's incoming webhook may
//! write there. So they are never shown.

use std::fmt;

use reqwest::Url;

use crate::sign::Secret;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The whole alert as one JSON object, its words under `text`.
    Full,
    /// `{"text": …}` alone, escaped as Slack and those who speak like it want it.
    Slack,
}

/// A subscriber that is told over HTTP.
#[derive(Clone)]
pub struct Hook {
    /// The operator's name for it.
    pub name: String,
    /// Where it listens.
    pub url: Url,
    /// What requests are signed with. `None`: they are not.
    pub secret: Option<Secret>,
    /// What is sent.
    pub shape: Shape,
}

/// Why a text is no address. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not the address of a webhook\nhint: write it like `https://host/path`, with neither user name nor fragment"
)]
pub struct NotAnAddress;

/// Reads an address: `http` or `https`, a host, no user name or password, no fragment. A
/// query is fine, for some receivers keep their key there.
///
/// # Errors
/// The text is no such address.
pub fn address(text: &str) -> Result<Url, NotAnAddress> {
    let url = Url::parse(text.trim()).map_err(|_| NotAnAddress)?;
    let scheme = matches!(url.scheme(), "http" | "https");
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if scheme && plain && url.has_host() { Ok(url) } else { Err(NotAnAddress) }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Hook { name, url: _, secret, shape } = self;
        let mut shown = f.debug_struct("Hook");
        shown.field("name", name).field("secret", secret).field("shape", shape);
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_and_carries_no_user() {
        for (text, right) in [
            ("https://hooks.example.com/services/T0/B0/x", true),
            ("http://127.0.0.1:9000", true),
            ("http://[::1]:9000/a?key=1", true),
            (" https://host/x\n", true),
            ("ftp://host/x", false),
            ("file:///etc/passwd", false),
            ("https://me@host/x", false),
            ("https://me:key@host/x", false),
            ("https://host/x#y", false),
            ("host/x", false),
            ("https://", false),
            ("", false),
        ] {
            assert_eq!(address(text).is_ok(), right, "{text}");
        }
    }
}
