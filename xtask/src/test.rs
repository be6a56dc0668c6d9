//! Everything that must pass before a change goes in, in one command.
//!
//! Needs Rust, a C compiler and git. The parts run one after the other and all of them
//! run, so that one pass shows everything that is wrong; the summary says how long each
//! took. `cargo nextest` is used where it is installed.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::tidy;

/// One part and how it went.
struct Part {
    name: &'static str,
    passed: bool,
    took: Duration,
}

/// Runs all parts and prints the summary. The answer is a failure if any part failed.
pub(crate) fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let has_tools = has("fmt") && has("clippy");
    if !has_tools && !add_components() {
        eprintln!("rustfmt and clippy are needed\nrun: rustup component add rustfmt clippy");
        return Ok(ExitCode::FAILURE);
    }
    let mut parts = vec![
        part("format", || cargo(root, &["fmt", "--all", "--", "--check"])),
        part("lints", || {
            let lint = ["clippy", "--locked", "--workspace", "--all-targets"];
            cargo(root, &[&lint[..], &["--", "-D", "warnings"]].concat())
        }),
        part("tidy", || tidy::run(root).is_ok_and(|code| code == ExitCode::SUCCESS)),
    ];
    if has("nextest") {
        parts.push(part("tests", || cargo(root, &["nextest", "run", "--locked", "--workspace"])));
        parts.push(part("doc tests", || {
            cargo(root, &["test", "--locked", "--workspace", "--doc", "--quiet"])
        }));
    } else {
        // Without the faster runner the ordinary one does, doc tests and all.
        parts.push(part("tests", || {
            let all = ["test", "--locked", "--workspace", "--no-fail-fast"];
            cargo(root, &all)
        }));
    }
    Ok(summary(&parts))
}

fn part(name: &'static str, work: impl FnOnce() -> bool) -> Part {
    println!("── {name}");
    let begun = Instant::now();
    let passed = work();
    Part { name, passed, took: begun.elapsed() }
}

fn summary(parts: &[Part]) -> ExitCode {
    println!("── summary");
    for part in parts {
        let word = if part.passed { "passed" } else { "FAILED" };
        println!("{word}  {:<10} {:>7.1} s", part.name, part.took.as_secs_f64());
    }
    let failed = parts.iter().filter(|part| !part.passed).count();
    let took: Duration = parts.iter().map(|part| part.took).sum();
    let seconds = took.as_secs_f64();
    if failed == 0 {
        println!("all {} parts passed in {seconds:.1} s", parts.len());
        ExitCode::SUCCESS
    } else {
        println!("{failed} of {} parts failed, after {seconds:.1} s", parts.len());
        ExitCode::FAILURE
    }
}

/// The cargo that runs us, so that the toolchain stays the same.
fn program() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

fn cargo(root: &Path, arguments: &[&str]) -> bool {
    let status = Command::new(program()).args(arguments).current_dir(root).status();
    match status {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("cannot run cargo: {error}");
            false
        }
    }
}

/// Whether this cargo has a subcommand.
fn has(subcommand: &str) -> bool {
    let status = Command::new(program())
        .args([subcommand, "--version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// Asks rustup, where there is one, for the formatter and the lints.
fn add_components() -> bool {
    println!("rustfmt or clippy is missing: rustup component add rustfmt clippy");
    let status = Command::new("rustup").args(["component", "add", "rustfmt", "clippy"]).status();
    status.is_ok_and(|status| status.success()) && has("fmt") && has("clippy")
}
