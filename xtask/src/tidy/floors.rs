//! The floor rule: a crate imports only crates on lower floors, never a sibling.

use super::Finding;
use super::dependencies::{Dependency, dependencies};
use super::tree::Tree;

/// Each crate of ours and what of ours it may import. `xtask` stands beside the house.
const FLOORS: [(&str, &[&str]); 17] = [
    ("kernel", &[]),
    ("redact", &[]),
    ("wire", &["kernel"]),
    ("engine", &["kernel", "redact"]),
    ("guard", &["kernel"]),
    ("sandbox", &[]),
    ("secrets", &["kernel"]),
    ("databases", &["kernel"]),
    ("models", &["engine", "wire", "kernel"]),
    ("tools", &["engine", "guard", "databases", "sandbox", "secrets", "kernel"]),
    ("mcp", &["engine", "guard", "sandbox", "secrets", "kernel"]),
    ("policy", &["engine", "kernel"]),
    ("stores", &["engine", "secrets", "kernel"]),
    ("webhooks", &["engine", "kernel"]),
    ("server", &["engine", "kernel"]),
    (
        "windlass",
        &[
            "models",
            "tools",
            "mcp",
            "policy",
            "stores",
            "webhooks",
            "server",
            "engine",
            "wire",
            "guard",
            "databases",
            "sandbox",
            "secrets",
            "redact",
            "kernel",
        ],
    ),
    ("xtask", &[]),
];

/// Imports for tests alone that the floors would not allow, each with its reason.
const FOR_TESTS: [(&str, &str, &str); 1] = [(
    "engine",
    "wire",
    "the simulation asks wire's checker whether every prefix renders to a lawful history",
)];

/// Imports that climb.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (folder, manifest) in tree.crates() {
        let path = format!("{folder}/Cargo.toml");
        let name = folder.rsplit('/').next().unwrap_or(folder);
        let Some((_, allowed)) = FLOORS.iter().find(|(known, _)| *known == name) else {
            let words = format!("`{name}` stands on no floor: give it one in the floor rule");
            findings.push(Finding::new(&path, 1, words));
            continue;
        };
        for dependency in dependencies(manifest) {
            if is_ours(&dependency) && !allows(name, allowed, &dependency) {
                let words = format!("`{name}` must not import `{}`", dependency.name);
                findings.push(Finding::new(&path, dependency.line, words));
            }
        }
    }
    findings
}

fn is_ours(dependency: &Dependency) -> bool {
    let (name, _) = dependency_names(dependency);
    FLOORS.iter().any(|(known, _)| *known == name)
}

fn allows(name: &str, allowed: &[&str], dependency: &Dependency) -> bool {
    let (wanted, for_tests) = dependency_names(dependency);
    let excepted = |(who, what, _): &(&str, &str, &str)| *who == name && *what == wanted;
    allowed.contains(&wanted) || (for_tests && FOR_TESTS.iter().any(excepted))
}

fn dependency_names(dependency: &Dependency) -> (&str, bool) {
    (&dependency.name, dependency.section == "dev-dependencies")
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::check;

    #[test]
    fn an_import_may_only_go_down() {
        for (name, section, wanted, right) in [
            ("wire", "dependencies", "kernel", true),
            ("kernel", "dependencies", "wire", false),
            ("kernel", "dev-dependencies", "engine", false),
            ("engine", "dependencies", "wire", false),
            ("engine", "dev-dependencies", "wire", true),
            ("tools", "dependencies", "wire", false),
            ("tools", "build-dependencies", "stores", false),
            ("tools", "target.'cfg(unix)'.dependencies", "models", false),
            ("windlass", "dependencies", "stores", true),
            ("xtask", "dependencies", "kernel", false),
            ("kernel", "dependencies", "serde", true),
        ] {
            let manifest = format!("[{section}]\n{wanted}.workspace = true\n");
            let path = format!("crates/{name}/Cargo.toml");
            let told = found(&[(&path, &manifest)], check);
            assert_eq!(told.is_empty(), right, "{name} {section} {wanted}: {told:?}");
        }
        let told = found(&[("crates/cellar/Cargo.toml", "")], check);
        assert!(told[0].contains("`cellar` stands on no floor"), "{told:?}");
    }
}
