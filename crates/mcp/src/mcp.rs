//! All servers of all tenants, as one set of tools.

mod run;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine::ports::ToolCall;
use futures::future::join_all;
use kernel::agent::{Effect, EffectRule, ToolSpec};
use kernel::units::Tenant;

use crate::examined::Decided;
use crate::link::{Link, Ready};
use crate::listing::{HeldBack, Listed};
use crate::name::{exposed, server_of};
use crate::outside::Outside;
use crate::pin::{Pin, Pinned};
use crate::settings::{Mistake, Reach, Server, Servers};
use crate::tool::Standing;

/// Servers of tenants that are known at the same time, running or not.
const LINKS_MAX: usize = 1_024;

/// The tools of all MCP servers. One client per server and tenant serves all sessions.
pub struct Mcp {
    servers: BTreeMap<String, Arc<Server>>,
    outside: Outside,
    links: Mutex<BTreeMap<(String, Tenant), Arc<Link>>>,
    decided: Mutex<Decided>,
}

/// The tools that a tenant has now.
#[derive(Clone, Debug, Default)]
pub struct Composed {
    /// Tools for models, in the order of their names.
    pub offers: Vec<Offer>,
    /// Tools that are not shown, and why.
    pub held_back: Vec<HeldBack>,
    /// Servers that do not work, and why.
    pub down: Vec<(String, String)>,
    /// Servers and names of tools that the configuration speaks of and they do not have.
    pub unknown: Vec<(String, String)>,
}

/// One tool for models.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// As a session freezes it.
    pub spec: ToolSpec,
    /// The server.
    pub server: String,
    /// The tool's own name.
    pub tool: String,
    /// Whether it must not run on untrusted words.
    pub sensitive: bool,
    /// Whether its results are foreign words.
    pub untrusted: bool,
}

/// One tool as a person sees it who decides about its pin.
#[derive(Clone, Debug, PartialEq)]
pub struct Reviewed {
    /// The server.
    pub server: String,
    /// The tool's own name.
    pub tool: String,
    /// The name that models use.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
    /// Its pin now.
    pub pin: Pin,
    /// What it says now. Foreign words.
    pub description: String,
}

impl std::fmt::Debug for Mcp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mcp").field("servers", &self.servers.keys()).finish_non_exhaustive()
    }
}

impl Mcp {
    /// The servers of a configuration. Nothing is started.
    ///
    /// # Errors
    /// Every mistake in the configuration.
    pub fn new(servers: &Servers, outside: Outside) -> Result<Self, Vec<Mistake>> {
        Ok(Mcp {
            servers: servers.check()?,
            outside,
            links: Mutex::default(),
            decided: Mutex::default(),
        })
    }

    /// The tools that a tenant's new session may have, as the servers tell them now. Starts
    /// what does not run; each server has its own time limit, and one that is down does not
    /// keep the others.
    pub async fn compose(&self, tenant: &Tenant) -> Composed {
        let mut composed = Composed::default();
        for (server, ready) in self.all_ready(tenant).await {
            match ready {
                Err(why) => composed.down.push((server.name.clone(), why)),
                Ok(ready) => {
                    composed.held_back.extend(ready.listing.held_back(&server.name));
                    let unknown = ready.listing.unknown(&server).into_iter();
                    composed.unknown.extend(unknown.map(|tool| (server.name.clone(), tool)));
                    let tools = ready.listing.tools.iter();
                    let accepted = tools.filter(|(_, t)| t.standing == Standing::Accepted);
                    composed.offers.extend(accepted.map(|(name, tool)| offer(&server, name, tool)));
                }
            }
        }
        composed.offers.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
        composed
    }

    /// Every tool that could be shown, with its standing, and the servers that are down.
    pub async fn review(&self, tenant: &Tenant) -> (Vec<Reviewed>, Vec<(String, String)>) {
        let (mut reviewed, mut down) = (Vec::new(), Vec::new());
        for (server, ready) in self.all_ready(tenant).await {
            match ready {
                Err(why) => down.push((server.name.clone(), why)),
                Ok(ready) => {
                    reviewed.extend(ready.listing.tools.iter().map(|(name, listed)| Reviewed {
                        server: server.name.clone(),
                        tool: listed.tool.name.clone(),
                        name: name.clone(),
                        standing: listed.standing,
                        pin: listed.tool.pin,
                        description: listed.tool.description.clone(),
                    }));
                }
            }
        }
        (reviewed, down)
    }

