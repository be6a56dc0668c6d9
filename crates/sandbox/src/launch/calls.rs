//! Seccomp: which system calls a caged program makes, and with which arguments.
//!
//! Calls that are not listed do not exist in here (`ENOSYS`): programs know kernels that
//! lack a call and do without, and calls that a later kernel invents are closed from the
//! start. Some of the listed calls are refused for what they ask (`EPERM`).

mod listed;
mod refused;

use std::collections::BTreeMap;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, SeccompRule, TargetArch};

/// Rules by the number of their call; an empty list holds whatever the arguments are.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

#[cfg(target_arch = "x86_64")]
const HERE: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const HERE: TargetArch = TargetArch::aarch64;

/// Closes all system calls that are not granted, for ever. `bare`: no namespaces stand
/// around this process. `loopback`: there is a network of its own.
pub(super) fn close(bare: bool, loopback: bool) -> Result<(), String> {
    let (missing, refused) = filters(bare, loopback)?;
    for filter in [refused, missing] {
        seccompiler::apply_filter(&filter).map_err(|error| said(&error))?;
    }
    match rustix::thread::secure_computing_mode() {
        Ok(rustix::thread::SecureComputingMode::Filter) => Ok(()),
        other => Err(format!("seccomp is not enforced: {other:?}")),
    }
}

fn filters(bare: bool, loopback: bool) -> Result<(BpfProgram, BpfProgram), String> {
    let listed = listed::calls().map(|call| (call, Vec::new())).collect();
    let missing = errno(libc::ENOSYS);
    let missing = compile(listed, missing, SeccompAction::Allow)?;
    let refused = refused::rules(bare, loopback).map_err(|error| said(&error))?;
    let refused = compile(refused, SeccompAction::Allow, errno(libc::EPERM))?;
    Ok((missing, refused))
}

fn compile(
    rules: Rules,
    otherwise: SeccompAction,
    then: SeccompAction,
) -> Result<BpfProgram, String> {
    let filter = SeccompFilter::new(rules, otherwise, then, HERE).map_err(|error| said(&error))?;
    BpfProgram::try_from(filter).map_err(|error| said(&error))
}

fn errno(number: i32) -> SeccompAction {
    SeccompAction::Errno(number.unsigned_abs())
}

fn said(error: &dyn std::fmt::Display) -> String {
    format!("seccomp: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_fit_into_the_kernel() {
        const INSTRUCTIONS_MAX: usize = 4096;
        for (bare, loopback) in [(false, false), (false, true), (true, false)] {
            let (missing, refused) = filters(bare, loopback).unwrap();
            assert!(missing.len() < INSTRUCTIONS_MAX, "{}", missing.len());
            assert!(refused.len() < INSTRUCTIONS_MAX, "{}", refused.len());
        }
    }

    #[test]
    fn what_must_stay_closed_is_not_listed() {
        let listed: Vec<i64> = listed::calls().collect();
        for call in [
            libc::SYS_io_uring_setup,
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_keyctl,
            libc::SYS_add_key,
            libc::SYS_mount,
            libc::SYS_move_mount,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_clone3,
            libc::SYS_bpf,
            libc::SYS_perf_event_open,
            libc::SYS_userfaultfd,
            libc::SYS_open_by_handle_at,
            libc::SYS_memfd_create,
            libc::SYS_openat2,
            libc::SYS_seccomp,
            libc::SYS_pidfd_getfd,
            libc::SYS_shmget,
        ] {
            assert!(!listed.contains(&call), "{call}");
        }
    }
}
