//! A folder in which the real binary works through a story, and gets struck.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use serde_json::Value;
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

/// What is done in a place.
pub(crate) struct Story {
    /// The files that it needs, each with its name.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// The commands that lead to its end, one after the other. The first begins it.
    pub(crate) commands: &'static [&'static [&'static str]],
}

pub(crate) struct Place {
    folder: TempDir,
    story: &'static Story,
}

impl Place {
    pub(crate) fn new(story: &'static Story) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let place = Place { folder, story };
        story.files.iter().for_each(|(name, text)| place.write(name, text));
        place
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("the folder takes a file");
    }

    /// Where the first commands of the story have been run, undisturbed.
    pub(crate) fn after(story: &'static Story, commands: usize) -> Self {
        let place = Place::new(story);
        for arguments in &story.commands[..commands] {
            let output = place.windlass(arguments).output().expect("the binary runs");
            let code = output.status.code();
            assert!(matches!(code, Some(0 | 3)), "{arguments:?}: {}", words(&output));
        }
        place
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

    /// Starts a command of the story.
    pub(crate) fn start(&self, command: usize) -> Stopped {
        let mut command = self.windlass(self.story.commands[command]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Stopped { child: command.spawn().expect("the binary runs") }
    }

    /// How many syncs a command of the story makes, undisturbed.
    pub(crate) fn syncs(&self, command: usize) -> u32 {
        let count = self.folder.path().join("count");
        let output = self
            .windlass(self.story.commands[command])
            .env("LD_PRELOAD", stopper())
            .env("STOP_COUNT", &count)
            .output()
            .expect("the binary runs");
        assert!(matches!(output.status.code(), Some(0 | 3)), "{}", words(&output));
        let counted = fs::read_to_string(count).expect("the library was preloaded");
        u32::try_from(counted.lines().count()).expect("not so many")
    }

    /// Runs a command of the story until its n-th sync. `None`: it was over before.
    pub(crate) fn run_until(&self, command: usize, sync: u32, side: Side) -> Option<Stopped> {
        let side = match side {
            Side::Before => "before",
            Side::After => "after",
        };
        let child = self
            .windlass(self.story.commands[command])
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

    /// Resumes until the run is finished, with a yes to all that is asked. A run that was
    /// struck before its session was on disk promised nothing, and is begun anew.
    pub(crate) fn finish(&self, lives_max: u32) {
        for life in 0..lives_max {
            let begun = self.events().is_some_and(|events| !events.is_empty());
            while let Some(call) = self.asked().filter(|_| begun) {
                let mut yes = self.windlass(&["approvals", "approve", "last", &call]);
                let output = yes.output().expect("the binary runs");
                assert!(output.status.success(), "{}", words(&output));
            }
            let next: &[&str] = if begun { &["resume", "last"] } else { self.story.commands[0] };
            let output = self.windlass(next).output().expect("the binary runs");
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

    /// The first call that waits for an answer.
    fn asked(&self) -> Option<String> {
        let mut list = self.windlass(&["approvals", "list", "--json"]);
        let output = list.output().expect("the binary runs");
        let first =
            String::from_utf8(output.stdout).expect("JSON is UTF-8").lines().next()?.to_owned();
        let asked: Value = serde_json::from_str(&first).expect("each line is JSON");
        Some(asked["call"].as_str().expect("it names the call").to_owned())
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
        self.file("notes/journal.md")
    }

    /// What a file holds: nothing where there is none.
    pub(crate) fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// What a person might do to the notes while the program is down.
    pub(crate) fn scribble_on_the_journal(&self) {
        let path = self.folder.path().join("notes/journal.md");
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("it can be made");
        let before = self.journal();
        fs::write(path, format!("{before}somebody was here\n")).expect("it can be written");
    }
}

/// The binary, under way or stopped at a sync.
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
