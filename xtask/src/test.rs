//! Everything that must pass before a change goes in, in one command.
//!
//! Needs Rust, a C compiler, git and the programs in [`NEEDS`]. The parts run one after the
//! other and all of them run, so that one pass shows everything that is wrong; the summary
//! says how long each took. `cargo nextest` is used where it is installed.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::tidy;

/// Programs that tests run for real, the Debian packages that they come in, and why. A
/// test whose program is missing fails: one that was skipped would prove nothing.
const NEEDS: [Need; 5] = [
    Need { program: "bwrap", package: "bubblewrap", why: "the cage's namespaces" },
    Need { program: "node", package: "nodejs", why: "MCP servers that others wrote" },
    Need { program: "npm", package: "npm", why: "the same: it brings them" },
    Need {
        // `psql` alone may be there without a server.
        program: "pg_lsclusters",
        package: "postgresql",
        why: "statements that a real server reads",
    },
    Need { program: "mariadbd", package: "mariadb-server", why: "the same, of another dialect" },
];

/// A program that tests need.
struct Need {
    program: &'static str,
    package: &'static str,
    why: &'static str,
}

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
    if !provide() {
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

/// Installs what tests need and is missing, where that can be done without asking anybody.
fn provide() -> bool {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !is_there(need.program)).collect();
    if missing.is_empty() {
        return true;
    }
    for Need { program, package, why } in &missing {
        println!("`{program}` is missing ({why}): package {package}");
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let by_hand = format!("apt-get update && apt-get install -y {}", packages.join(" "));
    if !(is_root() && is_there("apt-get")) {
        eprintln!("run as root: {by_hand}");
        return false;
    }
    let installed = apt(&["update", "-qq"]) && {
        let options = ["install", "-y", "-qq", "--no-install-recommends"];
        apt(&[&options[..], &packages].concat())
    };
    let there = installed && missing.iter().all(|need| is_there(need.program));
    if !there {
        eprintln!("that did not work; run: {by_hand}");
    }
    there
}

fn apt(arguments: &[&str]) -> bool {
    println!("apt-get {}", arguments.join(" "));
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Whether a program is in one of the folders that programs are looked for in, or in one
/// for programs of the system.
fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin", "/usr/bin"].map(std::path::PathBuf::from);
    std::env::split_paths(&path).chain(system).any(|folder| folder.join(program).is_file())
}

fn is_root() -> bool {
    let said = Command::new("id").arg("-u").output();
    said.is_ok_and(|said| said.stdout.trim_ascii() == b"0")
}
