//! Where concrete parts meet: the one file that names them.
//!
//! A session remembers, beside its store, which agent's file it was begun with, so that
//! it can be resumed without naming the file again. Keys are never written down: only
//! the names of the variables that hold them.

mod change;
mod keys;
mod mcp;
mod memo;
mod model;
mod redaction;
mod roster;
mod scope;
mod toolbox;
mod web;

pub(crate) use change::tell as tell_of_change;
pub(crate) use model::{PriceOf, prices, script};
pub(crate) use roster::Troupe;
pub(crate) use scope::admit;
pub(crate) use toolbox::{known_tools, shell_runs};

use std::path::Path;
use std::sync::Arc;

use engine::Engine;
use engine::alerts::Subscriptions;
use engine::circuits::Circuits;
use engine::ports::{Dispatch, Outfit, Store, Toolbox, World as _};
use engine::tap::Tap;
use kernel::agent::Frozen;
use kernel::event::SessionScope;
use kernel::units::{SessionId, UnixMs};
use models::catalog::Catalog;
use models::chain::Gates;
use models::simulated::InProcess;
use models::simulated::planner::Planner;
use owo_colors::OwoColorize;
use stores::dispatch::local::Local;
use stores::postgres::{self, Postgres};
use stores::sealing::Sealing;
use stores::sqlite::{Options, Sqlite};
use tools::Guarded;
use webhooks::{Hook, Secret, Webhooks};

use crate::cli::{AgentArgs, ScopeArgs};
use crate::config::{self, Config, Provider, Webhook};
use crate::exit::BadUsage;
use crate::here::{Database, Here};
use crate::world::Machine;
use memo::Memo;

/// The database inside the store's folder.
const DATABASE: &str = "windlass.db";

/// The model where neither a file, a flag nor a key says which.
const DEFAULT_SIMULATED: &str = "planner";

/// The model where only a key is there.
const DEFAULT_CLAUDE: &str = "claude-sonnet-5-5";

/// An engine with an agent to begin sessions with.
pub(crate) struct Assembled {
    pub(crate) engine: Engine,
    pub(crate) agent: Frozen,
    /// What its sessions are composed for.
    pub(crate) scope: SessionScope,
    /// Who will answer, and what a person should know of the scope: a line each.
    pub(crate) words: Vec<String>,
}

/// The agent that the arguments name, narrowed to what a session gets here, on a store
/// that is made if it is not there.
///
/// Its servers are asked first: what they offer is frozen with it.
pub(crate) async fn agent(
    here: &Here,
    args: &AgentArgs,
    asked: &ScopeArgs,
) -> anyhow::Result<Assembled> {
    let config = configure(args)?;
    let servers = mcp::Servers::compose(here, &config, &[]).await?;
    let mut specs = toolbox::built_in(&config);
    specs.extend(web::declared(&config));
    specs.extend(servers.iter().flat_map(mcp::Servers::specs));
    let agent = config::agent(&config, &specs)?;
    let (agent, scope, narrowed) = scope::narrow(here, &config, agent, asked)?;
    let agent = agent.freeze();
    let engine = engine(here, &config, servers.as_ref(), true).await?;
    Memo::of(args)?.keep(&here.store, &agent.hash)?;
    tell_of_change(here, &engine).await?;
    let words = std::iter::once(label(&config)).chain(narrowed).collect();
    Ok(Assembled { engine, agent, scope, words })
}

/// The engine for a session that is there: with the agent's file that the arguments
/// name, or the one that the session was begun with.
pub(crate) async fn for_session(
    here: &Here,
    session: SessionId,
    args: &AgentArgs,
) -> anyhow::Result<Engine> {
    let reader = reader(here).await?;
    let state = reader.state(&here.tenant, session).await?;
    let workdir = state.opening.as_ref().and_then(|opening| opening.workdir.as_deref());
    workdir.map_or(Ok(()), |workdir| admit(here, workdir))?;
    tell_of_change(here, &reader).await?;
    let memo = match &args.agent {
        Some(_) => Memo::of(args)?,
        None => Memo::find(&here.store, &state.agent_hash)?,
    };
    let model = memo.model.clone().unwrap_or_else(|| state.agent.model.clone());
    let args = AgentArgs { agent: memo.file, model: Some(model), workdir: None };
    let mut config = configure(&args)?;
    config.model.clone_from(&state.agent.model);
    let servers = mcp::Servers::compose(here, &config, &state.agent.tools).await?;
    engine(here, &config, servers.as_ref(), false).await
}

