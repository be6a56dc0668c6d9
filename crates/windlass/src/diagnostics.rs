//! Diagnostics: lines on standard error, only as many as `WINDLASS_LOG` asks for, with
//! secrets and personal data blanked whoever wrote them.

use std::io::{IsTerminal, Write};
use std::sync::LazyLock;

use redact::Redactor;
use tracing_subscriber::EnvFilter;

/// Diagnostics begin before any configuration is read, so every class is blanked in them.
static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);

/// From here on diagnostics are written.
pub(crate) fn begin() {
    let wanted = std::env::var("WINDLASS_LOG").unwrap_or_else(|_| "error".to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(wanted))
        .with_writer(|| Blanked(std::io::stderr()))
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// Blanks what it writes. Each write must be whole lines, as those of the subscriber are:
/// what is cut in two is not recognised.
struct Blanked<W>(W);

impl<W: Write> Write for Blanked<W> {
    fn write(&mut self, lines: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(lines);
        self.0.write_all(REDACTOR.text(&text).as_bytes())?;
        Ok(lines.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_leave_the_house_is_blanked() {
        let mut written = Vec::new();
        let line = "DEBUG mail of ann@example.org, key=AKIAQ3EGR5XW7ZP2L9TN\n";
        Blanked(&mut written).write_all(line.as_bytes()).unwrap();
        let written = String::from_utf8(written).unwrap();
        assert!(written.starts_with("DEBUG mail of [redacted:email], key=[redacted:"), "{written}");
        assert!(written.ends_with("]\n"), "{written}");
    }
}
