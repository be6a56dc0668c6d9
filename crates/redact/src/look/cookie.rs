//! Cookies: a header's pairs, of which those that open a session are secrets.

use super::Search;
use crate::check::value::{is_placeholder, is_random};
use crate::class::Class;
use crate::words::floor;

/// Longest header that is read, in bytes.
const HEADER_BYTES_MAX: usize = 8192;

/// Attributes of a cookie: RFC 6265 and what browsers added.
const ATTRIBUTES: [&str; 9] = [
    "path",
    "domain",
    "expires",
    "max-age",
    "samesite",
    "secure",
    "httponly",
    "priority",
    "partitioned",
];

/// Parts of names that say that a cookie opens a session.
const SESSION_NAMES: [&str; 12] = [
    "sess", "sid", "auth", "token", "jwt", "csrf", "xsrf", "remember", "login", "secret", "sso",
    "ticket",
];

impl Search<'_> {
    /// Looks at what follows the word `cookie`.
    pub(super) fn cookie(&mut self, text: &str, (_, end): (usize, usize)) {
        if end < self.read.cookie || !self.classes.contains(Class::Secrets) {
            return;
        }
        let rest = &text[end..floor(text, end + HEADER_BYTES_MAX)];
        let bare = rest.trim_start_matches(['s', 'S']);
        let value = bare.trim_start_matches(['"', '\'', ' ', '\\', '[', ',']);
        let Some(value) = value.strip_prefix([':', '=']).or_else(|| flagged(text, end, value))
        else {
            return;
        };
        let value = value.trim_start_matches([' ', '"', '\'', '\\', '[']);
        let start = end + rest.len() - value.len();
        let stop = value.find(['\n', '\r', '"', '\'', '\\', '`']).unwrap_or(value.len());
        let mut at = start;
        self.read.cookie = start + stop;
        for pair in value[..stop].split(';') {
            self.pair(pair, at);
            at += pair.len() + 1;
        }
    }

    fn pair(&mut self, pair: &str, at: usize) {
        let Some((name, value)) = pair.split_once('=') else { return };
        let lower = name.trim().to_lowercase();
        if ATTRIBUTES.contains(&lower.as_str()) || lower.contains(' ') {
            return;
        }
        let word = value.split(' ').next().unwrap_or_default();
        let word = word.trim_end_matches(['.', ',', ')']);
        let opens = SESSION_NAMES.iter().any(|part| lower.contains(part)) && word.len() >= 6;
        let start = at + name.len() + 1;
        if (opens || is_random(word)) && !is_placeholder(&self.rules.words, word) {
            self.add_said(Class::Secrets, "cookie", (start, start + word.len()));
        }
    }
}

/// `--cookie "…"`.
fn flagged<'t>(text: &str, end: usize, value: &'t str) -> Option<&'t str> {
    let head = &text[..end];
    head[..head.len() - "cookie".len()].ends_with("--").then_some(value)
}
