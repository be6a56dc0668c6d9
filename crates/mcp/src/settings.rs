//! What the configuration says about MCP servers.
//!
//! The shapes here are read as they stand; [`Servers::check`] turns them into servers that
//! can be started, or tells every mistake at once. Secrets are named by handles only.

mod check;

use std::collections::BTreeMap;
use std::path::PathBuf;

use kernel::agent::Effect;
use serde::{Deserialize, Serialize};

pub use check::Mistake;
pub(crate) use check::{Reach, Server};

/// The servers by name: the section `mcp_servers` of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Servers(pub BTreeMap<String, ServerSettings>);

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    /// How it is spoken to. Default: by `command` or `url`, whichever there is.
    pub transport: Option<Transport>,
    /// The program of a stdio server.
    pub command: Option<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its whole environment: nothing is inherited.
    pub env: BTreeMap<String, Text>,
    /// The folder that it starts in. Default: the cage's.
    pub cwd: Option<PathBuf>,
    /// The address of an HTTP server.
    pub url: Option<String>,
    /// Headers sent with each request, `authorization` excepted.
    pub headers: BTreeMap<String, Text>,
    /// The secret that goes into `authorization: Bearer …`, per tenant.
    pub auth: Option<SecretHandle>,
    /// Time for one call.
    pub timeout_seconds: u64,
    /// Time to start, shake hands and list the tools.
    pub start_timeout_seconds: u64,
    /// How long it may stand unused before it is stopped.
    pub idle_seconds: u64,
    /// Which of its tools there are.
    pub tools: Selection,
    /// What running a tool twice would mean. Default: `effect`.
    pub effect: BTreeMap<String, Effect>,
    /// The key in a call's `_meta` that carries the idempotency key. Without a place for the
    /// key no tool is idempotent.
    pub idempotency_meta: Option<String>,
    /// Whether its results count as our own words. They do not by default.
    pub trusted: bool,
    /// Whether `readOnlyHint` and `idempotentHint` are believed.
    pub trust_annotations: bool,
    /// Tools that ask once untrusted content is in the session.
    pub sensitive: Vec<String>,
    /// What becomes of the tools that a server shows at the very first contact.
    pub first_use: FirstUse,
    /// How long is waited after it died or did not start.
    pub restart: Restart,
    /// Bounds on what it sends.
    pub limits: Limits,
    /// The longest result shown to a model, in bytes.
    pub output_bytes_max: u64,
}

impl Default for ServerSettings {
    fn default() -> Self {
        ServerSettings {
            transport: None,
            command: None,
            args: Vec::new(),
            env: BTreeMap::new(),
            cwd: None,
            url: None,
            headers: BTreeMap::new(),
            auth: None,
            timeout_seconds: 60,
            start_timeout_seconds: 30,
            idle_seconds: 900,
            tools: Selection::default(),
            effect: BTreeMap::new(),
            idempotency_meta: None,
            trusted: false,
            trust_annotations: false,
            sensitive: Vec::new(),
            first_use: FirstUse::default(),
            restart: Restart::default(),
            limits: Limits::default(),
            output_bytes_max: 32_768,
        }
    }
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// A child process, a message a line.
    Stdio,
    /// Streamable HTTP.
    Http,
}

/// A text of the configuration, or the handle of a secret that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// As it stands.
    Plain(String),
    /// Resolved per tenant when it is used.
    Secret(SecretHandle),
}

/// The name of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretHandle {
    /// The handle.
    pub secret: String,
}

/// Which tools of a server there are. A name may end with `*`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Only these. Empty: all.
    pub allow: Vec<String>,
    /// Not these, whatever `allow` says.
    pub deny: Vec<String>,
}

impl Selection {
    /// Whether a tool is among them.
    #[must_use]
    pub fn has(&self, tool: &str) -> bool {
        let among = |names: &[String]| names.iter().any(|name| matches(name, tool));
        (self.allow.is_empty() || among(&self.allow)) && !among(&self.deny)
    }
}

fn matches(pattern: &str, tool: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == tool, |start| tool.starts_with(start))
}

/// What becomes of the tools that a server shows at the very first contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstUse {
    /// They are pinned as they are: whoever configured the server meant them.
    #[default]
    Pin,
    /// Somebody must accept each of them.
    Ask,
}

/// How long is waited after a server died or did not start: a doubling wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Restart {
    /// The wait after the first failure.
    pub base_ms: u64,
    /// The longest wait.
    pub wait_ms_max: u64,
    /// A server that ran so long is taken for sound again.
    pub steady_seconds: u64,
}

impl Default for Restart {
    fn default() -> Self {
        Restart { base_ms: 500, wait_ms_max: 60_000, steady_seconds: 60 }
    }
}

/// Bounds on what a server sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The longest message.
    pub message_bytes_max: usize,
    /// Bytes a second, all messages together; five seconds' worth may come at once.
    pub bytes_per_second_max: u64,
    /// Messages a second that nobody asked for; five seconds' worth may come at once.
    pub unasked_per_second_max: u64,
    /// Tools that a server may have.
    pub tools_max: usize,
    /// Calls under way at the same time; more of them wait.
    pub calls_at_once_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            message_bytes_max: 4 * 1024 * 1024,
            bytes_per_second_max: 16 * 1024 * 1024,
            unasked_per_second_max: 100,
            tools_max: 256,
            calls_at_once_max: 32,
        }
    }
}
