//! Paths as a model writes them, and names as it is shown them.

use std::path::{Component, Path, PathBuf};

use crate::failure::{Failure, told};

/// The longest path, in bytes.
const PATH_BYTES_MAX: usize = 4_096;

/// Folders in folders that a path may name.
const DEPTH_MAX: usize = 64;

/// The path relative to `root`, with `.` and `..` resolved by their letters. An absolute
/// path is accepted where its letters lie inside `root`. Empty for `root` itself.
///
/// This is a courtesy and no guard: what the path leads to is for the descriptors.
pub(crate) fn inside(root: &Path, text: &str) -> Result<PathBuf, Failure> {
    if text.contains('\0') {
        return told("a path cannot hold a zero byte");
    }
    if text.len() > PATH_BYTES_MAX {
        return told(format!("the path is longer than {PATH_BYTES_MAX} bytes"));
    }
    let path = Path::new(text);
    let relative = path.strip_prefix(root).unwrap_or(path);
    let mut clean = PathBuf::new();
    for part in relative.components() {
        let stays = match part {
            Component::CurDir => true,
            Component::Normal(name) => {
                clean.push(name);
                true
            }
            Component::ParentDir => clean.pop(),
            Component::RootDir | Component::Prefix(_) => false,
        };
        if !stays {
            return told(format!(
                "`{}` lies outside of the working directory\nuse a path relative to it, like `notes/a.md`",
                shown(path)
            ));
        }
    }
    if clean.components().count() > DEPTH_MAX {
        return told(format!("the path is deeper than {DEPTH_MAX} folders"));
    }
    Ok(clean)
}

/// A path as one line of text: control characters escaped, bytes that are no text marked.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.is_empty() {
        return ".".to_owned();
    }
    if !text.contains(char::is_control) {
        return text.into_owned();
    }
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_by_their_letters() {
        let cases = [
            ("a.txt", Some("a.txt")),
            ("./a//b/", Some("a/b")),
            ("a/../b", Some("b")),
            ("a/../../b", None),
            ("..", None),
            ("/etc/passwd", None),
            ("/srv/dir/a", Some("a")),
            ("/srv/dir/../dir2/a", None),
            ("/srv/directory/a", None),
            ("/srv/dir", Some("")),
            (".", Some("")),
            ("", Some("")),
            ("a\0b", None),
            ("naïve name\n.txt", Some("naïve name\n.txt")),
        ];
        for (text, wanted) in cases {
            let got = inside(Path::new("/srv/dir"), text).ok();
            assert_eq!(got.as_deref(), wanted.map(Path::new), "{text:?}");
        }
        assert!(inside(Path::new("/w"), &"a/".repeat(65)).is_err());
        assert!(inside(Path::new("/w"), &"a".repeat(5_000)).is_err());
    }
}
