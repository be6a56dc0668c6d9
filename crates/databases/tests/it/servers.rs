//! Private servers for one test: made from a template, on a free port, gone at its end.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

const INSTALL: &str = "apt-get install -y --no-install-recommends postgresql mariadb-server";
/// The administrators' password in every template.
pub(crate) const PASSWORD: &str = "open-sesame";

/// A server and its folder. Dropping it stops the server at once.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) folder: TempDir,
    process: Child,
}

impl Server {
    pub(crate) fn postgres() -> Server {
        let programs = postgres_programs();
        let data = template("postgres", "postgres", |data| {
            let password = data.with_extension("password");
            fs::write(&password, PASSWORD).unwrap();
            fs::set_permissions(&password, fs::Permissions::from_mode(0o644)).unwrap();
            let mut init = Command::new(programs.join("initdb"));
            init.args(["-N", "-U", "admin", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C"]);
            init.arg("--pwfile").arg(&password).arg("-D").arg(data);
            init
        });
        Server::start("postgres", data, |folder, port| {
            let mut server = Command::new(programs.join("postgres"));
            server.arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
            server.args(["-p", &port.to_string(), "-F", "-c", "listen_addresses=127.0.0.1"]);
            server
        })
    }

    /// `first` is SQL that it runs before it listens.
    pub(crate) fn mariadb(first: &str) -> Server {
        let data = template("mariadb", "mysql", |data| {
            let mut init = Command::new("mariadb-install-db");
            init.args(["--no-defaults", "--skip-test-db", "--skip-name-resolve"]);
            init.arg("--auth-root-authentication-method=normal");
            init.arg(format!("--datadir={}", data.display()));
            init
        });
        Server::start("mysql", data, |folder, port| {
            let script = folder.join("first.sql");
            fs::write(&script, first).unwrap();
            let mut server = Command::new("mariadbd");
            server.args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve"]);
            server.args(["--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0"]);
            server.arg(format!("--datadir={}", folder.join("data").display()));
            server.arg(format!("--socket={}", folder.join("socket").display()));
            server.arg(format!("--pid-file={}", folder.join("pid").display()));
            server.arg(format!("--init-file={}", script.display()));
            server.arg(format!("--port={port}"));
            server
        })
    }

    fn start(user: &str, data: PathBuf, command: impl Fn(&Path, u16) -> Command) -> Server {
        let folder = tempfile::tempdir().unwrap();
        copy(&data, &folder.path().join("data"));
        own(user, folder.path());
        let port = free_port();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = command(folder.path(), port);
        run_as(user, &mut command)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let process = command.spawn().unwrap_or_else(|error| panic!("{error}: {INSTALL}"));
        let mut server = Server { port, folder, process };
        server.wait();
        server
    }

    /// Until it takes connections.
    fn wait(&mut self) {
        for _ in 0..1_500 {
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            assert!(self.process.try_wait().unwrap().is_none(), "it ended: {}", self.log());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("it did not listen in 30 s: {}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Stops it without asking its clients.
    pub(crate) fn stop(&mut self) {
        // Both servers end at once, PostgreSQL with its children, on this one.
        if let Some(pid) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::QUIT);
        }
        for _ in 0..100 {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A data folder that was initialised once, by whoever came first.
fn template(name: &str, user: &str, init: impl FnOnce(&Path) -> Command) -> PathBuf {
    let templates = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let ready = templates.join(format!("template-of-{name}"));
    let lock = File::create(templates.join(format!("lock-of-{name}"))).unwrap();
    lock.lock().unwrap();
    if !ready.exists() {
        let workshop = tempfile::tempdir().unwrap();
        own(user, workshop.path());
        let data = workshop.path().join("data");
        let mut init = init(&data);
        let made = run_as(user, &mut init).stdin(Stdio::null()).output();
        let made = made.unwrap_or_else(|error| panic!("{error}: {INSTALL}"));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let half = templates.join(format!("half-of-{name}"));
        let _ = fs::remove_dir_all(&half);
        copy(&data, &half);
        fs::rename(&half, &ready).unwrap();
    }
    ready
}

fn postgres_programs() -> PathBuf {
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .unwrap_or_else(|error| panic!("{error}: {INSTALL}"))
        .map(|entry| entry.unwrap().path())
        .collect();
    versions.sort();
    versions.pop().unwrap_or_else(|| panic!("no PostgreSQL: {INSTALL}")).join("bin")
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success(), "{} was not copied", from.display());
}

/// Servers refuse to run as root, so root gives their folders and processes to their users.
fn own(user: &str, folder: &Path) {
    if geteuid().is_root() {
        let owned = Command::new("chown").arg("-R").arg(user).arg(folder).status().unwrap();
        assert!(owned.success(), "there is no user `{user}`: {INSTALL}");
    }
}

fn run_as<'c>(user: &str, command: &'c mut Command) -> &'c mut Command {
    if geteuid().is_root() {
        let number = |which| {
            let told = Command::new("id").args([which, user]).output().unwrap();
            String::from_utf8_lossy(&told.stdout).trim().parse().unwrap()
        };
        command.uid(number("-u")).gid(number("-g"));
    }
    command.current_dir("/")
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
