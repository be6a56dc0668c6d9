//! What was allowed is run by a real bash, with small programs in place of the real ones
//! that write down what they were called with: nothing may run but what was granted, and no
//! file may change.

// The sandbox is the boundary; this test is about the text alone, so it runs real processes.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "in a test a panic is the report"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use guard::shell::{Grants, examine};
use kernel::verdict::Verdict;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Programs that are granted: for each, bash finds one that only writes down its arguments.
const GRANTED: [&str; 5] = ["ls", "cat", "grep", "wc", "git"];
/// Programs that must never run.
const FORBIDDEN: [&str; 5] = ["id", "rm", "curl", "sh", "touch"];
/// How many generated commands are looked at, and how many of the allowed ones are run.
const GENERATED: usize = 60_000;
const RUN_MAX: usize = 600;
/// How many commands one bash runs, each in a shell of its own.
const BATCH: usize = 25;

/// A folder that is removed with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("guard-differential-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("bin")).unwrap();
        fs::create_dir_all(path.join("work/src")).unwrap();
        fs::write(path.join("outside.txt"), "outside").unwrap();
        for name in ["a.txt", "b.txt", "src/main.rs", "-x.txt"] {
            fs::write(path.join("work").join(name), "a line\n").unwrap();
        }
        Folder(path)
    }

    fn stub(&self, name: &str) {
        let file = self.0.join("bin").join(name);
        // One line a call, written at once: the name, then the arguments, each behind a unit
        // separator.
        let each = r#"for one in "$@"; do line+=$'\x1f'${one//$'\n'/ }; done"#;
        let write = format!("printf '%s\\n' \"$line\" >> \"{}/calls\"", self.0.display());
        let script = format!("#!/bin/bash\nline={name}\n{each}\n{write}\n");
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "a.txt",
        "'b.txt'",
        "\"src/main.rs\"",
        "src",
        "*.txt",
        "./*",
        "src/{main,lib}.rs",
        "-l",
        "--",
        "-n",
        "$x",
        "\"$x\"",
        "$HOME",
        "/etc/passwd",
        "../outside.txt",
        "$(id)",
        "`id`",
        "\"$(ls)\"",
        "$'\\x2fetc'",
        "\\$'\\'",
        "'",
        "\"",
        "\\",
        "~",
        "$((1+2))",
        "<(ls)",
        ">(id)",
        ">out",
        "2>/dev/null",
        "2>&1",
        ">&out",
        "<a.txt",
        "<<<x",
        "{a,/etc}",
        ";id",
        "#",
        "a\\ b",
        "$'a\\nb'",
        "'a;id'",
        "\"a;id\"",
        "''id",
        "-x.txt",
        "&>z",
        "|&",
        "${x:-a}",
        "${x@P}",
        "!",
        "a=b",
        "{id,}",
        "$",
        "''",
        "status",
        "log",
        "é",
    ])
    .prop_map(str::to_owned)
}

fn command() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        8 => prop::sample::select(GRANTED.to_vec()).prop_map(str::to_owned),
        1 => prop::sample::select(FORBIDDEN.to_vec()).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["l\\s", "'cat'", "$x", "x=a", "x=src", "cd src", "echo", "\\ls", "command ls", "env ls", "exec ls"])
            .prop_map(str::to_owned),
    ];
    (name, prop::collection::vec(word(), 0..5)).prop_map(|(name, words)| {
        let glue = |whole: String, word: &String| format!("{whole} {word}");
        words.iter().fold(name, glue)
    })
}

fn text() -> impl Strategy<Value = String> {
    let join = prop::sample::select(vec![
        " ; ", " && ", " || ", " | ", "\n", " & ", "", "'", "\"", " \\\n ", " # ", "\\",
    ]);
    let shape = prop::sample::select(vec![
        "@",
        "@",
        "@",
        "(@)",
        "{ @\n}",
        "if ls; then @\nfi",
        "for x in a.txt b.txt; do @\ndone",
        "for x in *; do @\ndone",
        "! @",
        "cat <<A\n@\nA",
        "cat <<'A'\n@\nA\nls",
        "ls \"$(@)\"",
        "ls `@`",
        "case a in a) @\n;; esac",
        "while false; do @\ndone",
        "x=src; @",
        "[[ -f a.txt ]] && @",
        "cat < <(@\n)",
        "time @",
        "@ # '\n@",
    ]);
    (command(), prop::collection::vec((join, command()), 0..3), shape).prop_map(
        |(first, more, shape)| {
            let body =
                more.iter().fold(first, |whole, (join, next)| format!("{whole}{join}{next}"));
            shape.replace('@', &body)
        },
    )
}

/// Allowed commands out of many generated ones.
fn allowed(grants: &Grants) -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    let strategy = text();
    let mut found = Vec::new();
    for _ in 0..GENERATED {
        let text = strategy.new_tree(&mut runner).unwrap().current();
        if examine(&text, grants).judgement.verdict == Verdict::Allow {
            found.push(text);
        }
        if found.len() == RUN_MAX {
            break;
        }
    }
    found
}

/// Everything below a folder with its content, as one text.
fn snapshot(folder: &Path) -> String {
    let mut names =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    names.sort();
    let show = |path: &PathBuf| match path.is_dir() {
        true => format!("{}/\n{}", path.display(), snapshot(path)),
        false => format!("{} {:?}\n", path.display(), fs::read(path).unwrap()),
    };
    names.iter().map(show).collect()
}

