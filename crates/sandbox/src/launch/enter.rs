//! The entrant: closes the walls around itself, checks them, and becomes the program.
//!
//! It has one thread. Each step fails the whole: what does not stand is told, and nothing
//! is started.

use std::ffi::OsString;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, ResolveFlags, StatxAttributes, StatxFlags, openat2, statx,
};
use rustix::process::{Signal, chdir, set_parent_process_death_signal, setsid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities,
};

use super::begin::PROXY_PORT;
use super::{calls, files, limits};
use crate::control;
use crate::spec::{Cover, Entry, Reach, Report};

/// What shells say of a command that does not exist.
const NOT_FOUND: i32 = 127;

/// The last capability that any kernel may know.
const CAPABILITY_MAX: u32 = 63;

/// Becomes the program that is described in the first descriptor, or tells over the second
/// one why it does not.
pub(super) fn main(mut args: impl Iterator<Item = OsString>) -> i32 {
    let (Some(parcel), Some(line)) = (descriptor(args.next()), descriptor(args.next())) else {
        return NOT_FOUND;
    };
    let report = match enter(parcel, &line) {
        Ok(never) => match never {},
        Err(report) => report,
    };
    // Without a listener there is nobody to tell, and nothing was started all the same.
    let _ = control::send(&line, &report, &[]);
    NOT_FOUND
}

#[allow(unsafe_code, reason = "numbers on the command line become descriptors here")]
fn descriptor(number: Option<OsString>) -> Option<OwnedFd> {
    let number: RawFd = number?.to_str()?.parse().ok()?;
    // SAFETY: the supervisor made this descriptor for us; nobody else in this process
    // knows its number.
    (number > 2).then(|| unsafe { OwnedFd::from_raw_fd(number) })
}

fn enter(parcel: OwnedFd, line: &OwnedFd) -> Result<std::convert::Infallible, Report> {
    let entry: Entry = control::unpack(parcel)
        .map_err(|error| Report::Refused(format!("the entrant's order: {error}")))?;
    stand(&entry, line).map_err(Report::Refused)?;
    // The caller may be dead: then the supervisor is about to kill us.
    let _ = control::send(line, &Report::Standing, &[]);
    let mut command = Command::new(&entry.program);
    let error = command.args(&entry.args).env_clear().envs(&entry.env).exec();
    Err(Report::NoProgram(error.to_string()))
}

/// Puts up all walls.
fn stand(entry: &Entry, line: &OwnedFd) -> Result<(), String> {
    if entry.reach == Reach::Proxy {
        listen(line)?;
    }
    chdir(&entry.workdir)
        .map_err(|error| format!("the working directory `{}`: {error}", entry.workdir.display()))?;
    // A group of its own for the scheduler: a crowd in here weighs as much as one outside.
    let _ = setsid();
    limits::set(&entry.limits, entry.namespaces)?;
    if entry.namespaces {
        entry.covers.iter().try_for_each(covered)?;
    } else {
        give_up_privileges()?;
        let dying = set_parent_process_death_signal(Some(Signal::KILL));
        dying.map_err(|error| format!("dying with the supervisor: {error}"))?;
    }
    close_others()?;
    files::close(entry)?;
    calls::close(!entry.namespaces, entry.reach != Reach::Closed)?;
    match File::open(&entry.canary) {
        Ok(_) => Err(format!("`{}` can still be read", entry.canary.display())),
        Err(_) => Ok(()),
    }
}

/// Opens the proxy's port on the loopback in here, and hands it out.
fn listen(line: &OwnedFd) -> Result<(), String> {
    let said = |error: std::io::Error| format!("the proxy's port: {error}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, PROXY_PORT)).map_err(said)?;
    control::send(line, &Report::Listening, &[listener.as_fd()]).map_err(said)
}

/// Checks that a cover lies exactly where it must: the thing at this path, reached
/// through no link, is the root of a mount.
fn covered(cover: &Cover) -> Result<(), String> {
    let shown = cover.path.display();
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let opened = openat2(CWD, &cover.path, flags, Mode::empty(), resolve);
    let opened = opened.map_err(|error| format!("`{shown}` is not protected: {error}"))?;
    let found = statx(&opened, "", AtFlags::EMPTY_PATH, StatxFlags::empty());
    let found = found.map_err(|error| format!("`{shown}` is not protected: {error}"))?;
    if found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) {
        return Ok(());
    }
    Err(format!("`{shown}` is not protected: its cover lies elsewhere"))
}

/// Without a user namespace, root would keep its powers. Others have none to give up.
fn give_up_privileges() -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    for number in 0..=CAPABILITY_MAX {
        let one = CapabilitySet::from_bits_retain(1 << number);
        // A number that this kernel does not know is nothing to give up.
        let _ = remove_capability_from_bounding_set(one);
    }
    let nothing = CapabilitySet::empty();
    let nothing = CapabilitySets { effective: nothing, permitted: nothing, inheritable: nothing };
    set_capabilities(None, nothing).map_err(|error| format!("giving up privileges: {error}"))?;
    let kept = Path::new("/proc/self/status");
    let status = std::fs::read_to_string(kept).unwrap_or_default();
    let bounding = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    match bounding.map(str::trim) {
        Some("0000000000000000") => Ok(()),
        _ => Err("not all privileges could be given up".into()),
    }
}

/// Everything but standard input, output and errors ends with this process's last act.
#[allow(unsafe_code, reason = "no safe wrapper marks all descriptors at once")]
fn close_others() -> Result<(), String> {
    let (first, last): (libc::c_uint, libc::c_uint) = (3, libc::c_uint::MAX);
    // SAFETY: the call changes flags of descriptors and touches no memory.
    let done =
        unsafe { libc::syscall(libc::SYS_close_range, first, last, libc::CLOSE_RANGE_CLOEXEC) };
    match done {
        0 => Ok(()),
        _ => Err(format!("closing descriptors: {}", std::io::Error::last_os_error())),
    }
}
