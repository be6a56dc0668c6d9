//! The file tools doing their work.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use engine::ports::{Reconciled, Toolbox};
use serde_json::json;

use super::Ground;

#[tokio::test]
async fn reading() {
    let ground = Ground::new();
    ground.put("a.txt", "one\ntwo\nthree\nfour");
    ground.put("empty.txt", "");
    ground.put("latin.txt", b"caf\xe9\n");
    ground.put("binary", b"ELF\0\0");
    ground.put("long.txt", "x".repeat(5_000) + "\nend\n");
    let absolute = ground.work().join("a.txt");
    let part = "two\nthree\n[lines 2 to 3 of 4; next `offset`: 4]\n";
    let cases = [
        (json!({"path": "a.txt"}), "one\ntwo\nthree\nfour"),
        (json!({"path": absolute}), "one\ntwo\nthree\nfour"),
        (json!({"path": "a.txt", "offset": 2, "limit": 2}), part),
        (json!({"path": "a.txt", "offset": 4}), "four"),
        (json!({"path": "a.txt", "offset": 2.0, "limit": 2.0}), part),
        (json!({"path": "empty.txt"}), "[`empty.txt` is empty]"),
    ];
    for (input, wanted) in cases {
        assert_eq!(ground.good("read", input.clone()).await, wanted, "{input}");
    }
    let latin = ground.good("read", json!({"path": "latin.txt"})).await;
    assert!(latin.starts_with("caf\u{fffd}\n[the file is not UTF-8"), "{latin}");
    let long = ground.good("read", json!({"path": "long.txt"})).await;
    assert!(long.contains("[line cut, 1001 bytes more]\nend\n"), "{}", &long[3_900..]);
    for (input, part) in [
        (json!({"path": "a.txt", "offset": 5}), "has only 4 lines"),
        (json!({"path": "a.txt", "offset": u64::MAX}), "has only 4 lines"),
        (json!({"path": "a.txt", "offset": 1e300}), "does not fit"),
        (json!({"path": "binary"}), "is a binary file of 5 bytes"),
        (json!({"path": "b.txt"}), "`b.txt` does not exist"),
        (json!({"path": "a.txt/b"}), "is a file and not a folder"),
    ] {
        let words = ground.bad("read", input.clone()).await;
        assert!(words.contains(part), "{input}: {words}");
    }
}

#[tokio::test]
async fn writing_and_editing() {
    let ground = Ground::new();
    let made = ground.good("write", json!({"path": "a/b.txt", "content": "one two\n"})).await;
    assert_eq!(made, "made `a/b.txt` (8 bytes)");
    let edit = json!({"path": "a/b.txt", "old_string": "two", "new_string": "2"});
    let edited = ground.good("edit", edit).await;
    assert_eq!(edited, "replaced 1 occurrence in `a/b.txt` (line 1)");
    assert_eq!(fs::read_to_string(ground.work().join("a/b.txt")).unwrap(), "one 2\n");
    let again = ground.good("write", json!({"path": "a/b.txt", "content": ""})).await;
    assert_eq!(again, "replaced `a/b.txt` (0 bytes)");
    let edit = json!({"path": "no.txt", "old_string": "a", "new_string": "b"});
    assert!(ground.bad("edit", edit).await.contains("use `write`"));
    assert!(!ground.work().join("no.txt").exists());
}

#[tokio::test]
async fn permissions_and_line_ends_stay() {
    let ground = Ground::new();
    ground.put("run.sh", "#!/bin/sh\r\necho 0\r\nlast");
    let path = ground.work().join("run.sh");
    for (n, mode) in [0o755, 0o600, 0o444].into_iter().enumerate() {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let (old, new) = (format!("sh\necho {n}"), format!("sh\necho {}", n + 1));
        let edit = json!({"path": "run.sh", "old_string": old, "new_string": new});
        ground.good("edit", edit).await;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "#!/bin/sh\r\necho 3\r\nlast");
}

