//! Changes of files stopped at each step, and what can be told about them afterwards.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

/// A folder to change files in, and the program's state beside it.
struct Ground {
    dir: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("work")).unwrap();
        Ground { dir }
    }

    fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    fn effects(
        &self,
        on_step: impl Fn(Step) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Effects {
        Effects::new(&self.dir.path().join("state"), Arc::new(on_step))
    }

    fn calm(&self) -> Effects {
        self.effects(|_| Ok(()))
    }

    fn target(&self, path: &str) -> Target {
        let folder = Folder::open(&self.work(), &self.dir.path().join("state")).unwrap();
        Target { folder, path: path.into() }
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.work().join(path)).ok()
    }

    /// Every file in the working folder that is not the target.
    fn leftovers(&self, path: &str) -> usize {
        let above = self.work().join(path).parent().unwrap().to_owned();
        fs::read_dir(above).map_or(0, |all| all.flatten().count())
            - usize::from(self.work().join(path).exists())
    }
}

fn id(key: &str) -> CallId {
    CallId { key: ContentHash::of(key.as_bytes()), asked: ContentHash::of(b"asked"), session: None }
}

/// Adds a line, which shows when it is done twice.
fn append(before: Option<&Content>) -> Result<Composed, Failure> {
    let mut bytes = before.map(|content| content.bytes.clone()).unwrap_or_default();
    bytes.extend(b"line\n");
    Ok(Composed { bytes, output: "added".to_owned() })
}

fn perform(effects: &Effects, key: &str, target: &Target) -> Result<String, Failure> {
    effects.perform(&id(key), target, &Stop::default(), append)
}

const TARGETS: [(&str, Option<&str>); 3] =
    [("a.txt", None), ("a.txt", Some("old\n")), ("new/folders/a.txt", None)];

#[test]
fn a_crash_after_any_step_is_told_apart_and_nothing_happens_twice() {
    for (path, before) in TARGETS {
        for crash in Step::ALL {
            let ground = Ground::new();
            if let Some(text) = before {
                fs::write(ground.work().join(path), text).unwrap();
            }
            let effects = ground.effects(move |step| {
                assert!(step != crash, "the crash");
                Ok(())
            });
            let crashed =
                catch_unwind(AssertUnwindSafe(|| perform(&effects, "k", &ground.target(path))));
            assert!(crashed.is_err());
            // Another process looks.
            let effects = ground.calm();
            let happened = matches!(crash, Step::Renamed | Step::Kept | Step::Marked);
            let wanted = if happened {
                Reconciled::Done(ToolOutput::ok("added"))
            } else {
                Reconciled::NotDone
            };
            for _ in 0..2 {
                assert_eq!(effects.reconcile(&id("k"), &ground.target(path)), wanted, "{crash:?}");
            }
            let after = format!("{}line\n", before.unwrap_or_default());
            let now = if happened { Some(after.as_str()) } else { before };
            assert_eq!(ground.read(path).as_deref(), now, "{crash:?}");
            // Run again with the same key: it happens, but once.
            for _ in 0..2 {
                assert_eq!(perform(&effects, "k", &ground.target(path)).unwrap(), "added");
                assert_eq!(ground.read(path).as_deref(), Some(after.as_str()), "{crash:?}");
            }
            assert_eq!(ground.leftovers(path), 0, "{crash:?}");
            // Another call is another effect.
            perform(&effects, "k2", &ground.target(path)).unwrap();
            assert_eq!(ground.read(path).unwrap(), format!("{after}line\n"));
        }
    }
}

