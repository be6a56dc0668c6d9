//! Names and passwords in URLs: `scheme://user:password@host`.

use super::Search;
use crate::check::value::{is_placeholder, is_random};
use crate::class::Class;
use crate::words::floor;

/// Longest name and password together, in bytes.
const USER_BYTES_MAX: usize = 512;

impl Search<'_> {
    /// Looks at what follows `://`.
    pub(super) fn address(&mut self, text: &str, (_, start): (usize, usize)) {
        let rest = &text[start..floor(text, start + USER_BYTES_MAX)];
        let end = rest.find(|c: char| c.is_whitespace() || "\"'`<>\\|".contains(c));
        let rest = &rest[..end.unwrap_or(rest.len())];
        let host = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let Some(sign) = rest[..host].rfind('@').or_else(|| sign_after_slash(rest)) else { return };
        let user = &rest[..sign];
        let (from, secret) = match user.split_once(':') {
            Some((name, password)) => (name.len() + 1, password),
            None if is_random(user) || is_hexadecimal(user) => (0, user),
            None => return,
        };
        if !secret.is_empty() && !is_placeholder(&self.rules.words, secret) {
            let start = start + from;
            self.add_said(Class::Secrets, "url_password", (start, start + secret.len()));
        }
    }
}

/// The sign of an address whose password has a slash in it: what stands between the colon
/// and the slash is no port, and a host follows.
fn sign_after_slash(rest: &str) -> Option<usize> {
    let sign = rest.rfind('@')?;
    let (_, password) = rest[..sign].split_once(':')?;
    let before_slash = password.split(['/', '?', '#']).next().unwrap_or_default();
    let is_port = before_slash.bytes().all(|b| b.is_ascii_digit());
    let has_path = rest[..rest.find(':')?].contains('/');
    let host = rest[sign + 1..].split(['/', ':', '?']).next().unwrap_or_default();
    let is_host = host.contains('.') || host == "localhost" || rest[sign..].contains(':');
    (!is_port && !has_path && is_host).then_some(sign)
}

fn is_hexadecimal(user: &str) -> bool {
    user.len() >= 32 && user.bytes().all(|b| b.is_ascii_hexdigit())
}
