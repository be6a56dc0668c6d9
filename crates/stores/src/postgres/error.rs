//! PostgreSQL's errors, named for what the caller does next.
//!
//! Codes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

use std::error::Error as _;

use engine::ports::StoreError;
use kernel::ledger::CapReached;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// Why a piece of work was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// A lawful no: nothing was written.
    Refused(StoreError),
    /// PostgreSQL failed, or the way to it.
    Broke(Error),
    /// Another transaction took away what this one stood on: do it again.
    Overtaken(&'static str),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Broke(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Failure::Refused(error)
    }
}

impl From<CapReached> for Failure {
    fn from(cap: CapReached) -> Self {
        Failure::Refused(cap.into())
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => error,
            Failure::Broke(error) => named(&error),
            Failure::Overtaken(what) => StoreError::Unavailable(format!(
                "others are always first: {what}\nhint: try again in a moment"
            )),
        }
    }
}

impl Failure {
    /// Whether the very same work may succeed at once: it certainly changed nothing, and
    /// what was in its way is over.
    pub(super) fn passes(&self) -> bool {
        let Failure::Broke(error) = self else { return matches!(self, Failure::Overtaken(_)) };
        error.code().is_some_and(|code| {
            *code == SqlState::T_R_SERIALIZATION_FAILURE
                || *code == SqlState::T_R_DEADLOCK_DETECTED
                || is_old_plan(code)
        })
    }

    /// Whether the connection that it happened on knows statements of an older schema.
    pub(super) fn is_old_plan(&self) -> bool {
        matches!(self, Failure::Broke(error) if error.code().is_some_and(is_old_plan))
    }
}

/// A newer program changed a table: statements that were prepared before cannot be run.
fn is_old_plan(code: &SqlState) -> bool {
    *code == SqlState::FEATURE_NOT_SUPPORTED || *code == SqlState::INVALID_SQL_STATEMENT_NAME
}

/// What to do about a damaged database.
const HOW_TO_RESTORE: &str = "\nhint: stop every process that uses the database and keep a copy \
     of it as it is; then restore a backup";

/// Names an error of PostgreSQL or of the connection to it.
pub(super) fn named(error: &Error) -> StoreError {
    match error.as_db_error() {
        Some(told) => named_code(told),
        None => StoreError::Unavailable(format!(
            "{}\nhint: look whether the database server runs and can be reached",
            chain(error)
        )),
    }
}

fn named_code(told: &DbError) -> StoreError {
    let words = words(told);
    match told.code().code() {
        "53100" => StoreError::Full(format!(
            "{words}\nhint: free some space on the database server's disk and try again"
        )),
        // Text that no PostgreSQL keeps, and keys that fit into no index.
        "22021" | "22P05" => StoreError::Misused(format!("a name with a character NUL: {words}")),
        code if code.starts_with("54") => StoreError::Misused(format!("too long: {words}")),
        "42501" | "25006" => StoreError::Unavailable(format!(
            "{words}\nhint: the address must be of the primary server, and its account must be \
             allowed to read and write the store's schema"
        )),
        "55P03" | "57014" => StoreError::Unavailable(format!(
            "others have been writing for too long ({words})\nhint: look who else uses the \
             database, or allow a longer wait"
        )),
        // A broken page, a constraint that does not hold, a table or column that is not there.
        code if ["XX001", "XX002", "42P01", "42703"].contains(&code) || code.starts_with("23") => {
            damaged(words)
        }
        _ => StoreError::Unavailable(words),
    }
}

/// A stored value that we never wrote.
pub(super) fn damaged(what: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("{what}{HOW_TO_RESTORE}"))
}

/// The message with its code. The detail is left out: it shows values of rows.
fn words(told: &DbError) -> String {
    format!("{} ({})", told.message(), told.code().code())
}

fn chain(error: &Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
