//! A working directory full of traps, and all that must stay as it is around it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use engine::ports::{ToolCall, ToolOutput, Toolbox as _};
use kernel::json::RawJson;
use kernel::units::{SessionId, Tenant};
use kernel::verdict::Examined;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;
use tools::{Builtin, Settings};

/// What lies outside, and nobody may see.
pub(crate) const SECRET: &str = "the secret text";

pub(crate) struct Ground {
    dir: tempfile::TempDir,
    toolbox: Builtin,
}

/// Files in the working directory.
const FILES: [&str; 16] = [
    "inside.txt",
    "sub/deep.txt",
    "a/b/c/d/e/f.txt",
    "naïve file.txt",
    "日本.txt",
    "..dots.txt",
    "...",
    "a..b/c..d.txt",
    " lead.txt",
    "quo\"te.txt",
    "-rf",
    ".gitignore",
    ".github/ci.yaml",
    "weird%2e.txt",
    "back\\slash.txt",
    "nested/plain.txt",
];

/// Files in it that no tool may change. The last ones no tool may see either.
const PROTECTED: [&str; 6] = [
    ".git/config",
    ".git/hooks/pre-commit",
    "nested/.git/config",
    "windlass.yaml",
    ".envrc",
    ".windlass/store.db",
];

const LINKS: [(&str, &str); 28] = [
    ("../secret.txt", "out_file"),
    ("chain_2", "chain_1"),
    ("out_dir/secret.txt", "chain_2"),
    ("../other", "out_dir"),
    ("../../other", "sub/out"),
    ("sub/../../other", "mid"),
    ("..", "up"),
    ("/", "root"),
    ("/etc/passwd", "passwd"),
    ("root/etc/hosts", "hosts_by_chain"),
    ("../made.txt", "dangling_out"),
    ("/dev/zero", "zero"),
    ("/proc/self/root", "magic"),
    ("/proc/self/environ", "environ"),
    ("/proc/self/cwd", "cwd"),
    ("/proc/self/fd", "fd_folder"),
    ("/proc/thread-self", "thread"),
    ("loop_b", "loop_a"),
    ("loop_a", "loop_b"),
    (".git", "git_link"),
    ("nested/.git", "nested_link"),
    ("windlass.yaml", "config_link"),
    (".windlass", "state"),
    (".windlass/store.db", "to_store"),
    ("inside.txt", "near"),
    ("sub", "near_dir"),
    ("nowhere", "dangling"),
    ("near", "far"),
];

impl Ground {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (root, work) = (dir.path(), dir.path().join("work"));
        for file in ["secret.txt", "other/secret.txt", "work2/secret.txt"] {
            put(&root.join(file), SECRET);
        }
        FILES.iter().for_each(|file| put(&work.join(file), "some text\n"));
        PROTECTED.iter().for_each(|file| put(&work.join(file), "a secret of its own"));
        put(&work.join(".windlass/store.db"), SECRET);
        for (to, name) in LINKS {
            symlink(to, work.join(name)).unwrap();
        }
        symlink(root.join("secret.txt"), work.join("out_absolute")).unwrap();
        symlink(work.join("inside.txt"), work.join("near_absolute")).unwrap();
        mknodat(CWD, work.join("pipe"), FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
        drop(std::os::unix::net::UnixListener::bind(work.join("socket")).unwrap());
        let settings = Settings { state_dir: work.join(".windlass"), ..Settings::default() };
        Ground { dir, toolbox: Builtin::new(settings) }
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    pub(crate) fn outside(&self) -> &Path {
        self.dir.path()
    }

    /// A call with the places filled in.
    pub(crate) fn call(&self, tool: &str, input: &Value) -> ToolCall {
        let mut text = input.to_string();
        for (name, path) in [
            ("$WORK2", self.outside().join("work2")),
            ("$WORK", self.work()),
            ("$OUTSIDE", self.outside().to_owned()),
        ] {
            text = text.replace(name, path.to_str().unwrap());
        }
        let spec = tools::all_specs().into_iter().find(|spec| spec.name == tool).unwrap();
        ToolCall {
            tenant: Tenant("t".to_owned()),
            session: "01890000-0000-7000-8000-000000000001".parse::<SessionId>().unwrap(),
            spec,
            arguments: RawJson::parse(text.clone()).unwrap(),
            workdir: Some(self.work()),
            key: key_of(&text),
        }
    }

    pub(crate) async fn examine(&self, call: &ToolCall) -> Examined {
        self.toolbox.examine(call).await
    }

    /// Runs a call; one that hangs fails here.
    pub(crate) async fn run(&self, call: &ToolCall) -> ToolOutput {
        let limit = std::time::Duration::from_secs(60);
        let run = tokio::time::timeout(limit, self.toolbox.run(call)).await;
        run.expect("no call hangs").unwrap_or_else(|error| ToolOutput::error(error.to_string()))
    }

    /// All that must stay as it is: everything outside, and what is protected inside.
    pub(crate) fn kept(&self) -> BTreeMap<PathBuf, String> {
        let mut kept = BTreeMap::new();
        look(self.outside(), &self.work(), &mut kept);
        for name in [".git", "nested/.git", "new/.git", "sub/windlass.yaml", "sub/.envrc"] {
            look(&self.work().join(name), Path::new(""), &mut kept);
        }
        for name in PROTECTED.iter().chain(&[".windlass/made.txt", ".windlass2", ".GIT"]) {
            look(&self.work().join(name), Path::new(""), &mut kept);
        }
        look(Path::new("/tmp/windlass-path-corpus-made"), Path::new(""), &mut kept);
        kept
    }
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Everything at a path and below it, but for `except`; links by where they lead.
fn look(path: &Path, except: &Path, kept: &mut BTreeMap<PathBuf, String>) {
    let Ok(meta) = fs::symlink_metadata(path) else { return };
    if path == except {
        return;
    }
    let seen = if meta.is_symlink() {
        format!("-> {}", fs::read_link(path).unwrap().display())
    } else if meta.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            look(&entry.unwrap().path(), except, kept);
        }
        "a folder".to_owned()
    } else {
        fs::read_to_string(path).unwrap()
    };
    kept.insert(path.to_owned(), seen);
}

/// A key that is the input's own, and another one each time.
fn key_of(text: &str) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{} {text}", NEXT.fetch_add(1, Ordering::Relaxed))
}
