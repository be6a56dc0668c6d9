//! MySQL's and MariaDB's error numbers in our words.

use mysql_async::{DriverError, Error};

use crate::error::words;
use crate::{DatabaseError, Limits};

/// Why there is no connection.
pub(super) fn opening(error: Error) -> DatabaseError {
    match &error {
        Error::Server(told) => match told.code {
            // Access denied, host not allowed, account locked, password expired.
            1045 | 1130 | 1698 | 1862 | 3118 | 4151 => DatabaseError::Login(words(&told.message)),
            // Access to the database denied, unknown database.
            1044 | 1049 => DatabaseError::Configuration(words(&told.message)),
            _ => DatabaseError::Unreachable(words(&told.message)),
        },
        Error::Driver(DriverError::UnexpectedPacket { .. }) => {
            DatabaseError::Unreachable("it does not speak MySQL's protocol".to_owned())
        }
        Error::Driver(_) | Error::Io(_) | Error::Other(_) | Error::Url(_) => {
            DatabaseError::Unreachable(words(error.to_string()))
        }
    }
}

/// Why there is no answer.
pub(super) fn running(error: Error, limits: &Limits) -> DatabaseError {
    match &error {
        Error::Server(told) => match told.code {
            // Killed, or over its time: MySQL's number, then MariaDB's.
            1317 | 3024 | 1969 => DatabaseError::Deadline(limits.statement_ms),
            // Read-only transaction or server; no privilege for a table, a column, an
            // administrator's act, a routine.
            1792 | 1290 | 1142 | 1143 | 1227 | 1370 | 1044 | 1045 => {
                DatabaseError::Denied(words(&told.message))
            }
            // Lock wait timeout, deadlock.
            1205 | 1213 => DatabaseError::Busy(words(&told.message)),
            // Shut down, connection killed.
            1053 | 1927 => DatabaseError::Lost(words(&told.message)),
            _ => DatabaseError::Statement(words(&told.message)),
        },
        Error::Driver(DriverError::PacketTooLarge) => {
            DatabaseError::TooLarge(limits.received_bytes_max)
        }
        // The driver has this as text where it broke in the middle of a packet.
        Error::Io(io) if io.to_string().contains("larger than max_allowed_packet") => {
            DatabaseError::TooLarge(limits.received_bytes_max)
        }
        Error::Driver(_) | Error::Io(_) | Error::Other(_) | Error::Url(_) => {
            DatabaseError::Lost(words(error.to_string()))
        }
    }
}
