//! The namespaces: what bubblewrap is told to show inside.
//!
//! The root is empty but for what is bound here. What lies in the working directory is
//! bound by descriptor; the entrant checks that it was bound to the right place.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::io::{FdFlags, fcntl_setfd};

use super::room::Room;
use super::workdir::Workdir;
use crate::places;
use crate::spec::{Cover, Spec};

/// Each kind of namespace, no capability, no life after the supervisor's.
const WALLS: [&str; 11] = [
    "--unshare-user",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--die-with-parent",
    "--cap-drop",
    "ALL",
    "--hostname",
    "cage",
];

/// Descriptors that bubblewrap inherits, by the paths at which it finds them.
#[derive(Default)]
pub(super) struct Inherited(Vec<OwnedFd>);

impl Inherited {
    /// Leaves a descriptor to bubblewrap.
    pub(super) fn keep(&mut self, descriptor: OwnedFd) -> io::Result<PathBuf> {
        fcntl_setfd(&descriptor, FdFlags::empty())?;
        let path = format!("/proc/self/fd/{}", descriptor.as_raw_fd());
        self.0.push(descriptor);
        Ok(PathBuf::from(path))
    }
}

/// Says everything about the walls; the command to run inside comes next.
pub(super) fn walls(
    command: &mut Command,
    spec: &Spec,
    workdir: &Workdir,
    room: &Room,
    covers: &[Cover],
) -> io::Result<Inherited> {
    let mut inherited = Inherited::default();
    command.args(WALLS);
    system(command);
    command.args(["--proc", "/proc", "--dev", "/dev"]);
    bind(command, "--bind", room.shared(), "/dev/shm");
    bind(command, "--bind", room.temp(), "/tmp");
    for path in &spec.read {
        bind(command, "--ro-bind", path, path);
    }
    let held = inherited.keep(super::workdir::handle(&workdir.held())?)?;
    bind(command, if spec.writable { "--bind" } else { "--ro-bind" }, held, workdir.path());
    for cover in covers {
        let source = if cover.hidden {
            room.nothing(cover.folder)
        } else {
            inherited.keep(workdir.handle(&cover.path)?)?
        };
        bind(command, "--ro-bind", source, workdir.path().join(&cover.path));
    }
    Ok(inherited)
}

fn system(command: &mut Command) {
    for path in places::SYSTEM {
        match std::fs::read_link(path) {
            Ok(leads_to) => command.arg("--symlink").arg(leads_to).arg(path),
            Err(_) => command.args(["--ro-bind-try", path, path]),
        };
    }
    for path in places::KNOWLEDGE.iter().filter(|path| Path::new(path).exists()) {
        bind(command, "--ro-bind", path, path);
    }
}

fn bind(command: &mut Command, how: &str, from: impl Into<OsString>, to: impl Into<OsString>) {
    command.arg(how).arg(from.into()).arg(to.into());
}
