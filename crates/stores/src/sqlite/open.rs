//! Opening a file: its folder, its settings, its version.

use std::path::Path;
use std::time::Duration;

use engine::ports::StoreError;
use rusqlite::{Connection, OpenFlags, Result};

use super::Options;
use super::error::named;
use super::schema::{self, VERSION};

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made.
    #[error("cannot make the folder `{path}`: {why}\nhint: choose another place for the store")]
    Folder {
        /// The folder.
        path: String,
        /// What the system says.
        why: std::io::Error,
    },
    /// The file belongs to another program.
    #[error(
        "`{path}` is a database of another program\nhint: choose another file for the store; \
         this one was left as it is"
    )]
    Foreign {
        /// The file.
        path: String,
    },
    /// The file was written by a newer version of this program.
    #[error(
        "`{path}` has version {found} and this program knows versions up to {VERSION}\nhint: use \
         the newer program that wrote it; the file was left as it is"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its version.
        found: usize,
    },
    /// The file system cannot share memory between processes.
    #[error(
        "`{path}` is on a file system that SQLite cannot share between processes\nhint: choose a \
         place on a local disk for the store"
    )]
    NoSharing {
        /// The file.
        path: String,
    },
    /// It is not a database, or cannot be read or written.
    #[error("cannot open the store `{path}`: {why}")]
    Store {
        /// The file.
        path: String,
        /// Why.
        why: StoreError,
    },
}

/// Why opening stopped.
pub(super) enum Stopped {
    /// The file is not for us.
    Refused(OpenError),
    /// SQLite said no.
    Broke(rusqlite::Error),
}

impl From<OpenError> for Stopped {
    fn from(error: OpenError) -> Self {
        Stopped::Refused(error)
    }
}

impl From<rusqlite::Error> for Stopped {
    fn from(error: rusqlite::Error) -> Self {
        Stopped::Broke(error)
    }
}

/// Bytes in a page. Fixed when a file is made.
const PAGE_BYTES: u32 = 4_096;

/// Pages of the write-ahead log after which they are moved into the file.
const CHECKPOINT_PAGES: u32 = 4_000;

/// Bytes of the write-ahead log kept on disk after that.
const WAL_BYTES_MAX: u32 = 32 << 20;

/// Prepared statements kept by each connection.
const STATEMENTS_MAX: usize = 48;

/// Opens the writer's connection, and brings the file to the present version.
pub(super) fn open(path: &Path, options: &Options) -> Result<Connection, OpenError> {
    make_folder(path)?;
    writer(path, options).map_err(|stopped| match stopped {
        Stopped::Refused(error) => error,
        Stopped::Broke(why) => {
            OpenError::Store { path: path.display().to_string(), why: named(&why) }
        }
    })
}

fn writer(path: &Path, options: &Options) -> Result<Connection, Stopped> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let wait = Duration::from_millis(options.busy_wait_ms);
    let db = Connection::open_with_flags(path, flags)?;
    // We wait by ourselves: SQLite's own pauses grow to a tenth of a second, and a writer
    // that sleeps so long never meets the gap between two short transactions.
    db.busy_timeout(Duration::ZERO)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    db.pragma_update(None, "page_size", PAGE_BYTES)?;
    schema::migrate(&db, path, wait)?;
    db.pragma_update(None, "synchronous", if options.durable { "FULL" } else { "NORMAL" })?;
    db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    db.pragma_update(None, "journal_size_limit", WAL_BYTES_MAX)?;
    db.pragma_update(None, "cache_size", -8_192)?; // KiB at most
    db.pragma_update(None, "cell_size_check", true)?;
    if let Some(pages_max) = options.pages_max {
        db.pragma_update(None, "max_page_count", pages_max)?;
    }
    Ok(db)
}

/// Opens a connection that only reads. The file is there, because the writer's
/// connection was opened before.
pub(super) fn reader(path: &Path, busy_wait_ms: u64) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(Duration::from_millis(busy_wait_ms))?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    db.pragma_update(None, "cache_size", -1_024)?; // KiB at most
    db.pragma_update(None, "cell_size_check", true)?;
    Ok(db)
}

/// Makes the file's folder where there is none.
fn make_folder(path: &Path) -> Result<(), OpenError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(folder);
    made.and_then(|()| std::fs::write(folder.join(".gitignore"), "*\n"))
        .map_err(|why| OpenError::Folder { path: folder.display().to_string(), why })
}
