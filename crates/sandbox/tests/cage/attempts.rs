//! The attacker: system calls that no shell makes, each on the command line by its name.
//!
//! It prints BROKEN where the call did what it must not, and the error's number where it
//! was refused.

#![allow(unsafe_code, reason = "an attacker has no safe wrappers")]

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};

use crate::world::SECRET;

/// On the command line before an attempt.
pub(crate) const WORD: &str = "--attempt";

/// Attempts by one system call, with the errors that a cage may answer.
pub(crate) const CALLS: [(&str, &[i32]); 31] = [
    ("udp", &[libc::EPERM]),
    ("udp6", &[libc::EPERM]),
    ("tcp", &[libc::EPERM]),
    ("icmp", &[libc::EPERM]),
    ("raw", &[libc::EPERM]),
    ("packet", &[libc::EPERM]),
    ("netlink", &[libc::EPERM]),
    ("vsock", &[libc::EPERM]),
    ("alg", &[libc::EPERM]),
    ("io_uring", &[libc::ENOSYS]),
    ("ptrace", &[libc::ENOSYS]),
    ("seize", &[libc::ENOSYS]),
    ("read-memory", &[libc::ENOSYS]),
    ("add-key", &[libc::ENOSYS]),
    ("keyctl", &[libc::ENOSYS]),
    ("mount", &[libc::ENOSYS]),
    ("open-tree", &[libc::ENOSYS]),
    ("unshare", &[libc::ENOSYS]),
    ("clone-user", &[libc::EPERM]),
    ("clone3", &[libc::ENOSYS]),
    ("setns", &[libc::ENOSYS]),
    ("bpf", &[libc::ENOSYS]),
    ("perf", &[libc::ENOSYS]),
    ("userfaultfd", &[libc::ENOSYS]),
    ("memfd", &[libc::ENOSYS]),
    ("steal-descriptor", &[libc::ENOSYS]),
    ("shared-memory", &[libc::ENOSYS]),
    ("personality", &[libc::EPERM]),
    ("type-on-terminal", &[libc::EPERM]),
    ("setuid", &[libc::EPERM, libc::EINVAL]),
    ("signal", &[libc::EPERM, libc::ESRCH]),
];

/// Makes one attempt and ends the process.
pub(crate) fn main(args: &[String]) -> ! {
    let arg = |at: usize| args.get(at).map_or("", String::as_str);
    let outcome = match arg(0) {
        "unix-path" => UnixStream::connect(arg(1)).map(drop),
        "unix-name" => SocketAddr::from_abstract_name(arg(1))
            .and_then(|address| UnixStream::connect_addr(&address))
            .map(drop),
        "hold" => hold(arg(1)),
        "descriptors" => descriptors(),
        "parent" => crate::endings::parent(arg(1), arg(2)),
        name => match call(name, arg(1).parse().unwrap_or(1)) {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        },
    };
    match outcome {
        Ok(()) => println!("{SECRET}"),
        Err(error) => println!("{}", error.raw_os_error().unwrap_or_default()),
    }
    std::process::exit(0)
}

/// Takes memory, in MiB, and keeps it for a minute.
fn hold(mebibytes: &str) -> io::Result<()> {
    let size = mebibytes.parse::<usize>().map_err(io::Error::other)? << 20;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).map_err(|_| io::Error::from_raw_os_error(libc::ENOMEM))?;
    bytes.resize(size, 1_u8);
    std::thread::sleep(std::time::Duration::from_secs(60));
    std::hint::black_box(bytes);
    Ok(())
}

/// Fails where nothing is open but standard input, output and errors.
fn descriptors() -> io::Result<()> {
    for number in 3..65_536 {
        // SAFETY: asks for flags and touches no memory.
        if unsafe { libc::fcntl(number, libc::F_GETFD) } != -1 {
            println!("descriptor {number}");
            return Ok(());
        }
    }
    Err(io::Error::from_raw_os_error(libc::EBADF))
}

fn socket(family: i32, kind: i32, protocol: i32) -> i64 {
    // SAFETY: makes a descriptor and touches no memory.
    i64::from(unsafe { libc::socket(family, kind, protocol) })
}

