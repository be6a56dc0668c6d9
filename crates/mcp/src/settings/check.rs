//! From settings to servers that can be started: every mistake is told, with its place.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use kernel::agent::Effect;
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};

use super::{ServerSettings, Servers, Text, Transport};
use crate::name;

/// Headers that belong to the protocol or to the connection.
const RESERVED_HEADERS: [&str; 13] = [
    "accept",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
    "proxy-authorization",
    "transfer-encoding",
];

/// Beginnings of `_meta` keys that the protocol keeps for itself, and keys that it uses.
const RESERVED_META: [&str; 6] = [
    "io.modelcontextprotocol/",
    "modelcontextprotocol.io/",
    "mcp.dev/",
    "progressToken",
    "mcp/",
    "tools.mcp.com/",
];

/// A mistake in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where, as in `mcp_servers.files.url`.
    pub at: String,
    /// What is wrong and what would be right.
    pub words: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.words)
    }
}

/// A server that can be started.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) reach: Reach,
    pub(crate) settings: ServerSettings,
}

/// Where a server is.
#[derive(Clone, Debug)]
pub(crate) enum Reach {
    Stdio { command: String },
    Http { url: Url },
}

impl Servers {
    /// Everything that is wrong, in the order of names.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Mistake> {
        self.check().err().unwrap_or_default()
    }

    /// The servers, if nothing is wrong.
    pub(crate) fn check(&self) -> Result<BTreeMap<String, Arc<Server>>, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut servers = BTreeMap::new();
        for (name, settings) in &self.0 {
            let mut found = Found { server: name, mistakes: Vec::new() };
            let reach = found.check(settings);
            if let (Some(reach), true) = (reach, found.mistakes.is_empty()) {
                let settings = settings.clone();
                let server = Server { name: name.clone(), reach, settings };
                servers.insert(name.clone(), Arc::new(server));
            }
            mistakes.append(&mut found.mistakes);
        }
        if mistakes.is_empty() { Ok(servers) } else { Err(mistakes) }
    }
}

/// The mistakes of one server.
struct Found<'a> {
    server: &'a str,
    mistakes: Vec<Mistake>,
}

