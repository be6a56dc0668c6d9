//! Reading files that only their owner should see.

use std::collections::BTreeSet;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustix::fs::OFlags;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::SecretError;
use crate::source::Mark;

/// What happens to a file that others than its owner may read or write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permissions {
    /// It is not used.
    #[default]
    Refuse,
    /// It is used, and the log of diagnostics says so once.
    Warn,
}

/// The permissions that nobody but a file's owner should have.
const OTHERS: u32 = 0o077;

/// Files that are warned of; past this many, no more are.
const WARNED_MAX: usize = 1_000;

/// How files of secrets are opened: a pipe in their place must not stop the reader.
pub(crate) const FLAGS: i32 = OFlags::NONBLOCK.union(OFlags::NOCTTY).bits().cast_signed();

/// The content of a file, or nothing where there is no file. Who else may read it is
/// checked where `permissions` says what to do then.
pub(crate) fn read(
    path: &Path,
    permissions: Option<Permissions>,
    bytes_max: usize,
) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError> {
    let what = path.display().to_string();
    match OpenOptions::new().read(true).custom_flags(FLAGS).open(path) {
        Ok(file) => read_open(file, &what, permissions, bytes_max).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(&what, &error)),
    }
}

/// The same of an open file.
pub(crate) fn read_open(
    file: File,
    what: &str,
    permissions: Option<Permissions>,
    bytes_max: usize,
) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let meta = file.metadata().map_err(|error| failed(what, &error))?;
    if !meta.is_file() {
        return Err(SecretError::unusable(what, "it is not a regular file"));
    }
    if let Some(permissions) = permissions {
        check(&meta, what, permissions)?;
    }
    let too_long = || SecretError::unusable(what, format!("it is longer than {bytes_max} bytes"));
    let length = usize::try_from(meta.len()).map_err(|_| too_long())?;
    if length > bytes_max {
        return Err(too_long());
    }
    // With room for all of it, so that no copy is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(bytes_max.min(length.saturating_add(1))));
    let mut limited = file.take(bytes_max as u64 + 1);
    limited.read_to_end(&mut bytes).map_err(|error| failed(what, &error))?;
    if bytes.len() > bytes_max {
        return Err(too_long());
    }
    Ok(bytes)
}

/// Whether the permissions of a file are its owner's alone.
fn check(meta: &Metadata, what: &str, permissions: Permissions) -> Result<(), SecretError> {
    let mode = meta.mode() & 0o7777;
    if mode & OTHERS == 0 {
        return Ok(());
    }
    match permissions {
        Permissions::Refuse => {
            let why = format!(
                "others than its owner may read or change it (mode {mode:o})\nhint: chmod 600 {what}"
            );
            Err(SecretError::denied(what, why))
        }
        Permissions::Warn => {
            warn_once(what, mode);
            Ok(())
        }
    }
}

fn warn_once(what: &str, mode: u32) {
    static WARNED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
    if warned.len() < WARNED_MAX && warned.insert(what.to_owned()) {
        tracing::warn!(
            file = what,
            mode = format!("{mode:o}"),
            "others may read or change a secret's file"
        );
    }
}

/// What changes when a file is written to or replaced.
pub(crate) fn mark(meta: &Metadata) -> Mark {
    let identity = [meta.dev().cast_signed(), meta.ino().cast_signed(), meta.size().cast_signed()];
    // The time of the last change of the inode; nobody can set it back.
    let [device, inode, size] = identity;
    Mark([device, inode, size, meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()])
}

/// What an error of the file system means for the caller.
pub(crate) fn failed(what: &str, error: &io::Error) -> SecretError {
    use io::ErrorKind as Kind;
    let kind = error.kind();
    if kind == Kind::PermissionDenied {
        return SecretError::denied(what, "this process may not open it");
    }
    let mendable = [
        Kind::NotFound,
        Kind::NotADirectory,
        Kind::IsADirectory,
        Kind::InvalidInput,
        Kind::ReadOnlyFilesystem,
        Kind::InvalidFilename,
    ];
    match mendable.contains(&kind) || error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
        true => SecretError::unusable(what, error.to_string()),
        false => SecretError::unavailable(what, error.to_string()),
    }
}