/// `of`: a process outside.
fn call(name: &str, of: i64) -> i64 {
    match name {
        "udp" => return socket(libc::AF_INET, libc::SOCK_DGRAM, 0),
        "udp6" => return socket(libc::AF_INET6, libc::SOCK_DGRAM, 0),
        "tcp" => return socket(libc::AF_INET, libc::SOCK_STREAM, 0),
        "mptcp" => return socket(libc::AF_INET, libc::SOCK_STREAM, 262),
        "icmp" => return socket(libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_ICMP),
        "raw" => return socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_RAW),
        "packet" => return socket(libc::AF_PACKET, libc::SOCK_RAW, 0),
        "netlink" => return socket(libc::AF_NETLINK, libc::SOCK_RAW, 0),
        "vsock" => return socket(libc::AF_VSOCK, libc::SOCK_STREAM, 0),
        "alg" => return socket(libc::AF_ALG, libc::SOCK_SEQPACKET, 0),
        _ => {}
    }
    let nothing = std::ptr::null::<u8>();
    let mut space = [0_u8; 256];
    let space = space.as_mut_ptr();
    let (own, none) = (std::process::id(), 0_usize);
    // SAFETY: pointers are null or lead to 256 bytes that nobody else uses; a call that
    // is refused touches nothing, and one that is not ends the test.
    unsafe {
        match name {
            "io_uring" => libc::syscall(libc::SYS_io_uring_setup, 1, space),
            "ptrace" => libc::syscall(libc::SYS_ptrace, libc::PTRACE_ATTACH, of, none, none),
            "seize" => libc::syscall(libc::SYS_ptrace, libc::PTRACE_SEIZE, of, none, none),
            "read-memory" => {
                let part = libc::iovec { iov_base: space.cast(), iov_len: 1 };
                let (part, call) = (&raw const part, libc::SYS_process_vm_readv);
                libc::syscall(call, i64::from(own), part, 1_usize, part, 1_usize, none)
            }
            "add-key" => {
                let (kind, name) = (c"user".as_ptr(), c"cage".as_ptr());
                libc::syscall(libc::SYS_add_key, kind, name, name, 4_usize, -3_i64)
            }
            "keyctl" => libc::syscall(libc::SYS_keyctl, 0, -3_i64, 1, none, none),
            "mount" => {
                let (kind, to) = (c"tmpfs".as_ptr(), c"src".as_ptr());
                libc::syscall(libc::SYS_mount, kind, to, kind, 0_u64, nothing)
            }
            "open-tree" => libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, c"/".as_ptr(), 1),
            "unshare" => libc::syscall(libc::SYS_unshare, libc::CLONE_NEWUSER),
            "clone-user" => fork_with(libc::CLONE_NEWUSER),
            "clone3" => libc::syscall(libc::SYS_clone3, space, 64_usize),
            "setns" => libc::syscall(libc::SYS_setns, 0, 0),
            "bpf" => libc::syscall(libc::SYS_bpf, 0, space, 128_usize),
            "perf" => libc::syscall(libc::SYS_perf_event_open, space, 0, -1, -1, 0_u64),
            "userfaultfd" => libc::syscall(libc::SYS_userfaultfd, 1),
            "memfd" => libc::syscall(libc::SYS_memfd_create, c"x".as_ptr(), 0),
            "steal-descriptor" => libc::syscall(libc::SYS_pidfd_getfd, 0, 0, 0),
            "shared-memory" => libc::syscall(libc::SYS_shmget, 0, 4096_usize, 0o1600),
            "personality" => libc::syscall(libc::SYS_personality, 0x0004_0000_u64),
            "type-on-terminal" => libc::syscall(libc::SYS_ioctl, 0, libc::TIOCSTI, space),
            "setuid" => libc::syscall(libc::SYS_setresuid, 12_345, 12_345, 12_345),
            "signal" => libc::syscall(libc::SYS_kill, of, 0),
            _ => panic!("`{name}`"),
        }
    }
}

fn fork_with(flag: i32) -> i64 {
    // SAFETY: like a fork, with one more flag; the child ends at once.
    unsafe {
        let pid = libc::syscall(libc::SYS_clone, flag | libc::SIGCHLD, 0_usize, 0, 0, 0_usize);
        if pid == 0 {
            libc::_exit(0);
        }
        pid
    }
}
