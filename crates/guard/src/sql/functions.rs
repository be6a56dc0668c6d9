//! Which functions a query may call: lists, one file per dialect.
//!
//! A function that is not listed is not allowed, whatever it does. Operators' own functions
//! are not listed: nobody here knows what is in them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::Dialect;

/// Where a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In an expression.
    Expression,
    /// In a `from`.
    Table,
}

/// Functions that make as much as their arguments say.
const MAKERS: [&str; 13] = [
    "array_fill",
    "format",
    "generate_series",
    "lpad",
    "make_set",
    "power",
    "printf",
    "randomblob",
    "repeat",
    "rpad",
    "space",
    "zeroblob",
    "export_set",
];

struct Lists {
    scalar: BTreeSet<&'static str>,
    table: BTreeSet<&'static str>,
}

static SQLITE: LazyLock<Lists> = LazyLock::new(|| read(include_str!("functions/sqlite.txt")));
static POSTGRES: LazyLock<Lists> = LazyLock::new(|| read(include_str!("functions/postgres.txt")));
static MYSQL: LazyLock<Lists> = LazyLock::new(|| read(include_str!("functions/mysql.txt")));

/// Whether a function is listed. The name is in lower case.
pub(super) fn listed(dialect: Dialect, name: &str, place: Place) -> bool {
    let lists = match dialect {
        Dialect::Sqlite => &SQLITE,
        Dialect::Postgres => &POSTGRES,
        Dialect::Mysql => &MYSQL,
    };
    match place {
        Place::Table => lists.table.contains(name),
        // PostgreSQL calls functions that return rows anywhere.
        Place::Expression => {
            let rows = dialect == Dialect::Postgres && lists.table.contains(name);
            rows || lists.scalar.contains(name)
        }
    }
}

/// Whether a function makes as many rows or characters as it is told.
pub(super) fn makes(name: &str) -> bool {
    MAKERS.contains(&name)
}

fn read(text: &'static str) -> Lists {
    let mut lists = Lists { scalar: BTreeSet::new(), table: BTreeSet::new() };
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        match line.split_once(':') {
            Some(("table", names)) => lists.table.extend(names.split_whitespace()),
            Some((_, names)) => lists.scalar.extend(names.split_whitespace()),
            None => {}
        }
    }
    lists
}
