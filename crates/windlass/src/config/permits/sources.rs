//! The section `secrets`: where values are looked up, and to whom the installation's are
//! granted. No value stands in it, only where one is.

mod vault;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kernel::units::Tenant;
use secrets::{
    AwsConfiguration, Configuration, EncryptedConfiguration, EnvConfiguration, FileConfiguration,
    Granted, Grants, KeySource, Name, Permissions, SourceConfiguration,
};

use super::super::expect::{Keys, Reader, Section};
use super::super::provider::optional;
use super::super::suggest;
use super::super::yaml::{Entry, Node, Value};

const SECRETS: Keys = Keys {
    of: "`secrets`",
    known: &["sources", "grants", "ttl_ms", "stale_ms_max", "overlap_ms", "cache_bytes_max"],
    required: &[],
};

const ENV: Keys = Keys { of: "`env`", known: &["prefix", "tenant"], required: &["prefix"] };

const FILE: Keys =
    Keys { of: "`file`", known: &["dir", "permissions", "tenant"], required: &["dir"] };

const ENCRYPTED: Keys =
    Keys { of: "`encrypted`", known: &["path", "key", "tenant"], required: &["path"] };

const AWS: Keys = Keys {
    of: "`aws_secrets_manager`",
    known: &["region", "prefix", "endpoint", "tenant"],
    required: &[],
};

/// The kinds of sources.
const KINDS: [&str; 5] = ["env", "file", "encrypted", "aws_secrets_manager", "vault"];

const PERMISSIONS: [(&str, Permissions); 2] =
    [("refuse", Permissions::Refuse), ("warn", Permissions::Warn)];

/// The most sources: each of them is asked in turn.
const SOURCES_MAX: usize = 32;

/// The longest time that a limit may say, in milliseconds: a day.
const TIME_MS_MAX: u64 = 86_400_000;

/// The most that the cache may hold, in bytes.
const CACHE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Reads the section. Relative paths start at `folder`; they are made absolute, for what
/// the program itself keeps lies elsewhere.
pub(super) fn read(reader: &mut Reader, entry: &Entry, folder: &Path) -> Option<Configuration> {
    let section = reader.section(&entry.value, entry.key_span.clone(), &SECRETS)?;
    let sources = optional(section.get("sources"), |entry| sources(reader, entry, folder));
    let grants = optional(section.get("grants"), |entry| grants(reader, entry));
    let mut time = |key: &str| {
        optional(section.get(key), |entry| reader.whole(entry, 0..=TIME_MS_MAX, "milliseconds"))
    };
    let (ttl_ms, stale_ms_max, overlap_ms) =
        (time("ttl_ms"), time("stale_ms_max"), time("overlap_ms"));
    let cache = optional(section.get("cache_bytes_max"), |entry| {
        reader.whole(entry, 0..=CACHE_BYTES_MAX, "bytes")
    });
    let usual = Configuration::default();
    Some(Configuration {
        sources: sources?.unwrap_or(usual.sources),
        grants: grants?.unwrap_or_default(),
        ttl_ms: ttl_ms?.unwrap_or(usual.ttl_ms),
        stale_ms_max: stale_ms_max?.unwrap_or(usual.stale_ms_max),
        overlap_ms: overlap_ms?.unwrap_or(usual.overlap_ms),
        cache_bytes_max: cache?.unwrap_or(usual.cache_bytes_max),
    })
}

fn sources(reader: &mut Reader, entry: &Entry, folder: &Path) -> Option<Vec<SourceConfiguration>> {
    let items = reader.list(entry)?;
    if items.len() > SOURCES_MAX {
        let words = format!("more than {SOURCES_MAX} sources");
        let hint = "each is asked in turn: keep those that hold something";
        return reader.wrong(entry.key_span.clone(), words, hint);
    }
    let sources: Vec<Option<SourceConfiguration>> =
        items.iter().map(|item| source(reader, item, folder)).collect();
    sources.into_iter().collect()
}