#[tokio::test]
async fn effects_are_done_once_for_their_key_and_can_be_looked_up() {
    let ground = Ground::new();
    ground.put("log.txt", "");
    let input = json!({"action": "append", "name": "log", "text": "line"});
    let call = ground.call("notes", "key-1", input.clone());
    assert_eq!(ground.toolbox.reconcile(&call).await, Reconciled::NotDone);
    let first = ground.toolbox.run(&call).await.unwrap();
    assert_eq!(ground.toolbox.run(&call).await.unwrap(), first);
    assert_eq!(ground.toolbox.reconcile(&call).await, Reconciled::Done(first));
    let path = ground.work().join("notes/log.md");
    assert_eq!(fs::read_to_string(&path).unwrap(), "line\n");
    ground.toolbox.run(&ground.call("notes", "key-2", input)).await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "line\nline\n");
    for (name, input) in [
        ("read", json!({"path": "log.txt"})),
        ("calculator", json!({"expression": "1"})),
        ("notes", json!({"action": "list"})),
        ("write", json!({"wrong": 1})),
        ("write", json!({"path": "../out", "content": ""})),
    ] {
        let call = ground.call(name, "key-3", input);
        assert_eq!(ground.toolbox.reconcile(&call).await, Reconciled::NotDone, "{name}");
    }
}

/// The folder is gone with the change in it: nobody can tell any more.
#[tokio::test]
async fn a_lost_working_directory_is_an_unknown_outcome_only_where_something_began() {
    let state = tempfile::tempdir().unwrap();
    let ground = Ground::with(|settings| settings.state_dir = state.path().join("state"));
    let began = ground.call("write", "began", json!({"path": "a", "content": "x"}));
    let never = ground.call("write", "never", json!({"path": "b", "content": "x"}));
    ground.toolbox.run(&began).await.unwrap();
    fs::remove_dir_all(ground.work()).unwrap();
    let found = ground.toolbox.reconcile(&began).await;
    assert!(matches!(found, Reconciled::Unknown(_)), "{found:?}");
    assert_eq!(ground.toolbox.reconcile(&never).await, Reconciled::NotDone);
    let words = ground.bad("read", json!({"path": "a"})).await;
    assert!(words.contains("cannot be opened"), "{words}");
}

