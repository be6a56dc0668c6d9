//! The section `tools.sql_query`: databases that may be asked, and what of them.

use std::collections::BTreeMap;
use std::path::Path;

use ::databases::{Limits, Settings};
use secrets::Handle;
use tools::{SqlDatabase, SqlPlace};

use super::expect::{Keys, Reader, Section};
use super::fallbacks::yes_or_no;
use super::mistake::Span;
use super::provider::optional;
use super::yaml::Entry;

/// Most databases of one file.
const DATABASES_MAX: usize = 64;

const SQL_QUERY: Keys =
    Keys { of: "`tools.sql_query`", known: &["databases"], required: &["databases"] };

const DATABASE: Keys = Keys {
    of: "the database",
    known: &[
        "sqlite",
        "url",
        "dialect",
        "tables",
        "schemas",
        "timeout_seconds",
        "rows",
        "ca_file",
        "allow_powerful_role",
    ],
    required: &["tables"],
};

/// Reads the section. Relative paths start at `folder`.
pub(super) fn read(
    reader: &mut Reader,
    entry: &Entry,
    folder: &Path,
) -> Option<BTreeMap<String, SqlDatabase>> {
    let section = reader.section(&entry.value, entry.key_span.clone(), &SQL_QUERY)?;
    let entries = reader.mapping(section.get("databases")?)?;
    if entries.is_empty() || entries.len() > DATABASES_MAX {
        let words = format!("`databases` names 1 to {DATABASES_MAX} databases");
        return reader.wrong(entry.key_span.clone(), words, "or leave `sql_query` out");
    }
    let read: Vec<_> = entries.iter().map(|one| database(reader, one, folder)).collect();
    read.into_iter().collect()
}

fn database(reader: &mut Reader, entry: &Entry, folder: &Path) -> Option<(String, SqlDatabase)> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let named = !entry.key.is_empty() && entry.key.len() <= 64 && entry.key.chars().all(plain);
    let name = named.then(|| entry.key.clone()).or_else(|| {
        let words = format!("`{}` is no name of a database", entry.key);
        let hint = "letters, digits, `_` and `-`, at most 64";
        reader.wrong(entry.key_span.clone(), words, hint)
    });
    let section = reader.section(&entry.value, entry.key_span.clone(), &DATABASE)?;
    let place = place(reader, &section, &entry.key_span, folder);
    let tables = section.get("tables").and_then(|entry| names(reader, entry));
    let schemas = optional(section.get("schemas"), |entry| names(reader, entry));
    let seconds =
        optional(section.get("timeout_seconds"), |entry| reader.whole(entry, 1..=300, "seconds"));
    let rows = optional(section.get("rows"), |entry| reader.whole(entry, 1..=10_000, "rows"));
    let ca_file = optional(section.get("ca_file"), |entry| reader.text(entry));
    let powerful = optional(section.get("allow_powerful_role"), |entry| yes_or_no(reader, entry));
    let usual = Limits::default();
    let limits = Limits {
        statement_ms: seconds?.map_or(usual.statement_ms, |seconds: u64| seconds * 1_000),
        rows_max: rows?.unwrap_or(usual.rows_max),
        ..usual
    };
    let settings = Settings {
        tables: tables?,
        limits,
        search_path: schemas?.unwrap_or_default(),
        ca_file: ca_file?.map(|path| folder.join(path)),
        allow_powerful_role: powerful?.unwrap_or(false),
    };
    Some((name?, SqlDatabase { place: place?, settings }))
}

/// A file, or the secret that holds a server's address.
fn place(reader: &mut Reader, section: &Section, here: &Span, folder: &Path) -> Option<SqlPlace> {
    let (sqlite, url, dialect) =
        (section.get("sqlite"), section.get("url"), section.get("dialect"));
    match (sqlite, url, dialect) {
        (Some(file), None, None) => Some(SqlPlace::Sqlite(folder.join(reader.text(file)?))),
        (None, Some(url), Some(dialect)) => {
            let handle = handle(reader, url);
            match reader.choice(dialect, &["postgres", "mysql"])? {
                "postgres" => Some(SqlPlace::Postgres(handle?)),
                _ => Some(SqlPlace::Mysql(handle?)),
            }
        }
        _ => {
            let words = "a database has either `sqlite`, or `url` and `dialect`";
            let hint =
                "write `sqlite: shop.db`, or `url: secret://shop-db` and `dialect: postgres`";
            reader.wrong(here.clone(), words, hint)
        }
    }
}

fn handle(reader: &mut Reader, entry: &Entry) -> Option<Handle> {
    let said = reader.text(entry)?;
    said.parse().ok().or_else(|| {
        // What stands there may be the address itself, with its password: it is not repeated.
        let hint = "write `secret://NAME`: the address holds a password, and is a secret itself";
        reader.wrong(entry.key_span.clone(), "`url` takes the handle of a secret", hint)
    })
}

fn names(reader: &mut Reader, entry: &Entry) -> Option<Vec<String>> {
    Some(reader.texts(entry)?.into_iter().map(|(name, _)| name).collect())
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    SQL_QUERY.known.iter().chain(DATABASE.known).copied()
}
