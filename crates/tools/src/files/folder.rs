//! One open folder that nothing leads out of.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::fs::{CWD, FlockOperation, Mode, OFlags, flock, fstat, fsync, openat};
use rustix::io::Errno;

use super::content::{Content, regular};
use super::{Stop, never_written, shown, worded};
use crate::failure::{Failure, told};

/// How the temporary files of a write begin. Walks pass them over.
pub(crate) const TEMP_PREFIX: &str = ".windlass-";

/// Links followed one after another when reading.
const LINKS_MAX: usize = 8;

/// Folders climbed when looking for the hidden one.
const CLIMB_MAX: usize = 256;

/// How long a change waits for the changes of other processes, in milliseconds.
const LOCK_WAIT_MS_MAX: u64 = 10_000;

/// How often it looks, in milliseconds.
const LOCK_LOOK_MS: u64 = 3;

/// What a file or folder is, whatever it is called: device and inode.
pub(crate) type Identity = (u64, u64);

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    dir: Dir,
    path: PathBuf,
    id: Identity,
    hidden: Option<Identity>,
}

impl Folder {
    /// Opens the folder at `path`, in which the folder at `hidden` cannot be seen.
    pub(crate) fn open(path: &Path, hidden: &Path) -> Result<Self, Failure> {
        let failed = |error: &io::Error| {
            Failure::Told(format!("the folder `{}` cannot be opened: {error}", shown(path)))
        };
        let dir = Dir::open_ambient_dir(path, ambient_authority()).map_err(|e| failed(&e))?;
        let id = identity(&dir).map_err(|e| failed(&e))?;
        let hidden = openat(CWD, hidden, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let hidden = hidden.ok().and_then(|dir| identity(&dir).ok());
        if hidden == Some(id) {
            return told(format!(
                "the folder `{}` is this program's own and closed to tools\n\
                 the operator must choose another working directory, or keep the state elsewhere",
                shown(path)
            ));
        }
        Ok(Folder { dir, path: path.to_owned(), id, hidden })
    }

    /// What this folder is.
    pub(crate) fn id(&self) -> Identity {
        self.id
    }

    /// What the hidden folder is, where there is one.
    pub(crate) fn hidden(&self) -> Option<Identity> {
        self.hidden
    }

    /// Where this folder was opened.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path that a model wrote, relative to this folder.
    pub(crate) fn inside(&self, text: &str) -> Result<PathBuf, Failure> {
        super::inside(&self.path, text)
    }

    /// Opens a folder in this one.
    pub(crate) fn folder(&self, path: &Path) -> Result<Dir, Failure> {
        let dir = if path.as_os_str().is_empty() {
            self.dir.try_clone()
        } else {
            self.dir.open_dir(path)
        };
        let dir = dir.map_err(|error| worded(&shown(path), &error))?;
        self.refuse_hidden(&dir, path)?;
        Ok(dir)
    }

    /// Opens a regular file for reading, through links that stay inside.
    pub(crate) fn open_file(&self, path: &Path) -> Result<File, Failure> {
        let name = shown(path);
        let mut at = path.to_owned();
        for _ in 0..LINKS_MAX {
            let (above, last) = split(&at, &name)?;
            let dir = self.folder(above)?;
            match open_last(&dir, last) {
                Ok(file) => {
                    regular(&name, &file)?;
                    return Ok(file);
                }
                Err(error) => match dir.read_link_contents(last) {
                    Ok(leads_to) => at = self.follow(above, &leads_to, &name)?,
                    Err(_) => return Err(worded(&name, &error)),
                },
            }
        }
        told(format!("`{name}` is a link to a link to a link, and so on"))
    }

    /// Where a link leads, not yet checked: it is resolved beneath this folder again.
    fn follow(&self, above: &Path, leads_to: &Path, name: &str) -> Result<PathBuf, Failure> {
        if leads_to.is_relative() {
            return Ok(above.join(leads_to));
        }
        match leads_to.strip_prefix(&self.path) {
            Ok(inside) => Ok(inside.to_owned()),
            Err(_) => told(format!("`{name}` leads outside of the working directory")),
        }
    }

    /// Reads a regular file, through links that stay inside.
    pub(crate) fn read(&self, path: &Path) -> Result<Content, Failure> {
        Content::of(&shown(path), self.open_file(path)?)
    }

    /// Reads the file that a write would replace; `None` where there is none. A link is
    /// refused: replacing it would not change what it leads to.
    pub(crate) fn read_to_replace(&self, path: &Path) -> Result<Option<Content>, Failure> {
        let name = shown(path);
        let (above, last) = split(path, &name)?;
        let Some(dir) = self.existing(above)? else {
            return Ok(None);
        };
        match open_last(&dir, last) {
            Ok(file) => Content::of(&name, file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => match dir.read_link_contents(last) {
                Ok(leads_to) => told(format!(
                    "`{name}` is a link to `{}`\nlinks are not written through; use that path",
                    shown(&leads_to)
                )),
                Err(_) => Err(worded(&name, &error)),
            },
        }
    }

    /// Whether there is certainly nothing at `path`.
    pub(crate) fn lacks(&self, path: &Path) -> bool {
        let looked = self.dir.symlink_metadata(path);
        looked.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// Waits until no other process changes this folder by way of this lock, and keeps it
    /// until the descriptor is dropped. `None` where the file system or the permissions
    /// know no such lock: it keeps our own processes apart and is no guard.
    pub(crate) fn lock(&self, stop: &Stop) -> Result<Option<OwnedFd>, Failure> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(dir) = openat(&self.dir, ".", flags, Mode::empty()) else {
            return Ok(None);
        };
        let until = Instant::now() + Duration::from_millis(LOCK_WAIT_MS_MAX);
        loop {
            match flock(&dir, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Some(dir)),
                Err(Errno::WOULDBLOCK | Errno::INTR) => {}
                Err(_) => return Ok(None),
            }
            if stop.is_set() {
                return told("stopped before anything was changed");
            }
            if Instant::now() > until {
                return told(format!(
                    "another program has kept the folder `{}` locked for {LOCK_WAIT_MS_MAX} ms; \
                     nothing was changed\ntry again later",
                    shown(&self.path)
                ));
            }
            std::thread::sleep(Duration::from_millis(LOCK_LOOK_MS));
        }
    }

    /// Whether there is a regular file or a link at `path`, wherever the link leads.
    pub(crate) fn has_file(&self, path: &Path) -> bool {
        self.dir.symlink_metadata(path).is_ok_and(|meta| meta.is_file() || meta.is_symlink())
    }

    /// Opens the folder `path`, or the lack of it: `None` where it or one above it does
    /// not exist. What exists of it is neither the hidden folder nor a protected one.
    fn existing(&self, path: &Path) -> Result<Option<Dir>, Failure> {
        for above in path.ancestors() {
            let opened = if above.as_os_str().is_empty() {
                self.dir.try_clone()
            } else {
                self.dir.open_dir(above)
            };
            match opened {
                Ok(dir) => {
                    self.refuse_hidden(&dir, path)?;
                    self.refuse_protected(&dir, path)?;
                    return Ok((above == path).then_some(dir));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(worded(&shown(path), &error)),
            }
        }
        Ok(None)
    }

    /// Opens the folder `path`, making what is missing of it, durably.
    pub(crate) fn make(&self, path: &Path) -> Result<Dir, Failure> {
        if let Some(dir) = self.existing(path)? {
            return Ok(dir);
        }
        let mut above: Vec<&Path> = path.ancestors().collect();
        above.reverse();
        for pair in above.windows(2) {
            let (outer, inner) = (pair[0], pair[1]);
            if self.existing(inner)?.is_some() {
                continue;
            }
            match self.dir.create_dir(inner) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(worded(&shown(path), &error)),
            }
            let outer = self.folder(outer)?;
            sync_folder(&outer).map_err(|error| worded(&shown(path), &error))?;
        }
        self.folder(path)
    }

    /// Refuses what lies in the hidden folder, by climbing from `dir` up to this folder.
    fn refuse_hidden(&self, dir: &Dir, path: &Path) -> Result<(), Failure> {
        let Some(hidden) = self.hidden else {
            return Ok(());
        };
        let failed = |error: &io::Error| worded(&shown(path), error);
        let mut here = reopen(dir, ".").map_err(|e| failed(&e))?;
        for _ in 0..CLIMB_MAX {
            let id = identity(&here).map_err(|e| failed(&e))?;
            if id == self.id {
                return Ok(());
            }
            if id == hidden {
                return told(format!("`{}` belongs to this program and is closed", shown(path)));
            }
            here = reopen(&here, "..").map_err(|e| failed(&e))?;
        }
        told(format!("`{}` was moved while it was being used\ntry again", shown(path)))
    }
}

#[cfg(target_os = "linux")]
impl Folder {
    /// Refuses a folder to write in whose real path below this one has a protected name,
    /// by whatever links it was reached.
    fn refuse_protected(&self, dir: &Dir, path: &Path) -> Result<(), Failure> {
        let failed = |error: &io::Error| worded(&shown(path), error);
        let own = real_path(&self.dir).map_err(|e| failed(&e))?;
        let real = real_path(dir).map_err(|e| failed(&e))?;
        let Ok(below) = real.strip_prefix(&own) else {
            return told(format!("`{}` was moved while it was being used\ntry again", shown(path)));
        };
        never_written(below).map_or(Ok(()), told)
    }
}

/// Where an open folder is now, as the kernel says.
#[cfg(target_os = "linux")]
fn real_path(dir: &impl std::os::fd::AsFd) -> io::Result<PathBuf> {
    use std::os::fd::AsRawFd as _;
    std::fs::read_link(format!("/proc/self/fd/{}", dir.as_fd().as_raw_fd()))
}

#[cfg(not(target_os = "linux"))]
impl Folder {
    /// Elsewhere the letters of the path must do.
    #[allow(clippy::unused_self)]
    fn refuse_protected(&self, _dir: &Dir, _path: &Path) -> Result<(), Failure> {
        Ok(())
    }
}

/// The folder and the last name of a path.
fn split<'p>(path: &'p Path, name: &str) -> Result<(&'p Path, &'p OsStr), Failure> {
    match (path.parent(), path.file_name()) {
        (Some(above), Some(last)) => Ok((above, last)),
        (None, _) | (_, None) => told(format!("`{name}` is a folder\nuse `glob` to list it")),
    }
}

/// Opens the file `name` in `dir` for reading: never through a link, never waiting for
/// the other end of a pipe, never becoming a terminal's child. It may be of any kind.
pub(crate) fn open_last(dir: &Dir, name: &OsStr) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlags::NOCTTY.bits().cast_signed());
    options.follow(FollowSymlinks::No).nonblock(true);
    dir.open_with(name, &options).map(cap_std::fs::File::into_std)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(dir: &Dir) -> io::Result<()> {
    let dir =
        openat(dir, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    match fsync(&dir) {
        // Some network file systems have no such thing for folders.
        Ok(()) | Err(Errno::INVAL) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn reopen(dir: &impl std::os::fd::AsFd, name: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    #[cfg(target_os = "linux")]
    let flags = flags | OFlags::PATH; // needs no right to list the folder
    Ok(openat(dir, name, flags, Mode::empty())?)
}

#[allow(clippy::unnecessary_cast, clippy::cast_sign_loss)] // their types differ by system
fn identity(file: &impl std::os::fd::AsFd) -> io::Result<Identity> {
    let stat = fstat(file)?;
    Ok((stat.st_dev as u64, stat.st_ino as u64))
}
