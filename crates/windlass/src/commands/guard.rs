//! `windlass guard …`: the program's guards, tried on other people's traffic.
//!
//! Each reads JSON lines on standard input and answers each of them with one line, in
//! order and at once. A line that cannot be read is answered with what is wrong with it,
//! and the others are answered nevertheless.

mod cases;
mod lines;
mod loops;

use redact::Redactor;

use crate::cli::GuardCommand;
use crate::exit::End;

pub(crate) fn guard(command: GuardCommand) -> anyhow::Result<End> {
    match command {
        GuardCommand::Shell => lines::answer(cases::shell),
        GuardCommand::Url => lines::answer(cases::url),
        GuardCommand::Sql => lines::answer(cases::sql),
        GuardCommand::Injection => lines::answer(cases::injection),
        GuardCommand::Redact => {
            let redactor = Redactor::default();
            lines::answer(|line| cases::redact(line, &redactor))
        }
        GuardCommand::Loop(args) => {
            let settings = loops::settings(&args);
            lines::answer(|line| loops::answer(line, settings))
        }
    }
}
