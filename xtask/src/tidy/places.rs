//! Nothing in the repository names the machine that it was made on, or where packages
//! were fetched from there.

use super::Finding;
use super::tree::Tree;

/// Beginnings of paths that only one machine has. Written apart, so that this file does
/// not name them.
const MACHINE: [&str; 3] = [concat!("/", "work/"), concat!("/", "root/"), concat!("/", "home/")];

/// Hosts that packages come from; the choice of one belongs to whoever builds.
const REGISTRIES: [&str; 5] = [
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("registry.", "npmjs.org"),
    concat!("files.", "pythonhosted.org"),
    concat!("proxy.", "golang.org"),
];

/// The one source that the lock file names.
const LOCKED_SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Absolute paths of a machine.
pub(super) fn machine(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        for (line, text) in (1..).zip(text.lines()) {
            if let Some(prefix) = MACHINE.iter().find(|prefix| starts_a_path(text, prefix)) {
                let words = format!("`{prefix}…` is a path of one machine");
                findings.push(Finding::new(path, line, words));
            }
        }
    }
    findings
}

/// Whether the prefix stands at the beginning of a path in this line.
fn starts_a_path(line: &str, prefix: &str) -> bool {
    line.match_indices(prefix).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.~}])*>".contains(c))
    })
}

/// Package hosts, and sources in the lock file other than the usual one.
pub(super) fn registries(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        for (line, text) in (1..).zip(text.lines()) {
            if let Some(host) = REGISTRIES.iter().find(|host| text.contains(**host)) {
                let words = format!("`{host}` is a place to fetch packages from; leave it out");
                findings.push(Finding::new(path, line, words));
            }
            let source = text.strip_prefix("source = \"").filter(|_| path == "Cargo.lock");
            if source.is_some_and(|source| source.trim_end_matches('"') != LOCKED_SOURCE) {
                let words = "a package comes from elsewhere than the usual registry";
                findings.push(Finding::new(path, line, words));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn paths_of_one_machine_are_found() {
        for (text, right) in [
            (format!("see {}notes.md", MACHINE[0]), false),
            (format!("cd \"{}me\"", MACHINE[2]), false),
            (format!("the folder here{}x", MACHINE[0]), true),
            (format!("https://example.com{}x", MACHINE[1]), true),
            ("home/x and work/x".to_owned(), true),
        ] {
            assert_eq!(found(&[("a.md", &text)], machine).is_empty(), right, "{text}");
        }
    }

    #[test]
    fn places_to_fetch_from_are_found() {
        let lock = format!("source = \"{LOCKED_SOURCE}\"\nsource = \"registry+https://other\"\n");
        let config = format!("url = \"https://{}\"\n", REGISTRIES[0]);
        let files = [("Cargo.lock", lock.as_str()), ("a.toml", config.as_str())];
        let told = found(&files, registries);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("Cargo.lock:2:"));
        assert!(told[1].starts_with("a.toml:1:"));
    }
}
