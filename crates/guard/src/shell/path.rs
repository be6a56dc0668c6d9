//! Paths in the text of a command: whether they stay in the workspace, and whether a tool
//! that was granted may change what lies there.
//!
//! Lexical only: links are the sandbox's to refuse. A path that could leave is one that does.

/// Stands in a sample for what an unquoted pattern character could match.
pub(super) const ANY: char = '\u{1}';

/// Places that are no files of anybody.
const NOWHERE: [&str; 6] =
    ["/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/zero", "/dev/fd/0"];
/// Hidden names that nothing runs or takes configuration from.
const HARMLESS_HIDDEN: [&str; 6] =
    [".gitignore", ".gitkeep", ".dockerignore", ".editorconfig", ".keep", ".nojekyll"];
/// Our own configuration.
const OWN: &str = "windlass.yaml";

/// Why a path may lead out of the workspace, if it may. `root`: where the workspace lies,
/// if that is known.
pub(super) fn leaves(path: &str, root: Option<&str>) -> Option<String> {
    let shown = path.replace(ANY, "*");
    let outside = || Some(format!("`{shown}` is outside of the workspace"));
    let path = within(path, root);
    if NOWHERE.contains(&path) {
        return None;
    }
    if path.starts_with(['/', '~']) {
        return outside();
    }
    let lower = path.to_ascii_lowercase();
    if lower.contains("://") || lower.starts_with("file:") {
        return Some(format!("`{shown}` is an address, not a file"));
    }
    if path.split('/').any(leads_up) { outside() } else { None }
}

/// Whether part of a path is `..`, or a pattern that may match it: shells before bash 5.2 find
/// it with `.*` and `..*`.
fn leads_up(part: &str) -> bool {
    match part.split_once(ANY) {
        None => part == "..",
        Some((certain, _)) => certain == "." || certain == "..",
    }
}

/// A path for people and policies: relative to the workspace, with stars for patterns.
pub(super) fn shown(path: &str, root: Option<&str>) -> String {
    within(path, root).replace(ANY, "*")
}

/// The path relative to the workspace, where it is absolute and lies in it.
fn within<'a>(path: &'a str, root: Option<&str>) -> &'a str {
    let Some(root) = root else { return path };
    match path.strip_prefix(root.trim_end_matches('/')) {
        Some("") => ".",
        Some(rest) if rest.starts_with('/') => rest.trim_start_matches('/'),
        Some(_) | None => path,
    }
}

/// Why a text could name something outside, wherever in it a path may begin: for words of
/// programs of which nothing is known.
pub(super) fn hides_a_way_out(text: &str, root: Option<&str>) -> Option<String> {
    let starts = ['=', ':', '@', ',', ';', '{', ' ', '\'', '"', '(', '<', '>', '|'];
    let whole = leaves(text, root);
    whole.or_else(|| text.split(starts).find_map(|part| leaves(part, root))).or_else(|| {
        // A value that is glued to a short option: `-I/usr/include`.
        let glued = text.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        glued.and_then(|rest| rest.get(1..)).and_then(|rest| leaves(rest, root))
    })
}

/// Why nothing may be written there, if so. The path does not leave the workspace.
pub(super) fn guarded(path: &str, root: Option<&str>) -> Option<String> {
    let path = within(path, root);
    if NOWHERE.contains(&path) {
        return None;
    }
    let shown = path.replace(ANY, "*");
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    let parts = parts.collect::<Vec<_>>();
    let Some(last) = parts.last() else {
        return Some("the workspace as a whole".to_owned());
    };
    let hidden = parts.iter().find(|part| part.starts_with('.') && !HARMLESS_HIDDEN.contains(part));
    if let Some(hidden) = hidden {
        return Some(format!(
            "`{}` in `{shown}` may be run or read as configuration",
            hidden.replace(ANY, "*")
        ));
    }
    let own = parts.iter().any(|part| part.eq_ignore_ascii_case(OWN));
    if own || parts.len() == 1 && last.contains(ANY) && matches(last, OWN) {
        return Some(format!("`{shown}` is Windlass's own configuration"));
    }
    None
}

/// Whether a pattern may match a name; what stands behind [`ANY`] may be part of a bracket,
/// so that only what stands before the first is certain.
fn matches(pattern: &str, name: &str) -> bool {
    let (before, after) = pattern.split_once(ANY).unwrap_or((pattern, ""));
    let certain = after.rsplit(ANY).next().unwrap_or("");
    name.starts_with(before) && (certain.contains(']') || name.ends_with(certain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_or_leaves() {
        let root = Some("/w/s");
        for stays in
            ["a", "./a/b", "a..b", "...", ".git", "/w/s", "/w/s/a", "-", "/dev/null", "a\u{1}"]
        {
            assert_eq!(leaves(stays, root), None, "{stays}");
        }
        let ways = [
            "/etc/x",
            "~",
            "~u/a",
            "..",
            "a/../b",
            "/w/sx",
            "/w/s/../x",
            ".\u{1}",
            "file:/a",
            "http://a",
            "a/.\u{1}/b",
            "..\u{1}",
            "/proc/self/cwd",
        ];
        for leaving in ways {
            assert!(leaves(leaving, root).is_some(), "{leaving}");
        }
        for hidden in ["a=/etc/x", "@/etc/x", "--f=../a", "-I/usr", "x:~/a", "{a,/b"] {
            assert!(hides_a_way_out(hidden, None).is_some(), "{hidden}");
        }
    }

    #[test]
    fn what_runs_later_is_not_written() {
        for free in ["a", "a/b.rs", ".gitignore", "\u{1}.tmp", "b/\u{1}", "/dev/null"] {
            assert_eq!(guarded(free, None), None, "{free}");
        }
        let kept = [
            ".git/hooks/x",
            "a/.envrc",
            ".",
            "./",
            "windlass.yaml",
            "x/Windlass.yaml",
            "\u{1}",
            "\u{1}.yaml",
            ".windlass/x",
            "wind\u{1}",
        ];
        for kept in kept {
            assert!(guarded(kept, None).is_some(), "{kept}");
        }
    }
}
