//! Literals, quoted names and comments: where each begins and ends.

use super::super::Dialect;
use crate::url::unseen::reorders;

/// In which quotes a backslash takes the next character with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Escapes {
    single: bool,
    double: bool,
}

impl Escapes {
    pub(super) const NONE: Self = Escapes { single: false, double: false };
    pub(super) const SINGLE: Self = Escapes { single: true, double: false };
    pub(super) const BOTH: Self = Escapes { single: true, double: true };

    /// As the engine reads unless somebody changed its settings.
    pub(super) fn usual(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Sqlite | Dialect::Postgres => Escapes::NONE,
            Dialect::Mysql => Escapes::BOTH,
        }
    }
}

/// What a region is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Literal,
    Name,
    Comment,
    /// A string of digits in base 16: nothing in it could be read differently.
    Digits,
}

/// A stretch of text that is not read as SQL: characters `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Why a text has no regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The engine would refuse it too: something is not closed.
    Unterminated(&'static str),
    /// It is not certain what the engine would make of it.
    Refused(String),
}

type Found<T> = Result<T, Flaw>;

/// The regions of a text in their order.
pub(super) fn regions(chars: &[char], dialect: Dialect, escapes: Escapes) -> Found<Vec<Region>> {
    let usual = escapes == Escapes::usual(dialect);
    let mut scan = Scan { chars, dialect, escapes, usual, at: 0 };
    let mut found = Vec::new();
    while scan.at < chars.len() {
        let start = scan.at;
        let Some(kind) = scan.next()? else {
            continue;
        };
        readable(&chars[start..scan.at])?;
        found.push(Region { kind, start, end: scan.at });
    }
    Ok(found)
}

/// Nobody can approve what they cannot see.
fn readable(inside: &[char]) -> Found<()> {
    let hidden = |c: &&char| reorders(**c) || (c.is_control() && !"\t\r\n".contains(**c));
    match inside.iter().find(hidden) {
        Some(c) => refused(format!("an invisible character (U+{:04X})", u32::from(*c))),
        None => Ok(()),
    }
}

fn refused<T>(why: impl Into<String>) -> Found<T> {
    Err(Flaw::Refused(why.into()))
}

struct Scan<'a> {
    chars: &'a [char],
    dialect: Dialect,
    escapes: Escapes,
    /// Whether this is how it will be read. Another reading is only asked where it ends.
    usual: bool,
    at: usize,
}

