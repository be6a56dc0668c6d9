//! What can go wrong around a cage, named for what the caller does next.

/// Why no program ran, or why nothing is known of its end.
#[derive(Debug, thiserror::Error)]
pub enum CageError {
    /// The grant asks for what cannot be given. Change it.
    #[error("this cannot be granted: {0}")]
    Grant(String),
    /// The walls did not stand, so nothing was started.
    #[error("nothing was started: {0}")]
    Refused(String),
    /// The walls stood, but the program could not be started in them.
    #[error("`{program}` cannot be started in the cage: {why}")]
    Program {
        /// As it was asked for.
        program: String,
        /// The system's words.
        why: String,
    },
    /// The launcher went away without a report. The program and all it started are dead.
    #[error("the cage was lost: {0}")]
    Lost(String),
}

/// Why nothing can be caged on this machine.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The kernel has no Landlock, or it is switched off.
    #[error(
        "this kernel does not offer Landlock, so no program can be caged\n\
         use Linux 5.13 or newer with `landlock` in its `lsm=` boot parameter"
    )]
    NoLandlock,
    /// The kernel has no seccomp filters.
    #[error("this kernel does not offer seccomp filters, so no program can be caged")]
    NoSeccomp,
    /// Landlock alone is too old to be the only wall around files and signals.
    #[error(
        "no program can be caged: {why}, and Landlock's version {abi} here is too old to \
         stand alone\ninstall bubblewrap (`apt-get install bubblewrap`), or use Linux 6.12 or newer"
    )]
    NoNamespaces {
        /// What is wrong with bubblewrap.
        why: String,
        /// Landlock's version.
        abi: i32,
    },
    /// A trial did not end as it must.
    #[error("no program can be caged: a trial of the cage failed: {0}")]
    Trial(String),
}
