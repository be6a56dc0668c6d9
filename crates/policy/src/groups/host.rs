//! Patterns of hosts: a name, or `*.name` for all that lie below it, or `*` for any.
//!
//! A star anywhere else is refused: `*example.com` would take in `notexample.com`.

/// A pattern of hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// Any host.
    Any,
    /// This one.
    Exactly(String),
    /// Those below it, not itself; with its leading dot.
    Below(String),
}

impl Pattern {
    /// Reads one, or says what would be right.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let right = || "write `example.com`, `*.example.com` or `*`".to_owned();
        if text == "*" {
            return Ok(Pattern::Any);
        }
        let (name, below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        let name = plain(name);
        let odd = |c: char| c.is_whitespace() || matches!(c, '*' | '/' | '@' | '?' | '#');
        if name.is_empty() || name.starts_with('.') || name.contains(odd) {
            return Err(right());
        }
        Ok(if below { Pattern::Below(format!(".{name}")) } else { Pattern::Exactly(name) })
    }

    /// Whether a host is meant.
    pub(crate) fn fits(&self, host: &str) -> bool {
        let host = plain(host);
        match self {
            Pattern::Any => true,
            Pattern::Exactly(name) => host == *name,
            Pattern::Below(dotted) => host.len() > dotted.len() && host.ends_with(dotted.as_str()),
        }
    }
}

/// A host as it is compared: small letters, without the dot of the root.
fn plain(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}
