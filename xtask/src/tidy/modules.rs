//! Which Rust files are reached from a target by `mod`, and which of them only in tests.
//!
//! A file that nothing reaches is never compiled: it looks like code and is none.

use std::collections::BTreeMap;

use super::Finding;
use super::rust::{is_word, layers, test_lines};
use super::tree::Tree;

/// The Rust files that are compiled, and whether only for tests.
pub(super) struct Modules {
    only_tests: BTreeMap<String, bool>,
}

/// A `mod name;` in a file.
#[derive(Debug, PartialEq, Eq)]
struct Declared {
    /// The modules around it in the same file, then its own name.
    path: Vec<String>,
    /// The file that an attribute names, from the file's folder.
    file: Option<String>,
    line: usize,
}

impl Modules {
    /// Follows every `mod` from the targets of each crate.
    pub(super) fn of(tree: &Tree) -> Self {
        let mut modules = Modules { only_tests: BTreeMap::new() };
        for (folder, manifest) in tree.crates() {
            for (path, only_tests) in targets(tree, folder, manifest) {
                modules.reach(tree, &path, only_tests, true);
            }
        }
        modules
    }

    /// Whether a file is compiled only for tests.
    pub(super) fn is_test(&self, path: &str) -> bool {
        self.only_tests.get(path).copied().unwrap_or(false)
    }

    fn reach(&mut self, tree: &Tree, path: &str, only_tests: bool, is_root: bool) {
        let Some(text) = tree.get(path) else { return };
        let known = self.only_tests.get(path);
        if known.is_some_and(|before| !before || only_tests) {
            return;
        }
        self.only_tests.insert(path.to_owned(), only_tests);
        let code = layers(text).code;
        let tests = test_lines(&code);
        for declared in declarations(text, &code) {
            let under_test = tests.get(declared.line).copied().unwrap_or(false);
            // A file that an attribute names keeps its modules beside it, like a root.
            let named = declared.file.is_some();
            for candidate in candidates(path, &declared, is_root) {
                self.reach(tree, &candidate, only_tests || under_test, named);
            }
        }
    }
}

/// Files that no target reaches.
pub(super) fn dead(tree: &Tree, modules: &Modules) -> Vec<Finding> {
    let folders: Vec<String> = tree.crates().map(|(at, _)| format!("{at}/")).collect();
    let in_a_crate = |path: &str| folders.iter().any(|folder| path.starts_with(folder));
    tree.ending(".rs")
        .filter(|(path, _)| in_a_crate(path) && !modules.only_tests.contains_key(*path))
        .map(|(path, _)| {
            let words = "no target reaches this file by `mod`; declare it or delete it";
            Finding::new(path, 1, words)
        })
        .collect()
}

/// The root files of a crate's targets, and whether they are tests.
fn targets(tree: &Tree, folder: &str, manifest: &str) -> Vec<(String, bool)> {
    let named = manifest
        .lines()
        .filter_map(|line| line.trim().strip_prefix("path")?.trim().strip_prefix('='))
        .map(|value| value.trim().trim_matches('"').to_owned());
    let mut found: Vec<(String, bool)> =
        named.map(|path| (format!("{folder}/{path}"), path.starts_with("tests/"))).collect();
    for root in ["src/lib.rs", "src/main.rs", "build.rs"] {
        found.push((format!("{folder}/{root}"), false));
    }
    for (kind, only_tests) in
        [("src/bin", false), ("tests", true), ("benches", true), ("examples", true)]
    {
        let inside = format!("{folder}/{kind}/");
        for (path, _) in tree.ending(".rs") {
            let Some(rest) = path.strip_prefix(&inside) else {
                continue;
            };
            if !rest.contains('/') || (rest.ends_with("/main.rs") && rest.split('/').count() == 2) {
                found.push((path.to_owned(), only_tests));
            }
        }
    }
    found
}

