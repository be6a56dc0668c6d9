//! How a URL is spelled: the checks on its text, before anybody reads it.
//!
//! Readers of URLs forgive differently: they drop tabs, turn backslashes into slashes, decode
//! hosts, take what is before an `@` for a host. A text over which they could disagree is
//! refused here, so that what was judged is what is fetched.

use unicode_normalization::UnicodeNormalization;

use super::URL_BYTES_MAX;
use super::unseen::unseen;

/// What follows `//`, up to the path: a host and perhaps a port, as they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Authority<'a> {
    pub(super) host: &'a str,
    pub(super) port: Option<&'a str>,
}

/// A URL's authority. `Ok(None)`: the text is relative and has none.
pub(super) fn authority(text: &str) -> Result<Option<Authority<'_>>, String> {
    characters(text)?;
    let rest = match scheme(text) {
        Some(scheme) => {
            let rest = &text[scheme.len() + 1..];
            let rest = rest.strip_prefix("//");
            rest.ok_or_else(|| format!("`{scheme}:` is not followed by `//` and a host"))?
        }
        None => match text.strip_prefix("//") {
            Some(rest) => rest,
            None => return Ok(None),
        },
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    split(&rest[..end]).map(Some)
}

/// The scheme with which a text begins, if any (RFC 3986, section 3.1).
pub(super) fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let mut letters = scheme.chars();
    let begins = letters.next().is_some_and(|c| c.is_ascii_alphabetic());
    let goes_on = letters.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    (begins && goes_on).then_some(scheme)
}

fn characters(text: &str) -> Result<(), String> {
    if text.len() > URL_BYTES_MAX {
        return Err(format!("the URL is longer than {URL_BYTES_MAX} bytes"));
    }
    match text.chars().find_map(|c| trouble(c).map(|why| (c, why))) {
        Some((c, why)) => Err(format!("the URL has {why} in it (U+{:04X})", u32::from(c))),
        None => Ok(()),
    }
}

fn trouble(c: char) -> Option<&'static str> {
    if c == '\\' {
        return Some("a backslash, which some readers take for a slash,");
    }
    if c.is_control() || c.is_whitespace() {
        return Some("white space or a control character");
    }
    if c.is_ascii() {
        return None;
    }
    if unseen(c) {
        return Some("an invisible character");
    }
    let turns = c.nfkc().any(|plain| "/\\?#@:%&= ".contains(plain));
    turns.then_some("a character that some readers take for a separator")
}

fn split(authority: &str) -> Result<Authority<'_>, String> {
    if authority.contains('@') {
        return Err("the URL has a user before its host: what is before `@` is not the host".into());
    }
    if authority.contains('%') {
        return Err("the host has percent-encoded characters or a zone".into());
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']').ok_or("the host's bracket is not closed")?;
            let (host, after) = (&authority[..end + 2], &rest[end + 1..]);
            match after.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if after.is_empty() => (host, None),
                None => return Err("something stands between the host and its port".into()),
            }
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() {
        return Err("the URL has no host".into());
    }
    Ok(Authority { host, port })
}

/// Whether a port is written as everybody reads it: decimal, no sign, no zeros before it.
pub(super) fn port(text: &str) -> Result<(), String> {
    match text.parse::<u16>() {
        Ok(port) if port != 0 && port.to_string() == text => Ok(()),
        Ok(_) | Err(_) => Err(format!("`{text}` is not a port as everybody writes it")),
    }
}