impl Found<'_> {
    fn add(&mut self, key: &str, words: impl Into<String>) {
        let dot = if key.is_empty() { "" } else { "." };
        let at = format!("mcp_servers.{}{dot}{key}", self.server);
        self.mistakes.push(Mistake { at, words: words.into() });
    }

    fn check(&mut self, settings: &ServerSettings) -> Option<Reach> {
        if let Err(words) = name::check_server(self.server) {
            self.add("", words);
        }
        self.numbers(settings);
        self.effects(settings);
        self.patterns(settings);
        let reach = self.reach(settings)?;
        match &reach {
            Reach::Stdio { .. } => self.stdio(settings),
            Reach::Http { .. } => self.http(settings),
        }
        Some(reach)
    }

    fn reach(&mut self, settings: &ServerSettings) -> Option<Reach> {
        match (settings.transport, &settings.command, &settings.url) {
            (None | Some(Transport::Stdio), Some(command), None) => {
                if command.is_empty() || command.contains('\0') {
                    self.add("command", "name a program");
                }
                Some(Reach::Stdio { command: command.clone() })
            }
            (None | Some(Transport::Http), None, Some(url)) => self.url(url),
            (_, Some(_), Some(_)) => {
                self.add("", "give `command` or `url`, not both");
                None
            }
            (_, None, None) => {
                self.add("", "give `command` for a stdio server or `url` for an HTTP server");
                None
            }
            (Some(Transport::Http), Some(_), None) => {
                self.add("transport", "an HTTP server has a `url`, not a `command`");
                None
            }
            (Some(Transport::Stdio), None, Some(_)) => {
                self.add("transport", "a stdio server has a `command`, not a `url`");
                None
            }
        }
    }

    fn url(&mut self, text: &str) -> Option<Reach> {
        let words = match Url::parse(text) {
            Err(error) => format!("`{text}` is no address: {error}"),
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                format!("`{}` is no scheme for a server: use `https` or `http`", url.scheme())
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "no credentials in an address\nput them under `auth`".to_owned()
            }
            Ok(url) if url.fragment().is_some() => "an address of a server has no `#…`".to_owned(),
            Ok(url) => return Some(Reach::Http { url }),
        };
        self.add("url", words);
        None
    }

    fn stdio(&mut self, settings: &ServerSettings) {
        if !settings.headers.is_empty() {
            self.add("headers", "a stdio server gets no headers\ngive it `env`");
        }
        if settings.auth.is_some() {
            self.add("auth", "a stdio server gets no headers\ngive it `env: {NAME: {secret: …}}`");
        }
        for name in settings.env.keys() {
            if name.is_empty() || name.contains(['=', '\0']) {
                self.add(&format!("env.{name}"), "this is no name of a variable");
            }
        }
        if settings.args.iter().any(|arg| arg.contains('\0')) {
            self.add("args", "an argument holds no zero byte");
        }
    }

    fn http(&mut self, settings: &ServerSettings) {
        if !settings.args.is_empty() || !settings.env.is_empty() || settings.cwd.is_some() {
            self.add("", "`args`, `env` and `cwd` are for stdio servers");
        }
        for (name, text) in &settings.headers {
            let at = format!("headers.{name}");
            match HeaderName::from_bytes(name.as_bytes()) {
                Err(_) => self.add(&at, "this is no name of a header"),
                Ok(name) if name == "authorization" => {
                    self.add(&at, "put the handle of the secret under `auth`");
                }
                Ok(name) if RESERVED_HEADERS.contains(&name.as_str()) => {
                    self.add(&at, "the protocol sets this header itself");
                }
                Ok(_) => {}
            }
            if let Text::Plain(value) = text
                && HeaderValue::from_str(value).is_err()
            {
                self.add(&at, "this is no value of a header");
            }
        }
    }

    fn numbers(&mut self, settings: &ServerSettings) {
        let (restart, limits) = (&settings.restart, &settings.limits);
        for (key, value, range) in [
            ("timeout_seconds", settings.timeout_seconds, 1..=3_600),
            ("start_timeout_seconds", settings.start_timeout_seconds, 1..=600),
            ("idle_seconds", settings.idle_seconds, 1..=86_400),
            ("output_bytes_max", settings.output_bytes_max, 256..=1_048_576),
            ("restart.base_ms", restart.base_ms, 1..=3_600_000),
            ("restart.wait_ms_max", restart.wait_ms_max, restart.base_ms..=3_600_000),
            ("restart.steady_seconds", restart.steady_seconds, 1..=86_400),
            ("limits.message_bytes_max", limits.message_bytes_max as u64, 1_024..=67_108_864),
            ("limits.bytes_per_second_max", limits.bytes_per_second_max, 1_024..=1_073_741_824),
            ("limits.unasked_per_second_max", limits.unasked_per_second_max, 1..=10_000),
            ("limits.tools_max", limits.tools_max as u64, 1..=1_024),
            ("limits.calls_at_once_max", limits.calls_at_once_max as u64, 1..=1_024),
        ] {
            self.number(key, value, &range);
        }
    }

    fn number(&mut self, key: &str, value: u64, range: &RangeInclusive<u64>) {
        if !range.contains(&value) {
            let (from, to) = (range.start(), range.end());
            self.add(key, format!("{value} is outside {from} to {to}"));
        }
    }

    fn effects(&mut self, settings: &ServerSettings) {
        match &settings.idempotency_meta {
            Some(key) if !is_meta_key(key) => {
                self.add("idempotency_meta", format!("`{key}` is no key of one's own for `_meta`"));
            }
            Some(_) => {}
            None => {
                for (tool, effect) in &settings.effect {
                    if *effect == Effect::Idempotent {
                        let words = "idempotent means that the second call gets the same key\n\
                                     say under `idempotency_meta` where the server looks for it, \
                                     or call it an `effect`";
                        self.add(&format!("effect.{tool}"), words);
                    }
                }
            }
        }
    }

    fn patterns(&mut self, settings: &ServerSettings) {
        let named = settings.tools.allow.iter().chain(&settings.tools.deny);
        for pattern in named {
            let stem = pattern.strip_suffix('*').unwrap_or(pattern);
            if pattern.is_empty() || stem.contains('*') {
                self.add("tools", format!("`{pattern}`: one name, or a beginning with `*`"));
            }
        }
        for tool in settings.effect.keys().chain(&settings.sensitive) {
            if !settings.tools.has(tool) {
                self.add("tools", format!("`{tool}` is spoken of, but is not among the tools"));
            }
        }
    }
}

fn is_meta_key(key: &str) -> bool {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    !key.is_empty()
        && key.len() <= 128
        && key.chars().all(is_legal)
        && !RESERVED_META.iter().any(|reserved| key.starts_with(reserved))
}
#[cfg(test)]
mod tests;
