//! Starting the entrant, within bubblewrap or alone.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::Pid;

use super::room::Room;
use super::supervise::canary;
use super::workdir::Workdir;
use super::{ENTER, bubblewrap};
use crate::control;
use crate::environment::environment;
use crate::spec::{Cover, Entry, Reach, Spec};

/// The proxy's port on the cage's own loopback.
pub(super) const PROXY_PORT: u16 = 3128;

/// This very program, whatever became of its file.
const MYSELF: &str = "/proc/self/exe";

/// Starts the entrant, and keeps nothing of its standard input and output.
pub(super) fn begin(
    line: &OwnedFd,
    spec: &Spec,
    workdir: &Workdir,
    room: &Room,
    covers: Vec<Cover>,
    [stdin, stdout, stderr]: [OwnedFd; 3],
) -> Result<Pid, String> {
    let said = |error: std::io::Error| format!("the entrant did not start: {error}");
    let entry = entry(spec, room, covers)?;
    let parcel = control::pack(&entry).map_err(said)?;
    let line = line.try_clone().map_err(said)?;
    let mut inherited = bubblewrap::Inherited::default();
    let mut command = match &spec.bubblewrap {
        None => Command::new(MYSELF),
        Some(path) => {
            let exe = std::fs::File::open(MYSELF).map_err(said)?;
            let mut command = Command::new(path);
            let held = bubblewrap::walls(&mut command, spec, workdir, room, &entry.covers);
            inherited = held.map_err(said)?;
            let exe = inherited.keep(exe.into()).map_err(said)?;
            command.arg("--").arg(exe);
            command
        }
    };
    for descriptor in [&parcel, &line] {
        fcntl_setfd(descriptor, FdFlags::empty()).map_err(|error| said(error.into()))?;
    }
    let numbers = [parcel.as_raw_fd(), line.as_raw_fd()].map(|number| number.to_string());
    let child = command
        .arg(ENTER)
        .args(numbers)
        .env_clear()
        .stdin(Stdio::from(stdin))
        .stdout(Stdio::from(stdout))
        .stderr(Stdio::from(stderr))
        .spawn()
        .map_err(said)?;
    drop(inherited);
    Pid::from_raw(child.id().cast_signed()).ok_or_else(|| "the entrant has no number".into())
}

fn entry(spec: &Spec, room: &Room, covers: Vec<Cover>) -> Result<Entry, String> {
    let namespaces = spec.bubblewrap.is_some();
    // Bubblewrap shows the private folders at the usual places.
    let write = match namespaces {
        true => vec![Path::new("/tmp").to_owned(), Path::new("/dev/shm").to_owned()],
        false => vec![room.temp()],
    };
    let home = write[0].join("home");
    let proxy = (spec.reach == Reach::Proxy).then(|| format!("http://127.0.0.1:{PROXY_PORT}"));
    let (home, temp) = (home.to_string_lossy(), write[0].to_string_lossy());
    let env = environment(&home, &temp, proxy.as_deref(), &spec.env);
    Ok(Entry {
        namespaces,
        abi: spec.abi,
        program: spec.program.clone(),
        args: spec.args.clone(),
        env,
        workdir: spec.workdir.clone(),
        writable: spec.writable,
        covers,
        read: spec.read.clone(),
        canary: canary(spec)?,
        write,
        reach: spec.reach,
        limits: spec.limits,
    })
}
