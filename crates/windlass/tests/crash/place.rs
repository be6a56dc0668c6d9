//! A folder in which the real binary works on the six turns, and gets struck.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tempfile::TempDir;

/// On which side of a sync the process stops.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Before,
    After,
}

/// How the stopped process ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Strike {
    Kill,
    Terminate,
}

pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let script = include_str!("six_turns.yaml");
        fs::write(folder.path().join("six_turns.yaml"), script).expect("the folder takes a file");
        Place { folder }
    }

    fn windlass(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("WINDLASS_STORE")
            .env_remove("ANTHROPIC_API_KEY")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self) -> Command {
        self.windlass(&["run", "--model", "script:six_turns.yaml", "write it all down"])
    }

    /// How many syncs an undisturbed run makes.
    pub(crate) fn syncs(&self) -> u32 {
        let count = self.folder.path().join("count");
        let output = self
            .run()
            .env("LD_PRELOAD", stopper())
            .env("STOP_COUNT", &count)
            .output()
            .expect("the binary runs");
        assert!(output.status.success(), "{}", words(&output));
        let counted = fs::read_to_string(count).expect("the library was preloaded");
        u32::try_from(counted.lines().count()).expect("not so many")
    }

    /// Runs until the n-th sync. `None`: the run was over before.
    pub(crate) fn run_until(&self, sync: u32, side: Side) -> Option<Stopped> {
        let side = match side {
            Side::Before => "before",
            Side::After => "after",
        };
        let child = self
            .run()
            .env("LD_PRELOAD", stopper())
            .env("STOP_AT", sync.to_string())
            .env("STOP_SIDE", side)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let pid = Pid::from_child(&child);
        let (_, status) = waitpid(Some(pid), WaitOptions::UNTRACED)
            .expect("it is our child")
            .expect("it was waited for");
        status.stopped().then_some(Stopped { child })
    }

    /// Resumes until the run is finished. A run that was struck before its session was
    /// on disk promised nothing, and is begun anew.
    pub(crate) fn finish(&self, lives_max: u32) {
        for life in 0..lives_max {
            let begun = self.events().is_some_and(|events| !events.is_empty());
            let mut command = if begun { self.windlass(&["resume", "last"]) } else { self.run() };
            let output = command.output().expect("the binary runs");
            match output.status.code() {
                Some(0) => return,
                // A strike after the last fact leaves nothing to resume.
                Some(5) if begun && words(&output).contains("no parked run") => return,
                Some(3) => {}
                other => panic!("life {life} ended with {other:?}:\n{}", words(&output)),
            }
        }
        panic!("not finished after {lives_max} lives");
    }

    /// The log in JSON lines; `None` where there is no session.
    pub(crate) fn events(&self) -> Option<String> {
        let output = self.windlass(&["log", "last", "--json"]).output().expect("the binary runs");
        match output.status.code() {
            Some(0) => Some(String::from_utf8(output.stdout).expect("JSON is UTF-8")),
            Some(2) => None,
            other => panic!("log ended with {other:?}:\n{}", words(&output)),
        }
    }

    /// Whether the log ends within an effect.
    pub(crate) fn has_begun_effect(&self) -> bool {
        let events = self.events().unwrap_or_default();
        events.lines().last().is_some_and(|last| last.contains(r#""tool_begun""#))
    }

    pub(crate) fn journal(&self) -> String {
        fs::read_to_string(self.journal_path()).unwrap_or_default()
    }

    pub(crate) fn out(&self) -> String {
        fs::read_to_string(self.folder.path().join("out.txt")).unwrap_or_default()
    }

    /// What a person might do to the notes while the program is down.
    pub(crate) fn scribble_on_the_journal(&self) {
        let path = self.journal_path();
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("it can be made");
        let before = self.journal();
        fs::write(path, format!("{before}somebody was here\n")).expect("it can be written");
    }

    fn journal_path(&self) -> PathBuf {
        self.folder.path().join("notes/journal.md")
    }
}

/// The binary, stopped at a sync.
pub(crate) struct Stopped {
    child: Child,
}

impl Stopped {
    /// Ends it with the signal, and waits for its end.
    pub(crate) fn strike(mut self, strike: Strike) -> ExitStatus {
        let pid = Pid::from_child(&self.child);
        match strike {
            Strike::Kill => kill_process(pid, Signal::KILL).expect("it is there"),
            Strike::Terminate => {
                kill_process(pid, Signal::TERM).expect("it is there");
                kill_process(pid, Signal::CONT).expect("it is there");
            }
        }
        self.child.wait().expect("it ends")
    }
}

/// The preloaded library, built once.
fn stopper() -> &'static Path {
    static LIBRARY: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_folder, library) = LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let library = folder.path().join("stopper.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/stopper.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .status()
            .expect("a C compiler is there, as for the build itself");
        assert!(built.success(), "the library does not build");
        (folder, library)
    });
    library
}

fn words(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}
