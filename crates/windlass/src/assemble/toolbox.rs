//! The tools of an agent: what its file and the installation make of them.

use std::path::Path;
use std::sync::Arc;

use engine::ports::Toolbox;
use kernel::agent::ToolSpec;
use sandbox::Probe;
use tools::{Bash, Builtin, Guarded, SearchEngine, Secret as Key, Settings};

use super::mcp::Servers;
use super::{environment, web};
use crate::config::{self, Config, WebSearch};
use crate::exit::BadUsage;
use crate::here::Here;

/// Every tool there is, as agents are shown them.
pub(crate) fn known_tools() -> Vec<ToolSpec> {
    tools::all_specs()
}

/// The built-in tools as an agent's file has them.
pub(super) fn built_in(config: &Config) -> Vec<ToolSpec> {
    tools::specs_with(&bash(config))
}

/// All tools of an agent, guarded: built in, declared in its file, and of its servers.
pub(super) fn toolbox(
    here: &Here,
    config: &Config,
    servers: Option<&Servers>,
) -> anyhow::Result<Arc<dyn Toolbox>> {
    let settings = settings(&here.store, config)?;
    let mut boxes: Vec<Arc<dyn Toolbox>> = vec![Arc::new(Builtin::new(settings))];
    boxes.extend(web::toolboxes(here, config)?);
    boxes.extend(servers.map(Servers::toolbox));
    let guarded = Guarded::new(boxes).map_err(|doubled| BadUsage(doubled.to_string()))?;
    Ok(Arc::new(guarded))
}

fn settings(store: &Path, config: &Config) -> anyhow::Result<Settings> {
    let absolute = std::path::absolute(store)?;
    let search = config.tools.web_search.as_ref().map(search).transpose()?;
    Ok(Settings {
        notes_dir: config.tools.notes_dir.clone(),
        state_dir: absolute,
        weather_base_url: config.tools.weather_base_url.clone(),
        weather_geocoding_url: config.tools.weather_geocoding_url.clone(),
        search,
        web_fetch: config.tools.web_fetch.clone(),
        bash: bash(config),
        ..Settings::default()
    })
}

/// Who searches the web, with the key from the environment.
fn search(given: &WebSearch) -> anyhow::Result<SearchEngine> {
    let key = || {
        let name = given.key_env.as_deref().unwrap_or_default();
        let key = environment(name).filter(|key| !key.trim().is_empty());
        key.map(Key::new).ok_or_else(|| {
            BadUsage(format!("web search needs a key in the environment variable `{name}`"))
        })
    };
    let base_url = given.base_url.clone();
    Ok(match given.engine {
        config::SearchEngine::Brave => SearchEngine::Brave { key: key()?, base_url },
        config::SearchEngine::Tavily => SearchEngine::Tavily { key: key()?, base_url },
        config::SearchEngine::Searxng => {
            SearchEngine::Searxng { base_url: base_url.unwrap_or_default() }
        }
    })
}

/// What the shell is granted.
fn bash(config: &Config) -> Bash {
    config.tools.bash.clone().unwrap_or_default()
}

/// Whether commands could run in the present folder with what a file grants them, on a
/// machine like this.
///
/// # Errors
/// What the machine cannot enforce.
pub(crate) fn shell_runs(config: &Config, probe: &Probe) -> Result<(), String> {
    tools::shell_runs(&bash(config), probe, Path::new("."))
}
