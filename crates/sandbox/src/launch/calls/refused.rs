//! What listed system calls are refused for, by their arguments.
//!
//! A filter reads registers and no memory, so everything here is a number. Arguments that
//! the kernel takes as 32 bits are compared as 32 bits.

use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{Error, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};

use super::Rules;

/// Making namespaces, one flag each.
const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// Typing on a terminal as if somebody did, and what virtual consoles do.
const TERMINAL: [u64; 2] = [0x5412, 0x541C];

/// Changing attributes of files that are only open for reading: flags, extended flags,
/// sealing for ever.
const ATTRIBUTES: [u64; 3] = [0x4008_6602, 0x401C_5820, 0x4080_6685];

/// Bits that lend a file's owner or group to whoever executes it.
const LENDING: [u64; 2] = [libc::S_ISUID as u64, libc::S_ISGID as u64];

/// The kind of a socket without its flags, and how many kinds there may be.
const KIND_MASK: u64 = 0xF;

/// Asks for the personality without changing it.
const ASK: u64 = 0xFFFF_FFFF;

/// Where a file is made, the first holds the mode and the second the flags that make it
/// count.
const MAKING: u64 = libc::O_CREAT as u64;

/// Newer than the names that the library knows everywhere.
const FCHMODAT2: i64 = 452;

/// What is refused.
pub(super) fn rules(bare: bool, loopback: bool) -> Result<Rules, Error> {
    let mut rules = Rules::new();
    sockets(&mut rules, bare, loopback)?;
    processes(&mut rules)?;
    lending(&mut rules)?;
    if bare {
        attributes(&mut rules)?;
    }
    Ok(rules)
}

type Condition = (u8, SeccompCmpArgLen, SeccompCmpOp, u64);

/// Refuses a call where all conditions hold.
fn refuse(rules: &mut Rules, call: i64, conditions: &[Condition]) -> Result<(), Error> {
    let conditions = conditions.iter().map(|(argument, length, operator, value)| {
        SeccompCondition::new(*argument, length.clone(), operator.clone(), *value)
    });
    let rule = SeccompRule::new(conditions.collect::<Result<_, _>>()?)?;
    rules.entry(call).or_default().push(rule);
    Ok(())
}

/// Only streams, only to where something stands that checks. Without namespaces a socket
/// by path would reach every daemon of the machine.
fn sockets(rules: &mut Rules, bare: bool, loopback: bool) -> Result<(), Error> {
    let [local, inet, inet6] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6].map(number);
    let mut others = Vec::new();
    if !bare {
        others.push((0, Dword, Ne, local));
    }
    if loopback {
        others.extend([(0, Dword, Ne, inet), (0, Dword, Ne, inet6)]);
    }
    match others.is_empty() {
        true => drop(rules.insert(libc::SYS_socket, Vec::new())),
        false => refuse(rules, libc::SYS_socket, &others)?,
    }
    for family in [inet, inet6].into_iter().filter(|_| loopback) {
        let stream = number(libc::SOCK_STREAM);
        for kind in (0..=KIND_MASK).filter(|kind| *kind != stream) {
            let conditions = [(0, Dword, Eq, family), (1, Dword, MaskedEq(KIND_MASK), kind)];
            refuse(rules, libc::SYS_socket, &conditions)?;
        }
        let tcp = number(libc::IPPROTO_TCP);
        let conditions = [(0, Dword, Eq, family), (2, Dword, Ne, 0), (2, Dword, Ne, tcp)];
        refuse(rules, libc::SYS_socket, &conditions)?;
    }
    refuse(rules, libc::SYS_socketpair, &[(0, Dword, Ne, local)])
}

/// No new namespaces, no other personality, no typing on terminals.
fn processes(rules: &mut Rules) -> Result<(), Error> {
    for flag in NAMESPACES.map(|flag| u64::from(flag.cast_unsigned())) {
        refuse(rules, libc::SYS_clone, &[(0, Dword, MaskedEq(flag), flag)])?;
    }
    for request in TERMINAL {
        refuse(rules, libc::SYS_ioctl, &[(1, Dword, Eq, request)])?;
    }
    refuse(rules, libc::SYS_personality, &[(0, Dword, Ne, 0), (0, Dword, Ne, ASK)])
}

/// No file lends its owner: it would stay when the cage is gone.
fn lending(rules: &mut Rules) -> Result<(), Error> {
    let modes = [(libc::SYS_fchmod, 1), (libc::SYS_fchmodat, 2), (FCHMODAT2, 2)];
    #[cfg(target_arch = "x86_64")]
    let old = [(libc::SYS_chmod, 1), (libc::SYS_creat, 1)];
    #[cfg(target_arch = "aarch64")]
    let old = [];
    for bit in LENDING {
        for (call, mode) in modes.into_iter().chain(old) {
            refuse(rules, call, &[(mode, Dword, MaskedEq(bit), bit)])?;
        }
        for making in [MAKING, number(libc::O_TMPFILE)] {
            let made = |flags| {
                [(flags, Dword, MaskedEq(making), making), (flags + 1, Dword, MaskedEq(bit), bit)]
            };
            refuse(rules, libc::SYS_openat, &made(2))?;
            #[cfg(target_arch = "x86_64")]
            refuse(rules, libc::SYS_open, &made(1))?;
        }
        refuse(rules, libc::SYS_mknodat, &[(2, Dword, MaskedEq(bit), bit)])?;
        #[cfg(target_arch = "x86_64")]
        refuse(rules, libc::SYS_mknod, &[(1, Dword, MaskedEq(bit), bit)])?;
    }
    Ok(())
}

/// Landlock does not look at modes, owners, attributes, times and who is told of changes.
/// So where nothing is mounted read-only they stay as they are, on every file.
fn attributes(rules: &mut Rules) -> Result<(), Error> {
    let fixed = [
        libc::SYS_inotify_add_watch,
        libc::SYS_fchmod,
        libc::SYS_fchmodat,
        FCHMODAT2,
        libc::SYS_fchown,
        libc::SYS_fchownat,
        libc::SYS_setxattr,
        libc::SYS_lsetxattr,
        libc::SYS_fsetxattr,
        libc::SYS_removexattr,
        libc::SYS_lremovexattr,
        libc::SYS_fremovexattr,
    ];
    #[cfg(target_arch = "x86_64")]
    let old = [
        libc::SYS_chmod,
        libc::SYS_chown,
        libc::SYS_lchown,
        libc::SYS_utime,
        libc::SYS_utimes,
        libc::SYS_futimesat,
    ];
    #[cfg(target_arch = "aarch64")]
    let old = [];
    for call in fixed.into_iter().chain(old) {
        rules.insert(call, Vec::new());
    }
    // With a path; without one it is about a file that is open.
    refuse(rules, libc::SYS_utimensat, &[(1, Qword, Ne, 0)])?;
    for request in ATTRIBUTES {
        refuse(rules, libc::SYS_ioctl, &[(1, Dword, Eq, request)])?;
    }
    Ok(())
}

fn number(constant: i32) -> u64 {
    u64::from(constant.unsigned_abs())
}
