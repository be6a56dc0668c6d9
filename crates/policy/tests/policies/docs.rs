//! What the documentation shows is true.

use policy::scope::ScopeRules;
use policy::{Asked, PolicySet, TEMPLATES, TenantSet, laws};

const PAGE: &str = include_str!("../../../../docs/policy.md");

#[test]
fn every_file_that_is_shown_loads() {
    let mut seen = 0;
    for block in PAGE.split("```yaml\n").skip(1) {
        let text = block.split("```").next().unwrap();
        let told = match text.lines().next().unwrap() {
            "# a question" => Asked::read(text, "docs").map(|asked| drop(asked.pose().unwrap())),
            "# a tenant's file" => TenantSet::load(text, "docs").map(|set| {
                assert_eq!(set.alone().warnings(), []);
            }),
            "# limits of scopes" => {
                serde_saphyr::from_str::<ScopeRules>(text).map(drop).map_err(|e| panic!("{e}"))
            }
            _ => PolicySet::load(text, "docs").map(|set| assert_eq!(set.warnings(), [])),
        };
        assert_eq!(told, Ok(()), "{text}");
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[test]
fn every_law_and_template_is_named() {
    for template in TEMPLATES {
        assert!(PAGE.contains(&format!("| `{}` |", template.name)), "{}", template.name);
    }
    for example in laws().test() {
        for id in example.judgement.by {
            let name = id.strip_prefix("laws/").unwrap();
            assert!(PAGE.contains(&format!("| `{name}` |")), "{name} is not on the page");
        }
    }
}

/// Whether `text` holds the words of a message, in order; `…` stands for anything.
fn says(text: &str, message: &str) -> bool {
    let pieces = message.split('…').map(|piece| piece.replace('`', ""));
    let mut rest = text.replace('`', "");
    for piece in pieces {
        match rest.find(piece.trim()) {
            Some(at) => rest = rest[at + piece.trim().len()..].to_owned(),
            None => return false,
        }
    }
    true
}

#[test]
fn every_message_is_explained_and_every_explained_message_is_said() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policies/files/refused");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "txt"));
    let texts = files.map(|path| std::fs::read_to_string(path).unwrap()).collect::<String>();
    let said = texts.lines().filter(|line| !line.starts_with("  hint:")).collect::<Vec<_>>();
    let table = PAGE.split("## What the messages mean").nth(1).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| row[1..].split(" | ").next().unwrap().trim());
    let messages = cells.flat_map(|cell| cell.split("`, `"));
    let messages = messages.map(|message| message.trim_matches('`')).collect::<Vec<_>>();
    assert!(messages.len() > 25, "{messages:?}");
    for message in &messages {
        assert!(said.iter().any(|line| says(line, message)), "nobody says `{message}`");
    }
    for line in said {
        assert!(messages.iter().any(|message| says(line, message)), "not explained: {line}");
    }
}