impl Scan<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn sees(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == Some(c))
    }

    /// Moves over the next piece; says what it was where it is a region.
    fn next(&mut self) -> Found<Option<Kind>> {
        let c = self.chars[self.at];
        match (c, self.dialect) {
            ('\'', _) => self.quoted('\'', self.escapes.single, Kind::Literal),
            ('"', Dialect::Mysql) => self.quoted('"', self.escapes.double, Kind::Literal),
            ('"', Dialect::Sqlite | Dialect::Postgres) => self.quoted('"', false, Kind::Name),
            ('`', Dialect::Sqlite | Dialect::Mysql) => self.quoted('`', false, Kind::Name),
            ('[', Dialect::Sqlite) => self.bracketed(),
            ('-', _) if self.sees("--") => self.dashes(),
            ('#', Dialect::Mysql) => self.line_comment(),
            ('/', _) if self.sees("/*") => self.block_comment(),
            ('$', Dialect::Postgres) => self.dollar(),
            _ if c.is_ascii_digit() => {
                self.word();
                Ok(None)
            }
            _ if self.begins_word(c) => self.word_or_prefix(),
            _ => {
                self.at += 1;
                Ok(None)
            }
        }
    }

    fn begins_word(&self, c: char) -> bool {
        c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
    }

    fn word(&mut self) {
        let dollar = self.dialect != Dialect::Sqlite;
        while self
            .peek(0)
            .is_some_and(|c| self.begins_word(c) || c.is_ascii_digit() || (dollar && c == '$'))
        {
            self.at += 1;
        }
    }

    /// A string or name in quotes; the quote doubled stands for itself.
    fn quoted(&mut self, quote: char, escapes: bool, kind: Kind) -> Found<Option<Kind>> {
        self.at += 1;
        while let Some(c) = self.peek(0) {
            self.at += 1;
            if c == '\\' && escapes {
                self.at += 1;
            } else if c == quote {
                if self.peek(0) != Some(quote) {
                    return self.after(kind);
                }
                self.at += 1;
            }
        }
        Err(Flaw::Unterminated("a quote"))
    }

    /// PostgreSQL joins strings over a line break, and the second is read like the first.
    fn after(&self, kind: Kind) -> Found<Option<Kind>> {
        let next = self.chars[self.at..].iter().find(|c| !c.is_whitespace());
        if self.dialect == Dialect::Postgres && kind == Kind::Literal && next == Some(&'\'') {
            return refused("two strings in a row");
        }
        Ok(Some(kind))
    }

    /// `[name]`, which knows no way to write its own end.
    fn bracketed(&mut self) -> Found<Option<Kind>> {
        while let Some(c) = self.peek(0) {
            self.at += 1;
            if c == ']' {
                return match self.peek(0) {
                    Some(']') => refused("`]]` after a name in brackets"),
                    _ => Ok(Some(Kind::Name)),
                };
            }
        }
        Err(Flaw::Unterminated("a bracket"))
    }

    fn dashes(&mut self) -> Found<Option<Kind>> {
        let blank = self.peek(2).is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
        if self.dialect == Dialect::Mysql && !blank {
            return refused("`--` without a space: a comment elsewhere, two signs in mysql");
        }
        self.line_comment()
    }

    fn line_comment(&mut self) -> Found<Option<Kind>> {
        let ends = |c: char| c == '\n' || (c == '\r' && self.dialect == Dialect::Postgres);
        let rest = &self.chars[self.at..];
        let length = rest.iter().position(|c| ends(*c)).unwrap_or(rest.len());
        // A carriage return ends the line for people and for some engines.
        let inside = rest[..length].strip_suffix(&['\r']).unwrap_or(&rest[..length]);
        if inside.contains(&'\r') {
            return refused("a comment with a carriage return in it");
        }
        self.at += length;
        Ok(Some(Kind::Comment))
    }

    fn block_comment(&mut self) -> Found<Option<Kind>> {
        for (opens, what) in [
            ("/*!", "a comment that mysql executes"),
            ("/*M!", "a comment that mariadb executes"),
            ("/*+", "a comment that the planner obeys"),
        ] {
            if self.sees(opens) {
                return refused(what);
            }
        }
        let mut depth = 0_usize;
        while self.at < self.chars.len() {
            if self.sees("/*") {
                if depth > 0 && self.dialect != Dialect::Postgres {
                    return refused("a comment inside a comment");
                }
                depth += 1;
                self.at += 2;
            } else if self.sees("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return Ok(Some(Kind::Comment));
                }
            } else {
                self.at += 1;
            }
        }
        Err(Flaw::Unterminated("a comment"))
    }

    /// `$1`, `$$…$$` or `$tag$…$tag$`.
    fn dollar(&mut self) -> Found<Option<Kind>> {
        let rest = &self.chars[self.at + 1..];
        let length = rest.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '_').count();
        let tag = &rest[..length];
        if !tag.is_empty() && tag.iter().all(char::is_ascii_digit) {
            self.at += 1 + length;
            return match self.peek(0) {
                Some(c) if self.begins_word(c) || c == '$' => refused("an odd parameter"),
                Some(_) | None => Ok(None),
            };
        }
        if rest.get(length) != Some(&'$') || tag.first().is_some_and(char::is_ascii_digit) {
            return refused("a `$` that begins neither a parameter nor a string");
        }
        let fence = self.chars[self.at..self.at + length + 2].to_vec();
        let body = self.at + fence.len();
        let end = self.chars[body..].windows(fence.len()).position(|window| window == fence);
        let Some(end) = end else {
            return Err(Flaw::Unterminated("a dollar-quoted string"));
        };
        self.at = body + end + fence.len();
        Ok(Some(Kind::Literal))
    }

    /// A word; where a quote touches it, the word says how the string is read.
    fn word_or_prefix(&mut self) -> Found<Option<Kind>> {
        let start = self.at;
        self.word();
        let word = self.chars[start..self.at].iter().collect::<String>().to_ascii_lowercase();
        let quote = match self.peek(0) {
            Some(quote @ ('\'' | '"')) => quote,
            Some('&') if word == "u" && matches!(self.peek(1), Some('\'' | '"')) => {
                return refused("a string or name with unicode escapes");
            }
            _ => return Ok(None),
        };
        match (self.dialect, word.as_str(), quote) {
            (_, "x", '\'') => self.digits(Kind::Digits),
            (Dialect::Postgres | Dialect::Mysql, "b", '\'') => self.digits(Kind::Literal),
            (Dialect::Postgres, "e", '\'') => self.quoted(quote, true, Kind::Literal),
            (Dialect::Postgres, "n", '\'') => {
                self.quoted(quote, self.escapes.single, Kind::Literal)
            }
            (Dialect::Mysql, "n", '\'') => self.quoted(quote, self.escapes.single, Kind::Literal),
            // The string after a character set is a piece of its own.
            (Dialect::Mysql, "_utf8mb4" | "_utf8mb3" | "_utf8" | "_binary" | "_ascii", _) => {
                Ok(None)
            }
            _ if !self.usual => Ok(None),
            _ => refused(format!("a string right after the word `{word}`")),
        }
    }

    fn digits(&mut self, kind: Kind) -> Found<Option<Kind>> {
        let rest = &self.chars[self.at + 1..];
        if rest.iter().find(|c| !c.is_ascii_hexdigit()) != Some(&'\'') {
            if !self.usual {
                return Ok(None);
            }
            return refused("a binary string with something else than digits in it");
        }
        self.quoted('\'', false, kind)
    }
}
