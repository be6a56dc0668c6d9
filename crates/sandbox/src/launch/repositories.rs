//! Repositories below the top of a working directory.
//!
//! Other programs obey what a repository says about itself, and a caged program may make
//! one in any folder that it may change. Those that are there before are protected; those
//! that are new afterwards are reported.

use std::collections::{BTreeMap, VecDeque};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What a folder holds that is a repository without being called `.git`.
const BARE: [&str; 3] = ["HEAD", "objects", "refs"];

/// What something is, whatever it is called: device and inode.
type Identity = (u64, u64);

/// What was found, by paths relative to the working directory.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Each `.git`, and each folder that is a repository as a whole.
    pub(super) repositories: BTreeMap<PathBuf, Identity>,
    /// Whether everything was looked at.
    pub(super) complete: bool,
}

impl Found {
    /// What is here and was not there, or was something else: a repository may have been
    /// moved away and another one put in its place.
    pub(super) fn since(self, before: &Found) -> Vec<PathBuf> {
        let new = |(path, identity): (PathBuf, Identity)| {
            (before.repositories.get(&path) != Some(&identity)).then_some(path)
        };
        self.repositories.into_iter().filter_map(new).collect()
    }

    fn add(&mut self, workdir: &Path, path: PathBuf) {
        match std::fs::symlink_metadata(workdir.join(&path)) {
            Ok(found) => drop(self.repositories.insert(path, (found.dev(), found.ino()))),
            Err(_) => self.complete = false,
        }
    }
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
        for entry in entries {
            seen += 1;
            let Some(entry) = entry.ok().filter(|_| seen <= entries_max) else {
                found.complete = false;
                return found;
            };
            let name = entry.file_name();
            marks += usize::from(BARE.iter().any(|mark| name == *mark));
            if name == ".git" {
                if !folder.as_os_str().is_empty() {
                    found.add(workdir, folder.join(name));
                }
            } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push_back(folder.join(name));
            }
        }
        if marks == BARE.len() {
            found.add(workdir, folder);
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
        let paths: Vec<&Path> = found.repositories.keys().map(PathBuf::as_path).collect();
        assert_eq!(paths, [Path::new("a/.git"), Path::new("b/c")]);
        assert!(found.complete);
        std::fs::rename(dir.path().join("a"), dir.path().join("z")).unwrap();
        std::fs::create_dir_all(dir.path().join("a/.git")).unwrap();
        let moved = search(dir.path(), 100).since(&found);
        assert_eq!(moved, [Path::new("a/.git"), Path::new("z/.git")]);
        assert!(!search(dir.path(), 3).complete);
    }
}
