//! Starting programs in a cage, from the caller's side.
//!
//! The caller only sends the order and holds one end of a line. The launcher at the other
//! end builds the cage, watches it, and clears it away when the program ends, when it is
//! told to stop, and when this end is gone for whatever reason.

mod caged;
mod collect;

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use tokio::process::Command;

pub use caged::{Caged, Ending};
pub use collect::Ended;

use crate::control;
use crate::error::CageError;
use crate::grant::{Grant, Network, Protected};
use crate::launch;
use crate::places;
use crate::probe::{Mode, Probe};
use crate::spec::{Order, Reach, Spec};

/// What programs can be started in.
#[derive(Clone, Debug)]
pub struct Cage {
    probe: Arc<Probe>,
    grant: Grant,
}

impl Cage {
    /// A cage that gives what is granted.
    ///
    /// # Errors
    /// [`CageError::Grant`] where this machine cannot enforce the grant, or where it makes
    /// no sense.
    pub fn new(probe: Arc<Probe>, mut grant: Grant) -> Result<Self, CageError> {
        grant.workdir = canonical(&grant.workdir)?;
        if let Some(why) = places::unfit(&grant.workdir, grant.writable, &probe.rooms) {
            return Err(CageError::Grant(why));
        }
        for path in &mut grant.read {
            *path = canonical(path)?;
            if grant.workdir.starts_with(&*path) || Path::new("/proc").starts_with(&*path) {
                let why = format!("`{}` holds more than a cage may read", path.display());
                return Err(CageError::Grant(why));
            }
        }
        for Protected { name, .. } in &grant.protected {
            let mut parts = Path::new(name).components();
            if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
                return Err(CageError::Grant(format!("`{name}` to protect is not one name")));
            }
        }
        let netless = matches!(grant.network, Network::Closed);
        if !netless && probe.mode() == Mode::Bare {
            return Err(CageError::Grant(
                "a network without namespaces: Landlock knows ports and no hosts\n\
                 install bubblewrap (`apt-get install bubblewrap`)"
                    .into(),
            ));
        }
        Ok(Cage::unchecked(probe, grant))
    }

    pub(crate) fn unchecked(probe: Arc<Probe>, grant: Grant) -> Self {
        Cage { probe, grant }
    }

    /// Runs a program to its end, with all of its output.
    ///
    /// Dropping the future kills the program and everything that it started.
    ///
    /// # Errors
    /// Where it was not started, or nothing is known of its end. A program that fails or
    /// was killed is no error.
    pub async fn run(
        &self,
        program: &str,
        args: &[String],
        stdin: &[u8],
    ) -> Result<Ended, CageError> {
        let caged = self.spawn(program, args).await?;
        collect::collect(caged, stdin, self.grant.limits.output_bytes_max).await
    }

    /// Starts a program, and returns when the walls stand around it.
    ///
    /// # Errors
    /// Where the walls do not stand. Nothing was started then.
    pub async fn spawn(&self, program: &str, args: &[String]) -> Result<Caged, CageError> {
        let broken = |error: std::io::Error| CageError::Refused(error.to_string());
        let (ours, theirs) = control::line().map_err(broken)?;
        let (stdin, to_stdin) = std::io::pipe().map_err(broken)?;
        let (from_stdout, stdout) = std::io::pipe().map_err(broken)?;
        let (from_stderr, stderr) = std::io::pipe().map_err(broken)?;
        let spec = control::pack(&self.spec(program, args)).map_err(broken)?;
        let attached = [spec.as_fd(), stdin.as_fd(), stdout.as_fd(), stderr.as_fd()];
        control::send(&ours, &Order::Begin, &attached).map_err(broken)?;
        // They are on their way; kept here, the pipes would never end.
        drop((spec, stdin, stdout, stderr));
        let supervisor = Command::new(self.probe.launcher.path())
            .arg(launch::SUPERVISE)
            .env_clear()
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let supervisor = supervisor
            .map_err(|error| CageError::Refused(format!("the launcher did not start: {error}")))?;
        let pipes = [to_stdin.into(), from_stdout.into(), from_stderr.into()];
        let gate = match &self.grant.network {
            Network::Gated(gate) => Some(gate.clone()),
            Network::Closed | Network::Loopback => None,
        };
        let mut caged = Caged::new(program, ours, supervisor, pipes, gate, self.grant.limits)?;
        caged.stand().await?;
        Ok(caged)
    }

    fn spec(&self, program: &str, args: &[String]) -> Spec {
        let grant = &self.grant;
        Spec {
            bubblewrap: self.probe.bubblewrap(),
            abi: self.probe.abi,
            rooms: self.probe.rooms.clone(),
            program: program.to_owned(),
            args: args.to_vec(),
            env: grant.env.clone(),
            workdir: grant.workdir.clone(),
            writable: grant.writable,
            protected: grant.protected.clone(),
            read: grant.read.clone(),
            reach: match grant.network {
                Network::Closed => Reach::Closed,
                Network::Loopback => Reach::Loopback,
                Network::Gated(_) => Reach::Proxy,
            },
            limits: grant.limits,
        }
    }
}

fn canonical(path: &Path) -> Result<PathBuf, CageError> {
    let found = std::fs::canonicalize(path);
    found.map_err(|error| CageError::Grant(format!("`{}`: {error}", path.display())))
}

/// Ends of pipes that belong to the caller: to standard input, from output, from errors.
type Pipes = [OwnedFd; 3];
