//! Repositories below the top of a working directory.
//!
//! Other programs obey what a repository says about itself, and a caged program may make
//! one in any folder that it may change. Those that are there before are protected; those
//! that are new afterwards are reported.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// What a folder holds that is a repository without being called `.git`.
const BARE: [&str; 3] = ["HEAD", "objects", "refs"];

/// What was found, by paths relative to the working directory.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Each `.git`, and each folder that is a repository as a whole.
    pub(super) paths: BTreeSet<PathBuf>,
    /// Whether everything was looked at.
    pub(super) complete: bool,
}

/// Looks through a working directory, the upper folders first, without following links.
/// Its own `.git` is not among what is found.
pub(super) fn search(workdir: &Path, entries_max: u64) -> Found {
    let mut found = Found { complete: true, ..Found::default() };
    let mut seen = 0;
    let mut folders = VecDeque::from([PathBuf::new()]);
    while let Some(folder) = folders.pop_front() {
        // A folder that is closed to us is closed to a program with our rights too, until
        // it opens it.
        let Ok(entries) = std::fs::read_dir(workdir.join(&folder)) else {
            found.complete = false;
            continue;
        };
        let mut marks = 0;
        for entry in entries.flatten() {
            seen += 1;
            if seen > entries_max {
                found.complete = false;
                return found;
            }
            let name = entry.file_name();
            let top = folder.as_os_str().is_empty();
            if name == ".git" {
                if !top {
                    found.paths.insert(folder.join(&name));
                }
                continue;
            }
            marks += usize::from(BARE.iter().any(|mark| name == OsStr::new(mark)));
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push_back(folder.join(&name));
            }
        }
        if marks == BARE.len() {
            found.paths.insert(folder);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_both_kinds_and_says_when_it_has_not_looked_everywhere() {
        let dir = tempfile::tempdir().unwrap();
        for folder in [".git/objects", "a/.git", "b/c/objects", "b/c/refs", "d/objects"] {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        std::fs::write(dir.path().join("b/c/HEAD"), "").unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("d/again")).unwrap();
        let found = search(dir.path(), 100);
        let expected = ["a/.git", "b/c"].map(PathBuf::from);
        assert_eq!(found, Found { paths: BTreeSet::from(expected), complete: true });
        assert!(!search(dir.path(), 3).complete);
    }
}
