//! The rules of the house that the compiler does not check.
//!
//! Each rule is a function from the files to findings; none of them changes a file or
//! looks at anything but the [`Tree`]. All findings are printed, in the files' order.

mod dependencies;
mod docs;
mod floors;
mod modules;
mod places;
mod purity;
mod rust;
mod style;
mod tree;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use modules::Modules;
use tree::Tree;

/// One breach of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    words: String,
}

impl Finding {
    /// A breach at a line, counted from 1.
    fn new(path: &str, line: usize, words: impl Into<String>) -> Self {
        Finding { path: path.to_owned(), line, words: words.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.words)
    }
}

/// Checks every rule and prints what it found.
pub(crate) fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let tree = Tree::read(root)?;
    let findings = check(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    let (files, took) = (tree.len(), begun.elapsed().as_secs_f64());
    println!("{} findings in {files} files, {took:.2} s", findings.len());
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Everything that breaks a rule.
fn check(tree: &Tree) -> Vec<Finding> {
    let modules = Modules::of(tree);
    let mut findings = [
        floors::check(tree),
        purity::fences(tree),
        purity::source(tree, &modules),
        modules::dead(tree, &modules),
        docs::links(tree),
        docs::unlinked(tree),
        docs::ci_command(tree),
        style::promises(tree),
        style::unfinished(tree),
        style::unwraps(tree, &modules),
        style::unsafety(tree),
        style::lengths(tree),
        dependencies::reasons(tree),
        dependencies::one_tls_provider(tree),
        places::machine(tree),
        places::registries(tree),
    ]
    .concat();
    findings.sort();
    findings
}

/// The files of a test, checked by one rule, as printed.
#[cfg(test)]
fn found(files: &[(&str, &str)], rule: impl Fn(&Tree) -> Vec<Finding>) -> Vec<String> {
    let findings = rule(&Tree::of(files));
    findings.iter().map(Finding::to_string).collect()
}