/// Every `mod name;` of a file, with the inline modules around it.
fn declarations(text: &str, code: &str) -> Vec<Declared> {
    let (mut found, mut inside) = (Vec::new(), Vec::<(usize, String)>::new());
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(c) = code[at..].chars().next() {
        if is_word(c) {
            let length = name_length(&code[at..]);
            if &code[at..at + length] == "mod"
                && let Some((name, end)) = module_name(code, at + length)
            {
                let line = code[..at].matches('\n').count();
                if code[..end].ends_with('{') {
                    depth += 1;
                    inside.push((depth, name));
                } else {
                    let around = inside.iter().map(|(_, name)| name.clone());
                    let path = around.chain([name]).collect();
                    let file = named_file(text, line);
                    found.push(Declared { path, file, line });
                }
                at = end;
                continue;
            }
            at += length;
            continue;
        }
        match c {
            '{' => depth += 1,
            '}' => {
                inside.retain(|(opened, _)| *opened < depth);
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    found
}

fn name_length(code: &str) -> usize {
    code.find(|c| !is_word(c)).unwrap_or(code.len())
}

/// The name after the word `mod`, and the byte after the `;` or `{` that follows it.
fn module_name(code: &str, after: usize) -> Option<(String, usize)> {
    let rest = &code[after..];
    let start = rest.len() - rest.trim_start().len();
    let length = name_length(&rest[start..]);
    let tail = &rest[start + length..];
    let gap = tail.len() - tail.trim_start().len();
    let opens = tail.trim_start().starts_with([';', '{']);
    (length > 0 && opens).then(|| {
        let name = rest[start..start + length].to_owned();
        (name, after + start + length + gap + 1)
    })
}

/// The file that `#[path = "…"]` on the line before names.
fn named_file(text: &str, line: usize) -> Option<String> {
    let before = text.lines().nth(line.checked_sub(1)?)?.trim();
    let value = before.strip_prefix("#[path")?.trim().strip_prefix('=')?;
    let value = value.trim().trim_end_matches(']');
    Some(value.trim_matches('"').to_owned())
}

/// The files that a declaration may mean.
fn candidates(path: &str, declared: &Declared, is_root: bool) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if let Some(file) = &declared.file {
        return vec![normal(&format!("{folder}/{file}"))];
    }
    let stem = name.trim_end_matches(".rs");
    let base =
        if is_root || stem == "mod" { folder.to_owned() } else { format!("{folder}/{stem}") };
    let module = format!("{base}/{}", declared.path.join("/"));
    vec![format!("{module}.rs"), format!("{module}/mod.rs")]
}

/// A path without `.` and `..`.
pub(super) fn normal(path: &str) -> String {
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn a_file_that_no_target_reaches_is_dead() {
        let files = [
            ("crates/a/Cargo.toml", "[package]\n"),
            ("crates/a/src/lib.rs", "mod one; // mod three;\nmod in_line { mod deep; }\n"),
            ("crates/a/src/one.rs", "#[cfg(test)]\nmod tests;\n#[path = \"../x.rs\"]\nmod x;\n"),
            ("crates/a/src/one/tests.rs", ""),
            ("crates/a/src/in_line/deep.rs", ""),
            ("crates/a/src/three.rs", ""),
            ("crates/a/src/tests.rs", ""),
            ("crates/a/x.rs", "mod beside;"),
            ("crates/a/beside.rs", ""),
            ("crates/a/tests/journey.rs", "mod world;"),
            ("crates/a/tests/world/mod.rs", ""),
            ("crates/a/tests/lost/part.rs", ""),
        ];
        let told = found(&files, |tree| dead(tree, &Modules::of(tree)));
        let paths: Vec<_> = told.iter().filter_map(|words| words.split(':').next()).collect();
        assert_eq!(
            paths,
            ["crates/a/src/tests.rs", "crates/a/src/three.rs", "crates/a/tests/lost/part.rs"]
        );
        let modules = Modules::of(&Tree::of(&files));
        assert!(modules.is_test("crates/a/src/one/tests.rs"));
        assert!(modules.is_test("crates/a/tests/world/mod.rs"));
        assert!(!modules.is_test("crates/a/src/one.rs"));
    }
}