    /// Accepts what a tool says now. `pin` is what the deciding person saw.
    ///
    /// # Errors
    /// Words for that person: there is no such tool, or it says something else by now.
    pub async fn accept(&self, tenant: &Tenant, name: &str, pin: Pin) -> Result<(), String> {
        let link = self.link(tenant, name)?;
        let ready = link.ready().await?;
        let Some(listed) = ready.listing.tools.get(name) else {
            return Err(format!("the server `{}` has no tool `{name}`", link.server.name));
        };
        if listed.tool.pin != pin {
            return Err(format!(
                "`{name}` has the pin {} by now, and not {pin}\nlook at it again",
                listed.tool.pin
            ));
        }
        let accepted = Pinned { accepted: Some(pin), asked: None };
        let tools = [(listed.tool.name.clone(), accepted)].into();
        let kept = self.outside.pins.keep(tenant, &link.server.name, tools).await;
        kept.map_err(|error| error.to_string())?;
        link.look_again().await;
        Ok(())
    }

    /// Whether a name for models belongs to one of these servers.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        server_of(name).is_some_and(|server| self.servers.contains_key(server))
    }

    /// Whether a tool is marked as one that must not run on untrusted words. Known without
    /// asking its server.
    #[must_use]
    pub fn is_sensitive(&self, name: &str) -> bool {
        self.server(name).is_some_and(|server| {
            let mut marked = server.settings.sensitive.iter();
            marked.any(|tool| exposed(&server.name, tool) == name)
        })
    }

    /// Whether a tool's results are foreign words.
    #[must_use]
    pub fn is_untrusted(&self, name: &str) -> bool {
        self.server(name).is_none_or(|server| !server.settings.trusted)
    }

    /// Stops every server, and waits until all are gone.
    pub async fn close(&self) {
        let links = std::mem::take(&mut *self.links.lock().unwrap_or_else(PoisonError::into_inner));
        join_all(links.values().map(|link| link.close())).await;
    }

    async fn all_ready(&self, tenant: &Tenant) -> Vec<(Arc<Server>, Result<Ready, String>)> {
        let each = self.servers.values().map(|server| async move {
            let ready = match self.link_of(tenant, server) {
                Ok(link) => link.ready_anew().await,
                Err(why) => Err(why),
            };
            (server.clone(), ready)
        });
        join_all(each).await
    }

    fn server(&self, name: &str) -> Option<&Arc<Server>> {
        self.servers.get(server_of(name)?)
    }

    fn link(&self, tenant: &Tenant, name: &str) -> Result<Arc<Link>, String> {
        match self.server(name) {
            Some(server) => self.link_of(tenant, server),
            None => Err(format!("no server of the configuration has a tool `{name}`")),
        }
    }

    fn link_of(&self, tenant: &Tenant, server: &Arc<Server>) -> Result<Arc<Link>, String> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (server.name.clone(), tenant.clone());
        if !links.contains_key(&key) && links.len() >= LINKS_MAX {
            links.retain(|_, link| !link.is_at_rest());
            if links.len() >= LINKS_MAX {
                return Err(format!("more than {LINKS_MAX} servers of tenants are in use"));
            }
        }
        let new = || Link::new(server.clone(), tenant.clone(), self.outside.clone());
        Ok(links.entry(key).or_insert_with(new).clone())
    }
}

fn offer(server: &Server, name: &str, listed: &Listed) -> Offer {
    let (settings, tool) = (&server.settings, &listed.tool);
    // The engine's deadline is the last resort: a start and the call both end before it.
    let seconds = settings.timeout_seconds + 2 * settings.start_timeout_seconds + 5;
    Offer {
        spec: ToolSpec {
            name: name.to_owned(),
            description: tool.description.clone(),
            input_schema: tool.input_schema.clone(),
            effect: EffectRule::Always(tool.effect(settings)),
            deadline_ms: seconds * 1_000,
            output_bytes_max: settings.output_bytes_max,
            untrusted: !settings.trusted,
            sensitive: settings.sensitive.contains(&tool.name),
        },
        server: server.name.clone(),
        tool: tool.name.clone(),
        sensitive: settings.sensitive.contains(&tool.name),
        untrusted: !settings.trusted,
    }
}

/// The host that a call would reach, for servers that are reached over the network.
fn host(server: &Server) -> Option<String> {
    match &server.reach {
        Reach::Stdio { .. } => None,
        Reach::Http { url } => url.host_str().map(str::to_owned),
    }
}

/// The class of a call, as frozen with its session.
fn class(call: &ToolCall) -> Effect {
    call.spec.effect_of(&call.arguments)
}
