//! MySQL and MariaDB: one connection and one read-only transaction for each statement.
//!
//! The statement is prepared, which takes exactly one, and run only if it has columns to
//! answer with. What relations it may read, the server knows by the account's grants and
//! no other way; so the grants are read at each connection and must hold no more than the
//! list.

mod account;
mod error;
mod grants;
mod session;
mod value;

use std::time::{Duration, Instant};

use mysql_async::Opts;
use secrecy::SecretString;
use tokio::time::timeout;

use crate::{Answer, DatabaseError, Settings};
use session::Session;

/// A server and its rules.
pub(crate) struct Mysql {
    opts: Opts,
    settings: Settings,
}

impl Mysql {
    pub(crate) fn new(url: &SecretString, settings: Settings) -> Result<Self, DatabaseError> {
        let opts = account::read(url, &settings)?;
        Ok(Mysql { opts, settings })
    }

    pub(crate) async fn check(&self) -> Result<(), DatabaseError> {
        self.connect().await?.close().await;
        Ok(())
    }

    pub(crate) async fn query(&self, sql: &str) -> Result<Answer, DatabaseError> {
        let mut session = self.connect().await?;
        let statement_ms = self.settings.limits.statement_ms;
        let wait = Duration::from_millis(statement_ms);
        let began = Instant::now();
        match timeout(wait, session.answer(sql, self.settings.limits)).await {
            // Some functions that the server stops (`SLEEP`, `BENCHMARK`) return a value, as if
            // they had come to their end.
            Ok(Ok(_)) if began.elapsed() >= wait => Err(DatabaseError::Deadline(statement_ms)),
            Ok(answer) if is_at_its_end(&answer) => {
                session.close().await;
                answer
            }
            // Dropping the session kills what it still does.
            Ok(answer) => answer,
            Err(_) => Err(DatabaseError::Deadline(statement_ms)),
        }
    }

    /// A connection that was set up and whose account was looked at.
    async fn connect(&self) -> Result<Session, DatabaseError> {
        let limits = &self.settings.limits;
        let connect = async {
            let mut session = Session::open(&self.opts, limits).await?;
            session.look_at_account(&self.opts, &self.settings).await?;
            session.begin().await?;
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

/// Whether the server has nothing more to do for it. After a cut answer there may be rows.
fn is_at_its_end(answer: &Result<Answer, DatabaseError>) -> bool {
    match answer {
        Ok(answer) => answer.cut.is_none(),
        Err(error) => matches!(error, DatabaseError::Statement(_) | DatabaseError::Denied(_)),
    }
}
