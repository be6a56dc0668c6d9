//! Dependencies are decisions: each has a reason beside it, and TLS comes from one place.
//!
//! Reads the manifests of this repository line by line; no general reader of TOML.

use super::Finding;
use super::tree::Tree;

/// Crates that would bring a second TLS provider, or one that needs a system library.
const OTHER_TLS: [&str; 6] =
    ["aws-lc-rs", "aws-lc-sys", "boring-sys", "native-tls", "openssl", "openssl-sys"];

/// One dependency in a manifest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// The last word of the section: `dependencies`, `dev-dependencies`, ….
    pub(super) section: String,
    /// From 1.
    pub(super) line: usize,
    /// The line as it stands.
    text: String,
}

/// Every dependency of a manifest, in order.
pub(super) fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut section = "";
    for (line, text) in (1..).zip(manifest.lines()) {
        let bare = text.trim();
        if let Some(header) = bare.strip_prefix('[') {
            section = header.split(']').next().unwrap_or_default().trim();
            if let Some((outer, name)) = section.rsplit_once('.')
                && is_dependencies(outer)
            {
                found.push(dependency(outer, name, line, text));
                section = ""; // what follows describes that one dependency
            }
        } else if is_dependencies(section)
            && !bare.starts_with('#')
            && let Some((key, _)) = bare.split_once('=')
        {
            let name = key.split('.').next().unwrap_or_default();
            found.push(dependency(section, name, line, text));
        }
    }
    found
}

fn dependency(section: &str, name: &str, line: usize, text: &str) -> Dependency {
    Dependency {
        name: name.trim().trim_matches('"').to_owned(),
        section: section.rsplit('.').next().unwrap_or(section).to_owned(),
        line,
        text: text.to_owned(),
    }
}

fn is_dependencies(section: &str) -> bool {
    let last = section.rsplit('.').next().unwrap_or(section);
    last == "dependencies" || last.ends_with("-dependencies")
}

/// Dependencies without a reason beside them. A crate takes its dependencies from the
/// workspace, where the reason stands.
pub(super) fn reasons(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, manifest) in tree.ending("Cargo.toml") {
        for dependency in dependencies(manifest) {
            let text = &dependency.text;
            let is_ours = text.contains("path = ");
            let has_reason =
                text.rsplit_once('#').is_some_and(|(_, reason)| !reason.trim().is_empty());
            let from_workspace = text.replace(' ', "").contains("workspace=true");
            if !is_ours && !has_reason && !from_workspace {
                let words = format!("say in one line why `{}` is needed", dependency.name);
                findings.push(Finding::new(path, dependency.line, words));
            }
        }
    }
    findings
}

/// Packages in the lock file that bring other TLS than ring's.
pub(super) fn one_tls_provider(tree: &Tree) -> Vec<Finding> {
    let lock = tree.get("Cargo.lock").unwrap_or_default();
    (1..)
        .zip(lock.lines())
        .filter_map(|(line, text)| {
            let name = text.strip_prefix("name = \"")?.strip_suffix('"')?;
            OTHER_TLS.contains(&name).then(|| {
                let words = format!("`{name}` is in the build; TLS comes from `ring` alone");
                Finding::new("Cargo.lock", line, words)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn every_way_to_write_a_dependency_is_read() {
        let manifest = "[package]\nname = \"a\"\n[dependencies]\n# b = 1\none.workspace = true\n\
                        two = { version = \"1\" }\n[dev-dependencies]\n\"three\" = \"1\"\n\
                        [target.'cfg(unix)'.dependencies]\nfour = \"1\"\n\
                        [dependencies.five]\nversion = \"1\"\n[features]\nsix = []\n";
        let read: Vec<_> = dependencies(manifest)
            .into_iter()
            .map(|found| (found.name, found.section, found.line))
            .collect();
        let read: Vec<_> = read
            .iter()
            .map(|(name, section, line)| (name.as_str(), section.as_str(), *line))
            .collect();
        assert_eq!(
            read,
            [
                ("one", "dependencies", 5),
                ("two", "dependencies", 6),
                ("three", "dev-dependencies", 8),
                ("four", "dependencies", 10),
                ("five", "dependencies", 11),
            ]
        );
    }

    #[test]
    fn a_dependency_has_a_reason() {
        let manifest = "[workspace.dependencies]\nkernel = { path = \"crates/kernel\" }\n\
                        good = \"1\" # for a reason\nbad = \"1\"\nworse = \"1\" #\n";
        let told = found(&[("Cargo.toml", manifest)], reasons);
        assert_eq!(
            told,
            [
                "Cargo.toml:4: say in one line why `bad` is needed",
                "Cargo.toml:5: say in one line why `worse` is needed"
            ]
        );
        let of_a_crate =
            "[dependencies]\none.workspace = true\ntwo = { workspace = true }\nx = \"1\"\n";
        assert_eq!(found(&[("crates/a/Cargo.toml", of_a_crate)], reasons).len(), 1);
    }

    #[test]
    fn a_second_tls_provider_is_found() {
        let lock = "[[package]]\nname = \"ring\"\n\n[[package]]\nname = \"openssl-sys\"\n";
        let told = found(&[("Cargo.lock", lock)], one_tls_provider);
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("Cargo.lock:5: `openssl-sys`"), "{told:?}");
    }
}
