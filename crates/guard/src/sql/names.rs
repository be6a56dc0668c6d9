//! Names of relations: which are listed, and which are the query's own.

use sqlparser::ast::{Ident, ObjectName, ObjectNamePart};

use super::Dialect;

/// A relation's name as the engine looks for it: its schema where it has one, and itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Relation {
    /// Catalog and schema, outermost first.
    above: Vec<String>,
    name: String,
}

impl Relation {
    /// The relation that a query names. `None`: the name is made by something else than names,
    /// or stands in quotes that MySQL takes for a string's unless its settings say otherwise.
    pub(super) fn named(name: &ObjectName, dialect: Dialect) -> Option<Self> {
        let part = |part: &ObjectNamePart| match part {
            ObjectNamePart::Identifier(ident) => {
                let string =
                    dialect == Dialect::Mysql && matches!(ident.quote_style, Some('\'' | '"'));
                (!string).then(|| folded(ident, dialect))
            }
            ObjectNamePart::Function(_) => None,
        };
        Relation::of(name.0.iter().map(part).collect::<Option<Vec<_>>>()?)
    }

    /// The relation that an entry of the list means: names as the catalog has them, with dots
    /// between them, in double quotes where they need them.
    fn entry(text: &str, dialect: Dialect) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text.trim();
        loop {
            let (part, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => rest.split_at(rest.find('.').unwrap_or(rest.len())),
            };
            parts.push(cased(part, dialect));
            match after.strip_prefix('.') {
                Some(more) => rest = more,
                None if after.is_empty() => return Relation::of(parts),
                None => return None,
            }
        }
    }

    fn of(mut parts: Vec<String>) -> Option<Self> {
        let name = parts.pop()?;
        let empty = name.is_empty() || parts.iter().any(String::is_empty);
        (!empty).then_some(Relation { above: parts, name })
    }

    /// The name where nothing stands before it: only such a name can be the query's own.
    pub(super) fn bare(&self) -> Option<&str> {
        self.above.is_empty().then_some(self.name.as_str())
    }

    /// With the default schema written out, where the dialect has one.
    fn whole(&self, dialect: Dialect) -> (Vec<&str>, &str) {
        let above = match (self.above.as_slice(), dialect) {
            ([], Dialect::Postgres) => vec!["public"],
            ([], Dialect::Sqlite) => vec!["main"],
            (above, _) => above.iter().map(String::as_str).collect(),
        };
        (above, &self.name)
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        let parts = self.above.iter().chain([&self.name]);
        parts.map(String::as_str).collect::<Vec<_>>().join(".")
    }
}

/// The relations that may be read.
pub(super) struct Listed {
    dialect: Dialect,
    entries: Vec<Relation>,
}

impl Listed {
    pub(super) fn new(tables: &[String], dialect: Dialect) -> Self {
        let entries = tables.iter().filter_map(|entry| Relation::entry(entry, dialect)).collect();
        Listed { dialect, entries }
    }

    pub(super) fn contains(&self, relation: &Relation) -> bool {
        if self.catalog_first(relation) {
            return self.entries.contains(relation);
        }
        let wanted = relation.whole(self.dialect);
        self.entries.iter().any(|entry| entry.whole(self.dialect) == wanted)
    }

    /// The engines look for such names in their own catalog first, so `pg_class` and
    /// `public.pg_class` are two, and each must be listed as it is written.
    fn catalog_first(&self, relation: &Relation) -> bool {
        match self.dialect {
            Dialect::Sqlite => relation.name.starts_with("sqlite_"),
            Dialect::Postgres => relation.name.starts_with("pg_"),
            Dialect::Mysql => false,
        }
    }
}

/// An identifier as the engine looks for it.
pub(super) fn folded(ident: &Ident, dialect: Dialect) -> String {
    match (dialect, ident.quote_style) {
        (Dialect::Postgres, None) => ident.value.to_ascii_lowercase(),
        (Dialect::Postgres, Some(_)) => ident.value.clone(),
        (Dialect::Sqlite | Dialect::Mysql, _) => cased(&ident.value, dialect),
    }
}

/// A catalog's name in the form in which two of them are compared.
pub(super) fn cased(name: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Sqlite => name.to_ascii_lowercase(),
        Dialect::Postgres | Dialect::Mysql => name.to_owned(),
    }
}