/// One source: a mapping with its kind as its only key.
fn source(reader: &mut Reader, item: &Node, folder: &Path) -> Option<SourceConfiguration> {
    let only = match &item.value {
        Value::Map(entries) => match entries.as_slice() {
            [only] => Some(only),
            _ => None,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => None,
    };
    let Some(entry) = only else {
        let hint = "write it like `- env: {prefix: WINDLASS_SECRET_}`";
        return reader.wrong(item.span.clone(), "a source has its kind as its only key", hint);
    };
    match entry.key.as_str() {
        "env" => env(reader, entry),
        "file" => file(reader, entry, folder),
        "encrypted" => encrypted(reader, entry, folder),
        "aws_secrets_manager" => aws(reader, entry),
        "vault" => vault::read(reader, entry, folder).map(SourceConfiguration::Vault),
        other => {
            let words = format!("`{other}` is no kind of source");
            reader.wrong(entry.key_span.clone(), words, suggest::hint(other, &KINDS))
        }
    }
}

fn env(reader: &mut Reader, entry: &Entry) -> Option<SourceConfiguration> {
    let section = reader.section(&entry.value, entry.key_span.clone(), &ENV)?;
    let prefix = section.get("prefix").and_then(|entry| reader.variable(entry));
    let tenant = tenant(reader, &section);
    Some(SourceConfiguration::Env(EnvConfiguration { prefix: prefix?, tenant: tenant? }))
}

fn file(reader: &mut Reader, entry: &Entry, folder: &Path) -> Option<SourceConfiguration> {
    let section = reader.section(&entry.value, entry.key_span.clone(), &FILE)?;
    let dir = section.get("dir").and_then(|entry| path(reader, entry, folder));
    let permissions = optional(section.get("permissions"), |entry| {
        let word = reader.choice(entry, &PERMISSIONS.map(|(word, _)| word))?;
        PERMISSIONS.iter().find(|(known, _)| *known == word).map(|(_, meant)| *meant)
    });
    let tenant = tenant(reader, &section);
    let permissions = permissions?.unwrap_or_default();
    Some(SourceConfiguration::File(FileConfiguration { dir: dir?, permissions, tenant: tenant? }))
}

fn encrypted(reader: &mut Reader, entry: &Entry, folder: &Path) -> Option<SourceConfiguration> {
    let section = reader.section(&entry.value, entry.key_span.clone(), &ENCRYPTED)?;
    let file = section.get("path").and_then(|entry| path(reader, entry, folder));
    let key = optional(section.get("key"), |entry| key(reader, entry, folder));
    let tenant = tenant(reader, &section);
    let encrypted = EncryptedConfiguration { path: file?, key: key?, tenant: tenant? };
    Some(SourceConfiguration::Encrypted(encrypted))
}

const KEY: Keys = Keys { of: "`key`", known: &["env", "passphrase_env", "file"], required: &[] };

fn key(reader: &mut Reader, entry: &Entry, folder: &Path) -> Option<KeySource> {
    let (word, entry) = one_of(reader, entry, &KEY)?;
    match word {
        "env" => reader.variable(entry).map(KeySource::Env),
        "passphrase_env" => reader.variable(entry).map(KeySource::PassphraseEnv),
        _ => path(reader, entry, folder).map(KeySource::File),
    }
}

fn aws(reader: &mut Reader, entry: &Entry) -> Option<SourceConfiguration> {
    let section = reader.section(&entry.value, entry.key_span.clone(), &AWS)?;
    let region = optional(section.get("region"), |entry| reader.text(entry));
    let prefix = optional(section.get("prefix"), |entry| reader.text(entry));
    let endpoint = optional(section.get("endpoint"), |entry| reader.address(entry));
    let tenant = tenant(reader, &section);
    Some(SourceConfiguration::AwsSecretsManager(AwsConfiguration {
        region: region?,
        prefix: prefix?.unwrap_or_default(),
        endpoint: endpoint?,
        tenant: tenant?,
    }))
}

/// A mapping with exactly one of these keys: which, and its entry.
fn one_of<'n>(
    reader: &mut Reader,
    entry: &'n Entry,
    keys: &Keys,
) -> Option<(&'static str, &'n Entry)> {
    let section = reader.section(&entry.value, entry.key_span.clone(), keys)?;
    let mut given = keys.known.iter().filter_map(|key| Some((*key, section.get(key)?)));
    match (given.next(), given.next()) {
        (Some(one), None) => Some(one),
        _ => {
            let words = format!("{} has exactly one key", keys.of);
            let hint = format!("it may be one of: {}", keys.known.join(", "));
            reader.wrong(entry.key_span.clone(), words, hint)
        }
    }
}

fn tenant(reader: &mut Reader, section: &Section) -> Option<Option<String>> {
    optional(section.get("tenant"), |entry| reader.text(entry))
}

fn path(reader: &mut Reader, entry: &Entry, folder: &Path) -> Option<PathBuf> {
    let path = folder.join(reader.text(entry)?);
    match std::path::absolute(&path) {
        Ok(path) => Some(path),
        Err(why) => {
            let words = format!("`{}` cannot be made absolute: {why}", path.display());
            reader.wrong(entry.value.span.clone(), words, "write it from `/` on")
        }
    }
}

fn grants(reader: &mut Reader, entry: &Entry) -> Option<Grants> {
    let grants: Vec<Option<(Name, Granted)>> = reader
        .mapping(entry)?
        .iter()
        .map(|one| {
            let to = granted(reader, one);
            match one.key.parse::<Name>() {
                Ok(name) => Some((name, to?)),
                Err(_) => {
                    let words = format!("`{}` is not a name of a secret", one.key);
                    let hint = "letters, digits, `.`, `_` and `-`, in parts between slashes";
                    reader.wrong(one.key_span.clone(), words, hint)
                }
            }
        })
        .collect();
    grants.into_iter().collect::<Option<BTreeMap<_, _>>>().map(Grants)
}

/// `"*"` or a list of tenants.
fn granted(reader: &mut Reader, entry: &Entry) -> Option<Granted> {
    match &entry.value.value {
        Value::Text(star) if star == "*" => Some(Granted::All),
        Value::List(_) => {
            let named = reader.texts(entry)?;
            Some(Granted::To(named.into_iter().map(|(name, _)| Tenant(name)).collect()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {
            let words = format!("`{}` is granted to nobody in particular", entry.key);
            let hint = "write `\"*\"` for all tenants, or a list of them";
            reader.wrong(entry.key_span.clone(), words, hint)
        }
    }
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    let own = [&SECRETS, &ENV, &FILE, &ENCRYPTED, &AWS, &KEY];
    own.into_iter().flat_map(|keys| keys.known.iter().copied()).chain(KINDS).chain(vault::keys())
}