/// An engine for looking: it can read and command, and would call no provider.
pub(crate) async fn reader(here: &Here) -> anyhow::Result<Engine> {
    let config = config::default_agent(DEFAULT_SIMULATED, Provider::Planner);
    engine(here, &config, None, false).await
}

/// An engine for commands that keep something before there was any session.
pub(crate) async fn keeper(here: &Here) -> anyhow::Result<Engine> {
    let config = config::default_agent(DEFAULT_SIMULATED, Provider::Planner);
    engine(here, &config, None, true).await
}

/// The tools, with the settings of an agent's file if one is named.
pub(crate) async fn toolbox(here: &Here, file: Option<&Path>) -> anyhow::Result<Arc<dyn Toolbox>> {
    let args = AgentArgs { agent: file.map(Path::to_owned), ..AgentArgs::default() };
    let config = match file {
        Some(_) => configure(&args)?,
        None => config::default_agent(DEFAULT_SIMULATED, Provider::Planner),
    };
    let servers = mcp::Servers::compose(here, &config, &[]).await?;
    toolbox::toolbox(here, &config, servers.as_ref())
}

/// The MCP servers of an agent's file, to look at them. None is started yet.
pub(crate) fn servers(here: &Here, file: &Path) -> anyhow::Result<::mcp::Mcp> {
    let config = config::load(file, &environment)?;
    if config.mcp.servers.0.is_empty() {
        let words = format!("`{}` names no `mcp_servers`", file.display());
        return Err(BadUsage(words).into());
    }
    mcp::mcp(here, &config)
}

/// Checks an agent's file without opening anything: what it says, and the tools that it
/// gives.
pub(crate) fn check(file: &Path, catalog: &Catalog) -> anyhow::Result<(Config, Vec<String>)> {
    let config = config::load(file, &environment)?;
    let mut specs = toolbox::built_in(&config);
    specs.extend(web::declared(&config).chain(mcp::promised(&config)));
    let agent = config::agent(&config, &specs)?;
    if let Some(words) = unpriced(file, &config, catalog) {
        return Err(BadUsage(words).into());
    }
    model::check_names(&config, catalog, Machine.now())?;
    let names = agent.tools.iter().map(|tool| tool.name.clone()).collect();
    Ok((config, names))
}

/// L13: with a budget and without a price every run would be refused at the door.
fn unpriced(file: &Path, config: &Config, catalog: &Catalog) -> Option<String> {
    let model = model::prices(config, catalog).into_iter().find(|one| one.from.is_none())?.model;
    config.budget.is_some().then(|| {
        let near = catalog.nearest(model);
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!(
            "`{}`: model `{model}` has no price, and its runs have a budget\n\
             give its `price`, or take the cap away with `budget_usd: none`{near}",
            file.display()
        )
    })
}

/// The configuration that the arguments come to.
fn configure(args: &AgentArgs) -> anyhow::Result<Config> {
    let here = Path::new("");
    let config = match &args.agent {
        Some(file) => config::load(file, &environment)?,
        None => {
            let model = args.model.as_deref().unwrap_or_else(|| default_model());
            let provider = provider_of(model, here)?;
            config::default_agent(model, provider)
        }
    };
    match &args.model {
        Some(model) => {
            config.with_model(model, here).map_err(|why| BadUsage(why.to_string()).into())
        }
        None => Ok(config),
    }
}

fn provider_of(model: &str, folder: &Path) -> anyhow::Result<Provider> {
    Provider::of_model(model, folder).ok_or_else(|| {
        BadUsage(format!(
            "nobody here answers for the model `{model}`\n\
             say who does in an agent's file: `provider: {{kind: openai, base_url: …}}`"
        ))
        .into()
    })
}

fn default_model() -> &'static str {
    let key = environment(config::ANTHROPIC_KEY_ENV).filter(|key| !key.trim().is_empty());
    if key.is_some() { DEFAULT_CLAUDE } else { DEFAULT_SIMULATED }
}

pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

async fn engine(
    here: &Here,
    config: &Config,
    servers: Option<&mcp::Servers>,
    make: bool,
) -> anyhow::Result<Engine> {
    let base = Base::of(here, make).await?;
    let outfit = base.outfit(here, config, servers)?;
    Ok(base.engine.with(outfit))
}

/// What all sessions of a process share.
struct Base {
    /// An engine that can read and command; its planner has no tools.
    engine: Engine,
    shared: model::Shared,
}

