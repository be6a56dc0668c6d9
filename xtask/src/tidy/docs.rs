//! The documentation hangs together: relative links lead to files and headings that
//! exist, every file in `docs/` is linked from somewhere, and CI runs the command that
//! the README gives to people.

use std::collections::BTreeMap;

use super::Finding;
use super::modules::normal;
use super::tree::Tree;

/// A link in a Markdown file.
#[derive(Debug, PartialEq, Eq)]
struct Link {
    target: String,
    /// From 1.
    line: usize,
}

/// Relative links that lead nowhere.
pub(super) fn links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.ending(".md") {
        for link in links_of(text) {
            if let Some(words) = lost(tree, path, &link.target) {
                findings.push(Finding::new(path, link.line, words));
            }
        }
    }
    findings
}

/// Files in `docs/` that nothing links to.
pub(super) fn unlinked(tree: &Tree) -> Vec<Finding> {
    let mut linked = Vec::new();
    for (path, text) in tree.ending(".md") {
        let targets = links_of(text).into_iter();
        let files = targets.map(|link| file_of(path, &link.target));
        linked.extend(files.filter(|file| file != path));
    }
    tree.files()
        .filter(|(path, _)| path.starts_with("docs/") && !linked.iter().any(|to| to == path))
        .map(|(path, _)| {
            let words = "no page links here; link it from the README, ARCHITECTURE or docs";
            Finding::new(path, 1, words)
        })
        .collect()
}

/// The command that CI runs, where the README does not give it.
pub(super) fn ci_command(tree: &Tree) -> Vec<Finding> {
    let script = tree.get(".ci/run").unwrap_or_default();
    let readme = tree.get("README.md").unwrap_or_default();
    let command = script.lines().rev().find_map(|line| line.strip_prefix("exec "));
    match command.map(str::trim) {
        Some(command) if readme.contains(command) => Vec::new(),
        Some(command) => {
            let words = format!("the README does not give the command that CI runs: `{command}`");
            vec![Finding::new("README.md", 1, words)]
        }
        None => vec![Finding::new(".ci/run", 1, "end with `exec` and the README's test command")],
    }
}

/// What is wrong with a link, if anything.
fn lost(tree: &Tree, from: &str, target: &str) -> Option<String> {
    let file = file_of(from, target);
    if !tree.has(&file) {
        return Some(format!("the link `{target}` leads to no file"));
    }
    let (_, anchor) = target.split_once('#')?;
    let text = tree.get(&file).filter(|_| file.ends_with(".md"))?;
    let found = headings(text).iter().any(|heading| heading == anchor);
    (!found).then(|| format!("the link `{target}` leads to no heading"))
}

/// The file that a link means, from the root of the repository.
fn file_of(from: &str, target: &str) -> String {
    let path = target.split('#').next().unwrap_or_default();
    if path.is_empty() {
        return from.to_owned();
    }
    let (folder, _) = from.rsplit_once('/').unwrap_or(("", from));
    match path.strip_prefix('/') {
        Some(path) => normal(path),
        None => normal(&format!("{folder}/{path}")),
    }
}

/// The relative links of a page, images too; not those in code.
fn links_of(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for (line, text) in prose(text) {
        let text = without_code(text);
        let inline = text.match_indices("](").map(|(at, _)| &text[at + 2..]);
        let inline = inline.filter_map(|rest| rest.split([')', ' ']).next());
        let by_name = text.trim_start().starts_with('[');
        let by_name = text.split_once("]: ").filter(|_| by_name);
        let by_name = by_name.and_then(|(_, rest)| rest.split_whitespace().next());
        for target in inline.chain(by_name) {
            let target = target.trim_matches(['<', '>']);
            if !target.contains("://") && !target.starts_with("mailto:") && !target.is_empty() {
                let target = target.to_owned();
                links.push(Link { target, line });
            }
        }
    }
    links
}

/// The anchors of a page's headings, as GitHub makes them.
fn headings(text: &str) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = Vec::new();
    for (_, line) in prose(text) {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let anchor = anchor(title.trim());
        let times = seen.entry(anchor.clone()).or_default();
        anchors.push(match *times {
            0 => anchor,
            again => format!("{anchor}-{again}"),
        });
        *times += 1;
    }
    anchors
}

fn anchor(title: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || "-_ ".contains(*c);
    let lower = title.to_lowercase();
    lower.chars().filter(kept).collect::<String>().replace(' ', "-")
}

/// The lines outside fenced code, with their numbers from 1.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.push((number, line));
        }
    }
    lines
}

/// A line without what stands in backticks. Backticks inside the text of a link stay
/// with their link.
fn without_code(line: &str) -> String {
    let mut parts: Vec<&str> = line.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return line.to_owned(); // a backtick without its pair is a plain character
    }
    for code in parts.iter_mut().skip(1).step_by(2) {
        *code = "";
    }
    parts.join("`")
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    const GUIDE: &str = "# The `guide`, in short\n## Again\n## Again\n```\n# no heading\n```\n";

    #[test]
    fn a_link_leads_to_a_file_and_a_heading() {
        for (link, right) in [
            ("[g](docs/guide.md)", true),
            ("[g](./docs/../docs/guide.md#the-guide-in-short)", true),
            ("[`g`](docs/guide.md#again-1)", true),
            ("[g](docs/guide.md#again-2)", false),
            ("[g](docs/guide.md#no-heading)", false),
            ("![picture](docs/picture.svg)", false),
            ("[folder](docs)", true),
            ("[here](#top)", true),
            ("[there](#bottom)", false),
            ("[web](https://example.com/x#y)", true),
            ("`[code](nowhere.md)`", true),
            ("```\n[code](nowhere.md)\n```", true),
            ("[name]: nowhere.md", false),
            ("[name]: docs/guide.md \"title\"", true),
        ] {
            let page = format!("# Top\n{link}\n");
            let files = [("README.md", page.as_str()), ("docs/guide.md", GUIDE)];
            let told = found(&files, links);
            assert_eq!(told.is_empty(), right, "{link}: {told:?}");
        }
    }

    #[test]
    fn links_start_where_their_page_is() {
        let files = [
            ("docs/a.md", "[up](../README.md) [beside](b.md) [wrong](docs/b.md)"),
            ("docs/b.md", ""),
            ("README.md", ""),
        ];
        let told = found(&files, links);
        assert_eq!(told, ["docs/a.md:1: the link `docs/b.md` leads to no file"]);
    }

    #[test]
    fn a_page_that_nothing_links_to_is_found() {
        let files = [
            ("README.md", "[a](docs/a.md)"),
            ("docs/a.md", "[b](b.md#x)"),
            ("docs/b.md", "[b](#b)"),
            ("docs/c.md", "[me](c.md)"),
        ];
        let told = found(&files, unlinked);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("docs/c.md:1: "));
    }

    #[test]
    fn ci_runs_what_the_readme_says() {
        let script = "#!/bin/sh\nexec cargo xtask test\n";
        for (readme, script, right) in [
            ("Test with `cargo xtask test`.", script, true),
            ("Test with `cargo test`.", script, false),
            ("Test with `cargo xtask test`.", "cargo xtask test", false),
        ] {
            let told = found(&[("README.md", readme), (".ci/run", script)], ci_command);
            assert_eq!(told.is_empty(), right, "{readme}: {told:?}");
        }
    }
}
