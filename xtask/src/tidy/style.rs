//! What every Rust file of the house keeps to: it opens with its promise, is finished,
//! does not panic by `unwrap`, leaves `unsafe` to one crate, and has an end.

use super::Finding;
use super::modules::Modules;
use super::rust::{has_word, layers, test_lines};
use super::tree::Tree;

/// Longest file, in lines, that needs no reason.
const LINES_MAX: usize = 500;

/// Files that may be longer, each with a reason: `path: reason`.
const EXCEPTIONS: &str = "xtask/tidy-exceptions.txt";

/// The one folder whose code may be `unsafe`: it starts processes.
const UNSAFE_FOLDER: &str = "crates/sandbox/";

/// Code that says that something is missing.
const UNFINISHED_CODE: [&str; 4] = ["todo!", "unimplemented!", "dbg!", "#[ignore"];

/// Words in prose that say the same.
const UNFINISHED_WORDS: [&str; 3] = ["FIXME", "TODO", "XXX"];

/// Source files that do not open with what they are for.
pub(super) fn promises(tree: &Tree) -> Vec<Finding> {
    tree.ending(".rs")
        .filter(|(path, text)| path.contains("/src/") && !text.starts_with("//! "))
        .map(|(path, _)| Finding::new(path, 1, "open the file with its promise: `//! …`"))
        .collect()
}

/// Code and prose that is not finished.
pub(super) fn unfinished(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        let layers = path.ends_with(".rs").then(|| layers(text));
        if let Some(layers) = &layers {
            findings.extend(saying(path, &layers.code, &UNFINISHED_CODE));
        }
        let is_prose =
            [".md", ".toml", ".yaml", ".yml", ".sh"].iter().any(|ext| path.ends_with(ext));
        let prose = layers.as_ref().map(|layers| layers.comments.as_str());
        if let Some(prose) = prose.or(is_prose.then_some(text)) {
            findings.extend(saying(path, prose, &UNFINISHED_WORDS));
        }
    }
    findings
}

fn saying(path: &str, text: &str, words: &[&str]) -> Vec<Finding> {
    let said = |line: &str| words.iter().find(|word| has_word(line, word)).copied();
    (1..)
        .zip(text.lines())
        .filter_map(|(line, text)| said(text).map(|word| (line, word)))
        .map(|(line, word)| Finding::new(path, line, format!("`{word}`: finish it or remove it")))
        .collect()
}

/// Calls of `unwrap` outside tests.
pub(super) fn unwraps(tree: &Tree, modules: &Modules) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.ending(".rs") {
        if modules.is_test(path) {
            continue;
        }
        let code = layers(text).code;
        let tests = test_lines(&code);
        for (at, line) in code.lines().enumerate() {
            if !tests[at] && has_word(line, ".unwrap()") {
                let words = "`unwrap` outside tests; `expect` with the invariant as its sentence";
                findings.push(Finding::new(path, at + 1, words));
            }
        }
    }
    findings
}

/// `unsafe` where it has no business.
pub(super) fn unsafety(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.ending(".rs") {
        if path.starts_with(UNSAFE_FOLDER) {
            continue;
        }
        for (line, text) in (1..).zip(layers(text).code.lines()) {
            if has_word(text, "unsafe") {
                let words = format!("`unsafe` belongs in `{UNSAFE_FOLDER}` only");
                findings.push(Finding::new(path, line, words));
            }
        }
    }
    findings
}

