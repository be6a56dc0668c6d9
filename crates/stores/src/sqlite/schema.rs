//! The tables, and how an older file becomes a newer one.
//!
//! A file's `user_version` is the number of steps it has taken; steps are only ever
//! added. `application_id` tells our files from those of other programs.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Result};

use super::error::is_busy;
use super::open::{OpenError, Stopped};

/// `Wndl` in ASCII.
const APPLICATION_ID: i32 = 0x576e_646c;

/// Each step from one version to the next.
const STEPS: [&str; 6] = [
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
    include_str!("schema/0005.sql"),
    include_str!("schema/0006.sql"),
];

/// The version that this program writes.
pub(super) const VERSION: usize = STEPS.len();

/// Pause between two tries to become the writer, in microseconds: short, because the
/// others' transactions are short and nobody keeps a queue.
const BUSY_PAUSE_US: u64 = 500;

/// What a file says of itself.
#[derive(Debug)]
struct Label {
    application_id: i32,
    version: usize,
    tables: u32,
}

/// Brings a file to the present version. Many processes may do this at once: the first
/// one does it, the others wait and find it done.
pub(super) fn migrate(db: &Connection, path: &Path, wait: Duration) -> Result<(), Stopped> {
    let label = patiently(wait, || label(db))?;
    refuse(&label, path)?;
    let mode: String = patiently(wait, || {
        db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
    })?;
    if mode != "wal" {
        return Err(OpenError::NoSharing { path: path.display().to_string() }.into());
    }
    if label.version == VERSION {
        return Ok(());
    }
    begin(db, wait)?;
    let done = take_steps(db, path);
    db.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    done
}

/// Begins as a writer (L35), however many others do the same.
pub(super) fn begin(db: &Connection, wait: Duration) -> Result<()> {
    patiently(wait, || db.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(drop))
}

/// Tries until others are no longer in the way, or the wait is over.
pub(super) fn patiently<T>(wait: Duration, act: impl Fn() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    loop {
        match act() {
            Err(error) if is_busy(&error) && started.elapsed() < wait => {
                std::thread::sleep(Duration::from_micros(BUSY_PAUSE_US));
            }
            other => return other,
        }
    }
}

/// Reads the label in one transaction, so that it cannot change half-way.
fn label(db: &Connection) -> Result<Label> {
    db.execute_batch("BEGIN DEFERRED")?;
    let label = label_within(db);
    db.execute_batch("COMMIT")?;
    label
}

fn label_within(db: &Connection) -> Result<Label> {
    let tables = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let number = |pragma| db.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let version = usize::try_from(number("user_version")?).unwrap_or(usize::MAX);
    Ok(Label { application_id: number("application_id")?, version, tables })
}

fn refuse(label: &Label, path: &Path) -> Result<(), OpenError> {
    let path = || path.display().to_string();
    if label.application_id == 0 && label.version == 0 && label.tables == 0 {
        return Ok(());
    }
    if label.application_id != APPLICATION_ID {
        return Err(OpenError::Foreign { path: path() });
    }
    if label.version > VERSION {
        return Err(OpenError::Newer { path: path(), found: label.version });
    }
    Ok(())
}

fn take_steps(db: &Connection, path: &Path) -> Result<(), Stopped> {
    let label = label_within(db)?;
    refuse(&label, path)?;
    for step in &STEPS[label.version..] {
        db.execute_batch(step)?;
    }
    db.pragma_update(None, "application_id", APPLICATION_ID)?;
    db.pragma_update(None, "user_version", i64::try_from(VERSION).unwrap_or(i64::MAX))?;
    Ok(())
}
