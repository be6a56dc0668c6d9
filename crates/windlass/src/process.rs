//! This process to others: its name as an owner of sessions, and whether another owner
//! on this machine is still alive.
//!
//! A name is `pid@host/boot#start`: the boot id tells reboots apart and the start time
//! tells processes apart that got the same number.

use std::fs;

/// This process's name.
pub(crate) fn name() -> String {
    let pid = std::process::id();
    let (boot, start) = (boot_id(), started(pid).unwrap_or_default());
    format!("{pid}@{}/{boot}#{start}", host())
}

/// Whether the process of that name is certainly dead: it ran on this machine, and this
/// boot does not have it. A name from elsewhere may be alive for all we know.
pub(crate) fn is_dead(name: &str) -> bool {
    let Some((pid, start)) = on_this_boot(name) else { return false };
    started(pid).is_none_or(|now| now != start)
}

/// The process number in a name, for people.
pub(crate) fn pid_of(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

/// The number and start time of a process of this machine. A process of an earlier boot
/// has a start time that no process of this one has.
fn on_this_boot(name: &str) -> Option<(u32, String)> {
    let (pid, place) = name.split_once('@')?;
    let (host_name, run) = place.split_once('/')?;
    let (boot, start) = run.split_once('#')?;
    if host_name != host() {
        return None;
    }
    let start = if boot == boot_id() { start } else { "an earlier boot" };
    Some((pid.parse().ok()?, start.to_owned()))
}

fn host() -> String {
    read("/proc/sys/kernel/hostname").unwrap_or_else(|| "unknown".to_owned())
}

fn boot_id() -> String {
    read("/proc/sys/kernel/random/boot_id").unwrap_or_default()
}

/// When a process started, in clock ticks since boot: the 22nd field of its `stat`.
fn started(pid: u32) -> Option<String> {
    let stat = read(&format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(')')?.1;
    let state = after_name.split_whitespace().next()?;
    let start = after_name.split_whitespace().nth(19)?;
    // A zombie has died; its parent has only not been told yet.
    (state != "Z").then(|| start.to_owned())
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_others_are_told_apart() {
        let own = name();
        assert!(!is_dead(&own), "{own}");
        let other_start = format!("{}#1", own.rsplit_once('#').unwrap().0);
        assert!(is_dead(&other_start), "same number, other start: {other_start}");
        let gone = own.replacen(&std::process::id().to_string(), "4194304", 1);
        assert!(is_dead(&gone), "no such process: {gone}");
        assert!(!is_dead("12@elsewhere/x#1"), "another machine may be alive");
        assert!(!is_dead("nonsense"));
    }
}
