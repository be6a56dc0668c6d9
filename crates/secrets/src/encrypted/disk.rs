//! Changing a file so that it is the old one or the new one, whatever happens.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::SecretError;
use crate::private::failed;

/// How long a change waits for the changes of other processes, in milliseconds.
const LOCK_WAIT_MS_MAX: u64 = 10_000;

/// How often it looks, in milliseconds.
const LOCK_LOOK_MS: u64 = 5;

/// Held while a file is changed; it goes with the process, however that ends.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "the lock lives as long as the file")] File);

impl Lock {
    /// Waits for the changes of others. The lock is on a file beside the one that is
    /// changed, because that one is replaced.
    pub(super) fn take(path: &Path) -> Result<Self, SecretError> {
        let beside = beside(path, ".lock");
        let what = beside.display().to_string();
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600);
        let file = options.open(&beside).map_err(|error| failed(&what, &error))?;
        let deadline = Instant::now() + Duration::from_millis(LOCK_WAIT_MS_MAX);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock(file)),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    sleep(Duration::from_millis(LOCK_LOOK_MS));
                }
                Err(TryLockError::WouldBlock) => {
                    let why = "another process is changing it for too long";
                    return Err(SecretError::unavailable(path.display().to_string(), why));
                }
                Err(TryLockError::Error(error)) => return Err(failed(&what, &error)),
            }
        }
    }
}

/// Makes the folder that a file lies in, for its owner alone.
pub(super) fn make_folder_of(path: &Path) -> Result<(), SecretError> {
    let folder = folder_of(path);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| failed(&folder.display().to_string(), &error))
}

/// Puts new content in the place of the old. The caller holds the lock.
pub(super) fn replace(path: &Path, content: &[u8], _: &Lock) -> Result<(), SecretError> {
    let fresh = beside(path, ".new");
    let replaced = write(&fresh, content)
        .and_then(|()| fs::rename(&fresh, path))
        .and_then(|()| File::open(folder_of(path))?.sync_all());
    replaced.map_err(|error| failed(&path.display().to_string(), &error))
}

/// Makes a file that was not there, or leaves the one that somebody else made meanwhile.
pub(super) fn create(path: &Path, content: &[u8]) -> Result<(), SecretError> {
    let lock = Lock::take(path)?;
    match path.try_exists() {
        Ok(true) => Ok(()),
        Ok(false) => replace(path, content, &lock),
        Err(error) => Err(failed(&path.display().to_string(), &error)),
    }
}

/// Writes a file of our own anew; what a crash left in its place goes first.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
