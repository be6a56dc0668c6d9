//! What this machine offers to build cages from, tried once and kept.
//!
//! Nothing is believed from a version number alone: the probe runs a program in the very
//! cage that it reports.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cage::Cage;
use crate::error::ProbeError;
use crate::grant::{Grant, Limits};
use crate::launch::room;
use crate::places;

/// Landlock's newest version that this crate was tested with. Newer kernels offer it too.
const ABI_MAX: i32 = 7;

/// Since this version Landlock closes signals and abstract sockets. Before, only
/// namespaces do.
const ABI_ALONE_MIN: i32 = 6;

/// Where bubblewrap may be. No search path is asked: it could lead into a workspace.
const BUBBLEWRAPS: [&str; 3] = ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"];

/// How long a trial may take.
const TRIAL_MS_MAX: u64 = 20_000;

/// Which program runs as launcher. Its `main` begins with `main_if_launcher`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Launcher {
    /// The program that runs now, even if its file was replaced meanwhile.
    Myself,
    /// Another one.
    At(PathBuf),
}

impl Launcher {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Launcher::Myself => Path::new("/proc/self/exe"),
            Launcher::At(path) => path,
        }
    }
}

/// What stands around a caged program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Namespaces by bubblewrap, and Landlock and seccomp inside of them.
    Namespaces,
    /// Landlock and seccomp. Less can be granted.
    Bare,
}

/// What stands on this machine.
#[derive(Clone, Debug)]
pub struct Probe {
    pub(crate) launcher: Launcher,
    pub(crate) abi: i32,
    pub(crate) rooms: PathBuf,
    /// Path and version, or what is wrong with it.
    bubblewrap: Result<(PathBuf, String), String>,
    mode: Mode,
}

impl Probe {
    /// Looks at this machine, tries the best cage that it offers, and throws away what
    /// dead cages left behind.
    ///
    /// # Errors
    /// Says why no cage would be closed here. Then nothing must be started.
    pub async fn now(launcher: Launcher) -> Result<Probe, ProbeError> {
        let abi = landlock_abi().min(ABI_MAX);
        if abi < 1 {
            return Err(ProbeError::NoLandlock);
        }
        if !seccomp() {
            return Err(ProbeError::NoSeccomp);
        }
        if !Path::new("/proc/self/exe").exists() {
            return Err(ProbeError::Trial("`/proc` is not mounted".into()));
        }
        let rooms = room::house(&places::rooms()).map_err(ProbeError::Trial)?;
        room::sweep(&rooms);
        let mut probe =
            Probe { launcher, abi, rooms, bubblewrap: Err(String::new()), mode: Mode::Bare };
        probe.bubblewrap = probe.try_bubblewrap().await;
        if probe.bubblewrap.is_ok() {
            probe.mode = Mode::Namespaces;
            return Ok(probe);
        }
        probe.alone().await
    }

    /// The same machine without its bubblewrap: Landlock and seccomp alone.
    ///
    /// # Errors
    /// Where they are not enough alone.
    pub async fn without_namespaces(&self) -> Result<Probe, ProbeError> {
        let bubblewrap = Err("bubblewrap is not used".to_owned());
        Probe { bubblewrap, mode: Mode::Bare, ..self.clone() }.alone().await
    }

    async fn alone(self) -> Result<Probe, ProbeError> {
        if self.abi < ABI_ALONE_MIN {
            let why = self.bubblewrap.err().unwrap_or_default();
            return Err(ProbeError::NoNamespaces { why, abi: self.abi });
        }
        self.trial().await.map_err(ProbeError::Trial)?;
        Ok(self)
    }

    async fn try_bubblewrap(&self) -> Result<(PathBuf, String), String> {
        let here = BUBBLEWRAPS.iter().map(PathBuf::from).find(|path| path.is_file());
        let path = here.ok_or("bubblewrap is not installed")?;
        let said = std::process::Command::new(&path).arg("--version").env_clear().output();
        let said = said.map_err(|error| format!("`{}` does not run: {error}", path.display()))?;
        let version = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        let with = Probe {
            bubblewrap: Ok((path.clone(), version.clone())),
            mode: Mode::Namespaces,
            ..self.clone()
        };
        with.trial().await.map_err(|why| format!("bubblewrap does not work here: {why}"))?;
        Ok((path, version))
    }

    /// Runs `true` in a cage of this kind.
    async fn trial(&self) -> Result<(), String> {
        let room = room::Room::make(&self.rooms)?;
        let limits =
            Limits { deadline_ms: TRIAL_MS_MAX, disk_free_bytes_min: 0, ..Limits::default() };
        let grant = Grant { limits, ..Grant::reading(room.path().join("tmp")) };
        let cage = Cage::unchecked(Arc::new(self.clone()), grant);
        let ended = cage.run("true", &[], b"").await.map_err(|error| error.to_string())?;
        match (ended.code, ended.stopped) {
            (0, None) => Ok(()),
            _ => Err(format!("`true` ended as {ended:?}")),
        }
    }

    /// What stands around caged programs here.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Bubblewrap's path, where namespaces stand.
    pub(crate) fn bubblewrap(&self) -> Option<PathBuf> {
        match self.mode {
            Mode::Namespaces => self.bubblewrap.as_ref().ok().map(|(path, _)| path.clone()),
            Mode::Bare => None,
        }
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "landlock    version {}", self.abi)?;
        writeln!(f, "seccomp     filters")?;
        match &self.bubblewrap {
            Ok((path, version)) => writeln!(f, "bubblewrap  {version} at {}", path.display())?,
            Err(why) => writeln!(f, "bubblewrap  {why}")?,
        }
        match self.mode {
            Mode::Namespaces => write!(f, "cage        namespaces, landlock and seccomp"),
            Mode::Bare => write!(
                f,
                "cage        landlock and seccomp only: no network, no new names at the top of the \
                 working directory\n            `apt-get install bubblewrap` for the rest"
            ),
        }
    }
}

#[allow(unsafe_code, reason = "no safe wrapper asks for the version alone")]
fn landlock_abi() -> i32 {
    const VERSION: libc::c_uint = 1;
    let nothing = std::ptr::null::<libc::c_void>();
    // SAFETY: with this flag the kernel reads no memory and only returns a number.
    let abi = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0, VERSION) };
    i32::try_from(abi).unwrap_or(0)
}

#[allow(unsafe_code, reason = "no safe wrapper asks what filters can do")]
fn seccomp() -> bool {
    let action: u32 = libc::SECCOMP_RET_ERRNO;
    // SAFETY: the kernel reads four bytes from a live variable.
    let available = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action)
    };
    available == 0
}
