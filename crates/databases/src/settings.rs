//! What may be asked, and how much of it.

use std::path::PathBuf;

/// The SQL that a database speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A SQLite file.
    Sqlite,
    /// PostgreSQL and what speaks its protocol and has its catalogs.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
}

impl Dialect {
    /// The word for configuration and for models.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Sqlite => "sqlite",
            Dialect::Postgres => "postgres",
            Dialect::Mysql => "mysql",
        }
    }
}

/// Numbers that no query passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the first packet to a connection that was checked, in milliseconds.
    pub connect_ms: u64,
    /// From the statement to its last row, in milliseconds. The server is told to stop.
    pub statement_ms: u64,
    /// Rows in an answer.
    pub rows_max: usize,
    /// Bytes of one cell; what is longer is cut and says so.
    pub cell_bytes_max: usize,
    /// Bytes of an answer, all its cells and names together.
    pub answer_bytes_max: usize,
    /// Bytes of a statement.
    pub sql_bytes_max: usize,
    /// Bytes that are taken from the server for one query, and with it the longest value
    /// that is ever in memory. Values between this and `cell_bytes_max` are cut; a longer
    /// one ends the query.
    pub received_bytes_max: usize,
    /// Queries at once; more wait for a place as long as a connection may take.
    pub connections_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connect_ms: 5_000,
            statement_ms: 10_000,
            rows_max: 200,
            cell_bytes_max: 4_096,
            answer_bytes_max: 65_536,
            sql_bytes_max: 65_536,
            received_bytes_max: 16 * 1024 * 1024,
            connections_max: 4,
        }
    }
}

/// How a database may be used. Change what you mean and take the rest from `default()`.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The relations that may be read, as `name` or `schema.name`. None listed: none read.
    pub tables: Vec<String>,
    /// The numbers.
    pub limits: Limits,
    /// PostgreSQL: the schemas that bare names are looked up in; empty means `public`.
    pub search_path: Vec<String>,
    /// A PEM file of authorities to trust instead of the public ones.
    pub ca_file: Option<PathBuf>,
    /// Go on although the account could write or administer, or could read more than what
    /// is listed where the server cannot hold it to the list (MySQL).
    pub allow_powerful_role: bool,
}
