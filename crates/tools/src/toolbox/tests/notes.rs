//! Notes, wherever they are kept.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use kernel::agent::Effect;
use serde_json::{Value, json};

use super::Ground;

fn notes(action: &str, name: &str, text: &str) -> Value {
    let mut input = json!({ "action": action });
    for (key, value) in [("name", name), ("text", text)] {
        if !value.is_empty() {
            input[key] = json!(value);
        }
    }
    input
}

#[tokio::test]
async fn notes_are_saved_added_to_listed_and_read() {
    let ground = Ground::new();
    for (input, wanted) in [
        (notes("list", "", ""), "there are no notes yet"),
        (notes("save", "tip", "409.5"), "saved note `tip` (notes/tip.md)"),
        (notes("read", "tip", ""), "409.5\n"),
        (notes("append", "tip.md", "more"), "added to note `tip.md` (notes/tip.md)"),
        (notes("read", "tip", ""), "409.5\nmore\n"),
        (notes("save", "tip", "new"), "replaced note `tip` (notes/tip.md)"),
        (notes("list", "", ""), "1 note:\n- tip"),
    ] {
        assert_eq!(ground.good("notes", input.clone()).await, wanted, "{input}");
    }
    assert_eq!(fs::read_to_string(ground.work().join("notes/tip.md")).unwrap(), "new\n");
    for title in ["a/b", "a\\b", "../../escape"] {
        ground.good("notes", notes("save", title, title)).await;
        let text = ground.good("notes", notes("read", title, "")).await;
        assert_eq!(text, format!("{title}\n"), "two titles do not meet in one file");
    }
    let listed = ground.good("notes", notes("list", "", "")).await;
    assert!(listed.starts_with("4 notes:\n- ") && listed.ends_with("\n- tip"), "{listed}");
    assert_eq!(fs::read_dir(ground.outside()).unwrap().count(), 2, "nothing escaped");
    for (input, part) in [
        (notes("read", "tips", ""), "did you mean `tip`?"),
        (notes("read", "xyz", ""), "use `list`"),
        (notes("read", "", ""), "`name` is missing: `read` needs it"),
        (notes("save", "x", ""), "`text` is missing: `save` needs it"),
        (notes("append", "", "x"), "`name` is missing: `append` needs it"),
    ] {
        let words = ground.bad("notes", input).await;
        assert!(words.contains(part), "{words}");
    }
}

/// What `list` shows can be read and added to, whoever made it.
#[tokio::test]
async fn notes_that_others_made_keep_their_names() {
    let ground = Ground::new();
    let titles = ["Foo: bar", ".dot", "50% off?", " lead", "two  blanks", "a.md", "..", "tip"];
    for title in titles {
        ground.put(&format!("notes/{title}.md"), title);
    }
    symlink("tip.md", ground.work().join("notes/link.md")).unwrap();
    let listed = ground.good("notes", notes("list", "", "")).await;
    assert!(listed.starts_with("9 notes:") && listed.contains("\n- link"), "{listed}");
    for title in titles {
        assert!(listed.contains(&format!("\n- {title}")), "{title}: {listed}");
        assert_eq!(ground.good("notes", notes("read", title, "")).await, title);
        ground.good("notes", notes("append", title, "more")).await;
        let text = ground.good("notes", notes("read", title, "")).await;
        assert_eq!(text, format!("{title}\nmore\n"));
    }
    assert_eq!(fs::read_dir(ground.work().join("notes")).unwrap().count(), 9);
}

#[tokio::test]
async fn notes_may_be_kept_elsewhere() {
    let elsewhere = tempfile::tempdir().unwrap();
    for dir in [elsewhere.path().join("vault/inner"), "vault".into(), "../vault".into()] {
        let ground = Ground::with(|settings| settings.notes_dir = Some(PathBuf::clone(&dir)));
        ground.good("notes", notes("save", "n", "x")).await;
        assert!(ground.work().join(&dir).join("n.md").exists(), "{dir:?}");
        assert_eq!(ground.good("notes", notes("list", "", "")).await, "1 note:\n- n");
    }
}

#[tokio::test]
async fn a_notes_folder_that_leads_outside_is_refused() {
    let ground = Ground::new();
    symlink(ground.outside(), ground.work().join("notes")).unwrap();
    for input in [notes("save", "n", "x"), notes("read", "n", ""), notes("list", "", "")] {
        let words = ground.bad("notes", input).await;
        assert!(words.contains("leads outside"), "{words}");
    }
    assert!(!ground.outside().join("n.md").exists());
}

#[test]
fn only_changes_are_effects() {
    let ground = Ground::new();
    for (action, class) in [
        ("save", Effect::Effect),
        ("append", Effect::Effect),
        ("list", Effect::Read),
        ("read", Effect::Read),
        ("anything", Effect::Effect),
    ] {
        let call = ground.call("notes", "k", json!({ "action": action }));
        assert_eq!(call.spec.effect_of(&call.arguments), class, "{action}");
    }
}
