//! `windlass guard …`: the program's guards, tried on other people's traffic.
//!
//! Each reads JSON lines on standard input and answers each of them with one line, in
//! order and at once. A line that cannot be read is answered with what is wrong with it,
//! and the others are answered nevertheless.

mod lines;
mod loops;

use crate::cli::GuardCommand;
use crate::exit::End;

pub(crate) fn guard(command: GuardCommand) -> anyhow::Result<End> {
    match command {
        GuardCommand::Loop(args) => {
            let settings = loops::settings(&args);
            lines::answer(|line| loops::answer(line, settings))
        }
    }
}
