//! The chores of this repository: `cargo xtask tidy`, `test` and `bench`.
//!
//! Uses nothing but the standard library and `anyhow`, so that it is built in seconds
//! and never in the way.

mod bench;
mod test;
mod tidy;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  tidy   check the rules of the house that the compiler does not
  test   format check, lints, tidy and all tests, with a summary; what CI runs
  bench  figures about speed and memory beside their limits; see docs/performance.md
";

fn main() -> anyhow::Result<ExitCode> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = home.parent().unwrap_or(home);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["tidy"] => tidy::run(root),
        ["test"] => test::run(root),
        ["bench"] => bench::run(root),
        ["help" | "-h" | "--help"] => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprint!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}
