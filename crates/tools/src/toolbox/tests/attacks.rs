//! Ways out of the working directory, and ways to hang in it.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};
use serde_json::json;

use super::Ground;

/// A working directory full of traps.
fn trapped() -> Ground {
    let ground = Ground::new();
    let work = ground.work();
    ground.put("inside.txt", "inside\n");
    ground.put("sub/deep.txt", "deep\n");
    fs::create_dir(ground.outside().join("other")).unwrap();
    fs::write(ground.outside().join("other/secret.txt"), "the secret").unwrap();
    let links = [
        ("../secret.txt", "out_file"),
        ("../other", "out_dir"),
        ("..", "up"),
        ("/", "root"),
        ("/etc/passwd", "passwd"),
        ("/dev/zero", "zero"),
        ("/proc/self/root", "magic"),
        ("/proc/self/environ", "environ"),
        ("loop_b", "loop_a"),
        ("loop_a", "loop_b"),
        ("nowhere", "dangling"),
        ("sub/../../secret.txt", "roundabout"),
        (".windlass", "state"),
    ];
    for (to, name) in links {
        symlink(to, work.join(name)).unwrap();
    }
    symlink(ground.outside().join("secret.txt"), work.join("out_absolute")).unwrap();
    mknodat(CWD, work.join("pipe"), FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
    drop(std::os::unix::net::UnixListener::bind(work.join("socket")).unwrap());
    ground
}

const WAYS_OUT: [&str; 33] = [
    "..",
    "../secret.txt",
    "sub/../../secret.txt",
    "./../secret.txt",
    "/etc/passwd",
    "/dev/zero",
    "/proc/self/environ",
    "out_file",
    "out_absolute",
    "out_dir",
    "out_dir/secret.txt",
    "out_dir/deep/secret.txt",
    "up/secret.txt",
    "up/other/secret.txt",
    "root/etc/passwd",
    "passwd",
    "zero",
    "magic",
    "magic/etc/passwd",
    "environ",
    "loop_a",
    "loop_b/x",
    "roundabout",
    "pipe",
    "socket",
    "sub",
    ".",
    "inside.txt/x",
    "a\u{0}b",
    "missing.txt",
    "dangling",
    "state",
    "~/secret.txt",
];

#[tokio::test]
async fn no_path_reads_anything_outside_or_hangs() {
    let ground = trapped();
    for path in WAYS_OUT {
        let words = ground.bad("read", json!({"path": path})).await;
        assert!(!words.contains("the secret") && !words.contains("root:"), "{path}: {words}");
        let found = ground.run("grep", json!({"pattern": "secret|root:", "path": path})).await;
        let found = found.unwrap_or_default();
        assert!(found.is_empty() || found.starts_with("no line"), "{path}: {found}");
        let listed = ground.run("glob", json!({"pattern": "**/secret.txt", "path": path})).await;
        let listed = listed.unwrap_or_default();
        assert!(listed.is_empty() || listed.starts_with("no file"), "{path}: {listed}");
    }
}

#[tokio::test]
async fn no_path_writes_anything_outside() {
    let ground = trapped();
    // Two of them are names of files that may be made.
    let places = WAYS_OUT.iter().filter(|path| !["missing.txt", "~/secret.txt"].contains(path));
    for path in places {
        ground.bad("write", json!({"path": path, "content": "mine"})).await;
        ground.bad("edit", json!({"path": path, "old_string": "secret", "new_string": "x"})).await;
    }
    for path in ["out_dir/new.txt", "up/new.txt", "root/tmp/new.txt", "out_dir/a/b/new.txt"] {
        ground.bad("write", json!({"path": path, "content": "mine"})).await;
    }
    for path in ["secret.txt", "other/secret.txt"] {
        assert_eq!(fs::read_to_string(ground.outside().join(path)).unwrap(), "the secret");
    }
    assert!(!ground.outside().join("new.txt").exists());
    assert_eq!(fs::read_dir(ground.outside().join("other")).unwrap().count(), 1);
    assert!(fs::symlink_metadata(ground.work().join("out_file")).unwrap().is_symlink());
}

#[tokio::test]
async fn walks_pass_over_links_pipes_and_sockets() {
    let ground = trapped();
    let found = ground.good("grep", json!({"pattern": "."})).await;
    assert_eq!(found, "inside.txt:1: inside\nsub/deep.txt:1: deep");
    let listed = ground.good("glob", json!({"pattern": "**"})).await;
    assert!(listed.contains("inside.txt\n") && listed.contains("out_dir (a link)"), "{listed}");
    assert!(!listed.contains("pipe") && !listed.contains("socket"), "{listed}");
    assert!(!listed.contains("secret.txt"), "{listed}");
}

#[tokio::test]
async fn links_that_stay_inside_are_read_and_never_written_through() {
    let ground = Ground::new();
    ground.put("x/y/real.txt", "real\n");
    ground.put("x/z", "zed\n");
    symlink("x/y/real.txt", ground.work().join("near")).unwrap();
    symlink("near", ground.work().join("far")).unwrap();
    symlink("x/y", ground.work().join("d")).unwrap();
    symlink("../z", ground.work().join("x/y/up")).unwrap();
    symlink(ground.work().join("x/z"), ground.work().join("absolute")).unwrap();
    let cases = [
        ("near", "real\n"),
        ("far", "real\n"),
        ("d/real.txt", "real\n"),
        ("d/up", "zed\n"),
        ("absolute", "zed\n"),
    ];
    for (path, text) in cases {
        assert_eq!(ground.good("read", json!({"path": path})).await, text, "{path}");
    }
    let words = ground.bad("write", json!({"path": "near", "content": "x"})).await;
    assert!(words.contains("is a link to `x/y/real.txt`"), "{words}");
    ground.good("write", json!({"path": "d/new.txt", "content": "x"})).await;
    assert!(ground.work().join("x/y/new.txt").exists(), "folders may be links that stay inside");
}

#[tokio::test]
async fn the_programs_own_folder_is_closed_however_it_is_called() {
    let ground = trapped();
    ground.good("write", json!({"path": "first.txt", "content": "makes the state"})).await;
    assert!(ground.work().join(".windlass/effects").is_dir());
    fs::write(ground.work().join(".windlass/store.db"), "the secret").unwrap();
    symlink(".windlass/store.db", ground.work().join("to_store")).unwrap();
    for path in [".windlass/store.db", "state/store.db", "sub/../.windlass/store.db", "to_store"] {
        let words = ground.bad("read", json!({"path": path})).await;
        assert!(words.contains("belongs to this program"), "{path}: {words}");
        ground.bad("write", json!({"path": path, "content": "x"})).await;
        ground.bad("grep", json!({"pattern": "s", "path": path})).await;
    }
    for path in [".windlass/new.txt", "state/effects/a/b.txt"] {
        ground.bad("write", json!({"path": path, "content": "x"})).await;
    }
    ground.bad("glob", json!({"pattern": "*", "path": ".windlass"})).await;
    let listed = ground.good("glob", json!({"pattern": "**"})).await;
    assert!(!listed.contains("store.db\n"), "{listed}");
    let found = ground.good("grep", json!({"pattern": "the secret"})).await;
    assert!(found.starts_with("no line"), "{found}");
}

#[tokio::test]
async fn the_programs_own_folder_is_closed_before_it_is_there() {
    let ground = Ground::new();
    for path in [".windlass/mine.txt", ".windlass/effects/mine.json"] {
        let words = ground.bad("write", json!({"path": path, "content": "x"})).await;
        assert!(words.contains("belongs to this program"), "{path}: {words}");
    }
    let work = ground.work();
    let same = Ground::with(|settings| settings.state_dir = work.clone());
    let mut call = same.call("read", "k", json!({"path": "a.txt"}));
    call.workdir = Some(work.clone());
    fs::write(work.join("a.txt"), "the secret").unwrap();
    let output = engine::ports::Toolbox::run(&same.toolbox, &call).await.unwrap();
    assert!(output.is_error && output.content.contains("this program's own"), "{output:?}");
}

/// Fifteen million places for a long text would be terabytes.
#[tokio::test]
async fn edits_that_grow_without_end_are_refused_before_they_are_made() {
    let ground = Ground::new();
    ground.put("a.txt", "a".repeat(1_000_000));
    let bomb = |new: &str| json!({"path": "a.txt", "old_string": "a", "new_string": new, "replace_all": true});
    let words = ground.bad("edit", bomb(&"b".repeat(8_000_000))).await;
    assert!(words.contains("would be larger than 16777216 bytes"), "{words}");
    assert!(ground.bad("edit", bomb(&"b".repeat(17))).await.contains("would be larger"));
    assert_eq!(fs::metadata(ground.work().join("a.txt")).unwrap().len(), 1_000_000);
    ground.good("edit", bomb(&"b".repeat(16))).await;
    assert_eq!(fs::metadata(ground.work().join("a.txt")).unwrap().len(), 16_000_000);
}

#[tokio::test]
async fn patterns_that_are_bombs_are_answered() {
    let ground = Ground::new();
    ground.put("a", "x");
    let nested = |deep: usize| "{".repeat(deep) + "a" + &"}".repeat(deep);
    assert_eq!(ground.good("glob", json!({"pattern": nested(32)})).await, "a");
    for pattern in [nested(33), nested(300), "{a,{b,{c,".repeat(80) + &"}".repeat(240)] {
        let words = ground.bad("glob", json!({"pattern": pattern})).await;
        assert!(words.contains("braces within braces"), "{words}");
        ground.bad("grep", json!({"pattern": "x", "glob": pattern})).await;
    }
    for pattern in ["**/".repeat(300) + "a", "*a".repeat(400), "[!b]".repeat(200)] {
        ground.good("glob", json!({"pattern": pattern})).await;
    }
}

/// Somebody swaps a folder for a link to the outside, as fast as can be, while it is
/// read and written.
#[tokio::test(flavor = "multi_thread")]
async fn no_race_leads_outside() {
    let ground = trapped();
    let (swap, evil) = (ground.work().join("swap"), ground.work().join("evil"));
    ground.put("swap/secret.txt", "harmless");
    symlink(ground.outside().join("other"), &evil).unwrap();
    let done = std::sync::Arc::new(AtomicBool::new(false));
    let seen = done.clone();
    let swapper = std::thread::spawn(move || {
        let mut swaps = 0_u32;
        while !seen.load(Ordering::Relaxed) {
            renameat_with(CWD, &swap, CWD, &evil, RenameFlags::EXCHANGE).unwrap();
            swaps += 1;
        }
        swaps
    });
    let mut harmless = 0;
    for n in 0..150 {
        let read = ground.run("read", json!({"path": "swap/secret.txt"})).await;
        assert!(!read.as_ref().is_ok_and(|text| text.contains("the secret")));
        harmless += usize::from(read.is_ok());
        let found = ground.run("grep", json!({"pattern": "the secret"})).await;
        assert!(!found.is_ok_and(|text| text.contains("txt:1")));
        let input = json!({"path": "swap/mine.txt", "content": n.to_string()});
        let _ = ground.run("write", input).await;
    }
    done.store(true, Ordering::Relaxed);
    let swaps = swapper.join().unwrap();
    assert!(swaps > 100 && harmless > 0, "the race was run: {swaps} swaps, {harmless} reads");
    assert_eq!(fs::read_dir(ground.outside().join("other")).unwrap().count(), 1);
}

#[tokio::test]
async fn huge_and_endless_files_end() {
    let ground = Ground::new();
    let huge = fs::File::create(ground.work().join("huge")).unwrap();
    huge.set_len(1 << 40).unwrap();
    let begun = Instant::now();
    let words = ground.bad("read", json!({"path": "huge"})).await;
    assert!(words.contains("larger than 16777216 bytes"), "{words}");
    ground.bad("edit", json!({"path": "huge", "old_string": "a", "new_string": "b"})).await;
    ground.bad("write", json!({"path": "huge", "content": "b"})).await;
    ground.good("grep", json!({"pattern": "a"})).await;
    assert!(begun.elapsed() < Duration::from_secs(50), "nobody read a terabyte");
    assert_eq!(fs::metadata(ground.work().join("huge")).unwrap().len(), 1 << 40);
}

#[tokio::test]
async fn deep_trees_and_long_names_end() {
    let ground = Ground::new();
    let deep = "d/".repeat(63) + "f.txt";
    ground.good("write", json!({"path": deep, "content": "x"})).await;
    assert_eq!(ground.good("read", json!({"path": deep})).await, "x");
    ground.bad("write", json!({"path": format!("d/{deep}"), "content": "x"})).await;
    fs::create_dir_all(ground.work().join("d/".repeat(73))).unwrap();
    let listed = ground.good("glob", json!({"pattern": "*.txt"})).await;
    assert!(listed.contains("f.txt") && listed.contains("too deep"), "{listed}");
    let words = ground.bad("write", json!({"path": "n".repeat(256), "content": "x"})).await;
    assert!(words.contains("too long"), "{words}");
    ground.good("write", json!({"path": "n".repeat(255), "content": "x"})).await;
}

#[tokio::test]
async fn weird_names_are_used_as_they_are_and_shown_on_one_line() {
    let ground = Ground::new();
    let names = [
        "new\nline.txt",
        "tab\t.txt",
        "quo\"te.txt",
        "日本.txt",
        " lead.txt",
        "-rf",
        "\u{1b}[31mred",
    ];
    for name in names {
        ground.good("write", json!({"path": name, "content": "x"})).await;
        assert_eq!(ground.good("read", json!({"path": name})).await, "x", "{name:?}");
        assert!(ground.work().join(name).exists());
    }
    let listed = ground.good("glob", json!({"pattern": "*"})).await;
    assert_eq!(listed.lines().count(), names.len(), "{listed}");
    assert!(listed.contains("new\\nline.txt") && !listed.contains('\u{1b}'), "{listed}");
}
