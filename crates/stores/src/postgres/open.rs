//! Opening a store: reaching the server and bringing its tables to the present version.

use engine::ports::StoreError;

use super::Options;
use super::dial::Dial;
use super::error::Failure;
use super::schema::{self, VERSION};

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address cannot be read. It is not shown, because it holds a password.
    #[error(
        "the database's address is not of the form \
         `postgres://user:password@host:port/database`, or has an unknown option"
    )]
    Address,
    /// The file with the authorities that are trusted cannot be used.
    #[error("the file of trusted authorities: {0}")]
    Authorities(String),
    /// The schema's name needs quotes.
    #[error(
        "`{schema}` cannot be the name of the store's schema\nhint: use lower-case letters, \
         digits and underscores, at most 63"
    )]
    Name {
        /// The name.
        schema: String,
    },
    /// The database keeps texts in a way that cannot hold every character.
    #[error(
        "the database has the encoding `{encoding}`\nhint: make one with \
         `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`"
    )]
    Encoding {
        /// What it has.
        encoding: String,
    },
    /// The schema belongs to another program.
    #[error(
        "the schema `{schema}` has tables of another program\nhint: choose another schema for \
         the store; this one was left as it was"
    )]
    Foreign {
        /// The schema.
        schema: String,
    },
    /// The tables were written by a newer version of this program.
    #[error(
        "the schema `{schema}` has version {found} and this program knows versions up to \
         {VERSION}\nhint: use the newer program that wrote it; the tables were left as they were"
    )]
    Newer {
        /// The schema.
        schema: String,
        /// Its version.
        found: i64,
    },
    /// The server cannot be reached, or does not do what is needed.
    #[error("cannot open the store: {0}")]
    Store(#[from] StoreError),
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        OpenError::Store(failure.into())
    }
}

/// Brings the tables to the present version.
pub(super) async fn prepare(dial: &Dial, options: &Options) -> Result<(), OpenError> {
    let connection = dial.connect_for(options.migration_wait_ms).await?;
    schema::migrate(&connection, &dial.schema).await
}
