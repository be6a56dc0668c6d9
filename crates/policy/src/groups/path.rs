//! Patterns of paths, relative to the working directory: `*` and `?` within a name, `**`
//! for any folders. A pattern that fits a folder fits everything in it.

use globset::{GlobBuilder, GlobMatcher};

/// A pattern of paths.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(GlobMatcher);

impl Pattern {
    /// Reads one, or says what would be right.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let right = "write it relative to the working directory, as in `src`, `**/.env` or \
                     `docs/*.md`; absolute where it lies outside";
        let text = text.strip_prefix("./").unwrap_or(text);
        let text = if text.len() > 1 { text.trim_end_matches('/') } else { text };
        if text.is_empty() || text.split('/').any(|name| name == "..") {
            return Err(right.to_owned());
        }
        match GlobBuilder::new(text).literal_separator(true).build() {
            Ok(glob) => Ok(Pattern(glob.compile_matcher())),
            Err(_) => Err(right.to_owned()),
        }
    }

    /// Whether a path is meant, itself or through a folder above it.
    pub(crate) fn fits(&self, path: &str) -> bool {
        let path = normal(path);
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        folders.chain([path.as_str()]).any(|path| self.0.is_match(path))
    }
}

/// A path without `.` and without `..` where something stands before it to go up from.
pub(crate) fn normal(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => {
                names.pop();
            }
            ".." if path.starts_with('/') => {}
            name => names.push(name),
        }
    }
    let joined = names.join("/");
    if path.starts_with('/') { format!("/{joined}") } else { joined }
}

/// Whether a path leads out of the working directory, by its text.
pub(crate) fn is_outside(path: &str) -> bool {
    let path = normal(path);
    path.starts_with(['/', '~']) || path == ".." || path.starts_with("../")
}
