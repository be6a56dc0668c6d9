//! What holds the place of protected names that are absent, while cages live.
//!
//! A name that is not there cannot be bound over, so something empty is made first and
//! removed with the last cage of that working directory. A lock says who is the last; a
//! journal beside it says what was made, so that a launcher that was killed leaves
//! nothing for ever. What somebody filled meanwhile is theirs and stays.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, FileType, FlockOperation, Mode, OFlags, flock, fstat, mkdirat, openat, statat,
    unlinkat,
};
use rustix::io::Errno;

use super::workdir::{Workdir, kind};
use crate::spec::Cover;

/// The permissions of an empty file that we made; few have them by accident.
const BLANK: Mode = Mode::RUSR;

/// The longest journal that is read, in bytes.
const JOURNAL_BYTES_MAX: u64 = 1024 * 1024;

/// The placeholders of a living cage. Dropped by the last one, they are removed.
pub(super) struct Claim {
    journal: File,
    dir: OwnedFd,
}

impl Claim {
    /// Makes something of each name that is absent at the top of a working directory.
    pub(super) fn take(rooms: &Path, workdir: &Workdir, names: &[Cover]) -> Result<Self, String> {
        let said = |error: Errno| format!("placeholders of protected names: {error}");
        let stat = fstat(workdir).map_err(said)?;
        let path = rooms.join(format!("claim-{}-{}", stat.st_dev, stat.st_ino));
        let journal = File::options().read(true).append(true).create(true).open(&path);
        let journal = journal.map_err(|error| format!("`{}`: {error}", path.display()))?;
        flock(&journal, FlockOperation::LockShared).map_err(said)?;
        let dir = workdir.as_fd().try_clone_to_owned();
        let dir = dir.map_err(|error| format!("the working directory: {error}"))?;
        let mut claim = Claim { journal, dir };
        for name in names {
            if workdir.kind(&name.path)?.is_none() {
                claim.make(name).map_err(|error| {
                    format!("`{}` cannot be protected: {error}", name.path.display())
                })?;
            }
        }
        Ok(claim)
    }

    fn make(&mut self, name: &Cover) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(name)?;
        line.push(b'\n');
        self.journal.write_all(&line)?;
        let made = if name.folder {
            mkdirat(&self.dir, &name.path, Mode::RWXU)
        } else {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            openat(&self.dir, &name.path, flags, BLANK).map(drop)
        };
        match made {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn made(&mut self) -> std::io::Result<Vec<Cover>> {
        let mut text = String::new();
        self.journal.rewind()?;
        self.journal
            .as_fd()
            .try_clone_to_owned()
            .map(File::from)?
            .take(JOURNAL_BYTES_MAX)
            .read_to_string(&mut text)?;
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
            remove(&self.dir, &name);
        }
        let _ = self.journal.set_len(0);
    }
}

/// Removes what is still as empty as we made it.
fn remove(dir: &OwnedFd, name: &Cover) {
    if name.folder {
        let _ = unlinkat(dir, &name.path, AtFlags::REMOVEDIR);
        return;
    }
    let Ok(stat) = statat(dir, &name.path, AtFlags::SYMLINK_NOFOLLOW) else { return };
    let ours = kind(&stat) == FileType::RegularFile
        && stat.st_size == 0
        && Mode::from_raw_mode(stat.st_mode) == BLANK;
    if ours {
        let _ = unlinkat(dir, &name.path, AtFlags::empty());
    }
}
