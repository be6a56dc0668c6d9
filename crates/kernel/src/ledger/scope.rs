//! What a cap is put on, and the key of its ledger row.
//!
//! A key is text with slashes: `task/<session>/<run>` for a run, and
//! `<name>/<subject>/<window>` for what many runs share, as in `user-day/ada/2026-11-21`.
//! Stores that lock rows lock them in the order of scopes (L18).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::units::SessionId;

/// What a cap is put on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One run, with everything that it starts.
    Task {
        /// The session.
        session: SessionId,
        /// The run's number in its session.
        run: u32,
    },
    /// What several runs draw on together.
    Shared {
        /// The name of the budget: lower-case letters, digits and hyphens.
        name: String,
        /// Whose it is: a tenant's, user's or agent's name, a label's value.
        subject: String,
        /// Which window of the calendar, as in `2026-11`. `None`: all of them; where the
        /// budget has windows this names its lasting cap and is never charged.
        window: Option<String>,
    },
}

/// The first part of the key of every run, and no budget's name.
pub const TASK: &str = "task";

impl Scope {
    /// The same budget without its window: what a lasting cap is put on.
    #[must_use]
    pub fn lasting(&self) -> Scope {
        match self {
            Scope::Task { .. } => self.clone(),
            Scope::Shared { name, subject, .. } => {
                Scope::Shared { name: name.clone(), subject: subject.clone(), window: None }
            }
        }
    }

    /// Whether several runs draw on it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        match self {
            Scope::Task { .. } => false,
            Scope::Shared { .. } => true,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Task { session, run } => write!(f, "{TASK}/{session}/{run}"),
            Scope::Shared { name, subject, window: None } => {
                write!(f, "{name}/{}", escaped(subject))
            }
            Scope::Shared { name, subject, window: Some(window) } => {
                write!(f, "{name}/{}/{window}", escaped(subject))
            }
        }
    }
}

/// Why a text is not a scope's key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no scope\nwrite it like `user-day/ada`, `tenant-month/acme/2026-11` or `task/<session>/<run>`"
)]
pub struct NotAScope(String);

impl FromStr for Scope {
    type Err = NotAScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text).ok_or_else(|| NotAScope(text.to_owned()))
    }
}

fn read(text: &str) -> Option<Scope> {
    let mut parts = text.split('/');
    let (name, subject, window) = (parts.next()?, parts.next()?, parts.next());
    if parts.next().is_some() || window.is_some_and(str::is_empty) {
        return None;
    }
    if name == TASK {
        return Some(Scope::Task { session: subject.parse().ok()?, run: window?.parse().ok()? });
    }
    let window = window.map(str::to_owned);
    is_budget_name(name).then_some(())?;
    Some(Scope::Shared { name: name.to_owned(), subject: unescaped(subject)?, window })
}

/// Whether a budget may be called this: lower-case letters, digits and hyphens.
#[must_use]
pub fn is_budget_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name != TASK && name.bytes().all(fits)
}

/// A subject is any text; a slash in it must not look like the border of a part.
fn escaped(subject: &str) -> String {
    subject.replace('%', "%25").replace('/', "%2F")
}

fn unescaped(part: &str) -> Option<String> {
    let mut pieces = part.split('%');
    let mut text = pieces.next()?.to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2)?;
        text.push(match code {
            "25" => '%',
            "2F" => '/',
            _ => return None,
        });
        text.push_str(rest);
    }
    Some(text)
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(name: &str, subject: &str, window: Option<&str>) -> Scope {
        Scope::Shared { name: name.into(), subject: subject.into(), window: window.map(Into::into) }
    }

    #[test]
    fn keys_read_back() {
        let session = SessionId(uuid::Uuid::nil());
        let cases = [
            (
                Scope::Task { session, run: 3 },
                "task/00000000-0000-0000-0000-000000000000/3".to_owned(),
            ),
            (shared("user-day", "ada", Some("2026-11-21")), "user-day/ada/2026-11-21".to_owned()),
            (shared("team", "a/b 100%", None), "team/a%2Fb 100%25".to_owned()),
            (shared("team", "", None), "team/".to_owned()),
        ];
        for (scope, key) in cases {
            assert_eq!(scope.to_string(), key);
            assert_eq!(key.parse(), Ok(scope));
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            "user-day",
            "User/ada",
            "user day/ada",
            "task/ada",
            "task/ada/1",
            "a/b/c/d",
            "a/b/",
            "a/%/c",
            "a/%2",
            "a/%41",
            "/ada",
        ] {
            assert!(text.parse::<Scope>().is_err(), "{text}");
        }
    }
}