/// The engine drops the future at the deadline; what it finds afterwards must be true.
#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_write_is_done_or_not_and_reconcile_knows() {
    let ground = Ground::new();
    for n in 0..50 {
        let path = format!("{n}.txt");
        let call = ground.call("write", &path, json!({"path": path, "content": "x"}));
        let mut run = ground.toolbox.run(&call);
        let _ = futures::poll!(&mut run);
        for _ in 0..n * 20 {
            tokio::task::yield_now().await;
        }
        drop(run);
        let found = ground.toolbox.reconcile(&call).await;
        let exists = ground.work().join(&path).exists();
        match &found {
            Reconciled::Done(_) => assert!(exists, "{n}"),
            Reconciled::NotDone => assert!(!exists, "{n}"),
            Reconciled::Unknown(words) => panic!("{n}: {words}"),
        }
        // Whatever was still on its way when we asked would show up now.
        assert_eq!(ground.toolbox.reconcile(&call).await, found);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_edits_do_not_lose_one_another() {
    let ground = Ground::new();
    let text: String = (0..20).map(|n| format!("<{n}>\n")).collect();
    ground.put("a.txt", text);
    let edits = (0..20).map(|n| {
        let (old, new) = (format!("<{n}>"), format!("[{n}]"));
        ground.good("edit", json!({"path": "a.txt", "old_string": old, "new_string": new}))
    });
    futures::future::join_all(edits).await;
    let wanted: String = (0..20).map(|n| format!("[{n}]\n")).collect();
    assert_eq!(fs::read_to_string(ground.work().join("a.txt")).unwrap(), wanted);
}

/// Two toolboxes share nothing but the disk, as two processes do.
#[tokio::test(flavor = "multi_thread")]
async fn appends_of_two_processes_are_all_kept() {
    let (one, two) = (Ground::new(), Ground::new());
    let append = |ground: &Ground, line: String| {
        let input = json!({"action": "append", "name": "log", "text": line});
        let mut call = ground.call("notes", &line, input);
        call.workdir = Some(one.work());
        call
    };
    let calls: Vec<_> = (0..40)
        .flat_map(|n| {
            [(&one, append(&one, format!("a{n}"))), (&two, append(&two, format!("b{n}")))]
        })
        .collect();
    let ends = calls.iter().map(|(ground, call)| ground.toolbox.run(call));
    for end in futures::future::join_all(ends).await {
        assert!(!end.unwrap().is_error);
    }
    let text = fs::read_to_string(one.work().join("notes/log.md")).unwrap();
    assert_eq!(text.lines().collect::<std::collections::BTreeSet<_>>().len(), 80, "{text}");
}

#[tokio::test]
async fn finding_files() {
    let ground = Ground::new();
    let paths = [
        "a.md",
        "b.txt",
        "docs/c.md",
        "docs/deep/d.md",
        ".hidden.md",
        ".git/e.md",
        ".windlass-1.tmp",
    ];
    for path in paths {
        ground.put(path, "x");
    }
    let cases = [
        (json!({"pattern": "*.md"}), ".hidden.md\na.md\ndocs/c.md\ndocs/deep/d.md"),
        (json!({"pattern": "docs/*.md"}), "docs/c.md"),
        (json!({"pattern": "./docs/**/*.md"}), "docs/c.md\ndocs/deep/d.md"),
        (json!({"pattern": "{a,b}.*"}), "a.md\nb.txt"),
        (json!({"pattern": "*", "path": "docs/deep"}), "docs/deep/d.md"),
        (json!({"pattern": "*.rs"}), "no file matches `*.rs` (9 entries looked at)"),
    ];
    for (input, wanted) in cases {
        assert_eq!(ground.good("glob", input.clone()).await, wanted, "{input}");
    }
    let words = ground.bad("glob", json!({"pattern": "[a"})).await;
    assert!(words.contains("not a file pattern"), "{words}");
    let words = ground.bad("glob", json!({"pattern": "*", "path": "no"})).await;
    assert!(words.contains("does not exist"), "{words}");
    for n in 0..1_001 {
        ground.put(&format!("many/{n}.rs"), "");
    }
    let many = ground.good("glob", json!({"pattern": "*.rs"})).await;
    assert!(many.ends_with("[more than 1000 files match; use a narrower pattern]"));
    assert_eq!(many.lines().count(), 1_001);
}

#[tokio::test]
async fn finding_lines() {
    let ground = Ground::new();
    ground.put("a.txt", "The word\nnothing\n  the WORD again\n");
    ground.put("sub/b.md", "word");
    ground.put("binary", b"word\0word");
    ground.put("latin.txt", b"word caf\xe9\n");
    ground.put("long.txt", "y".repeat(2_000) + "zebra\n");
    ground.put("crlf/c.txt", "one\r\ntwo\r\n");
    let both = "a.txt:1: The word\na.txt:3:   the WORD again";
    let cases = [
        (json!({"pattern": "word", "glob": "*.md"}), "sub/b.md:1: word"),
        (json!({"pattern": "(?i)word", "path": "a.txt"}), both),
        (json!({"pattern": "word", "path": "sub"}), "sub/b.md:1: word"),
        (json!({"pattern": "^nothing$"}), "a.txt:2: nothing"),
        (json!({"pattern": "^two$", "path": "crlf"}), "crlf/c.txt:2: two"),
        (json!({"pattern": "caf"}), "latin.txt:1: word caf\u{fffd}"),
        (json!({"pattern": "absent"}), "no line matches `absent` (6 files searched)"),
    ];
    for (input, wanted) in cases {
        assert_eq!(ground.good("grep", input.clone()).await, wanted, "{input}");
    }
    let long = ground.good("grep", json!({"pattern": "zebra"})).await;
    assert!(long.len() < 500 && long.ends_with('…'), "{long}");
    for (input, part) in [
        (json!({"pattern": "("}), "not a regular expression"),
        (json!({"pattern": "(a{1000}){1000}"}), "size limit of 1048576\nuse smaller counts"),
        (json!({"pattern": "x", "path": "no"}), "does not exist"),
        (json!({"pattern": "x", "glob": "{"}), "not a file pattern"),
    ] {
        let words = ground.bad("grep", input).await;
        assert!(words.contains(part), "{words}");
    }
    ground.put("many.txt", "hit\n".repeat(300));
    let many = ground.good("grep", json!({"pattern": "hit"})).await;
    assert_eq!(many.lines().count(), 101, "100 lines and a remark");
}

#[tokio::test]
async fn without_a_working_directory_there_are_no_files() {
    let ground = Ground::new();
    for (name, input) in [
        ("read", json!({"path": "a"})),
        ("write", json!({"path": "a", "content": ""})),
        ("edit", json!({"path": "a", "old_string": "a", "new_string": "b"})),
        ("glob", json!({"pattern": "*"})),
        ("grep", json!({"pattern": "a"})),
        ("notes", json!({"action": "list"})),
    ] {
        let mut call = ground.call(name, "k", input);
        call.workdir = None;
        let output = ground.toolbox.run(&call).await.unwrap();
        assert!(output.is_error && output.content.contains("no working directory"), "{name}");
        assert_eq!(ground.toolbox.reconcile(&call).await, Reconciled::NotDone, "{name}");
    }
}
