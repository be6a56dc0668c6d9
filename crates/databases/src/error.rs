//! Why there is no answer, named for what to do next.
//!
//! A database's own words are passed on, bounded: a model that reads them writes a better
//! statement. Addresses and passwords are in none of these.

use thiserror::Error;

/// Bytes of a database's words in an error.
const WORDS_BYTES_MAX: usize = 1_000;

/// What whoever asked can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The same statement may succeed later.
    TryAgain,
    /// Another statement may succeed; this one never will.
    FixStatement,
    /// No statement will succeed until somebody changes the configuration or the account.
    FixConfiguration,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DatabaseError {
    /// What was configured cannot work.
    #[error("the database is not usable as configured: {0}")]
    Configuration(String),
    /// The database did not let the account in.
    #[error("the database refused the account: {0}")]
    Login(String),
    /// The account may do more than a reader's should.
    #[error(
        "the account is too powerful: {0}\nhint: give it SELECT on the listed tables and nothing else, or set `allow_powerful_role: true`"
    )]
    PowerfulRole(String),
    /// Nobody answered in time, or there was no room.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The connection broke in the middle.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// Somebody else holds what the statement needs.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The connection does not do this: a write, a relation that is not listed, a pragma.
    #[error("not permitted: {0}")]
    Denied(String),
    /// The database did not accept the statement or failed at it.
    #[error("the statement failed: {0}")]
    Statement(String),
    /// The statement took too long and was stopped.
    #[error("stopped after {0} ms\nhint: read fewer rows, or filter by what is indexed")]
    Deadline(u64),
    /// A value or an answer is longer than will be taken from the database.
    #[error(
        "more than {0} bytes came for one answer\nhint: select fewer columns, or a part of a long value"
    )]
    TooLarge(usize),
}

impl DatabaseError {
    /// What to do about it.
    #[must_use]
    pub fn next(&self) -> Next {
        match self {
            DatabaseError::Unreachable(_) | DatabaseError::Lost(_) | DatabaseError::Busy(_) => {
                Next::TryAgain
            }
            DatabaseError::Denied(_)
            | DatabaseError::Statement(_)
            | DatabaseError::Deadline(_)
            | DatabaseError::TooLarge(_) => Next::FixStatement,
            DatabaseError::Configuration(_)
            | DatabaseError::Login(_)
            | DatabaseError::PowerfulRole(_) => Next::FixConfiguration,
        }
    }
}

impl DatabaseError {
    /// The same words as another error, where the fault is not the statement's.
    pub(crate) fn blame(self, other: fn(String) -> DatabaseError) -> DatabaseError {
        if let DatabaseError::Statement(words) = self { other(words) } else { self }
    }
}

/// A database's words, short enough to be passed on.
pub(crate) fn words(text: impl AsRef<str>) -> String {
    let text = text.as_ref().trim();
    if text.len() <= WORDS_BYTES_MAX {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(WORDS_BYTES_MAX)])
}
