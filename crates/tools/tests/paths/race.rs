//! Somebody swaps files and folders for links to the outside, as fast as can be, while
//! every file tool works on them.
//!
//! `PATH_RACE_OPERATIONS=1000000` asks for a longer race than the usual one.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::{Value, json};

use super::ground::{Ground, SECRET};

/// Swaps in the usual race.
const OPERATIONS: u64 = 100_000;

/// Calls that each tool makes at least.
const CALLS_MIN: u64 = 60;

/// Pairs of a harmless entry and a link to the outside.
fn pairs(ground: &Ground) -> [(PathBuf, PathBuf); 3] {
    let (work, outside) = (ground.work(), ground.outside());
    std::fs::create_dir_all(work.join("swap")).unwrap();
    std::fs::create_dir_all(work.join("hold/deep")).unwrap();
    std::fs::create_dir_all(outside.join("other/deep")).unwrap();
    std::fs::write(outside.join("other/deep/secret.txt"), SECRET).unwrap();
    for file in ["swap/secret.txt", "hold/deep/secret.txt", "leaf.txt"] {
        std::fs::write(work.join(file), "harmless words").unwrap();
    }
    symlink("../other", work.join("evil")).unwrap();
    symlink("../secret.txt", work.join("evil_leaf")).unwrap();
    symlink("../../other/deep", work.join("hold/evil")).unwrap();
    [
        (work.join("swap"), work.join("evil")),
        (work.join("leaf.txt"), work.join("evil_leaf")),
        (work.join("hold/deep"), work.join("hold/evil")),
    ]
}

fn inputs(round: u64) -> [(&'static str, Value); 11] {
    let text = format!("mine {round}");
    [
        ("read", json!({"path": "swap/secret.txt"})),
        ("read", json!({"path": "hold/deep/secret.txt"})),
        ("read", json!({"path": "leaf.txt"})),
        ("grep", json!({"pattern": "the secret"})),
        ("grep", json!({"pattern": "the secret", "path": "swap"})),
        ("glob", json!({"pattern": "**", "path": "swap"})),
        ("write", json!({"path": "swap/mine.txt", "content": text})),
        ("write", json!({"path": "hold/deep/new/mine.txt", "content": text})),
        ("write", json!({"path": "leaf.txt", "content": "harmless words"})),
        ("edit", json!({"path": "swap/secret.txt", "old_string": "s", "new_string": "s "})),
        ("edit", json!({"path": "leaf.txt", "old_string": "words", "new_string": "words "})),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_race_reads_or_changes_anything_outside() {
    let wanted = std::env::var("PATH_RACE_OPERATIONS")
        .map_or(OPERATIONS, |text| text.parse().expect("a number of swaps"));
    let ground = Ground::new();
    let pairs = pairs(&ground);
    let before = ground.kept();
    let (done, swaps) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let swapper = std::thread::spawn({
        let (done, swaps) = (Arc::clone(&done), Arc::clone(&swaps));
        move || {
            while !done.load(Ordering::Relaxed) {
                for (good, evil) in &pairs {
                    renameat_with(CWD, good, CWD, evil, RenameFlags::EXCHANGE).unwrap();
                    swaps.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    });
    let (mut rounds, mut went_well) = (0, 0);
    while rounds < CALLS_MIN || swaps.load(Ordering::Relaxed) < wanted {
        for (tool, input) in inputs(rounds) {
            let output = ground.run(&ground.call(tool, &input)).await;
            let content = &output.content;
            assert!(!content.contains(SECRET), "{tool} {input} saw the outside: {content}");
            went_well += u64::from(!output.is_error);
        }
        rounds += 1;
    }
    done.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
    let swaps = swaps.load(Ordering::Relaxed);
    println!("{swaps} swaps, {} calls, {went_well} of them went well", rounds * 11);
    assert!(went_well > rounds, "the race was no wall: {went_well} calls in {rounds} rounds");
    assert_eq!(ground.kept(), before, "nothing outside has changed");
}
