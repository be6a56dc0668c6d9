//! A program that runs in a cage.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use rustix::io::ioctl_fionbio;
use tokio::io::AsyncReadExt;
use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe;
use tokio::process::Child;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::Pipes;
use crate::control;
use crate::error::CageError;
use crate::grant::Limits;
use crate::proxy::{self, Gate};
use crate::spec::{End, Order, Report, Stopped};

/// How long the walls may take to stand, in milliseconds. A large working directory is
/// searched for repositories meanwhile.
const STANDING_MS_MAX: u64 = 60_000;

/// How long after its deadline a cage may take to be cleared away, in milliseconds.
const CLEARING_MS_MAX: u64 = 60_000;

/// What is repeated of words about walls that did not stand, in bytes.
const WORDS_BYTES_MAX: u64 = 1000;

/// A program in its cage. Dropping it kills the program and everything that it started.
#[derive(Debug)]
pub struct Caged {
    /// The program's standard input; dropped, it is closed.
    pub stdin: Option<pipe::Sender>,
    /// What the program writes.
    pub stdout: Option<pipe::Receiver>,
    /// What it writes as errors.
    pub stderr: Option<pipe::Receiver>,
    program: String,
    line: AsyncFd<OwnedFd>,
    supervisor: Child,
    gate: Option<Gate>,
    proxy: Option<AbortOnDropHandle<()>>,
    limits: Limits,
}

/// How a caged program ended, when everything that it started is dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Its exit code, as shells count: 128 + n where signal n ended it.
    pub code: i32,
    /// Why it was killed, where it was.
    pub stopped: Option<Stopped>,
    /// Repositories that appeared below the working directory, relative to it. Programs
    /// that find them obey what they say: look at them before anything does.
    pub repositories: Vec<PathBuf>,
    /// Whether the whole working directory was searched for them.
    pub searched_all: bool,
}

impl Caged {
    pub(super) fn new(
        program: &str,
        line: OwnedFd,
        supervisor: Child,
        [stdin, stdout, stderr]: Pipes,
        gate: Option<Gate>,
        limits: Limits,
    ) -> Result<Self, CageError> {
        let made = || -> io::Result<Self> {
            ioctl_fionbio(&line, true)?;
            let line = watched(line)?;
            Ok(Caged {
                stdin: Some(pipe::Sender::from_owned_fd(stdin)?),
                stdout: Some(pipe::Receiver::from_owned_fd(stdout)?),
                stderr: Some(pipe::Receiver::from_owned_fd(stderr)?),
                program: program.to_owned(),
                line,
                supervisor,
                gate,
                proxy: None,
                limits,
            })
        };
        made().map_err(|error| CageError::Refused(error.to_string()))
    }

    /// Returns when the walls stand.
    pub(super) async fn stand(&mut self) -> Result<(), CageError> {
        let walls = async {
            loop {
                match self.report().await? {
                    (Report::Standing, _) => return Ok(()),
                    (Report::Listening, listener) => self.open_proxy(listener)?,
                    (Report::Refused(why), _) => return Err(CageError::Refused(why)),
                    (Report::NoProgram(why), _) => return Err(self.no_program(why)),
                    (Report::Ended(_), _) => return Err(self.fallen().await),
                }
            }
        };
        match timeout(Duration::from_millis(STANDING_MS_MAX), walls).await {
            Ok(stood) => stood,
            Err(_) => {
                let why = format!("the walls did not stand after {STANDING_MS_MAX} ms");
                Err(CageError::Refused(why))
            }
        }
    }

    /// Bubblewrap's own words, where it did not come as far as the entrant.
    async fn fallen(&mut self) -> CageError {
        let mut said = Vec::new();
        if let Some(stderr) = self.stderr.take() {
            // Everybody is dead, so this ends at once.
            let _ = stderr.take(WORDS_BYTES_MAX).read_to_end(&mut said).await;
        }
        let said = String::from_utf8_lossy(&said);
        CageError::Refused(format!("the walls did not stand: {}", said.trim()))
    }

    /// Returns when the program has ended, everything that it started is dead, and its
    /// cage is cleared away.
    ///
    /// # Errors
    /// Where the program could not be executed, or the launcher went away.
    pub async fn wait(&mut self) -> Result<Ending, CageError> {
        let most = self.limits.deadline_ms.saturating_add(CLEARING_MS_MAX);
        let Ok(end) = timeout(Duration::from_millis(most), self.end()).await else {
            let _ = self.supervisor.start_kill();
            return Err(CageError::Lost(format!("it was not cleared away after {most} ms")));
        };
        let End { code, stopped, repositories, searched_all } = end?;
        let _ = self.supervisor.wait().await;
        Ok(Ending { code, stopped, repositories, searched_all })
    }

    async fn end(&mut self) -> Result<End, CageError> {
        let mut failed = None;
        loop {
            match self.report().await? {
                (Report::Ended(end), _) => return failed.map_or(Ok(end), Err),
                (Report::NoProgram(why), _) => failed = Some(self.no_program(why)),
                (Report::Refused(why), _) => return Err(CageError::Refused(why)),
                (Report::Standing | Report::Listening, _) => {}
            }
        }
    }

    /// Kills the program and everything that it started. [`wait`](Self::wait) tells when
    /// they are dead.
    pub fn kill(&mut self) {
        // A launcher that is gone has taken the program with it.
        let _ = control::send(self.line.get_ref(), &Order::Stop, &[]);
    }

    async fn report(&mut self) -> Result<(Report, Vec<OwnedFd>), CageError> {
        let lost = |error: io::Error| CageError::Lost(error.to_string());
        loop {
            let mut ready = self.line.readable().await.map_err(lost)?;
            match ready.try_io(|line| control::receive(line.get_ref().as_fd())) {
                Ok(Ok(Some(report))) => return Ok(report),
                Ok(Ok(None)) => return Err(CageError::Lost("the launcher is gone".into())),
                Ok(Err(error)) => return Err(lost(error)),
                Err(_would_block) => {}
            }
        }
    }

    fn open_proxy(&mut self, listener: Vec<OwnedFd>) -> Result<(), CageError> {
        let (Some(gate), Some(listener)) = (self.gate.take(), listener.into_iter().next()) else {
            return Err(CageError::Refused("a proxy that nobody asked for".into()));
        };
        let served = proxy::serve(listener, gate);
        let served = served.map_err(|error| CageError::Refused(error.to_string()))?;
        self.proxy = Some(AbortOnDropHandle::new(served));
        Ok(())
    }

    fn no_program(&self, why: String) -> CageError {
        CageError::Program { program: self.program.clone(), why }
    }
}

#[allow(unsafe_code, reason = "registration trusts that a descriptor stays the same")]
fn watched(line: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is one descriptor until it is dropped, and nothing closes it
    // before that.
    Ok(unsafe { AsyncFd::register(line) }?)
}
