//! A small world around a working directory, and what is the same in it afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sandbox::{Cage, Ended, Grant, Launcher, Mode, Probe};
use tempfile::TempDir;

/// What no caged program may print: it stands in files that are closed to it, and
/// attempts print it when they succeed.
pub(crate) const SECRET: &str = "BROKEN";

/// Both kinds of cage. A machine that lacks one is not ready for these tests.
pub(crate) async fn probes() -> [Arc<Probe>; 2] {
    let probe = Probe::now(Launcher::Myself).await;
    let probe = probe.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        probe.mode(),
        Mode::Namespaces,
        "this test needs bubblewrap: apt-get install bubblewrap\n{probe}"
    );
    let bare = probe.without_namespaces().await;
    let bare = bare.unwrap_or_else(|error| panic!("this test needs Linux 6.12 or newer: {error}"));
    [Arc::new(probe), Arc::new(bare)]
}

/// Only the one with namespaces.
pub(crate) async fn walled() -> Arc<Probe> {
    let [walled, _] = probes().await;
    walled
}

/// What there is before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// Everything that is protected is there.
    Full,
    /// Nothing of it is.
    Empty,
}

/// A working directory with neighbours.
pub(crate) struct World {
    _dir: TempDir,
    pub(crate) root: PathBuf,
}

impl World {
    pub(crate) fn new(before: Before) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("outside/secret.txt", SECRET);
        write("outside/victim.txt", "untouched");
        write("work/src/a.txt", "a");
        write("work/notes.txt", "notes");
        write("work/lib/.git/config", "[core]\n");
        symlink(root.join("outside"), root.join("work/link")).unwrap();
        if before == Before::Full {
            write("work/.git/config", "[core]\n");
            write("work/.git/HEAD", "ref: refs/heads/main\n");
            write("work/.git/hooks/pre-push", "echo no\n");
            write("work/windlass.yaml", "agents: {}\n");
            write("work/.windlass/state", SECRET);
            write("work/.envrc", "export A=b\n");
        }
        World { _dir: dir, root }
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// A cage that may change the working directory.
    pub(crate) fn cage(&self, probe: &Arc<Probe>) -> Cage {
        self.cage_of(probe, |_| {})
    }

    pub(crate) fn cage_of(&self, probe: &Arc<Probe>, change: impl FnOnce(&mut Grant)) -> Cage {
        let mut grant = Grant::writing(self.work());
        grant.read.push(myself());
        grant.limits.deadline_ms = 30_000;
        grant.limits.disk_free_bytes_min = 0;
        change(&mut grant);
        Cage::new(Arc::clone(probe), grant).unwrap()
    }

    /// Everything that a caged program must leave as it is: names, sizes, modes, owners,
    /// times and content. What is absent must stay absent.
    pub(crate) fn fixed(&self) -> BTreeMap<PathBuf, String> {
        let mut seen = BTreeMap::new();
        let names = [
            ".git",
            ".windlass",
            "windlass.yaml",
            ".envrc",
            "HEAD",
            "lib/.git",
            "../outside",
            "..",
        ];
        for name in names {
            look(&self.work().join(name), name != "..", &mut seen);
        }
        // The room of another cage is no change of this world.
        seen.retain(|path, _| path.starts_with(&self.root));
        seen
    }
}

fn look(path: &Path, deep: bool, seen: &mut BTreeMap<PathBuf, String>) {
    let Ok(stat) = fs::symlink_metadata(path) else { return };
    let content = fs::read(path).unwrap_or_default();
    let words = if deep {
        let times = (stat.mtime(), stat.mtime_nsec());
        format!("{:o} {} {times:?} {content:?}", stat.mode(), stat.uid())
    } else {
        format!("{:o}", stat.mode())
    };
    seen.insert(path.to_owned(), words);
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if deep {
            look(&entry.path(), true, seen);
        } else {
            seen.insert(entry.path(), String::new());
        }
    }
}

/// This program.
pub(crate) fn myself() -> PathBuf {
    std::env::current_exe().unwrap().canonicalize().unwrap()
}

/// Runs a command of bash to its end.
pub(crate) async fn bash(cage: &Cage, command: &str) -> Ended {
    let args = ["-c".to_owned(), command.to_owned()];
    cage.run("bash", &args, b"").await.unwrap_or_else(|error| panic!("{command}: {error}"))
}

pub(crate) fn text(ended: &Ended) -> String {
    format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr))
}

/// Processes whose environment holds this text.
pub(crate) fn living(mark: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let environ = fs::read(entry.path().join("environ")).unwrap_or_default();
        if environ.windows(mark.len()).any(|part| part == mark.as_bytes()) {
            found.push(pid);
        }
    }
    found
}

/// Waits until nobody lives who has this mark: the end of a cage that nobody waits for.
pub(crate) fn dead(mark: &str) {
    const TRIES: u32 = 1000;
    for _ in 0..TRIES {
        if living(mark).is_empty() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("still alive: {:?}", living(mark));
}
