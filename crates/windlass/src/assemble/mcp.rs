//! MCP servers of an agent: asked before its first model call, so that its list of tools is
//! frozen with what they offer.

mod cage;
mod reach;

use std::sync::Arc;

use ::mcp::{Credentials, FilePins, Mcp, NoCredential, Outside, TenantTools, Text};
use anstream::eprintln;
use async_trait::async_trait;
use engine::ports::{Toolbox, World as _};
use kernel::agent::{EffectRule, ToolSpec};
use kernel::units::Tenant;
use owo_colors::OwoColorize;
use secrecy::SecretString;
use secrets::{Handle, Secrets};
use serde_json::json;

use super::web;
use crate::config::{AllowedTools, Config};
use crate::exit::BadUsage;
use crate::here::Here;
use crate::show;
use crate::world::Machine;

/// The folder of pins in the store's.
const PINS: &str = "mcp-pins";

/// The servers of an agent, as they were composed.
pub(super) struct Servers(Arc<TenantTools>);

impl Servers {
    /// Starts and asks the servers of a configuration; nothing where it has none. What does
    /// not work, and what is held back, is told to the person.
    pub(super) async fn compose(
        here: &Here,
        config: &Config,
        frozen: &[ToolSpec],
    ) -> anyhow::Result<Option<Self>> {
        if config.mcp.servers.0.is_empty() {
            return Ok(None);
        }
        let tools = TenantTools::compose(Arc::new(mcp(here, config)?), here.tenant.clone()).await;
        tell(&tools);
        Ok(Some(Servers(Arc::new(tools.with_frozen(frozen)))))
    }

    pub(super) fn toolbox(&self) -> Arc<dyn Toolbox> {
        self.0.clone()
    }

    /// The tools as agents are shown them.
    pub(super) fn specs(&self) -> Vec<ToolSpec> {
        self.0.specs()
    }
}

/// The servers of a configuration, with all that they need from outside. Nothing is started.
pub(super) fn mcp(here: &Here, config: &Config) -> anyhow::Result<Mcp> {
    let reach = Arc::new(reach::Reach::of(&config.mcp));
    let asked = reach.clone();
    let outside = Outside {
        spawn: Arc::new(cage::Cages::new(config.mcp.cages.clone())),
        credentials: Arc::new(Handles(web::secrets_where(uses_secrets(config), here)?)),
        pins: Arc::new(FilePins::new(std::path::absolute(&here.store)?.join(PINS))),
        check_address: Arc::new(move |url| asked.check(url)),
        resolver: Some(reach),
        on_stderr: Arc::new(|tenant, server, line| {
            tracing::debug!(tenant = tenant.0, server, "an MCP server says: {line}");
        }),
    };
    Mcp::new(&config.mcp.servers, outside).map_err(|mistakes| {
        let words: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        BadUsage(words.join("\n")).into()
    })
}

/// Whether any server gets a secret.
fn uses_secrets(config: &Config) -> bool {
    config.mcp.servers.0.values().any(|settings| {
        let mut texts = settings.env.values().chain(settings.headers.values());
        settings.auth.is_some() || texts.any(|text| matches!(text, Text::Secret(_)))
    })
}

/// Tools that the file allows and that only running servers can tell of, for a check that
/// starts none.
pub(super) fn promised(config: &Config) -> Vec<ToolSpec> {
    let AllowedTools::Named(allowed) = &config.allowed_tools else {
        return Vec::new();
    };
    let of_servers = allowed.iter().filter(|(name, _)| {
        name.split_once("__").is_some_and(|(server, _)| config.mcp.servers.0.contains_key(server))
    });
    let promised = of_servers.map(|(name, _)| ToolSpec {
        name: name.clone(),
        description: String::new(),
        input_schema: json!({"type": "object"}),
        effect: EffectRule::Always(kernel::agent::Effect::Effect),
        deadline_ms: 0,
        output_bytes_max: 0,
        untrusted: true,
        sensitive: false,
    });
    promised.collect()
}

/// Says what a person should know before the servers' tools are used.
fn tell(tools: &TenantTools) {
    let composed = tools.composed();
    let say = |words: String| eprintln!("{} {}", "mcp:".yellow(), show::harmless(&words));
    for (server, why) in &composed.down {
        say(format!("the server `{server}` is down: {why}"));
    }
    for held in &composed.held_back {
        let pin = held.pin.map(|pin| format!(" (pin {pin})")).unwrap_or_default();
        say(format!("`{}` of `{}` is not shown: {}{pin}", held.tool, held.server, held.why));
    }
    for (server, name) in &composed.unknown {
        say(format!("the file speaks of `{name}`, which the server `{server}` does not have"));
    }
}

/// Secrets by handle. A handle without a source is looked up in all of them.
struct Handles(Secrets);

#[async_trait]
impl Credentials for Handles {
    async fn resolve(
        &self,
        tenant: &Tenant,
        handle: &str,
        fresh: bool,
    ) -> Result<SecretString, NoCredential> {
        let missing = |why: String| NoCredential { handle: handle.to_owned(), why };
        let read = handle.parse().or_else(|_| format!("secret://{handle}").parse::<Handle>());
        let parsed = read.map_err(|error| missing(error.to_string()))?;
        let found = self.0.resolve(tenant, &parsed, Machine.now()).await;
        let mut found = found.map_err(|error| missing(error.to_string()))?;
        if fresh {
            let renewed = self.0.refresh(tenant, &parsed, &found.version, Machine.now()).await;
            found = renewed.map_err(|error| missing(error.to_string()))?;
        }
        let text = found.value.expose_text().map_err(|error| missing(error.to_string()))?;
        Ok(text.to_owned().into())
    }
}
