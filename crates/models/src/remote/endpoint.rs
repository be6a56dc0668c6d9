//! Where a provider is, the key that it wants, and the limits of talking to it.
//!
//! A key is never shown: not by `Debug`, not in errors, not in logs.

use std::fmt;
use std::sync::Arc;

use reqwest::Url;
use reqwest::header::HeaderValue;
use wire::REPLY_BYTES_MAX;

/// A provider's address, key and limits.
#[derive(Clone, Debug)]
pub struct Endpoint {
    base: Url,
    key: Option<Key>,
    limits: Limits,
}

/// The limits of one try. A model that thinks may be silent for minutes, so the waits are
/// long by default; the call's deadline holds above them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time for a connection, in milliseconds.
    pub connect_ms: u64,
    /// Time until the answer's headers and then until its first byte, in milliseconds.
    pub first_byte_ms: u64,
    /// Time between two pieces of a stream, in milliseconds.
    pub between_bytes_ms: u64,
    /// Time for a whole try, in milliseconds. The call's deadline holds beside it.
    pub total_ms: u64,
    /// What is read of an error's body, in bytes.
    pub error_bytes_max: usize,
    /// The longest answer, in bytes.
    pub reply_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connect_ms: 10_000,
            first_byte_ms: 240_000,
            between_bytes_ms: 120_000,
            total_ms: 3_600_000,
            error_bytes_max: 64 * 1024,
            reply_bytes_max: REPLY_BYTES_MAX as usize,
        }
    }
}

/// Why a text is not a provider's address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a base URL\nhint: write it like `{example}`, without a user or a query", example = crate::anthropic::BASE_URL)]
pub struct NotAnAddress(String);

impl Endpoint {
    /// A provider under `base_url` (`http` or `https`), with or without a key. Paths are
    /// added to the base as the vendors' own libraries do: `/v1/messages` for Anthropic,
    /// `/chat/completions` for OpenAI, whose base ends in `/v1`.
    ///
    /// # Errors
    /// The text is no such URL.
    pub fn new(base_url: &str, key: Option<Key>) -> Result<Self, NotAnAddress> {
        let wrong = || NotAnAddress(without_user(base_url));
        let base = Url::parse(base_url.trim().trim_end_matches('/')).map_err(|_| wrong())?;
        let plain = base.username().is_empty()
            && base.password().is_none()
            && base.query().is_none()
            && base.fragment().is_none();
        match matches!(base.scheme(), "http" | "https") && base.has_host() && plain {
            true => Ok(Endpoint { base, key, limits: Limits::default() }),
            false => Err(wrong()),
        }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Endpoint { limits, ..self }
    }

    pub(super) fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }

    pub(super) fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The host, without a port.
    pub(crate) fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// Host and port, for people.
    pub(super) fn place(&self) -> String {
        let port = self.base.port().map(|port| format!(":{port}"));
        format!("{}{}", self.host(), port.unwrap_or_default())
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// Whether the provider is a program on this machine, which no proxy can reach.
    pub(super) fn is_here(&self) -> bool {
        let bare = self.host().trim_start_matches('[').trim_end_matches(']');
        let ip = bare.parse::<std::net::IpAddr>();
        bare == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    }
}

/// The text without what stands before an `@`: it may be a password.
fn without_user(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, after)) => format!("…@{after}"),
        None => text.to_owned(),
    }
}

/// A secret that opens a provider.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Arc<str>);

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key is empty or has characters that no key has\nhint: it is one line without spaces")]
pub struct NotAKey;

impl Key {
    /// Takes a key over; blanks and line ends around it are dropped.
    ///
    /// # Errors
    /// It is empty, or could not stand in a header.
    pub fn new(text: &str) -> Result<Self, NotAKey> {
        let text = text.trim();
        let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Key(text.into())) } else { Err(NotAKey) }
    }

    /// The value of a header, marked so that HTTP libraries do not show it either.
    pub(crate) fn header(&self, before: &str) -> HeaderValue {
        let mut value = HeaderValue::from_str(&format!("{before}{}", self.0))
            .expect("INVARIANT: a key is visible ASCII");
        value.set_sensitive(true);
        value
    }

    /// The text without the key.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        text.replace(&*self.0, "(key hidden)")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_added_to_any_base() {
        let cases = [
            ("https://api.anthropic.com", "https://api.anthropic.com/v1/messages"),
            ("https://api.anthropic.com/", "https://api.anthropic.com/v1/messages"),
            ("http://127.0.0.1:8080/proxy/", "http://127.0.0.1:8080/proxy/v1/messages"),
        ];
        for (base, url) in cases {
            assert_eq!(Endpoint::new(base, None).unwrap().at("/v1/messages").as_str(), url);
        }
    }

    #[test]
    fn what_is_no_base_url_is_refused_without_showing_a_password() {
        for text in [
            "",
            "api.anthropic.com",
            "ftp://host",
            "https://",
            "https://host/?q=1",
            "https://me:hunter2@host",
        ] {
            let error = Endpoint::new(text, None).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn programs_on_this_machine_are_known() {
        for (base, here) in [
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080", true),
            ("http://localhost", true),
            ("http://10.0.0.1", false),
            ("https://api.openai.com/v1", false),
        ] {
            assert_eq!(Endpoint::new(base, None).unwrap().is_here(), here, "{base}");
        }
    }

    #[test]
    fn keys_are_never_shown() {
        let key = Key::new(" sk-secret\n").unwrap();
        let endpoint = Endpoint::new("https://host", Some(key.clone())).unwrap();
        let header = key.header("Bearer ");
        assert!(!format!("{key:?} {endpoint:?} {header:?}").contains("secret"));
        assert_eq!(header.to_str().unwrap(), "Bearer sk-secret");
        for wrong in ["", "  ", "two words", "line\nend", "schlüssel"] {
            assert_eq!(Key::new(wrong), Err(NotAKey));
        }
    }
}
