//! Watching over a caged program: its deadline, its caller, and what all its processes
//! take together, which no limit of the kernel on one process bounds.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::fstatvfs;
use rustix::process::{Pid, PidfdFlags, WaitStatus, pidfd_open};

use super::descend::{self, Reaped};
use super::room::Room;
use super::workdir::{self, Workdir};
use crate::control;
use crate::grant::Limits;
use crate::spec::{Order, Stopped};

/// How often it is looked at what the processes take, in milliseconds: often at first,
/// then less, for those that live long.
const LOOK_MS: (u64, u64) = (20, 100);

/// Returns when the program has ended by itself or must be ended.
pub(super) fn until_end(
    line: &OwnedFd,
    main: Pid,
    workdir: &Workdir,
    room: &Room,
    limits: &Limits,
) -> (Option<WaitStatus>, Option<Stopped>) {
    let until = Instant::now() + Duration::from_millis(limits.deadline_ms);
    // Without a descriptor of the process its end is seen at the next look.
    let process = pidfd_open(main, PidfdFlags::empty()).ok();
    let mut look_ms = LOOK_MS.0;
    loop {
        if let Reaped { main: Some(status), .. } = descend::reap(main) {
            return (Some(status), None);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return (None, Some(Stopped::Deadline));
        }
        if heard(line, process.as_ref(), left.min(Duration::from_millis(look_ms))) {
            return (None, Some(Stopped::Request));
        }
        look_ms = LOOK_MS.1.min(look_ms + look_ms / 2);
        if let Some(stopped) = beyond(workdir, room, limits) {
            return (None, Some(stopped));
        }
    }
}

/// Waits for a moment, or until the program ends. Whether the caller wants it ended: all
/// that comes over the line, its closing included, says so.
fn heard(line: &OwnedFd, process: Option<&OwnedFd>, moment: Duration) -> bool {
    let mut awaited = vec![PollFd::new(line, PollFlags::IN)];
    awaited.extend(process.map(|process| PollFd::new(process, PollFlags::IN)));
    let moment = Timespec {
        tv_sec: moment.as_secs().cast_signed(),
        tv_nsec: i64::from(moment.subsec_nanos()),
    };
    match poll(&mut awaited, Some(&moment)) {
        Ok(_) if awaited[0].revents().is_empty() => false,
        // Read, so that the caller does not find its words unread and this end gone.
        Ok(_) => {
            let _ = control::receive::<Order>(line);
            true
        }
        Err(rustix::io::Errno::INTR) => false,
        Err(_) => true,
    }
}

/// Goes before everything that it watches over, where it may: no crowd of processes
/// keeps it from looking. What it starts does not inherit this.
pub(super) fn come_first() {
    schedule(libc::SCHED_RR | libc::SCHED_RESET_ON_FORK, 1);
}

/// Goes with everybody else again.
pub(super) fn step_back() {
    schedule(libc::SCHED_OTHER, 0);
}

/// Where this is not allowed nothing changes: then the kernel itself counts the processes
/// of a user who is not root.
#[allow(unsafe_code, reason = "no safe wrapper sets how a process is scheduled")]
fn schedule(policy: i32, priority: i32) {
    let order = libc::sched_param { sched_priority: priority };
    // SAFETY: the kernel reads a live variable.
    let _ = unsafe { libc::sched_setscheduler(0, policy, &raw const order) };
}

/// Which limit on everything together is passed.
fn beyond(workdir: &Workdir, room: &Room, limits: &Limits) -> Option<Stopped> {
    let taken = descend::taken(limits.tasks_max);
    if taken.tasks > limits.tasks_max {
        return Some(Stopped::Tasks);
    }
    if taken.memory_bytes > limits.memory_bytes_max {
        return Some(Stopped::Memory);
    }
    disks(workdir, room, limits).is_err().then_some(Stopped::Disk)
}

/// Whether enough is free on the disks that a program may write to.
pub(super) fn disks(workdir: &Workdir, room: &Room, limits: &Limits) -> Result<(), String> {
    let least = limits.disk_free_bytes_min;
    let own = workdir::handle(room.path()).and_then(|room| fstatvfs(&room));
    for free in [own, fstatvfs(workdir)] {
        let free = free.map_err(|error| format!("the space that is free: {error}"))?;
        if free.f_bavail.saturating_mul(free.f_frsize) < least {
            return Err(format!("less than {least} bytes are free on the disk"));
        }
    }
    Ok(())
}
