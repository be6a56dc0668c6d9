//! The agents of a service: each from its file, and what sessions of each work with.
//!
//! Files are read and checked when the service starts, so that a mistake is met there and
//! not by a caller. Outfits are made when a session first needs one, and kept by tenant and
//! frozen agent; sessions that were begun on the command line find theirs by its memo.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use async_trait::async_trait;
use engine::Engine;
use engine::ports::{Card, Cast, Outfit, Outfitter, Principal, Roster, Unfit, Wish};
use kernel::run::State;
use kernel::units::{ContentHash, Tenant};
use uuid::Uuid;

use super::memo::Memo;
use super::{Base, configure, mcp, scope, toolbox, web};
use crate::cli::{AgentArgs, ScopeArgs};
use crate::config::{self, Config, Kind};
use crate::exit::BadUsage;
use crate::here::Here;

/// Outfits that are kept at most. Beyond it they are all forgotten and made again.
const OUTFITS_MAX: usize = 1_024;

/// The folders beside the store where nothing else is said.
const AGENTS: &str = "agents";
const WORKSPACES: &str = "workspaces";

/// An agent's file.
struct Role {
    args: AgentArgs,
    config: Config,
    card: Card,
}

/// The agents of a service.
pub(crate) struct Troupe {
    here: Here,
    base: Base,
    roles: BTreeMap<String, Role>,
    workspaces: PathBuf,
    /// Folders that no session is let into: what is the service's own is in them.
    own: Vec<PathBuf>,
    outfits: Mutex<HashMap<(Tenant, ContentHash), Outfit>>,
}

impl Troupe {
    /// Reads the agents of a folder, and opens the store.
    ///
    /// # Errors
    /// Every mistake in a file, or two agents of one name.
    pub(crate) async fn gather(
        here: &Here,
        agents: Option<&Path>,
        workspaces: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let beside = |name: &str| here.store.parent().unwrap_or(Path::new("")).join(name);
        let folder = match agents {
            Some(folder) => Some(folder.to_owned()),
            None => Some(beside(AGENTS)).filter(|folder| folder.is_dir()),
        };
        let roles = match &folder {
            Some(folder) => read(here, folder)?,
            None => {
                let role = role(here, AgentArgs::default())?;
                BTreeMap::from([(role.card.agent.clone(), role)])
            }
        };
        let workspaces = workspaces.map_or_else(|| beside(WORKSPACES), Path::to_owned);
        let workspaces = std::path::absolute(workspaces)?;
        let base = Base::of(here, true).await?;
        let mut own = vec![workspaces.clone(), std::path::absolute(&here.store)?];
        own.extend(folder.map(std::path::absolute).transpose()?);
        let outfits = Mutex::default();
        Ok(Troupe { here: here.clone(), base, roles, workspaces, own, outfits })
    }

    /// The engine that reads and commands for all of them.
    pub(crate) fn engine(&self) -> Engine {
        self.base.engine.clone()
    }

    fn kept(&self, tenant: &Tenant, agent: ContentHash) -> Option<Outfit> {
        let outfits = self.outfits.lock().unwrap_or_else(PoisonError::into_inner);
        outfits.get(&(tenant.clone(), agent)).cloned()
    }

    fn keep(&self, tenant: &Tenant, agent: ContentHash, outfit: &Outfit) {
        let mut outfits = self.outfits.lock().unwrap_or_else(PoisonError::into_inner);
        if outfits.len() >= OUTFITS_MAX {
            outfits.clear();
        }
        outfits.insert((tenant.clone(), agent), outfit.clone());
    }

