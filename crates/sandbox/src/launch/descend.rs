//! All processes that come from this one: counting them, and ending every one.
//!
//! This process adopts what its descendants leave behind, so none of them gets away by
//! forking twice or by a session of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, getuid, kill_process, wait};

/// How long it is tried to end all processes, in milliseconds.
const END_MS_MAX: u64 = 30_000;

/// A moment between two tries, in milliseconds.
const TRY_MS: u64 = 1;

/// What the kernel says about one process. What is asked for stands far before this end.
const ABOUT_BYTES_MAX: usize = 8192;

/// Descendants that are looked at in one go. More are found the next time.
const PROCESSES_MAX: usize = 65_536;

/// What has ended since the last time.
#[derive(Default)]
pub(super) struct Reaped {
    /// The status of the one process that was asked about.
    pub(super) main: Option<WaitStatus>,
    /// Whether there is nobody any more.
    pub(super) alone: bool,
}

/// Takes note of everything that has ended.
pub(super) fn reap(main: Pid) -> Reaped {
    let mut reaped = Reaped::default();
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid == main => reaped.main = Some(status),
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return reaped,
            Err(_) => return Reaped { alone: true, ..reaped },
        }
    }
}

/// Kills until nobody is left, and returns the main process's status.
pub(super) fn end_all(
    main: Pid,
    mut status: Option<WaitStatus>,
) -> Result<Option<WaitStatus>, String> {
    let until = Instant::now() + Duration::from_millis(END_MS_MAX);
    if status.is_none() {
        // With bubblewrap this is enough: its namespace ends with it, all at once.
        let _ = kill_process(main, Signal::KILL);
    }
    loop {
        let reaped = reap(main);
        status = status.or(reaped.main);
        if reaped.alone {
            return Ok(status);
        }
        if Instant::now() > until {
            let left = descendants().len();
            return Err(format!("{left} processes could not be killed in {END_MS_MAX} ms"));
        }
        for pid in descendants() {
            // It may have ended by itself meanwhile.
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(TRY_MS));
    }
}

/// An exit code as shells count it.
pub(super) fn code(status: Option<WaitStatus>) -> i32 {
    let killed = 128 + Signal::KILL.as_raw();
    let Some(status) = status else { return killed };
    let signalled = || status.terminating_signal().map(|signal| 128 + signal);
    status.exit_status().or_else(signalled).unwrap_or(killed)
}

/// What all descendants take together.
#[derive(Default)]
pub(super) struct Taken {
    /// Processes and threads.
    pub(super) tasks: u64,
    /// Memory that is theirs and no file's.
    pub(super) memory_bytes: u64,
}

/// Looks at all descendants, until they are more than they may be.
pub(super) fn taken(tasks_max: u64) -> Taken {
    let mut taken = Taken::default();
    for pid in descendants() {
        let Some(status) = glance(Path::new(&format!("/proc/{pid}/status"))) else { continue };
        taken.tasks += field(&status, "Threads:").unwrap_or(1);
        let kib = ["RssAnon:", "RssShmem:"].iter().filter_map(|name| field(&status, name));
        taken.memory_bytes += kib.sum::<u64>().saturating_mul(1024);
        if taken.tasks > tasks_max {
            break;
        }
    }
    taken
}

/// Processes and threads of the user that this process belongs to.
pub(super) fn tasks_of_this_user() -> u64 {
    let user = u64::from(getuid().as_raw());
    let mut tasks = 0;
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(status) = glance(&entry.path().join("status")) else { continue };
        if field(&status, "Uid:") == Some(user) {
            tasks += field(&status, "Threads:").unwrap_or(1);
        }
    }
    tasks
}

fn field(status: &str, name: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}

/// Everything below this process, as far as it can be seen in one go.
fn descendants() -> Vec<Pid> {
    listed().or_else(scanned).unwrap_or_default()
}

/// By each process's children, where the kernel lists them: looks at nobody else's.
fn listed() -> Option<Vec<Pid>> {
    let mut found = children("self")?;
    let mut at = 0;
    while at < found.len() && found.len() < PROCESSES_MAX {
        found.extend(children(found[at]).unwrap_or_default());
        at += 1;
    }
    Some(found)
}

fn children(of: impl std::fmt::Display) -> Option<Vec<Pid>> {
    let mut found = Vec::new();
    for task in fs::read_dir(format!("/proc/{of}/task")).ok()? {
        let listed = fs::read_to_string(task.ok()?.path().join("children")).ok()?;
        found.extend(listed.split_whitespace().filter_map(parse));
    }
    Some(found)
}

/// By everybody's parents, on any kernel.
fn scanned() -> Option<Vec<Pid>> {
    let mut families: BTreeMap<i32, Vec<Pid>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(parse) else { continue };
        let stat = glance(&entry.path().join("stat")).unwrap_or_default();
        // The name before it may hold anything, closing brackets too.
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        if let Some(parent) = after.split_whitespace().nth(1).and_then(parse) {
            families.entry(parent.as_raw_pid()).or_default().push(pid);
        }
    }
    let mut found = vec![getpid()];
    let mut at = 0;
    while at < found.len() {
        found.extend(families.remove(&found[at].as_raw_pid()).unwrap_or_default());
        at += 1;
    }
    Some(found.split_off(1))
}

/// A short file about a process, in one read.
fn glance(path: &Path) -> Option<String> {
    let mut bytes = [0; ABOUT_BYTES_MAX];
    let got = fs::File::open(path).and_then(|mut file| file.read(&mut bytes)).ok()?;
    Some(String::from_utf8_lossy(&bytes[..got]).into_owned())
}

fn parse(number: &str) -> Option<Pid> {
    Pid::from_raw(number.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_looking_find_a_child() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
        let (descendants, scanned) = (descendants(), scanned().unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(descendants.contains(&pid), "{descendants:?}");
        assert!(scanned.contains(&pid), "{scanned:?}");
    }
}
