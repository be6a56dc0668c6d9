//! Where things are on a system: what every cage may read, and what no cage may be given.

use std::path::{Path, PathBuf};

/// Programs and their libraries. Read and executed in every cage.
pub(crate) const SYSTEM: [&str; 7] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/// What programs need to know of the machine. No secrets, no other configuration.
pub(crate) const KNOWLEDGE: [&str; 32] = [
    "/etc/alternatives",
    "/etc/bash.bashrc",
    "/etc/bindresvport.blacklist",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/debian_version",
    "/etc/fonts",
    "/etc/gai.conf",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/inputrc",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/login.defs",
    "/etc/magic",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/pki/ca-trust",
    "/etc/pki/tls",
    "/etc/profile",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/terminfo",
    "/etc/timezone",
    "/etc/xattr.conf",
];

/// Devices that hold nothing and change nothing.
pub(crate) const DEVICES: [&str; 5] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// What may be read of `/proc` where it is everybody's.
pub(crate) const PROC: [&str; 7] = [
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/uptime",
    "/proc/version",
];

/// Folders in which no working directory may be changed, and that none may contain.
const RESERVED: [&str; 13] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/boot", "/dev",
    "/proc", "/sys", "/run",
];

/// Why this working directory cannot be granted, where it cannot.
pub(crate) fn unfit(workdir: &Path, writable: bool, rooms: &Path) -> Option<String> {
    let shown = workdir.display();
    let holds = |path: &str| Path::new(path).starts_with(workdir);
    if let Some(held) = RESERVED.iter().find(|path| holds(path)) {
        return Some(format!("the working directory `{shown}` holds `{held}`"));
    }
    let inside = |path: &&&str| workdir.starts_with(path);
    if writable && let Some(system) = RESERVED.iter().find(inside) {
        return Some(format!("`{shown}` lies in `{system}` and cannot be changed from a cage"));
    }
    if workdir.starts_with("/proc") || workdir.starts_with("/sys") || workdir.starts_with("/dev") {
        return Some(format!("`{shown}` is no place to work in"));
    }
    if rooms.starts_with(workdir) || workdir.starts_with(rooms) {
        let rooms = rooms.display();
        return Some(format!("`{shown}` and the cages' own folder `{rooms}` lie in each other"));
    }
    None
}

/// Where this user's private rooms are.
pub(crate) fn rooms() -> PathBuf {
    let user = rustix::process::getuid().as_raw();
    std::env::temp_dir().join(format!("windlass-cage-{user}"))
}
