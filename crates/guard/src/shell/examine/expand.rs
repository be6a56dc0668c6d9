//! Words and what they become: variables looked up, substitutions examined.

use super::Examiner;
use crate::shell::brace;
use crate::shell::path;
use crate::shell::refusal::{Read, refuse};
use crate::shell::value::{Binding, Value};
use crate::shell::word::{self, Piece};

/// Variables of the shell that are nobody's secret: their text may be printed.
const PUBLIC: [&str; 15] = [
    "PATH",
    "PWD",
    "OLDPWD",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "HOSTNAME",
    "LANG",
    "TERM",
    "RANDOM",
    "SECONDS",
    "LINENO",
    "BASH_VERSION",
    "OSTYPE",
];
/// Commands whose output holds no pattern, as they begin.
const CALM: [&str; 17] = [
    "date",
    "grep -c",
    "git rev-parse",
    "git describe",
    "git branch --show-current",
    "seq",
    "pwd",
    "basename",
    "dirname",
    "wc",
    "whoami",
    "hostname",
    "uname",
    "nproc",
    "id",
    "expr",
    "arch",
];

impl Examiner<'_> {
    /// The words that one written word becomes.
    pub(in crate::shell) fn words(&mut self, written: &str) -> Vec<Value> {
        match brace::expand(written) {
            Ok(words) => words.iter().map(|word| self.file_names(word)).collect(),
            Err(refusal) => {
                self.deny(refusal.0);
                Vec::new()
            }
        }
    }

    /// A word whose patterns become names of files: they may not list what is outside.
    fn file_names(&mut self, written: &str) -> Value {
        let value = self.word(written);
        if value.many && value.unknown {
            self.deny(format!("nobody knows where the pattern `{written}` looks"));
        }
        if value.many {
            // The question mark of an address looks for a folder `https:`.
            let address =
                |sample: &&String| sample.starts_with("https://") || sample.starts_with("http://");
            let mut patterns =
                value.samples.iter().filter(|sample| !address(sample) || sample.contains(".."));
            let leaves = |sample: &String| path::leaves(sample, self.grants.workspace());
            if let Some(reason) = patterns.find_map(leaves) {
                self.deny(reason);
            }
        }
        value
    }

    /// A word without its braces and patterns expanded, as in an assignment.
    pub(in crate::shell) fn word(&mut self, written: &str) -> Value {
        self.expanded(word::pieces(written))
    }

    /// The body of a here-document.
    pub(super) fn body(&mut self, written: &str) {
        self.expanded(word::body_pieces(written));
    }

    fn expanded(&mut self, pieces: Read<Vec<Piece>>) -> Value {
        if !self.count_word() {
            return Value::unknown();
        }
        let mut value = Value::empty();
        let joined = pieces.and_then(|pieces| {
            for (index, piece) in pieces.iter().enumerate() {
                self.add(&mut value, piece, pieces.get(index + 1))?;
            }
            Ok(())
        });
        match joined {
            Ok(()) => value,
            Err(refusal) => {
                self.deny(refusal.0);
                Value::unknown()
            }
        }
    }

    fn add(&mut self, value: &mut Value, piece: &Piece, next: Option<&Piece>) -> Read<()> {
        match piece {
            Piece::Text(text) => value.push_text(text),
            Piece::Glob(_) => value.push_glob(),
            Piece::Tilde => {
                value.exact = false;
                value.push_text("~");
            }
            Piece::Variable { expression, quoted }
                if value.is_empty() && is_here(expression, next) =>
            {
                // The working directory never leaves the workspace. Its own name may have
                // blanks, but quotes are taken for granted only where there are some.
                value.exact = false;
                value.splits |= !quoted && self.scope.get(expression).is_some();
                value.push_text(".");
            }
            Piece::Variable { expression, quoted } => self.variable(value, expression, *quoted)?,
            Piece::Output { command, quoted } => {
                self.nested(command);
                match is_calm(command) {
                    true => value.push_calm(*quoted),
                    false => value.push_unknown(!quoted),
                }
            }
            Piece::Arithmetic(expression) => {
                self.arithmetic(expression)?;
                value.push_number();
            }
        }
        Ok(())
    }

    fn variable(&mut self, value: &mut Value, expression: &str, quoted: bool) -> Read<()> {
        let name_ends = expression.find(|one: char| !one.is_ascii_alphanumeric() && one != '_');
        let (name, rest) = expression.split_at(name_ends.unwrap_or(expression.len()));
        match expression {
            "?" | "#" | "$" => {
                value.push_number();
                return Ok(());
            }
            // The last of these is empty where nothing runs in the background.
            "@" | "*" | "-" | "!" => {
                value.push_unknown(!quoted);
                return Ok(());
            }
            _ => {}
        }
        if let Some(counted) = expression.strip_prefix('#').filter(|name| is_name(name)) {
            self.known_or_public(counted);
            value.push_number();
            return Ok(());
        }
        if name.is_empty() || rest.contains('[') || !is_harmless_operation(rest) {
            return refuse(format!("the expansion `${{{expression}}}` is not understood"));
        }
        self.known_or_public(name);
        if rest.is_empty() && self.scope.get(name).is_none() && PUBLIC.contains(&name) {
            // No patterns in there, and one word each in any sane house.
            value.push_calm(quoted);
        } else if rest.is_empty() {
            value.push_bound(self.scope.get(name), quoted);
        } else {
            value.push_unknown(!quoted);
        }
        Ok(())
    }

    /// What the environment holds is not the model's to print.
    fn known_or_public(&mut self, name: &str) {
        let digits = name.chars().all(|one| one.is_ascii_digit());
        if self.scope.get(name).is_none() && !PUBLIC.contains(&name) && !digits {
            self.ask(format!("the value of `${name}` is not known"));
        }
    }

    /// Names in arithmetic are evaluated again, so they must be known to be numbers.
    fn arithmetic(&mut self, expression: &str) -> Read<()> {
        let is_word = |one: char| one.is_ascii_alphanumeric() || one == '_';
        let names = expression.split(|one: char| !is_word(one)).filter(|word| is_name(word));
        for name in names {
            let number = match self.scope.get(name) {
                Some(Binding::Known { samples, .. }) => {
                    samples.iter().all(|sample| sample.chars().all(|one| one.is_ascii_digit()))
                }
                Some(Binding::Unknown | Binding::Calm) | None => false,
            };
            if !number {
                return refuse(format!("`{name}` in arithmetic may hold a command"));
            }
        }
        let sets = ["=", "++", "--"].iter().any(|sign| expression.contains(sign));
        if sets { refuse("arithmetic that may set a variable") } else { Ok(()) }
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|one: char| one.is_ascii_alphabetic() || one == '_')
        && word.chars().all(|one| one.is_ascii_alphanumeric() || one == '_')
}

