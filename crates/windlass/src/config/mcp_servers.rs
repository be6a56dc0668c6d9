//! The section `mcp_servers`: servers whose tools an agent may use, and the cages of those
//! that are started here.
//!
//! The keys of a server are those of the crate `mcp` (`docs/mcp.md`), with `cage` and
//! `allow_private` besides. Its mistakes are shown where they stand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mcp::{ServerSettings, Servers};
use serde_json::{Map, Value as Json};

use super::expect::{Keys, Reader};
use super::fallbacks::yes_or_no;
use super::mistake::Span;
use super::provider::optional;
use super::web_settings::hosts;
use super::yaml::{Entry, Node, Value};

/// Most servers of one file.
const SERVERS_MAX: usize = 64;

/// Where the keys of a server are explained.
const PAGE: &str = "docs/mcp.md shows every key";

const CAGE: Keys = Keys { of: "`cage`", known: &["writable", "read", "network"], required: &[] };

/// The servers of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct McpServers {
    /// What the crate `mcp` reads.
    pub(crate) servers: Servers,
    /// What stdio servers are granted. A server that is not here gets nothing but a look at
    /// its folder.
    pub(crate) cages: BTreeMap<String, CageSettings>,
    /// HTTP servers that may have private addresses.
    pub(crate) private: Vec<String>,
}

/// What a stdio server is granted besides reading its folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CageSettings {
    /// Whether it may change its folder.
    pub(crate) writable: bool,
    /// What else it may read.
    pub(crate) read: Vec<PathBuf>,
    /// Hosts that it may reach, through a proxy that asks for each connection.
    pub(crate) network: Vec<String>,
}

/// Reads the section, which may be missing. Relative paths start at `folder`.
pub(super) fn read(
    reader: &mut Reader,
    entry: Option<&Entry>,
    folder: &Path,
) -> Option<McpServers> {
    let Some(entry) = entry else { return Some(McpServers::default()) };
    if let Value::List(items) = &entry.value.value
        && items.is_empty()
    {
        return Some(McpServers::default());
    }
    let entries = reader.mapping(entry)?;
    if entries.len() > SERVERS_MAX {
        let words = format!("`mcp_servers` has more than {SERVERS_MAX} servers");
        return reader.wrong(entry.key_span.clone(), words, "leave out those that nobody needs");
    }
    let mut all = McpServers::default();
    let mut right = Some(());
    for one in entries {
        right = server(reader, one, folder, &mut all).and(right);
    }
    for mistake in all.servers.mistakes() {
        let span = place(entry, &mistake.at);
        let (words, hint) = mistake.words.split_once('\n').unwrap_or((&mistake.words, PAGE));
        right = reader.wrong(span, format!("`{}`: {words}", mistake.at), hint);
    }
    right.map(|()| all)
}

fn server(reader: &mut Reader, entry: &Entry, folder: &Path, all: &mut McpServers) -> Option<()> {
    let name = entry.key.clone();
    let mut settings = Map::new();
    let mut right = Some(());
    for one in reader.mapping(entry)? {
        let read = match one.key.as_str() {
            "cage" => cage(reader, one, folder).map(|cage| {
                all.cages.insert(name.clone(), cage);
            }),
            "allow_private" => yes_or_no(reader, one).map(|allowed| {
                all.private.extend(allowed.then(|| name.clone()));
            }),
            _ => setting(reader, one).map(|value| {
                settings.insert(one.key.clone(), value);
            }),
        };
        right = read.and(right);
    }
    right?;
    match serde_json::from_value::<ServerSettings>(Json::Object(settings)) {
        Ok(mut settings) => {
            settings.cwd = settings.cwd.map(|cwd| folder.join(cwd));
            all.servers.0.insert(name, settings);
            Some(())
        }
        Err(why) => {
            reader.wrong(entry.key_span.clone(), format!("the server `{name}`: {why}"), PAGE)
        }
    }
}

/// One key of a server, tried by itself, so that a mistake has its place.
fn setting(reader: &mut Reader, entry: &Entry) -> Option<Json> {
    let value = json(reader, &entry.value)?;
    let alone = Json::Object(Map::from_iter([(entry.key.clone(), value.clone())]));
    match serde_json::from_value::<ServerSettings>(alone) {
        Ok(_) => Some(value),
        Err(why) => {
            let words = format!("`{}`: {why}", entry.key);
            reader.wrong(entry.key_span.clone(), words, PAGE)
        }
    }
}

fn cage(reader: &mut Reader, entry: &Entry, folder: &Path) -> Option<CageSettings> {
    let section = reader.section(&entry.value, entry.key_span.clone(), &CAGE)?;
    let writable = optional(section.get("writable"), |entry| yes_or_no(reader, entry));
    let read = optional(section.get("read"), |entry| reader.texts(entry));
    let network = optional(section.get("network"), |entry| hosts(reader, entry));
    let read = read?.unwrap_or_default().into_iter().map(|(path, _)| folder.join(path));
    Some(CageSettings {
        writable: writable?.unwrap_or(false),
        read: read.collect(),
        network: network?.unwrap_or_default(),
    })
}

/// A tree as JSON, with the environment brought into its texts.
fn json(reader: &mut Reader, node: &Node) -> Option<Json> {
    match &node.value {
        Value::Text(text) => reader.expand(text, &node.span).map(Json::String),
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(|item| json(reader, item)).collect();
            items.into_iter().collect::<Option<_>>().map(Json::Array)
        }
        Value::Map(entries) => {
            let pairs: Vec<_> = entries
                .iter()
                .map(|one| json(reader, &one.value).map(|value| (one.key.clone(), value)))
                .collect();
            let map: Option<Map<_, _>> = pairs.into_iter().collect();
            map.map(Json::Object)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => super::schema::json(reader, node),
    }
}

/// Where in the file a mistake stands: as far as its path leads.
fn place(section: &Entry, at: &str) -> Span {
    let mut span = section.key_span.clone();
    let mut node = &section.value;
    for step in at.split('.').skip(1) {
        let Value::Map(entries) = &node.value else { break };
        let Some(entry) = entries.iter().find(|entry| entry.key == step) else { break };
        span = entry.key_span.clone();
        node = &entry.value;
    }
    span
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    CAGE.known.iter().copied().chain(["cage", "allow_private"])
}
