//! The launcher: this program, run again to start another one in a cage.
//!
//! It comes twice. The **supervisor** stands outside: it has one thread, prepares the
//! private room, starts bubblewrap or the entrant itself, watches, kills and clears away.
//! The **entrant** stands inside: it closes the walls around itself and then becomes the
//! program. Nothing is done between a fork and an exec of a program with many threads.

mod begin;
mod bubblewrap;
mod calls;
mod descend;
mod enter;
mod files;
mod limits;
mod placeholder;
mod repositories;
pub(crate) mod room;
mod supervise;
mod watch;
mod workdir;

#[cfg(feature = "before-main")]
mod before_main;

/// The supervisor's word on the command line.
pub(crate) const SUPERVISE: &str = "--cage-supervise";

/// The entrant's word; the numbers of two descriptors follow.
const ENTER: &str = "--cage-enter";

/// Does the launcher's work and never returns, where this process was started as
/// launcher. Otherwise returns at once.
///
/// Call it first in `main`, before threads, logging and the reading of arguments.
pub fn main_if_launcher() {
    let mut args = std::env::args_os().skip(1);
    let Some(word) = args.next() else { return };
    if word == SUPERVISE {
        std::process::exit(supervise::main());
    }
    if word == ENTER {
        std::process::exit(enter::main(args));
    }
}
