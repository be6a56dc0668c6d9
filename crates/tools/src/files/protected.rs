//! Names that other programs obey when they find them: tools never write them.

use std::path::Path;

use super::shown;

/// Whole names, in small letters.
const NAMES: [&str; 4] = [".git", ".envrc", "windlass.yaml", "windlass.yml"];

/// What the names of this program's own files begin with, in small letters.
const PREFIX: &str = ".windlass";

/// Why a path is not written, if a part of it is protected: repositories, what shells load
/// when somebody enters a folder, and this program's own configuration and state. Case
/// does not count, because some file systems do not count it.
pub(crate) fn never_written(path: &Path) -> Option<String> {
    path.iter().find_map(|part| {
        let name = part.to_string_lossy().to_lowercase();
        let shown = shown(Path::new(part));
        if name.starts_with(PREFIX) {
            Some(format!("`{shown}` belongs to this program and is never written"))
        } else if NAMES.contains(&name.as_str()) {
            Some(format!("`{shown}` is never written: other programs obey what it says"))
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_protected_at_any_depth_and_in_any_case() {
        for path in [
            ".git",
            "a/.git/config",
            ".GIT/hooks/x",
            ".windlass",
            ".windlass-other/x",
            "sub/windlass.yaml",
            ".envrc",
        ] {
            assert!(never_written(Path::new(path)).is_some(), "{path}");
        }
        for path in ["git", ".github/x", ".gitignore", "windlass.yaml.md", "a.windlass", ""] {
            assert_eq!(never_written(Path::new(path)), None, "{path}");
        }
    }
}
