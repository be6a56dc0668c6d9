//! The `windlass` command.

#[allow(dead_code, unused_imports, reason = "read by the commands")]
mod config;

fn main() {}
