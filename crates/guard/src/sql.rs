//! SQL statements: what they would read, and that they only read.
//!
//! A statement is allowed when it is one query, over listed relations, with listed functions,
//! and nothing in it is unknown. The world is closed three times over:
//!
//! - *text*: a scanner of our own finds every literal, quoted name and comment; the parser's
//!   tokens must begin and end at the same places, and where an engine's settings would move
//!   one of these borders (backslashes, quotes), the statement is refused;
//! - *tree*: the walk takes each node apart field by field, without `..` and without a wildcard arm,
//!   so that a newer parser's new clause does not compile until somebody decides on it; what
//!   can be counted in the text must be in the tree as often;
//! - *names*: relations, functions, types and operators come from lists.
//!
//! What it does not do: limit rows or time. A read-only connection with a timeout stands
//! behind it. Columns are not looked at: who lists a relation lists all of it.
//!
//! # Names of relations
//! An entry of the list is a name as the catalog has it, with its schema before a dot where it
//! has one; parts with dots in them are put in double quotes. `users` means the relation of
//! that name in the default schema: `public` in PostgreSQL, `main` in SQLite, the
//! connection's database in MySQL. So `users` and `public.users` are the same in PostgreSQL,
//! and `users` never grants `other.users`. Names are compared like the engines do it: in
//! PostgreSQL unquoted names are lower case and quoted ones exact, in SQLite case does not
//! matter, in MySQL it does.

mod functions;
mod names;
mod statement;
mod text;
mod walk;

pub use statement::{Input, examine};

use serde::{Deserialize, Deserializer, de};
use sqlparser::dialect::{Dialect as Grammar, MySqlDialect, PostgreSqlDialect, SQLiteDialect};

/// The longest statement that is read, in bytes.
pub const SQL_BYTES_MAX: usize = 32 * 1024;

/// The most words, names, numbers and signs in a statement.
pub const SQL_TOKENS_MAX: usize = 4000;

/// The most parentheses and brackets inside one another.
pub const SQL_BRACKETS_DEPTH_MAX: usize = 24;

/// The deepest a tree may be, counted in nodes.
const TREE_DEPTH_MAX: usize = 128;

/// The largest number with which a function that makes rows or text may be called.
const MADE_COUNT_MAX: u64 = 1_000_000;

/// The name under which this guard signs.
const GUARD: &str = "sql";

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
}

impl Dialect {
    /// The dialect of that name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "sqlite" | "sqlite3" => Some(Dialect::Sqlite),
            "postgres" | "postgresql" | "pg" => Some(Dialect::Postgres),
            "mysql" | "mariadb" => Some(Dialect::Mysql),
            _ => None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Sqlite => "sqlite",
            Dialect::Postgres => "postgres",
            Dialect::Mysql => "mysql",
        }
    }

    fn grammar(self) -> &'static dyn Grammar {
        match self {
            Dialect::Sqlite => &SQLiteDialect {},
            Dialect::Postgres => &PostgreSqlDialect {},
            Dialect::Mysql => &MySqlDialect {},
        }
    }
}

impl<'de> Deserialize<'de> for Dialect {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        Dialect::named(&name).ok_or_else(|| {
            de::Error::custom(format!("`{name}` is none of sqlite, postgres and mysql"))
        })
    }
}