/// Long files without a reason, and reasons without a long file.
pub(super) fn lengths(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let listed = tree.get(EXCEPTIONS).unwrap_or_default();
    let reasons: Vec<(usize, &str, &str)> = (1..)
        .zip(listed.lines())
        .filter(|(_, text)| !text.trim().is_empty() && !text.starts_with('#'))
        .map(|(line, text)| {
            let (path, reason) = text.split_once(':').unwrap_or((text, ""));
            (line, path.trim(), reason.trim())
        })
        .collect();
    for (path, text) in tree.ending(".rs") {
        let lines = text.lines().count();
        let excused = reasons.iter().any(|(_, known, _)| *known == path);
        if lines > LINES_MAX && !excused {
            let words = format!(
                "{lines} lines: what is the second idea in here? Past {LINES_MAX}, split it or \
                 give a reason in `{EXCEPTIONS}`"
            );
            findings.push(Finding::new(path, LINES_MAX + 1, words));
        }
    }
    for (line, path, reason) in reasons {
        let lines = tree.get(path).map_or(0, |text| text.lines().count());
        if reason.is_empty() || lines <= LINES_MAX {
            let words = format!("`{path}` has no reason, or needs none");
            findings.push(Finding::new(EXCEPTIONS, line, words));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    fn one(path: &str, text: &str, rule: impl Fn(&Tree) -> Vec<Finding>) -> bool {
        !found(&[("crates/a/Cargo.toml", ""), (path, text)], rule).is_empty()
    }

    #[test]
    fn a_source_file_opens_with_its_promise() {
        assert!(!one("crates/a/src/lib.rs", "//! Does one thing.\n", promises));
        assert!(one("crates/a/src/lib.rs", "use std::fmt;\n", promises));
        assert!(one("crates/a/src/lib.rs", "//!\n", promises));
        assert!(!one("crates/a/tests/t.rs", "use std::fmt;\n", promises));
    }

    #[test]
    fn what_is_not_finished_is_found() {
        for (path, text, wrong) in [
            ("a.rs", "fn f() { todo!() }", true),
            ("a.rs", "fn f() { dbg!(1); }", true),
            ("a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}", true),
            ("a.rs", "// TODO: more", true),
            ("a.rs", "fn f() { say(\"TODO\") }", false),
            ("a.rs", "// to do: nothing; MYTODOS", false),
            ("a.md", "FIXME", true),
            ("a.yaml", "# XXX", true),
            ("a.json", "\"TODO\"", false),
        ] {
            assert_eq!(one(path, text, unfinished), wrong, "{path}: {text}");
        }
    }

    #[test]
    fn unwrap_is_for_tests() {
        let rule = |tree: &Tree| unwraps(tree, &Modules::of(tree));
        assert!(one("crates/a/src/lib.rs", "fn f() { g().unwrap() }", rule));
        assert!(!one("crates/a/src/lib.rs", "fn f() { g().unwrap_or(1) }", rule));
        assert!(!one("crates/a/src/lib.rs", "/// g().unwrap()\nfn f() {}", rule));
        let test = "#[cfg(test)]\nmod tests { fn f() { g().unwrap() } }";
        assert!(!one("crates/a/src/lib.rs", test, rule));
        assert!(!one("crates/a/tests/t.rs", "fn f() { g().unwrap() }", rule));
    }

    #[test]
    fn unsafety_has_one_home() {
        let text = "fn f() { unsafe { g() } }";
        assert!(one("crates/a/src/lib.rs", text, unsafety));
        assert!(!one(&format!("{UNSAFE_FOLDER}lib.rs"), text, unsafety));
        assert!(!one("crates/a/src/lib.rs", "#![deny(unsafe_code)] // unsafe", unsafety));
    }

    #[test]
    fn a_long_file_needs_a_reason_and_a_reason_a_long_file() {
        let long = "\n".repeat(LINES_MAX + 1);
        let check = |listed: &str| {
            let files = [("long.rs", long.as_str()), ("short.rs", ""), (EXCEPTIONS, listed)];
            found(&files, lengths)
        };
        assert_eq!(check("").len(), 1);
        assert_eq!(check("# none\nlong.rs: a table\n"), [""; 0]);
        assert_eq!(check("long.rs:\n").len(), 1, "no reason given");
        assert_eq!(check("long.rs: a table\nshort.rs: a table\n").len(), 1);
    }
}
