//! The pure crates stay functions of their arguments: their fences stand, and their
//! source has no word for waiting, time, chance, environment, files or threads.

use super::Finding;
use super::modules::Modules;
use super::rust::{has_word, layers, test_lines};
use super::tree::Tree;

/// The crates that must be pure.
const PURE: [&str; 4] = ["crates/guard", "crates/kernel", "crates/redact", "crates/wire"];

/// What the `clippy.toml` of a pure crate must forbid by name.
const FENCED: [&str; 14] = [
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "std::env::var",
    "std::env::var_os",
    "std::env::vars",
    "std::thread::spawn",
    "std::thread::sleep",
    "std::fs::read",
    "std::fs::read_to_string",
    "std::fs::write",
    "std::fs::File::open",
    "std::process::Command::new",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// What no pure source may say outside its tests.
const FORBIDDEN: [&str; 8] = [
    "async fn",
    "std::fs",
    "std::env",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::thread",
    "std::process",
    "tokio",
];

/// The same, as they stand in a grouped `use std::{…}`.
const FORBIDDEN_IN_USE: [&str; 6] = ["fs", "env", "thread", "process", "Instant", "SystemTime"];

/// Fences that are missing.
pub(super) fn fences(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for folder in PURE {
        let path = format!("{folder}/clippy.toml");
        let fence = tree.get(&path).unwrap_or_default();
        for name in FENCED {
            let stands = fence.lines().any(|line| {
                let line = line.trim();
                line.contains(&format!("path = \"{name}\"")) && line.contains("reason = \"")
            });
            if !stands {
                let words = format!("a pure crate forbids `{name}` here, with a reason");
                findings.push(Finding::new(&path, 1, words));
            }
        }
    }
    findings
}

/// Words in the source of a pure crate that would make it depend on the moment.
pub(super) fn source(tree: &Tree, modules: &Modules) -> Vec<Finding> {
    let mut findings = Vec::new();
    for folder in PURE.map(|folder| format!("{folder}/src/")) {
        for (path, text) in tree.ending(".rs") {
            if path.starts_with(&folder) && !modules.is_test(path) {
                findings.extend(impure(path, text));
            }
        }
    }
    findings
}

fn impure(path: &str, text: &str) -> Vec<Finding> {
    let code = layers(text).code;
    let tests = test_lines(&code);
    let mut findings = Vec::new();
    let mut in_use = false;
    for (at, line) in code.lines().enumerate() {
        in_use |= line.trim_start().starts_with("use std::");
        let grouped = FORBIDDEN_IN_USE.iter().filter(|_| in_use);
        let words = FORBIDDEN.iter().chain(grouped);
        let said = words.into_iter().find(|word| has_word(line, word));
        if let Some(word) = said.filter(|_| !tests[at]) {
            let words = format!("`{word}` has no place in a pure crate; take it as an argument");
            findings.push(Finding::new(path, at + 1, words));
        }
        in_use &= !line.contains(';');
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn impure_words_are_found_and_tests_may_say_them() {
        for (line, right) in [
            ("use std::time::Duration;", true),
            ("use std::time::Instant;", false),
            ("use std::time::{Duration, SystemTime};", false),
            ("use std::{\n    fmt,\n    fs,\n};", false),
            ("use std::collections::BTreeMap;\nfn env() {}", true),
            ("pub async fn f() {}", false),
            ("fn f() { std::thread::sleep(d) }", false),
            ("/// No tokio here.\nfn f() {}", true),
            ("#[cfg(test)]\nmod tests { use std::fs; }", true),
        ] {
            let files = [("crates/kernel/Cargo.toml", ""), ("crates/kernel/src/lib.rs", line)];
            let told = found(&files, |tree| source(tree, &Modules::of(tree)));
            assert_eq!(told.is_empty(), right, "{line}: {told:?}");
        }
    }

    #[test]
    fn a_fence_forbids_every_name_with_a_reason() {
        let all: String = FENCED
            .iter()
            .map(|name| format!("{{ path = \"{name}\", reason = \"x\" }},\n"))
            .collect();
        let less = all.replacen("reason", "why", 1);
        let files = PURE.map(|folder| (format!("{folder}/clippy.toml"), &all));
        let mut files = files.each_ref().map(|(path, text)| (path.as_str(), text.as_str()));
        assert_eq!(found(&files, fences), [""; 0]);
        files[0].1 = &less;
        let told = found(&files, fences);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(&format!("{}/clippy.toml:1: ", PURE[0])));
        assert_eq!(found(&[], fences).len(), PURE.len() * FENCED.len());
    }
}
