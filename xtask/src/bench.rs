//! `cargo xtask bench`: builds the program and its figures in release form and runs them.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context as _;

/// Runs every figure. The exit code is that of the run.
pub(crate) fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["bench", "--quiet", "--package", "windlass", "--bench", "figures"])
        .current_dir(root)
        .status()
        .context("cannot start cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
