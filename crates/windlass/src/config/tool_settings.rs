//! The section `tools`: settings of single tools. Which tools an agent may call is said
//! in `allowed_tools`, not here.

mod bash;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tools::{Bash, SqlDatabase};

use super::expect::{Keys, Reader, Section};
use super::provider::optional;
use super::yaml::{Entry, Value};
use super::{databases, web_settings};

/// Settings of single tools. What is `None` is left to the tool's own default.
#[derive(Clone, Debug, Default)]
pub(crate) struct ToolSettings {
    /// Where notes are kept; a relative path starts at the working directory.
    pub(crate) notes_dir: Option<PathBuf>,
    /// The weather service's address.
    pub(crate) weather_base_url: Option<String>,
    /// The address that turns a place's name into coordinates.
    pub(crate) weather_geocoding_url: Option<String>,
    /// Who searches the web. `None`: nobody, and the tool says so.
    pub(crate) web_search: Option<WebSearch>,
    /// What the shell is granted. `None`: nothing, so that every command asks.
    pub(crate) bash: Option<Bash>,
    /// Where pages may be fetched from. `None`: nowhere, and the tool says so.
    pub(crate) web_fetch: Option<guard::url::Policy>,
    /// Databases that may be asked. None: there is no tool that asks.
    pub(crate) databases: BTreeMap<String, SqlDatabase>,
}

/// Who searches the web.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebSearch {
    /// The service.
    pub(crate) engine: SearchEngine,
    /// Another server than the vendor's own. Always there for SearXNG, which has none.
    pub(crate) base_url: Option<String>,
    /// The environment variable that holds the key. `None`: no key is sent.
    pub(crate) key_env: Option<String>,
}

/// A search service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SearchEngine {
    /// Brave Search.
    Brave,
    /// Tavily.
    Tavily,
    /// A SearXNG server of one's own.
    Searxng,
}

const TOOLS: Keys = Keys {
    of: "`tools`",
    known: &["notes", "weather", "web_search", "web_fetch", "bash", "sql_query"],
    required: &[],
};
const NOTES: Keys = Keys { of: "`tools.notes`", known: &["dir"], required: &[] };
const WEATHER: Keys =
    Keys { of: "`tools.weather`", known: &["base_url", "geocoding_url"], required: &[] };
const WEB_SEARCH: Keys = Keys {
    of: "`tools.web_search`",
    known: &["engine", "base_url", "key_env"],
    required: &["engine"],
};

/// Reads the section `tools`, which may be missing.
pub(super) fn read(
    reader: &mut Reader,
    entry: Option<&Entry>,
    folder: &Path,
) -> Option<ToolSettings> {
    let Some(entry) = entry else {
        return Some(ToolSettings::default());
    };
    let here = entry.key_span.clone();
    if let Value::List(_) = entry.value.value {
        let words = "`tools` holds settings of single tools, this is a list";
        return reader.wrong(here, words, "to say what the agent may call, use `allowed_tools`");
    }
    let tools = reader.section(&entry.value, here, &TOOLS)?;
    let notes_dir = part(reader, &tools, "notes", &NOTES)
        .and_then(|notes| optional(notes.get("dir"), |entry| reader.text(entry)).flatten());
    let weather = part(reader, &tools, "weather", &WEATHER);
    let mut weather_url = |key: &str| {
        let entry = weather.as_ref().and_then(|weather| weather.get(key));
        optional(entry, |entry| reader.address(entry)).flatten()
    };
    let weather_base_url = weather_url("base_url");
    let weather_geocoding_url = weather_url("geocoding_url");
    let web_search = part(reader, &tools, "web_search", &WEB_SEARCH)
        .and_then(|section| web_search(reader, &section, tools.get("web_search")));
    let bash =
        part(reader, &tools, "bash", &bash::BASH).and_then(|section| bash::read(reader, &section));
    let web_fetch = optional(tools.get("web_fetch"), |entry| web_settings::read(reader, entry));
    let databases =
        optional(tools.get("sql_query"), |entry| databases::read(reader, entry, folder));
    Some(ToolSettings {
        notes_dir: notes_dir.map(PathBuf::from),
        weather_base_url,
        weather_geocoding_url,
        web_search,
        bash,
        web_fetch: web_fetch?,
        databases: databases?.unwrap_or_default(),
    })
}

/// A section in `tools` that is there and not empty.
fn part<'n>(
    reader: &mut Reader,
    tools: &Section<'n>,
    key: &str,
    keys: &Keys,
) -> Option<Section<'n>> {
    let entry = tools.get(key)?;
    match entry.value.value {
        Value::Null => None,
        Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
            reader.section(&entry.value, entry.key_span.clone(), keys)
        }
    }
}

fn web_search(reader: &mut Reader, section: &Section, entry: Option<&Entry>) -> Option<WebSearch> {
    let said = section.get("engine")?;
    let (engine, usual_key_env) = match reader.choice(said, &["brave", "tavily", "searxng"])? {
        "brave" => (SearchEngine::Brave, Some("BRAVE_API_KEY")),
        "tavily" => (SearchEngine::Tavily, Some("TAVILY_API_KEY")),
        _ => (SearchEngine::Searxng, None),
    };
    let base_url = optional(section.get("base_url"), |entry| reader.address(entry))?;
    let key_env = optional(section.get("key_env"), |entry| reader.variable(entry))?;
    if engine == SearchEngine::Searxng && base_url.is_none() {
        let words = "`tools.web_search` with `searxng` lacks `base_url`";
        let here = entry.map_or(0..0, |entry| entry.key_span.clone());
        return reader.wrong(here, words, "add the address of your SearXNG server");
    }
    Some(WebSearch { engine, base_url, key_env: key_env.or(usual_key_env.map(str::to_owned)) })
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    [&TOOLS, &NOTES, &WEATHER, &WEB_SEARCH, &bash::BASH, &bash::NETWORK]
        .into_iter()
        .flat_map(|keys| keys.known.iter().copied())
}
