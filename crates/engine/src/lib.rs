//! The shell around the kernel: load, do what is owed, decide, commit.
//!
//! Everything that waits is here or behind one of the [`ports`]. No decision is made
//! here: commands go to `kernel::run`, and what comes back is committed as it is.

pub mod ports;