impl Base {
    async fn of(here: &Here, make: bool) -> anyhow::Result<Self> {
        let world = Arc::new(Machine);
        let tap = Tap::default();
        let circuits = Circuits::new(tap.clone());
        let shared = model::Shared {
            catalog: here.catalog.clone(),
            circuits: circuits.clone(),
            gates: Gates::default(),
            world: Arc::clone(&world) as Arc<_>,
        };
        let (store, dispatch) = open(here, make).await?;
        let engine = Engine {
            store,
            dispatch,
            model: Arc::new(InProcess::new(Planner)),
            toolbox: Arc::new(Guarded::new(Vec::new())?),
            world,
            plans: Arc::new(here.caps.plans.clone()),
            subscriptions: Arc::new(subscriptions(here)),
            policy: Arc::clone(&here.policies) as Arc<_>,
            redact: redaction::redactor(&here.redaction),
            tap,
            circuits,
        };
        Ok(Base { engine, shared })
    }

    /// What sessions of an agent work with.
    fn outfit(
        &self,
        here: &Here,
        config: &Config,
        servers: Option<&mcp::Servers>,
    ) -> anyhow::Result<Outfit> {
        let model = model::assemble(config, &self.shared)?;
        let toolbox = toolbox::toolbox(here, config, servers)?;
        Ok(Outfit { model, toolbox })
    }
}

/// Who is told of what, and at which parts of caps.
fn subscriptions(here: &Here) -> Subscriptions {
    Subscriptions {
        warn_at_permille: here.caps.warn_at_permille.clone(),
        subscribers: here.webhooks.iter().map(|one| one.subscriber.clone()).collect(),
    }
}

/// The webhooks, with their secrets from the environment.
pub(crate) fn webhooks(here: &Here) -> anyhow::Result<Webhooks> {
    let hooks: anyhow::Result<Vec<Hook>> = here.webhooks.iter().map(hook).collect();
    Ok(Webhooks::new(hooks?)?)
}

fn hook(given: &Webhook) -> anyhow::Result<Hook> {
    let name = &given.subscriber.name;
    let secret = |variable: &String| {
        let text = environment(variable).ok_or_else(|| {
            BadUsage(format!(
                "the webhook `{name}` needs its secret in the environment variable `{variable}`"
            ))
        })?;
        Secret::read(&text).map_err(|why| BadUsage(format!("`{variable}`: {why}")))
    };
    Ok(Hook {
        name: name.clone(),
        url: webhooks::address(&given.url)?,
        secret: given.secret_env.as_ref().map(secret).transpose()?,
        shape: given.shape,
    })
}

/// The present instant.
pub(crate) fn now() -> UnixMs {
    Machine.now()
}

/// Opens the store, which seals what people wrote where there is a key, with the way of
/// nudges beside it. A file is made only where something is going to be kept.
async fn open(here: &Here, make: bool) -> anyhow::Result<(Arc<dyn Store>, Arc<dyn Dispatch>)> {
    let (store, dispatch): (Arc<dyn Store>, Arc<dyn Dispatch>) = match &here.database {
        Some(Database { url, ca_file }) => {
            let options = postgres::Options { ca_file: ca_file.clone(), ..Default::default() };
            let store = Postgres::open(url, options).await?;
            let nudges = store.nudges();
            (Arc::new(store), Arc::new(nudges))
        }
        None => (Arc::new(file(here, make)?), Arc::new(Local::default())),
    };
    Ok((Arc::new(Sealing::new(store, keys::ring(here)?)), dispatch))
}

/// The store in one file.
fn file(here: &Here, make: bool) -> anyhow::Result<Sqlite> {
    let store = &here.store;
    let database = store.join(DATABASE);
    if !make && !database.exists() {
        let words = format!(
            "there is no store in `{}`\n`windlass run \"…\"` makes one; `--store DIR` names another",
            store.display()
        );
        return Err(BadUsage(words).into());
    }
    Ok(Sqlite::open(&database, Options::default())?)
}

/// One line about who answers, so that nobody takes a simulated model for a real one.
fn label(config: &Config) -> String {
    let simulated = |what: &str| format!("{} {what}", "simulated:".yellow());
    match &config.provider {
        Provider::Planner => simulated(
            "the planner answers by rules, it is no language model; \
             set ANTHROPIC_API_KEY to use Claude",
        ),
        Provider::Script { path } => {
            simulated(&format!("answers are read from {}; no language model", path.display()))
        }
        Provider::Anthropic { .. } | Provider::OpenAi { .. } => {
            let cap = config.budget.map_or_else(
                || "no cost cap".to_owned(),
                |budget| format!("at most {budget} for this run"),
            );
            let fallbacks = config.fallbacks.iter().map(|one| format!(", or else {}", one.model));
            let fallbacks: String = fallbacks.collect();
            format!("{} answers{fallbacks}; {cap}", config.model).dimmed().to_string()
        }
    }
}
