//! The text files of the repository, by path: those that git tracks or would track.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

/// Longest file that is looked at, in bytes.
const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Paths with `/`, from the root of the repository, and their texts.
pub(super) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads the repository at `root`. Files that are no text are left out.
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("cannot run git")?;
        if !listed.status.success() {
            bail!("git: {}", String::from_utf8_lossy(&listed.stderr).trim());
        }
        let mut files = BTreeMap::new();
        for path in String::from_utf8(listed.stdout)?.split_terminator('\0') {
            let Ok(bytes) = std::fs::read(root.join(path)) else {
                continue; // deleted, and not yet committed so
            };
            if let Ok(text) = String::from_utf8(bytes)
                && text.len() <= FILE_BYTES_MAX
            {
                files.insert(path.to_owned(), text);
            }
        }
        Ok(Tree { files })
    }

    /// A tree of these files.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let own = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        Tree { files: files.iter().map(own).collect() }
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// The text of a file.
    pub(super) fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether there is such a file, or a folder with files in it.
    pub(super) fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty()
            || self.files.contains_key(path)
            || self.files.keys().any(|file| file.starts_with(&folder))
    }

    /// Every file, with its text.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every file whose name ends so.
    pub(super) fn ending<'a>(&'a self, ext: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files().filter(move |(path, _)| path.ends_with(ext))
    }

    /// The folders of the crates, `crates/*` and `xtask`, with their manifests.
    pub(super) fn crates(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ending("/Cargo.toml").map(|(path, text)| (path.trim_end_matches("/Cargo.toml"), text))
    }
}