    async fn compose(&self, role: &Role, who: &Principal, wish: &Wish) -> Result<Cast, Unfit> {
        let (config, here) = (&role.config, self.here.for_whom(who));
        let wished =
            wish.workdir.as_deref().map(|wished| self.wished(&here, wished)).transpose()?;
        let servers = mcp::Servers::compose(&here, config, &[]).await.map_err(broken)?;
        let mut specs = toolbox::built_in(config);
        specs.extend(web::declared(config));
        specs.extend(servers.iter().flat_map(mcp::Servers::specs));
        let agent = config::agent(config, &specs).map_err(|why| broken(why.into()))?;
        let asked = ScopeArgs { task_type: wish.task_type.clone(), trust: wish.trust };
        let narrowed = scope::narrow(&here, config, agent, &asked);
        let (agent, scope, _words) = narrowed.map_err(|why| Unfit::Refused(why.to_string()))?;
        let agent = agent.freeze();
        let outfit = match self.kept(&who.tenant, agent.hash) {
            Some(outfit) => outfit,
            None => self.base.outfit(&here, config, servers.as_ref()).map_err(broken)?,
        };
        self.keep(&who.tenant, agent.hash, &outfit);
        let memo = Memo::of(&role.args).and_then(|memo| memo.keep(&here.store, &agent.hash));
        memo.map_err(broken)?;
        let workdir = wished.map_or_else(|| self.new_workdir(), Ok)?;
        Ok(Cast { agent, scope, workdir, outfit })
    }

    /// A new folder for a session.
    fn new_workdir(&self) -> Result<String, Unfit> {
        let folder = self.workspaces.join(Uuid::now_v7().to_string());
        let made = std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make `{}`", folder.display()));
        made.map_err(broken)?;
        let words = folder.to_str().map(str::to_owned);
        words.ok_or_else(|| Unfit::Broken("the workspaces' path is not UTF-8".to_owned()))
    }

    /// A folder that a caller names. On a machine that others call, it must have been meant
    /// for them: a root admits it, and nothing of the service's own lies in or around it.
    fn wished(&self, here: &Here, wished: &str) -> Result<String, Unfit> {
        if here.permits.scopes.roots.is_empty() {
            return Err(Unfit::Refused(
                "no `roots` are configured here, so that every session has a folder of its own\n\
                 leave out `workdir`"
                    .to_owned(),
            ));
        }
        let unusable = || Unfit::Refused(format!("cannot work in `{wished}`"));
        // Its links are resolved once, so that what is admitted is what is used.
        let folder = Path::new(wished).canonicalize().map_err(|_| unusable())?;
        let words = folder.to_str().map(str::to_owned).ok_or_else(unusable)?;
        scope::admit(here, &words).map_err(|why| Unfit::Refused(why.to_string()))?;
        let resolved = |own: &PathBuf| own.canonicalize().unwrap_or_else(|_| own.clone());
        let mut own = self.own.iter().map(resolved);
        if own.any(|own| folder.starts_with(&own) || own.starts_with(&folder)) {
            return Err(Unfit::Refused(format!(
                "`{wished}` holds what is the service's own, or lies in it\nname another folder"
            )));
        }
        Ok(words)
    }

    async fn equip(&self, tenant: &Tenant, state: &State) -> anyhow::Result<Outfit> {
        let opening = state.opening.as_ref().context("the session was never opened")?;
        let scope = opening.scope.clone().unwrap_or_default();
        let here = self.here.for_whom(&Principal {
            tenant: tenant.clone(),
            user: opening.user.clone(),
            role: scope.role,
            labels: opening.labels.clone(),
            agent: None,
        });
        let memo = Memo::find(&here.store, &state.agent_hash)?;
        let known = self.roles.get(&state.agent.agent_id);
        let mut config = match known {
            // A session of the command line may have had another model for the same name.
            Some(role) if memo == Memo::default() && role.config.model == state.agent.model => {
                role.config.clone()
            }
            Some(_) | None => {
                let model = memo.model.clone().unwrap_or_else(|| state.agent.model.clone());
                configure(&AgentArgs { agent: memo.file, model: Some(model), workdir: None })?
            }
        };
        config.model.clone_from(&state.agent.model);
        let servers = mcp::Servers::compose(&here, &config, &state.agent.tools).await?;
        self.base.outfit(&here, &config, servers.as_ref())
    }

