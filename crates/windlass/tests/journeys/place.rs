//! A folder in which the real binary works: started, fed, watched, struck, and asked how
//! it ended. The environment is clean, nothing leaves this machine, and nothing waits
//! longer than [`PATIENCE`].

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The longest wait for one line or for one end.
const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) const FINISHED: i32 = 0;
pub(crate) const BROKEN: i32 = 1;
pub(crate) const USAGE: i32 = 2;
pub(crate) const PARKED: i32 = 3;
pub(crate) const FAILED: i32 = 4;
pub(crate) const REFUSED: i32 = 5;

pub(crate) struct Place {
    folder: TempDir,
    /// Variables that every command has beside the clean environment.
    variables: Vec<(String, String)>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Place { folder, variables: Vec::new() }
    }

    /// The same with a variable that every command has.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).expect("the folder takes a file");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|why| panic!("`{name}`: {why}"))
    }

    /// The binary in this folder, with a clean environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command.args(arguments);
        self.clean(command)
    }

    /// Any program in this folder, with a clean environment.
    pub(crate) fn clean(&self, mut command: Command) -> Command {
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DUMMY_KEY", "sk-dummy")
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        Running::of(self.command(arguments), Vec::new())
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).end()
    }

    /// Starts it as soon as there is a session to look at.
    pub(crate) fn start_when_there(&self, arguments: &[&str]) -> Running {
        let begun = std::time::Instant::now();
        while self.run(&["log", "last"]).code != Some(FINISHED) {
            assert!(begun.elapsed() < PATIENCE, "no session came");
        }
        self.start(arguments)
    }

    /// Runs with these bytes on standard input.
    pub(crate) fn feed(&self, arguments: &[&str], input: impl Into<Vec<u8>>) -> Ended {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped());
        Running::of(command, input.into()).end()
    }

    /// Types a command as it was printed, but for the program's path.
    pub(crate) fn type_in(&self, words: &str) -> Ended {
        let arguments: Vec<&str> = words.split_whitespace().skip(1).collect();
        assert!(words.starts_with("windlass "), "`{words}` is no command of ours");
        self.run(&arguments)
    }

    pub(crate) fn provider(&self, arguments: &[&str]) -> Provider {
        let mut all = vec!["simulate", "--port", "0"];
        all.extend(arguments);
        let mut running = self.start(&all);
        let line = running.until("http://");
        let address = line.rsplit("http://").next().expect("it was found").trim().to_owned();
        Provider { address, _running: running }
    }

    /// Writes an agent's file whose model is asked at this address.
    pub(crate) fn agent(&self, kind: &str, address: &str, more: &str) {
        let path = if kind == "openai" { "/v1" } else { "" };
        let text = format!(
            "agent_id: tested\nmodel: claude-sonnet-5-5\nsystem_prompt: You work.\n\
             allowed_tools: [calculator, notes, weather, web_search, end_task]\n\
             provider: {{kind: {kind}, base_url: \"http://{address}{path}\", key_env: DUMMY_KEY}}\n\
             {more}"
        );
        self.write("agent.yaml", text);
    }

    /// The names of the facts of the last session.
    pub(crate) fn facts(&self) -> Vec<String> {
        let log = self.run(&["log", "last", "--json"]).code(FINISHED);
        log.json().iter().map(|line| fact_name(line).to_owned()).collect()
    }
}

pub(crate) fn fact_name(line: &serde_json::Value) -> &str {
    let fact = line["fact"].as_object().unwrap_or_else(|| panic!("no fact in {line}"));
    fact.keys().next().expect("a fact has a name")
}

/// An address of this machine where nobody listens.
pub(crate) fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it has one").to_string()
}

/// A simulated provider; it ends with this value.
pub(crate) struct Provider {
    pub(crate) address: String,
    _running: Running,
}

