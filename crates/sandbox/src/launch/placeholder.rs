//! What holds the place of protected names that are absent, while cages live.
//!
//! A name that is not there cannot be bound over, so an empty folder is made first and
//! removed with the last cage of that working directory. A lock says who is the last; a
//! journal in the same file says what was made, so that a launcher that was killed leaves
//! nothing for ever. What somebody filled meanwhile is theirs and stays: nothing is ever
//! removed but an empty folder.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FlockOperation, Mode, flock, fstat, mkdirat, stat, unlinkat};
use rustix::io::Errno;

use super::workdir::Workdir;
use crate::spec::Cover;

/// The longest journal that is read, in bytes.
const JOURNAL_BYTES_MAX: u64 = 1024 * 1024;

/// Times that a journal may be thrown away between opening and locking it.
const TRIES_MAX: u32 = 100;

/// The placeholders of a living cage. Dropped by the last one, they are removed.
pub(super) struct Claim {
    journal: File,
    path: PathBuf,
    dir: OwnedFd,
}

impl Claim {
    /// Makes something of each name that is absent at the top of a working directory.
    pub(super) fn take(rooms: &Path, workdir: &Workdir, names: &[Cover]) -> Result<Self, String> {
        let said = |error: io::Error| format!("placeholders of protected names: {error}");
        let stat = fstat(workdir).map_err(|error| said(error.into()))?;
        let path = rooms.join(format!("claim-{}-{}", stat.st_dev, stat.st_ino));
        let journal = shared(&path).map_err(said)?;
        let dir = workdir.as_fd().try_clone_to_owned().map_err(said)?;
        let mut claim = Claim { journal, path, dir };
        for name in names {
            if workdir.kind(&name.path)?.is_none() {
                claim.make(name).map_err(|error| {
                    format!("`{}` cannot be protected: {error}", name.path.display())
                })?;
            }
        }
        Ok(claim)
    }

    /// Written down first: a journal may say too much, never too little.
    fn make(&mut self, name: &Cover) -> io::Result<()> {
        let mut line = serde_json::to_vec(name)?;
        line.push(b'\n');
        self.journal.write_all(&line)?;
        match mkdirat(&self.dir, &name.path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn made(&mut self) -> io::Result<Vec<Cover>> {
        let mut text = String::new();
        self.journal.rewind()?;
        (&self.journal).take(JOURNAL_BYTES_MAX).read_to_string(&mut text)?;
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Others live in this working directory: the last of them clears away.
        if flock(&self.journal, FlockOperation::NonBlockingLockExclusive).is_err() {
            return;
        }
        for name in self.made().unwrap_or_default() {
            let _ = unlinkat(&self.dir, &name.path, AtFlags::REMOVEDIR);
        }
        // Under the lock: whoever waits for it will see that this file is gone.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The journal, locked together with all who live in the same working directory.
fn shared(path: &Path) -> io::Result<File> {
    for _ in 0..TRIES_MAX {
        let journal = File::options().read(true).append(true).create(true).open(path)?;
        flock(&journal, FlockOperation::LockShared)?;
        let (held, named) = (fstat(&journal)?, stat(path));
        if named.is_ok_and(|named| (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)) {
            return Ok(journal);
        }
    }
    Err(io::Error::other("the journal changes too often"))
}
