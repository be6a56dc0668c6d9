//! Walking a folder: in the order of names, never through links, with an end.

use std::ffi::{OsStr, OsString};
use std::ops::ControlFlow;
use std::path::Path;

use cap_fs_ext::{DirExt, MetadataExt};
use cap_std::fs::Dir;

use super::{Folder, Identity, Stop, TEMP_PREFIX};

/// Entries looked at in one walk.
const ENTRIES_MAX: usize = 100_000;

/// Folders in folders that a walk goes down.
const DEPTH_MAX: usize = 64;

/// A file that a walk came by: a regular one, or a link, which is not followed.
pub(crate) struct Found<'w> {
    /// The folder it is in.
    pub(crate) dir: &'w Dir,
    /// Its name there.
    pub(crate) name: &'w OsStr,
    /// Its path from where the walk began.
    pub(crate) path: &'w Path,
    /// Whether it is a link.
    pub(crate) is_link: bool,
}

/// How a walk went.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Walked {
    /// Entries looked at.
    pub(crate) entries: usize,
    /// Folders that could not be read.
    pub(crate) unreadable: usize,
    /// Whether a limit ended it before everything was seen.
    pub(crate) cut: bool,
}

impl Walked {
    /// What the model must know about the walk's limits: empty, or lines.
    pub(crate) fn remarks(&self) -> String {
        let mut lines = String::new();
        if self.cut {
            lines.push_str("\n[stopped: too many entries or too deep; give a narrower `path`]");
        }
        if self.unreadable > 0 {
            lines.push_str(&format!("\n[{} folders could not be read]", self.unreadable));
        }
        lines
    }
}

/// Visits every file beneath `dir`, a folder of `folder`, until `visit` breaks. Passed
/// over: `.git`, the hidden folder, temporary files of writes, pipes, sockets, devices.
pub(crate) fn walk(
    folder: &Folder,
    dir: &Dir,
    stop: &Stop,
    visit: &mut dyn FnMut(&Found<'_>) -> ControlFlow<()>,
) -> Walked {
    let mut walker = Walker { hidden: folder.hidden(), stop, visit, walked: Walked::default() };
    let _ = walker.go(dir, Path::new(""), 0);
    walker.walked
}

struct Walker<'w> {
    hidden: Option<Identity>,
    stop: &'w Stop,
    visit: &'w mut dyn FnMut(&Found<'_>) -> ControlFlow<()>,
    walked: Walked,
}

impl Walker<'_> {
    fn go(&mut self, dir: &Dir, at: &Path, depth: usize) -> ControlFlow<()> {
        for name in self.names(dir)? {
            if self.stop.is_set() {
                return ControlFlow::Break(());
            }
            let path = at.join(&name);
            let Ok(meta) = dir.symlink_metadata(&name) else {
                continue; // gone since it was listed
            };
            if meta.is_dir() {
                let closed = self.hidden == Some((meta.dev(), meta.ino()));
                if !closed && name != ".git" {
                    self.down(dir, &name, &path, depth)?;
                }
            } else if meta.is_file() || meta.is_symlink() {
                let is_link = meta.is_symlink();
                (self.visit)(&Found { dir, name: &name, path: &path, is_link })?;
            }
        }
        ControlFlow::Continue(())
    }

    fn down(&mut self, dir: &Dir, name: &OsStr, path: &Path, depth: usize) -> ControlFlow<()> {
        if depth + 1 >= DEPTH_MAX {
            self.walked.cut = true;
            return ControlFlow::Continue(());
        }
        match dir.open_dir_nofollow(name) {
            Ok(inner) => self.go(&inner, path, depth + 1),
            Err(_) => {
                self.walked.unreadable += 1;
                ControlFlow::Continue(())
            }
        }
    }

    /// The names in a folder, sorted, as far as the walk may still look.
    fn names(&mut self, dir: &Dir) -> ControlFlow<(), Vec<OsString>> {
        let Ok(entries) = dir.entries() else {
            self.walked.unreadable += 1;
            return ControlFlow::Continue(Vec::new());
        };
        let mut names = Vec::new();
        for entry in entries.flatten() {
            if self.walked.entries >= ENTRIES_MAX {
                self.walked.cut = true;
                break;
            }
            self.walked.entries += 1;
            let name = entry.file_name();
            if !name.as_encoded_bytes().starts_with(TEMP_PREFIX.as_bytes()) {
                names.push(name);
            }
            if self.stop.is_set() {
                return ControlFlow::Break(());
            }
        }
        names.sort();
        ControlFlow::Continue(names)
    }
}
