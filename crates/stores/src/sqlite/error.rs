//! SQLite's errors, named for what the caller does next.
//!
//! Codes: <https://sqlite.org/rescode.html>.

use engine::ports::StoreError;
use kernel::ledger::CapReached;
use rusqlite::{Error, ErrorCode, ffi};

/// Why a piece of work was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// A lawful no: nothing was written, and the others of the group go on.
    Refused(StoreError),
    /// SQLite failed: the whole transaction is void.
    Broke(Error),
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
        }
    }
}

/// What to do about a damaged file.
pub(super) const HOW_TO_RESTORE: &str = "\nhint: stop every process that uses the file and copy it with its \
     `-wal` neighbour; then put a backup in its place, or save what can be read with \
     `sqlite3 FILE .recover | sqlite3 NEW_FILE`";

/// Names an error of SQLite.
pub(super) fn named(error: &Error) -> StoreError {
    // What is not a failure of SQLite is a value that we never wrote.
    let Error::SqliteFailure(failure, _) = error else { return damaged(error) };
    match failure.extended_code {
        ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE => full(error),
        ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS => damaged(error),
        _ => named_code(failure.code, error),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "these are SQLite's codes and not ours")]
fn named_code(code: ErrorCode, error: &Error) -> StoreError {
    match code {
        ErrorCode::DiskFull => full(error),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ConstraintViolation => {
            damaged(error)
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Unavailable(format!(
            "another process has been writing for too long ({error})\nhint: look who else uses \
             the file, or allow a longer wait"
        )),
        ErrorCode::PermissionDenied
        | ErrorCode::ReadOnly
        | ErrorCode::CannotOpen
        | ErrorCode::AuthorizationForStatementDenied => StoreError::Unavailable(format!(
            "{error}\nhint: the file and its folder must be readable and writable by this user"
        )),
        _ => StoreError::Unavailable(error.to_string()),
    }
}

fn full(error: &Error) -> StoreError {
    StoreError::Full(format!("{error}\nhint: free some space on the file's disk and try again"))
}

fn damaged(error: &Error) -> StoreError {
    StoreError::Damaged(format!("{error}{HOW_TO_RESTORE}"))
}

/// Whether an error says that another process is writing.
pub(super) fn is_busy(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
