//! What a cage gives: everything that is not named here is closed.
//!
//! Plain data. Whether a grant can be enforced on this machine is decided when a cage is
//! made of it, and again by the launcher right before the program begins.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::proxy::Gate;

/// What one program may see, change and use up.
#[derive(Clone)]
pub struct Grant {
    /// Where the program runs. All of it can be read, except what is hidden.
    pub workdir: PathBuf,
    /// Whether it may be changed, except what is protected.
    pub writable: bool,
    /// Names in the working directory that stay as they are. `HEAD` goes with `.git`.
    pub protected: Vec<Protected>,
    /// Files and folders that may be read and executed besides the system's own.
    pub read: Vec<PathBuf>,
    /// What it reaches over the network.
    pub network: Network,
    /// Variables besides the clean environment. They may hold secrets: they are never
    /// printed and never stand in an argument.
    pub env: BTreeMap<String, String>,
    /// What it may use up.
    pub limits: Limits,
}

impl Grant {
    /// To read a working directory and nothing else.
    #[must_use]
    pub fn reading(workdir: impl Into<PathBuf>) -> Self {
        Grant {
            workdir: workdir.into(),
            writable: false,
            protected: Protected::usual(),
            read: Vec::new(),
            network: Network::Closed,
            env: BTreeMap::new(),
            limits: Limits::default(),
        }
    }

    /// To read and change a working directory and nothing else.
    #[must_use]
    pub fn writing(workdir: impl Into<PathBuf>) -> Self {
        Grant { writable: true, ..Grant::reading(workdir) }
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("workdir", &self.workdir)
            .field("writable", &self.writable)
            .field("protected", &self.protected)
            .field("read", &self.read)
            .field("network", &self.network)
            .field("env", &self.env.keys().collect::<Vec<_>>())
            .field("limits", &self.limits)
            .finish()
    }
}

/// A name in the working directory that a caged program cannot write, create, replace or
/// move, whether it is there or not. Where it is absent, an empty folder holds its place
/// while a cage lives that could make it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protected {
    /// One name, no path.
    pub name: String,
    /// Whether its content cannot be read either.
    pub hidden: bool,
}

impl Protected {
    /// A name that nobody in the cage changes.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Protected { name: name.into(), hidden: false }
    }

    /// The same, and nobody in the cage reads it.
    #[must_use]
    pub fn hidden(self) -> Self {
        Protected { hidden: true, ..self }
    }

    /// What other programs obey when they find it: repositories, our own configuration
    /// and state, and what shells load when somebody enters the folder.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        vec![
            Protected::new(".git"),
            Protected::new(".windlass").hidden(),
            Protected::new("windlass.yaml"),
            Protected::new(".envrc"),
        ]
    }
}

/// What a caged program reaches over the network.
#[derive(Clone, Debug, Default)]
pub enum Network {
    /// Nothing: it cannot make a socket that leaves the machine's own process tree.
    #[default]
    Closed,
    /// Its own loopback, where only its own children listen. Needs namespaces.
    Loopback,
    /// The hosts that a gate admits, through a proxy that asks it for each connection,
    /// and its own loopback. Needs namespaces.
    Gated(Gate),
}

/// What a caged program may use up. What goes over is refused to it, or ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Then it is killed with everything it started.
    pub deadline_ms: u64,
    /// Output and errors together, where they are collected; then it is killed.
    pub output_bytes_max: u64,
    /// Private memory: of one process (it is refused more), and of all together (then
    /// they are killed).
    pub memory_bytes_max: u64,
    /// Processes and threads at one time; then they are killed.
    pub tasks_max: u64,
    /// The size of one file that it writes.
    pub file_bytes_max: u64,
    /// Descriptors of one process.
    pub open_files_max: u64,
    /// Time on processors of one process.
    pub cpu_seconds_max: u64,
    /// What stays free on the disks that it writes to; then it is killed.
    pub disk_free_bytes_min: u64,
    /// Entries of the working directory that are looked at for repositories.
    pub search_entries_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Limits {
            deadline_ms: 120_000,
            output_bytes_max: 4 * MIB,
            memory_bytes_max: 4096 * MIB,
            tasks_max: 512,
            file_bytes_max: 2048 * MIB,
            open_files_max: 1024,
            cpu_seconds_max: 600,
            disk_free_bytes_min: 256 * MIB,
            search_entries_max: 20_000,
        }
    }
}
