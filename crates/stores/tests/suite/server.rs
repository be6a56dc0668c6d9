//! A private PostgreSQL server for one test: made from a template, on a free port, gone at
//! its end. Where there is none installed the test fails and says how to get one.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use secrets::Secret;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

const INSTALL: &str = "apt-get install -y --no-install-recommends postgresql";
const USER: &str = "postgres";
const PASSWORD: &str = "open-sesame";

/// A server and its folder. Dropping it stops the server at once.
pub(crate) struct Server {
    port: u16,
    folder: TempDir,
    process: Child,
}

impl Server {
    pub(crate) async fn start() -> Server {
        Server::start_on(|_| {}).await
    }

    /// One with a certificate for 127.0.0.1 from an authority of its own.
    pub(crate) async fn start_with_tls() -> Server {
        Server::start_on(make_certificates).await
    }

    async fn start_on(furnish: impl FnOnce(&Path)) -> Server {
        let data = template();
        let folder = tempfile::tempdir().unwrap();
        copy(&data, &folder.path().join("data"));
        furnish(&folder.path().join("data"));
        own(folder.path());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = run(folder.path(), port);
        let mut server = Server { port, folder, process };
        server.wait().await;
        server
    }

    /// The address of one of its databases.
    pub(crate) fn url(&self) -> Secret {
        let url = format!("postgres://admin:{PASSWORD}@127.0.0.1:{}/postgres", self.port);
        Secret::of_text(url).unwrap()
    }

    /// Where its files are.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The authority that its certificate is from.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.data().join("ca.crt")
    }

    /// A connection beside the store's.
    pub(crate) async fn client(&self) -> Client {
        let url = self.url();
        let connected = tokio_postgres::connect(url.expose_text().unwrap(), NoTls).await;
        let (client, connection) = connected.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Ends it without asking its clients, as a crash does.
    pub(crate) fn stop(&mut self) {
        // PostgreSQL ends at once on this one, with its children.
        if let Some(pid) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::QUIT);
        }
        for _ in 0..250 {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts it again, on the same port and the same data.
    pub(crate) async fn start_again(&mut self) {
        self.process = run(self.folder.path(), self.port);
        self.wait().await;
    }

    /// Until it takes clients in, which is a moment after it listens.
    async fn wait(&mut self) {
        for _ in 0..1_500 {
            let url = self.url();
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok()
                && tokio_postgres::connect(url.expose_text().unwrap(), NoTls).await.is_ok()
            {
                return;
            }
            assert!(self.process.try_wait().unwrap().is_none(), "it ended: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it took nobody in for 30 s: {}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(folder: &Path, port: u16) -> Child {
    let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut server = Command::new(programs().join("postgres"));
    server.arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
    server.args(["-p", &port.to_string(), "-F", "-c", "listen_addresses=127.0.0.1"]);
    let server = as_user(&mut server).stdin(Stdio::null());
    let server = server.stdout(log.try_clone().unwrap()).stderr(log);
    server.spawn().unwrap_or_else(|error| panic!("{error}: {INSTALL}"))
}

/// A data folder that was initialised once, by whoever came first.
fn template() -> PathBuf {
    let templates = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let ready = templates.join("template-of-the-stores-postgres");
    let lock = File::create(templates.join("lock-of-the-stores-postgres")).unwrap();
    lock.lock().unwrap();
    if !ready.exists() {
        let workshop = tempfile::tempdir().unwrap();
        own(workshop.path());
        let data = workshop.path().join("data");
        let password = workshop.path().join("password");
        fs::write(&password, PASSWORD).unwrap();
        fs::set_permissions(&password, fs::Permissions::from_mode(0o644)).unwrap();
        let mut init = Command::new(programs().join("initdb"));
        init.args(["-N", "-U", "admin", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"]);
        init.arg("--pwfile").arg(&password).arg("-D").arg(&data);
        let made = as_user(&mut init).stdin(Stdio::null()).output();
        let made = made.unwrap_or_else(|error| panic!("{error}: {INSTALL}"));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let half = templates.join("half-of-the-stores-postgres");
        let _ = fs::remove_dir_all(&half);
        copy(&data, &half);
        fs::rename(&half, &ready).unwrap();
    }
    ready
}

/// An authority, and what it signs for the server, in the server's data folder.
fn make_certificates(data: &Path) {
    let new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
    let ca = ["-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.crt"];
    let own = ["-subj", "/CN=server", "-keyout", "server.key", "-out", "server.crt"];
    let signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-addext", "basicConstraints=CA:FALSE"];
    let name = ["-addext", "subjectAltName=IP:127.0.0.1"];
    openssl(data, &[&new[..], &ca].concat());
    openssl(data, &[&new[..], &own, &signed, &name].concat());
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(data.join("server.key"), private).unwrap();
    let mut settings = File::options().append(true).open(data.join("postgresql.conf")).unwrap();
    settings.write_all(b"ssl = on\n").unwrap();
}

fn openssl(folder: &Path, words: &[&str]) {
    let made = Command::new("openssl").args(words).current_dir(folder).output();
    let made = made.unwrap_or_else(|error| panic!("{error}: apt-get install -y openssl"));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn programs() -> PathBuf {
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

/// Servers refuse to run as root, so root gives their folders and processes to their user.
fn own(folder: &Path) {
    if geteuid().is_root() {
        let owned = Command::new("chown").arg("-R").arg(USER).arg(folder).status().unwrap();
        assert!(owned.success(), "there is no user `{USER}`: {INSTALL}");
    }
}

fn as_user(command: &mut Command) -> &mut Command {
    if geteuid().is_root() {
        let number = |which| {
            let told = Command::new("id").args([which, USER]).output().unwrap();
            String::from_utf8_lossy(&told.stdout).trim().parse().unwrap()
        };
        command.uid(number("-u")).gid(number("-g"));
    }
    command.current_dir("/")
}
