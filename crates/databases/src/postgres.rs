//! PostgreSQL: one connection, one read-only transaction and one cursor for each statement.
//!
//! The statement is prepared alone, which takes exactly one and tells its columns. Then it
//! is declared as a cursor, which the server allows for queries only, without writes in a
//! `WITH`. Before a row is fetched the server is asked what it locked for the plan, and
//! again at the end: those are the relations that are really read, through views, inlined
//! functions and all. Rows come as text, in the server's own exact words, a few at a time.

mod array;
mod connect;
mod error;
mod meter;
mod relations;
mod role;
mod session;
mod value;

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::timeout;

use crate::{Answer, DatabaseError, Settings};
use connect::Server;
use session::Session;

/// Milliseconds for the last word to a server that nobody waits for.
const FAREWELL_MS: u64 = 1_000;

/// A server and its rules.
pub(crate) struct Postgres {
    server: Server,
    settings: Settings,
}

impl Postgres {
    pub(crate) fn new(url: &SecretString, settings: Settings) -> Result<Self, DatabaseError> {
        let server = Server::parse(url, settings.ca_file.as_deref())?;
        Ok(Postgres { server, settings })
    }

    pub(crate) async fn check(&self) -> Result<(), DatabaseError> {
        self.connect().await?.close().await;
        Ok(())
    }

    pub(crate) async fn query(&self, sql: &str) -> Result<Answer, DatabaseError> {
        let session = self.connect().await?;
        let statement_ms = self.settings.limits.statement_ms;
        let answer = session.answer(sql, &self.settings);
        match timeout(Duration::from_millis(statement_ms), answer).await {
            Ok(answer) => {
                session.close().await;
                answer
            }
            // Dropping the session cancels what it does.
            Err(_) => Err(DatabaseError::Deadline(statement_ms)),
        }
    }

    /// A connection whose role was looked at.
    async fn connect(&self) -> Result<Session, DatabaseError> {
        let limits = &self.settings.limits;
        let connect = async {
            let session = Session::open(&self.server, limits).await?;
            session.look_at_role(&self.settings).await?;
            Ok(session)
        };
        match timeout(Duration::from_millis(limits.connect_ms), connect).await {
            Ok(session) => session,
            Err(_) => {
                let words = format!("no answer within {} ms", limits.connect_ms);
                Err(DatabaseError::Unreachable(words))
            }
        }
    }
}