#[test]
fn a_full_disk_at_any_step_leaves_the_old_file_and_says_so() {
    for (path, before) in TARGETS {
        for full in [Step::Composed, Step::Intended, Step::TempMade, Step::TempWritten] {
            let ground = Ground::new();
            if let Some(text) = before {
                fs::write(ground.work().join(path), text).unwrap();
            }
            let effects = ground.effects(move |step| {
                if step == full { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(()) }
            });
            match perform(&effects, "k", &ground.target(path)) {
                Err(Failure::Told(words)) => {
                    assert!(words.contains("the disk is full; nothing was changed"), "{words}");
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(ground.read(path).as_deref(), before, "{full:?}");
            assert_eq!(ground.leftovers(path), 0, "{full:?}");
            let effects = ground.calm();
            assert_eq!(effects.reconcile(&id("k"), &ground.target(path)), Reconciled::NotDone);
            perform(&effects, "k", &ground.target(path)).unwrap();
        }
    }
}

#[test]
fn a_disk_that_does_not_confirm_leaves_the_outcome_open_until_it_is_looked_at() {
    let ground = Ground::new();
    let effects = ground.effects(|step| {
        if step == Step::Renamed { Err(std::io::Error::other("bad sector")) } else { Ok(()) }
    });
    let end = perform(&effects, "k", &ground.target("a.txt"));
    assert!(matches!(end, Err(Failure::Unknown(_))), "{end:?}");
    let done = Reconciled::Done(ToolOutput::ok("added"));
    assert_eq!(effects.reconcile(&id("k"), &ground.target("a.txt")), done);
}

#[test]
fn a_file_that_somebody_else_changed_is_an_unknown_outcome() {
    for crash in [Step::Intended, Step::Renamed] {
        let ground = Ground::new();
        fs::write(ground.work().join("a.txt"), "old\n").unwrap();
        let effects = ground.effects(move |step| {
            assert!(step != crash, "the crash");
            Ok(())
        });
        let target = ground.target("a.txt");
        let _ = catch_unwind(AssertUnwindSafe(|| perform(&effects, "k", &target)));
        fs::write(ground.work().join("a.txt"), "theirs\n").unwrap();
        let found = ground.calm().reconcile(&id("k"), &target);
        assert!(matches!(found, Reconciled::Unknown(_)), "{found:?}");
        let end = perform(&ground.calm(), "k", &target);
        assert!(matches!(end, Err(Failure::Unknown(_))), "{end:?}");
        assert_eq!(ground.read("a.txt").unwrap(), "theirs\n");
    }
}

#[test]
fn what_is_marked_done_stays_done_when_the_file_goes_on_changing() {
    let ground = Ground::new();
    let effects = ground.calm();
    for key in ["one", "two"] {
        perform(&effects, key, &ground.target("a.txt")).unwrap();
    }
    fs::remove_file(ground.work().join("a.txt")).unwrap();
    for key in ["one", "two"] {
        let found = effects.reconcile(&id(key), &ground.target("a.txt"));
        assert_eq!(found, Reconciled::Done(ToolOutput::ok("added")));
    }
}

#[test]
fn a_change_by_somebody_else_in_the_very_moment_is_not_overwritten() {
    let ground = Ground::new();
    let path = ground.work().join("a.txt");
    fs::write(&path, "old\n").unwrap();
    let theirs = path.clone();
    let effects = ground.effects(move |step| {
        if step == Step::TempWritten { fs::write(&theirs, "theirs\n") } else { Ok(()) }
    });
    match perform(&effects, "k", &ground.target("a.txt")) {
        Err(Failure::Told(words)) => assert!(words.contains("read it again"), "{words}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(ground.read("a.txt").unwrap(), "theirs\n");
    assert_eq!(ground.leftovers("a.txt"), 0);
}

#[test]
fn concurrent_changes_of_one_file_are_all_kept() {
    let ground = Ground::new();
    let effects = ground.calm();
    std::thread::scope(|scope| {
        for worker in 0..8 {
            let (effects, ground) = (&effects, &ground);
            scope.spawn(move || {
                for n in 0..5 {
                    let key = format!("{worker}/{n}");
                    perform(effects, &key, &ground.target("a.txt")).unwrap();
                }
            });
        }
    });
    assert_eq!(ground.read("a.txt").unwrap(), "line\n".repeat(40));
}

#[test]
fn a_call_that_nobody_waits_for_any_more_does_not_begin() {
    let ground = Ground::new();
    let effects = ground.calm();
    let stop = Stop::default();
    stop.set();
    let end = effects.perform(&id("k"), &ground.target("a.txt"), &stop, append);
    assert!(matches!(end, Err(Failure::Told(_))), "{end:?}");
    assert_eq!(ground.read("a.txt"), None);
    assert_eq!(effects.reconcile(&id("k"), &ground.target("a.txt")), Reconciled::NotDone);
}

#[test]
fn damaged_and_foreign_records_are_unknown_outcomes() {
    let ground = Ground::new();
    let effects = ground.calm();
    perform(&effects, "k", &ground.target("a.txt")).unwrap();
    let other = CallId { asked: ContentHash::of(b"something else"), ..id("k") };
    let found = effects.reconcile(&other, &ground.target("a.txt"));
    assert!(matches!(found, Reconciled::Unknown(_)), "{found:?}");
    let found = effects.reconcile(&id("k"), &ground.target("b.txt"));
    assert!(matches!(found, Reconciled::Unknown(_)), "{found:?}");
    let record = ground.dir.path().join(format!("state/effects/{}.json", id("k").key));
    fs::write(record, "{\"format\":1").unwrap();
    let found = effects.reconcile(&id("k"), &ground.target("a.txt"));
    assert!(matches!(found, Reconciled::Unknown(_)), "{found:?}");
    assert_eq!(effects.reconcile_lost(&id("none"), "gone"), Reconciled::NotDone);
    assert_eq!(effects.reconcile_lost(&id("k"), "gone"), Reconciled::Unknown("gone".to_owned()));
}

#[test]
fn without_a_place_for_the_record_nothing_is_changed() {
    let ground = Ground::new();
    fs::write(ground.dir.path().join("state"), "a file, not a folder").unwrap();
    match perform(&ground.calm(), "k", &ground.target("a.txt")) {
        Err(Failure::Told(words)) => assert!(words.contains("nothing was changed"), "{words}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(ground.read("a.txt"), None);
}

/// The cheap way that another process goes: the whole program dies at each step. The
/// steps above cover it; this keeps their list complete.
#[test]
fn every_step_is_reported_in_order() {
    let ground = Ground::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watch = seen.clone();
    let effects = ground.effects(move |step| {
        watch.lock().unwrap().push(step);
        Ok(())
    });
    perform(&effects, "k", &ground.target("a.txt")).unwrap();
    assert_eq!(*seen.lock().unwrap(), Step::ALL);
}
