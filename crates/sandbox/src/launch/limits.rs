//! What one process of a cage may use up, as the kernel counts it.

use rlimit::{Resource, setrlimit};

use super::descend;
use crate::grant::Limits;

const KIB: u64 = 1024;

/// The stack that programs get, and the most that they may ask for, in bytes.
const STACK_BYTES: (u64, u64) = (8192 * KIB, 65_536 * KIB);

/// Memory that a program may keep from being swapped out.
const LOCKED_BYTES_MAX: u64 = 8192 * KIB;

/// Signals that may wait.
const SIGNALS_MAX: u64 = 4096;

/// The first to be ended when the machine runs out of memory.
const EXPENDABLE: &str = "1000";

/// Sets all limits, never above what this process has itself.
pub(super) fn set(limits: &Limits, namespaces: bool) -> Result<(), String> {
    // What fails here only costs a worse choice in a bad moment.
    let _ = std::fs::write("/proc/self/oom_score_adj", EXPENDABLE);
    let both = |most: u64| (most, most);
    let mut all = vec![
        (Resource::CORE, both(0)),
        (Resource::CPU, (limits.cpu_seconds_max, limits.cpu_seconds_max.saturating_add(1))),
        (Resource::DATA, both(limits.memory_bytes_max)),
        (Resource::FSIZE, both(limits.file_bytes_max)),
        (Resource::MEMLOCK, both(LOCKED_BYTES_MAX)),
        (Resource::MSGQUEUE, both(0)),
        (Resource::NICE, both(0)),
        (Resource::NOFILE, both(limits.open_files_max)),
        (Resource::RTPRIO, both(0)),
        (Resource::SIGPENDING, both(SIGNALS_MAX)),
        (Resource::STACK, STACK_BYTES),
    ];
    // Counted in the cage's own user namespace. Without one it counts whatever else this
    // user runs. The kernel does not count root's; the supervisor counts everybody's.
    let counted = !namespaces && !rustix::process::getuid().is_root();
    let others = if counted { descend::tasks_of_this_user() } else { 0 };
    all.push((Resource::NPROC, both(limits.tasks_max.saturating_add(others))));
    for (resource, (soft, hard)) in all {
        let most = resource.get_hard().map_err(|error| said(resource, &error))?;
        let set = setrlimit(resource, soft.min(most), hard.min(most));
        set.map_err(|error| said(resource, &error))?;
    }
    Ok(())
}

fn said(resource: Resource, error: &std::io::Error) -> String {
    format!("the limit {}: {error}", resource.as_name())
}