/// Runs commands, each in a subshell that is told apart by its text in an argument.
fn run(folder: &Folder, commands: &[String]) {
    let bash = if Path::new("/bin/bash").exists() { "/bin/bash" } else { "/usr/bin/bash" };
    let script =
        format!(r#"for text in "$@"; do {bash} --norc --noprofile -c "$text" </dev/null; done"#);
    let status = Command::new(bash)
        .args(["--norc", "--noprofile", "-c", &script, "run"])
        .args(commands)
        .env_clear()
        .env("PATH", folder.0.join("bin"))
        .env("HOME", folder.0.join("home"))
        .current_dir(folder.0.join("work"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.expect("bash is needed: the guard is measured against it");
}

#[test]
fn bash_runs_nothing_but_what_was_granted() {
    let folder = Folder::new();
    GRANTED.iter().chain(&FORBIDDEN).for_each(|name| folder.stub(name));
    let grants = Grants::new(GRANTED.iter().chain(&["echo"]));
    let commands = allowed(&grants);
    assert!(commands.len() > 200, "only {} commands were allowed", commands.len());
    let before = snapshot(&folder.0.join("work"));
    let mut calls_seen = 0;
    for batch in commands.chunks(BATCH) {
        run(&folder, batch);
        let calls = fs::read_to_string(folder.0.join("calls")).unwrap_or_default();
        let _ = fs::remove_file(folder.0.join("calls"));
        calls_seen += calls.lines().count();
        for call in calls.lines() {
            let mut words = call.split('\u{1f}');
            let name = words.next().unwrap_or("");
            assert!(GRANTED.contains(&name), "`{call}` ran because of one of {batch:#?}");
            let outside = |word: &str| {
                word.starts_with('/') && !word.starts_with("/dev/")
                    || word.split('/').any(|part| part == "..")
            };
            // The first word for `grep` is a pattern, whatever it looks like.
            let pattern = usize::from(name == "grep");
            let dashed = |word: &&str| word.starts_with('-');
            let mut operands = words.filter(|word| !dashed(word)).skip(pattern);
            assert!(!operands.any(outside), "`{call}` reached out because of one of {batch:#?}");
        }
        assert_eq!(
            snapshot(&folder.0.join("work")),
            before,
            "a file changed because of one of {batch:#?}"
        );
    }
    assert_eq!(fs::read_to_string(folder.0.join("outside.txt")).unwrap(), "outside");
    assert!(calls_seen > commands.len() / 2, "{calls_seen} calls of {} commands", commands.len());
    println!("{} allowed commands, {calls_seen} calls, all granted", commands.len());
}

/// How many words are compared.
const WORDS: usize = 3_000;

/// Bits of words, quoted in every way that there is and in some that there are not.
fn quoted_word() -> impl Strategy<Value = String> {
    let bit = prop::sample::select(vec![
        "'a b'",
        "\"c d\"",
        "\\x",
        "\\'",
        "\\\"",
        "$'e\\tf'",
        "$'g\\'h'",
        "'i\"j'",
        "\"k'l\"",
        "m",
        "\\\n",
        "\\$",
        "\"\\$n\"",
        "\"\\\\\"",
        "''",
        "\"\"",
        "#",
        "=",
        "-",
        "é",
        "%",
        "@",
        "+",
        ",",
        ".",
        "'\\'",
        "$",
        "\"$\"",
        "\\\\",
        "^",
        "!",
        "]",
        "}",
        "'$(id)'",
        "\"\\`\"",
        "'`'",
        "\"a\\\nb\"",
        "\"\\q\"",
        "$'\\x41'",
        "$'\\101'",
        "$'\\u0042'",
        "$'\\\\'",
        "\\ ",
        "\\;",
        "\"",
        "'",
        "`",
        "{",
        "{o,p}",
        "$'q\"'",
        "\"r$'s'\"",
        "\\#",
        "~",
        "1",
        "\"\n\"",
    ]);
    prop::collection::vec(bit, 1..7).prop_map(|bits| bits.concat())
}

#[test]
fn bash_reads_the_same_words() {
    let grants = Grants::new(["cat"]);
    let mut runner = TestRunner::deterministic();
    let (mut script, mut ours) = (String::new(), Vec::new());
    while ours.len() < WORDS {
        let word = quoted_word().new_tree(&mut runner).unwrap().current();
        if word.contains("$#") || word.contains("$$") {
            continue; // a number, and which one is not known
        }
        let found = examine(&format!("cat -- {word}"), &grants);
        let allowed = found.judgement.verdict == Verdict::Allow;
        if let (true, [path]) = (allowed, found.paths.iter().collect::<Vec<_>>().as_slice()) {
            script.push_str(&format!("printf '%s\\0' {word}\n"));
            ours.push((*path).clone());
        }
    }
    let output = Command::new("bash")
        .args(["--norc", "--noprofile"])
        .env("LC_ALL", "C.UTF-8")
        .stdin(feed(&script))
        .output()
        .expect("bash is needed: the guard is measured against it");
    let theirs = String::from_utf8(output.stdout).unwrap();
    let theirs = theirs.split_terminator('\0').collect::<Vec<_>>();
    for (our, their) in ours.iter().zip(&theirs) {
        assert_eq!(our, their);
    }
    assert_eq!(ours.len(), theirs.len());
}

/// A text as the input of a process, through a file that nobody else can see.
fn feed(text: &str) -> Stdio {
    use std::io::{Seek, Write};
    let path = std::env::temp_dir().join(format!("guard-words-{}", std::process::id()));
    let mut file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .unwrap();
    fs::remove_file(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    file.into()
}