/// `$PWD` as the beginning of a path.
fn is_here(expression: &str, next: Option<&Piece>) -> bool {
    let ends = match next {
        None => true,
        Some(Piece::Text(text)) => text.starts_with('/') || text.is_empty(),
        Some(
            Piece::Glob(_)
            | Piece::Tilde
            | Piece::Variable { .. }
            | Piece::Output { .. }
            | Piece::Arithmetic(_),
        ) => false,
    };
    expression == "PWD" && ends
}

/// What may stand behind a name: defaults, prefixes and suffixes taken off, case, parts by
/// number. Not what sets a variable, and not what evaluates text.
fn is_harmless_operation(rest: &str) -> bool {
    let digits = |text: &str| text.chars().all(|one| one.is_ascii_digit() || one == ':');
    match rest.strip_prefix(':') {
        Some(after) => after.starts_with(['-', '+']) || !after.is_empty() && digits(after),
        None => rest.is_empty() || rest.starts_with(['-', '+', '#', '%', '/', '^', ',']),
    }
}

/// Whether nothing in a substitution prints a pattern that would be expanded unquoted.
fn is_calm(command: &str) -> bool {
    // Of a pipeline only the last command prints.
    let mut parts =
        command.split([';', '&', '\n']).map(|part| part.rsplit('|').next().unwrap_or("").trim());
    let begins = |part: &str, calm: &str| {
        part.strip_prefix(calm).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    let calm = |part: &str| CALM.iter().any(|calm| begins(part, calm));
    let plain = |part: &str| !part.contains(['*', '?', '[', '$', '`', '\'', '"', '\\', '<', '(']);
    !command.contains("||") && parts.all(|part| plain(part) && calm(part))
}
