//! The working directory by its descriptor, so that no renaming or link leads elsewhere.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, open, openat2};
use rustix::io::Errno;

/// An open working directory.
pub(super) struct Workdir {
    dir: OwnedFd,
    path: PathBuf,
}

impl Workdir {
    /// Opens a canonical path; a link on the way is refused.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let said =
            |error: io::Error| format!("the working directory `{}`: {error}", path.display());
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let dir = openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS);
        let dir = dir.map_err(|error| said(error.into()))?;
        Ok(Workdir { dir, path: path.to_owned() })
    }

    /// Where it is, in this process, whatever happens to its name.
    pub(super) fn held(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.dir.as_raw_fd()))
    }

    /// Where it was opened.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A handle on something inside; links are handed out as such and never followed.
    pub(super) fn handle(&self, inside: &Path) -> Result<OwnedFd, Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        openat2(&self.dir, inside, flags, Mode::empty(), resolve)
    }

    /// Whether there is a folder at this path, or something else, or nothing.
    ///
    /// Refuses a link: its name can be protected only by protecting the folder around it.
    pub(super) fn kind(&self, inside: &Path) -> Result<Option<bool>, String> {
        let shown = inside.display();
        let stat = match self.handle(inside).and_then(fstat) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(format!("`{shown}`: {error}")),
        };
        match kind(&stat) {
            FileType::Directory => Ok(Some(true)),
            FileType::Symlink => Err(format!(
                "`{shown}` is a link, which cannot be protected from being replaced\n\
                 put a file or a folder in its place, or grant reading only"
            )),
            FileType::RegularFile
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => Ok(Some(false)),
        }
    }
}

impl AsFd for Workdir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

/// What an opened thing is.
pub(super) fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// A handle on a path, through links.
pub(super) fn handle(path: &Path) -> Result<OwnedFd, Errno> {
    open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
}
