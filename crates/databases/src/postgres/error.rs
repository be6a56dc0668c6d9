//! PostgreSQL's error codes in our words.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::DatabaseError;
use crate::error::words;

/// Why there is no connection.
pub(super) fn opening(error: Error) -> DatabaseError {
    match error.as_db_error() {
        Some(told) => match told.code().code() {
            code if code.starts_with("28") => DatabaseError::Login(words(told.message())),
            "3D000" | "42501" => DatabaseError::Configuration(words(told.message())),
            _ => DatabaseError::Unreachable(words(told.message())),
        },
        None => DatabaseError::Unreachable(words(chain(&error))),
    }
}

/// Why there is no answer.
pub(super) fn running(error: Error, statement_ms: u64) -> DatabaseError {
    let Some(told) = error.as_db_error() else {
        return DatabaseError::Lost(words(chain(&error)));
    };
    match *told.code() {
        SqlState::QUERY_CANCELED => DatabaseError::Deadline(statement_ms),
        SqlState::READ_ONLY_SQL_TRANSACTION | SqlState::INSUFFICIENT_PRIVILEGE => {
            DatabaseError::Denied(words(told.message()))
        }
        SqlState::LOCK_NOT_AVAILABLE
        | SqlState::T_R_DEADLOCK_DETECTED
        | SqlState::T_R_SERIALIZATION_FAILURE => DatabaseError::Busy(words(told.message())),
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => {
            DatabaseError::Lost(words(told.message()))
        }
        _ => DatabaseError::Statement(words(full(told))),
    }
}

/// The message with what helps to write a better statement.
fn full(told: &DbError) -> String {
    let mut text = told.message().to_owned();
    for more in [told.detail(), told.hint()].into_iter().flatten() {
        text.push('\n');
        text.push_str(more);
    }
    text
}

fn chain(error: &Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
