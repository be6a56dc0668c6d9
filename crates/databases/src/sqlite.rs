//! SQLite: a file, opened so that it can only be read, and an authorizer that knows the list.
//!
//! SQLite asks the authorizer while it compiles a statement, for every relation and column
//! that it resolved by itself, so neither views nor clever spelling come between. A view
//! is no pass to its tables: both are listed, or the statement is refused. SQLite names
//! the view through which a table is read, but a common table expression can carry the
//! same name, so that name is not worth trusting.

mod authorizer;
mod functions;
mod value;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::limits::Limit;
use rusqlite::{Batch, Connection, ErrorCode, OpenFlags, Statement};

use crate::answer::Collector;
use crate::error::words;
use crate::{Answer, Column, DatabaseError, Limits, Settings};
use authorizer::Authorizer;

/// Steps of SQLite's machine between two looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 1_000;
/// Memory for pages, in KiB.
const CACHE_KIB: i32 = 4_096;

/// A file and its rules.
pub(crate) struct Sqlite {
    path: PathBuf,
    settings: Settings,
}

impl Sqlite {
    pub(crate) fn new(path: &Path, settings: Settings) -> Result<Sqlite, DatabaseError> {
        match std::fs::metadata(path) {
            Ok(found) if found.is_file() => Ok(Sqlite { path: path.to_owned(), settings }),
            Ok(_) => Err(DatabaseError::Configuration("it is not a file".to_owned())),
            Err(error) => Err(DatabaseError::Configuration(error.to_string())),
        }
    }

    pub(crate) async fn check(self: &Arc<Sqlite>) -> Result<(), DatabaseError> {
        let this = Arc::clone(self);
        aside(move || this.open(Watch::new(&this.settings.limits, Arc::default())).map(drop)).await
    }

    pub(crate) async fn query(self: &Arc<Sqlite>, sql: &str) -> Result<Answer, DatabaseError> {
        let (this, sql) = (Arc::clone(self), sql.to_owned());
        let stop = StopOnDrop(Arc::default());
        let watch = Watch::new(&self.settings.limits, Arc::clone(&stop.0));
        aside(move || this.answer(&sql, watch)).await
    }

    fn answer(&self, sql: &str, watch: Watch) -> Result<Answer, DatabaseError> {
        let limits = &self.settings.limits;
        let (connection, authorizer) = self.open(watch)?;
        let explain = |error| authorizer.explain(translate(error, limits));
        let mut statement = only_statement(&connection, sql, explain)?;
        if !statement.readonly() {
            return Err(DatabaseError::Denied("the statement writes".to_owned()));
        }
        if statement.column_count() == 0 {
            return Err(DatabaseError::Denied("only a query is answered".to_owned()));
        }
        if statement.parameter_count() > 0 {
            let words = "there are no values for its parameters".to_owned();
            return Err(DatabaseError::Statement(words));
        }
        let columns = columns(&statement);
        let width = columns.len();
        let mut answer = Collector::new(*limits, columns);
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(explain)? {
            let cells: Result<Vec<_>, _> = (0..width)
                .map(|at| row.get_ref(at).map(|cell| value::read(&mut answer, cell)))
                .collect();
            if !answer.take(cells.map_err(explain)?) {
                break;
            }
        }
        Ok(answer.finish())
    }

    /// A connection that reads, with everything else shut before the statement is seen.
    fn open(&self, watch: Watch) -> Result<(Connection, Authorizer), DatabaseError> {
        let limits = &self.settings.limits;
        let open = || -> rusqlite::Result<(Connection, Authorizer)> {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&self.path, flags)?;
            connection.busy_timeout(Duration::from_millis(limits.connect_ms))?;
            connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || watch.is_over()))?;
            shut(&connection)?;
            narrow(&connection, limits)?;
            let authorizer = Authorizer::new(&connection, &self.settings.tables)?;
            authorizer.watch(&connection)?;
            Ok((connection, authorizer))
        };
        open().map_err(|error| translate(error, limits).blame(DatabaseError::Configuration))
    }
}

/// Everything that a schema or a statement could reach beside reading.
fn shut(connection: &Connection) -> rusqlite::Result<()> {
    for (config, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        // Closing must not write the log back into the file.
        (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
    ] {
        connection.set_db_config(config, on)?;
    }
    connection.execute_batch(&format!(
        "PRAGMA query_only = ON; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;
         PRAGMA cache_size = -{CACHE_KIB};"
    ))
}

/// SQLite's own limits, low. Its heap limit is one for the whole process and not ours.
fn narrow(connection: &Connection, limits: &Limits) -> rusqlite::Result<()> {
    let number = |limit: usize| i32::try_from(limit).unwrap_or(i32::MAX);
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_LENGTH, number(limits.received_bytes_max)),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, number(limits.sql_bytes_max)),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 200),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 50),
        (Limit::SQLITE_LIMIT_VDBE_OP, 100_000),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, most)?;
    }
    Ok(())
}

/// The statement, if it is the only one. What follows it is compiled under the same
/// authorizer and never run.
fn only_statement<'c>(
    connection: &'c Connection,
    sql: &str,
    explain: impl Fn(rusqlite::Error) -> DatabaseError,
) -> Result<Statement<'c>, DatabaseError> {
    let mut statements = Batch::new(connection, sql);
    let Some(first) = statements.next().map_err(explain)? else {
        return Err(DatabaseError::Statement("there is no statement in it".to_owned()));
    };
    match statements.next() {
        Ok(None) => Ok(first),
        Ok(Some(_)) | Err(_) => {
            Err(DatabaseError::Denied("only one statement at a time".to_owned()))
        }
    }
}

fn columns(statement: &Statement<'_>) -> Vec<Column> {
    let column = |column: &rusqlite::Column<'_>| Column {
        name: column.name().to_owned(),
        kind: column.decl_type().unwrap_or_default().to_lowercase(),
    };
    statement.columns().iter().map(column).collect()
}

/// When a statement must end.
struct Watch {
    deadline: Instant,
    stop: Arc<AtomicBool>,
}

impl Watch {
    fn new(limits: &Limits, stop: Arc<AtomicBool>) -> Watch {
        Watch { deadline: Instant::now() + Duration::from_millis(limits.statement_ms), stop }
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || Instant::now() >= self.deadline
    }
}

/// Nobody waits for the answer any more: the thread stops at its next look.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DatabaseError> + Send + 'static,
) -> Result<T, DatabaseError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(DatabaseError::Lost("its thread ended".to_owned())),
    }
}

fn translate(error: rusqlite::Error, limits: &Limits) -> DatabaseError {
    let text = if let rusqlite::Error::SqlInputError { msg, .. } = &error {
        words(msg)
    } else {
        words(error.to_string())
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => DatabaseError::Deadline(limits.statement_ms),
        Some(ErrorCode::TooBig) => DatabaseError::TooLarge(limits.received_bytes_max),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DatabaseError::Busy(text),
        Some(ErrorCode::ReadOnly | ErrorCode::AuthorizationForStatementDenied) => {
            DatabaseError::Denied(text)
        }
        Some(ErrorCode::CannotOpen | ErrorCode::NotADatabase | ErrorCode::PermissionDenied) => {
            DatabaseError::Configuration(text)
        }
        // What is left is SQLite's own list, which grows without us.
        _ => DatabaseError::Statement(text),
    }
}
