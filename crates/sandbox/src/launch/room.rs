//! Private rooms: a temporary folder and a home for each cage, gone with it.
//!
//! All rooms of a user lie in one folder that nobody else can enter. A room is locked
//! while its cage lives, so rooms of dead launchers are found and thrown away.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::process::getuid;

/// How names of rooms begin.
const PREFIX: &str = "room-";

/// Tries to find a name for a room.
const NAMES_MAX: u32 = 100;

/// A room; dropped, it is thrown away.
pub(crate) struct Room {
    path: PathBuf,
    _lock: File,
}

impl Room {
    /// Makes a room.
    pub(crate) fn make(rooms: &Path) -> Result<Self, String> {
        let process = std::process::id();
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for number in 0..NAMES_MAX {
            let path = rooms.join(format!("{PREFIX}{process}-{number}"));
            match private(&path) {
                // Somebody may sweep right now and take a room that is not locked yet.
                Ok(()) => match furnish(path) {
                    Ok(room) => return Ok(room),
                    Err(error) => last = error,
                },
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(said(&path, &error)),
            }
        }
        Err(said(rooms, &last))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The temporary folder.
    pub(super) fn temp(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// What becomes the folder of shared memory.
    pub(super) fn shared(&self) -> PathBuf {
        self.path.join("shm")
    }

    /// Nothing, as a folder or as a file, to cover what is hidden.
    pub(super) fn nothing(&self, folder: bool) -> PathBuf {
        self.path.join(if folder { "nothing" } else { "blank" })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        clear(&self.path);
    }
}

fn furnish(path: PathBuf) -> io::Result<Room> {
    let lock = File::open(&path)?;
    flock(lock.as_fd(), FlockOperation::NonBlockingLockExclusive)?;
    for name in ["tmp", "tmp/home", "shm", "nothing"] {
        private(&path.join(name))?;
    }
    File::create(path.join("blank"))?;
    Ok(Room { path, _lock: lock })
}

fn private(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

fn said(path: &Path, error: &io::Error) -> String {
    format!("the private folder `{}`: {error}", path.display())
}

/// The folder of all rooms, made where it is missing; it must be this user's alone.
pub(crate) fn house(path: &Path) -> Result<PathBuf, String> {
    match private(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(said(path, &error));
        }
        Ok(()) | Err(_) => {}
    }
    let found = std::fs::symlink_metadata(path).map_err(|error| said(path, &error))?;
    let ours = found.uid() == getuid().as_raw() && found.mode() & 0o077 == 0;
    if !found.is_dir() || !ours {
        return Err(format!(
            "`{}` is not a private folder of this user\nremove it, or set `TMPDIR`",
            path.display()
        ));
    }
    std::fs::canonicalize(path).map_err(|error| said(path, &error))
}

/// Throws away the rooms of launchers that are dead.
pub(crate) fn sweep(rooms: &Path) {
    let Ok(entries) = std::fs::read_dir(rooms) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with(PREFIX) {
            continue;
        }
        let Ok(lock) = File::open(&path) else { continue };
        if flock(lock.as_fd(), FlockOperation::NonBlockingLockExclusive).is_ok() {
            clear(&path);
        }
    }
}

/// Removes a room. A program may have closed folders of its own to itself: then they are
/// opened first. What still stays is no secret of anybody else.
fn clear(path: &Path) {
    if std::fs::remove_dir_all(path).is_err() {
        open_folders(path, DEPTH_MAX);
        let _ = std::fs::remove_dir_all(path);
    }
}

/// Depth to which closed folders are opened.
const DEPTH_MAX: usize = 256;

fn open_folders(path: &Path, depth: usize) {
    let Ok(found) = std::fs::symlink_metadata(path) else { return };
    if !found.is_dir() || depth == 0 {
        return;
    }
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    let _ = std::fs::set_permissions(path, mode);
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        open_folders(&entry.path(), depth - 1);
    }
}
