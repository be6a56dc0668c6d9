//! A secret's value: typed unseen at a terminal, or read from standard input whole.

use std::io::{BufRead, IsTerminal, Read, Write};

use anyhow::Context as _;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrets::{Name, SECRET_BYTES_MAX, Secret};

use crate::exit::BadUsage;

/// The exit code of whoever is interrupted, as shells count it.
const INTERRUPTED: i32 = 130;

/// Reads a value. One line end is cut off, as editors and `echo` leave it.
pub(super) fn read(name: &Name) -> anyhow::Result<Secret> {
    let stdin = std::io::stdin();
    let mut bytes = Vec::with_capacity(SECRET_BYTES_MAX + 3);
    let limit = SECRET_BYTES_MAX as u64 + 2;
    if stdin.is_terminal() {
        eprint!("value of {name}, unseen: ");
        std::io::stderr().flush()?;
        let _unseen = Unseen::begin().context("cannot keep the terminal from showing the value")?;
        stdin.lock().take(limit).read_until(b'\n', &mut bytes)?;
    } else {
        stdin.lock().take(limit).read_to_end(&mut bytes)?;
    }
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
    }
    Ok(Secret::new(bytes).map_err(|why| BadUsage(format!("`{name}` was not set: {why}")))?)
}

/// A terminal that shows nothing of what is typed, until this is gone or Ctrl-C ends the
/// program.
struct Unseen {
    before: Termios,
    interrupt: tokio::task::JoinHandle<()>,
}

impl Unseen {
    fn begin() -> rustix::io::Result<Self> {
        let before = tcgetattr(std::io::stdin())?;
        let restored = before.clone();
        let interrupt = tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                restore(&restored);
                eprintln!();
                std::process::exit(INTERRUPTED);
            }
        });
        let mut unseen = before.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        unseen.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &unseen)?;
        Ok(Unseen { before, interrupt })
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        self.interrupt.abort();
        restore(&self.before);
    }
}

fn restore(before: &Termios) {
    // A terminal that is gone needs no mending.
    let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, before);
}