impl Provider {
    /// What the provider itself counted.
    pub(crate) fn meter(&self) -> serde_json::Value {
        let mut line = TcpStream::connect(&self.address).expect("it listens");
        write!(line, "GET /simulate/meter HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .expect("it takes a request");
        let mut answer = String::new();
        line.read_to_string(&mut answer).expect("it answers");
        let body = answer.split("\r\n\r\n").nth(1).expect("an answer has a body");
        serde_json::from_str(body).expect("the meter is JSON")
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Out,
    Err,
}

/// A process under way.
pub(crate) struct Running {
    child: Child,
    words: String,
    lines: Receiver<(From, String)>,
    out: String,
    err: String,
}

impl Running {
    pub(crate) fn of(mut command: Command, input: Vec<u8>) -> Self {
        let words = format!("{command:?}");
        let mut child = command.spawn().expect("the binary starts");
        if let Some(mut stdin) = child.stdin.take() {
            // Who does not read it all closes the pipe, which is its right.
            thread::spawn(move || stdin.write_all(&input));
        }
        let (tell, lines) = channel();
        let out = child.stdout.take().map(|out| (From::Out, Box::new(out) as Box<dyn Read + Send>));
        let err = child.stderr.take().map(|err| (From::Err, Box::new(err) as Box<dyn Read + Send>));
        for (from, pipe) in [out, err].into_iter().flatten() {
            let tell = tell.clone();
            thread::spawn(move || {
                let mut pipe = BufReader::new(pipe);
                let mut line = Vec::new();
                while pipe.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
                    // A test that has seen enough no longer listens.
                    let _ = tell.send((from, String::from_utf8_lossy(&line).into_owned()));
                    line.clear();
                }
            });
        }
        Running { child, words, lines, out: String::new(), err: String::new() }
    }

    /// Waits for a line with these words, and gives it.
    pub(crate) fn until(&mut self, words: &str) -> String {
        while let Some(line) = self.next() {
            if line.contains(words) {
                return line;
            }
        }
        panic!("no `{words}` from {}\n{}{}", self.words, self.out, self.err);
    }

    /// The next line; `None` when both pipes are closed.
    fn next(&mut self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok((from, line)) => {
                if from == From::Out { &mut self.out } else { &mut self.err }.push_str(&line);
                Some(line)
            }
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                self.child.kill().expect("it is ours");
                panic!("silent for too long: {}\n{}{}", self.words, self.out, self.err)
            }
        }
    }

    pub(crate) fn strike(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is there");
    }

    pub(crate) fn end(mut self) -> Ended {
        while self.next().is_some() {}
        let status = self.child.wait().expect("it is ours");
        let (out, err) = (std::mem::take(&mut self.out), std::mem::take(&mut self.err));
        Ended { code: status.code(), words: self.words.clone(), out, err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, or nobody needs it any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a process ended. `code` is `None` after a signal.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    words: String,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Asks for words on either stream.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.out.contains(words) || self.err.contains(words), "no `{words}`: {self}");
        self
    }

    #[track_caller]
    pub(crate) fn does_not_say(self, words: &str) -> Self {
        assert!(!self.out.contains(words) && !self.err.contains(words), "`{words}`: {self}");
        self
    }

    /// The result, and nothing else, is on standard output.
    #[track_caller]
    pub(crate) fn answers(self, words: &str) -> Self {
        assert_eq!(self.out.trim_end(), words, "{self}");
        self
    }

    /// Standard output as JSON lines.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        let parse = |line| {
            serde_json::from_str(line).unwrap_or_else(|why| panic!("{why} in `{line}`: {self}"))
        };
        self.out.lines().map(parse).collect()
    }

    /// The command that goes on with the run.
    #[track_caller]
    pub(crate) fn resume_command(&self) -> String {
        let found = self.err.split("go on with: ").nth(1);
        let found = found.unwrap_or_else(|| panic!("no resume command: {self}"));
        found.lines().next().expect("it is a line").to_owned()
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Ended { code, words, out, err } = self;
        write!(f, "{words}\nended with {code:?}\n--- stdout\n{out}--- stderr\n{err}")
    }
}

/// The database of the usual store.
pub(crate) fn database(place: &Place) -> PathBuf {
    place.path(".windlass/windlass.db")
}

/// Copies a folder of plain files and folders.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("it can be made");
    for entry in fs::read_dir(from).expect("it can be read") {
        let entry = entry.expect("it can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("it can be copied");
        }
    }
}

/// The text of an MCP server in bash: its tools as JSON, and what a call of one does.
pub(crate) fn server(tools: &str, call: &str) -> String {
    include_str!("server.sh").replace("@TOOLS@", tools).replace("@CALL@", call)
}