    /// Whether a session may still work where it works. Folders of our own need no root.
    fn still_admits(&self, workdir: &str) -> anyhow::Result<()> {
        if Path::new(workdir).starts_with(&self.workspaces) {
            return Ok(());
        }
        scope::admit(&self.here, workdir)
    }
}

#[async_trait]
impl Outfitter for Troupe {
    async fn outfit(&self, state: &State) -> Result<Outfit, Unfit> {
        let tenant = state.opening.as_ref().map(|opening| opening.tenant.clone());
        let tenant = tenant.unwrap_or_default();
        let workdir = state.opening.as_ref().and_then(|opening| opening.workdir.as_deref());
        workdir.map_or(Ok(()), |workdir| self.still_admits(workdir)).map_err(broken)?;
        if let Some(outfit) = self.kept(&tenant, state.agent_hash) {
            return Ok(outfit);
        }
        let outfit = self.equip(&tenant, state).await.map_err(broken)?;
        self.keep(&tenant, state.agent_hash, &outfit);
        Ok(outfit)
    }
}

#[async_trait]
impl Roster for Troupe {
    fn cards(&self) -> Vec<Card> {
        self.roles.values().map(|role| role.card.clone()).collect()
    }

    async fn cast(&self, who: &Principal, wish: &Wish) -> Result<Cast, Unfit> {
        let Some(role) = self.roles.get(&wish.agent) else {
            let names: Vec<&str> = self.roles.keys().map(String::as_str).collect();
            let words =
                format!("there is no agent `{}`; there are: {}", wish.agent, names.join(", "));
            return Err(Unfit::Unknown(words));
        };
        self.compose(role, who, wish).await
    }
}

fn broken(error: anyhow::Error) -> Unfit {
    Unfit::Broken(crate::words_of(&error))
}

/// Every agent of a folder, by name.
fn read(here: &Here, folder: &Path) -> anyhow::Result<BTreeMap<String, Role>> {
    let listed = std::fs::read_dir(folder);
    let listed = listed.map_err(|why| {
        BadUsage(format!("cannot read the agents in `{}`: {why}", folder.display()))
    })?;
    let mut files = listed.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.retain(|file| {
        let ending = file.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| ["yaml", "yml"].contains(&ending)) && file.is_file()
    });
    files.sort();
    let mut roles: BTreeMap<String, Role> = BTreeMap::new();
    for file in files {
        // Price lists and policies may lie beside agents.
        match config::kind_of(&file)? {
            Kind::Agent => {}
            Kind::Installation | Kind::Policy | Kind::Question | Kind::Prices => continue,
        }
        let role = role(here, AgentArgs { agent: Some(file.clone()), ..AgentArgs::default() })?;
        if let Some(other) = roles.insert(role.card.agent.clone(), role) {
            let other = other.args.agent.unwrap_or_default();
            return Err(BadUsage(format!(
                "`{}` and `{}` have one `agent_id`\ngive each agent its own",
                other.display(),
                file.display()
            ))
            .into());
        }
    }
    if roles.is_empty() {
        let words = format!("there is no agent's file (`*.yaml`) in `{}`", folder.display());
        return Err(BadUsage(words).into());
    }
    Ok(roles)
}

/// An agent from its file, checked as `windlass config check` does.
fn role(here: &Here, args: AgentArgs) -> anyhow::Result<Role> {
    let (config, tools) = match &args.agent {
        Some(file) => super::check(file, &here.catalog)?,
        None => {
            let config = configure(&args)?;
            let agent = config::agent(&config, &toolbox::built_in(&config))?;
            (config, agent.tools.into_iter().map(|tool| tool.name).collect())
        }
    };
    let card = Card {
        agent: config.agent_id.clone(),
        model: config.model.clone(),
        tools,
        trust: config.trust,
    };
    Ok(Role { args, config, card })
}
