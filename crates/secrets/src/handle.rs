//! Handles: how tools and configuration speak of secrets without having them.
//!
//! `secret://stripe-key` is looked up in every source in order; `vault:billing/stripe#key`
//! in Vault alone, where `#key` picks a field of a JSON object. A name is always read
//! within its owner's part of a source, so no spelling of it leads to another tenant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// Parts of a name between slashes.
const NAME_PARTS_MAX: usize = 8;

/// The longest name of a field, in bytes.
const FIELD_BYTES_MAX: usize = 100;

/// What a handle for any source begins with.
const ANYWHERE: &str = "secret://";

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Environment variables.
    Env,
    /// One file for each secret.
    File,
    /// The encrypted file.
    Enc,
    /// AWS Secrets Manager.
    Aws,
    /// HashiCorp Vault, or what speaks like it.
    Vault,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Env, Kind::File, Kind::Enc, Kind::Aws, Kind::Vault];

    /// The word before the colon.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::Env => "env",
            Kind::File => "file",
            Kind::Enc => "enc",
            Kind::Aws => "aws",
            Kind::Vault => "vault",
        }
    }
}

/// A secret's name: parts of letters, digits, `.`, `_` and `-`, with slashes between
/// them. Each part begins with a letter, a digit or `_`, so none is `..` and none can be
/// taken for a tenant's folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Name(String);

/// Why a text is no handle or no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAHandle {
    /// It has no `secret://` and no kind of source before it. It may be a value that
    /// somebody wrote in a handle's place, so it is not repeated.
    #[error(
        "this is not a handle\nhint: write `secret://NAME`, or `env:`, `file:`, `enc:`, `aws:` or `vault:` and a name"
    )]
    NoScheme,
    /// The name is not one.
    #[error(
        "`{0}` is not a name of a secret\nhint: letters, digits, `.`, `_` and `-`, at most 200; parts between slashes begin with a letter, a digit or `_`"
    )]
    Name(String),
    /// The field is not one.
    #[error("the field after `#` must have between 1 and 100 bytes and no control characters")]
    Field,
}

impl Name {
    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NotAHandle;

    fn from_str(text: &str) -> Result<Self, NotAHandle> {
        let good = text.len() <= NAME_BYTES_MAX
            && text.split('/').count() <= NAME_PARTS_MAX
            && text.split('/').all(part_of_a_name);
        let shown = || text.chars().take(NAME_BYTES_MAX).collect();
        if good { Ok(Name(text.to_owned())) } else { Err(NotAHandle::Name(shown())) }
    }
}

fn part_of_a_name(part: &str) -> bool {
    let begins = part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    begins && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Which secret, and where to look: everything about it but its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle {
    /// The only kind of source to ask, or all of them in order.
    pub kind: Option<Kind>,
    /// The name.
    pub name: Name,
    /// The field of the JSON object that the source keeps under this name.
    pub field: Option<String>,
}

impl FromStr for Handle {
    type Err = NotAHandle;

    fn from_str(text: &str) -> Result<Self, NotAHandle> {
        let (kind, rest) = scheme(text).ok_or(NotAHandle::NoScheme)?;
        let (name, field) = match rest.split_once('#') {
            None => (rest, None),
            Some((name, field)) => (name, Some(field.to_owned())),
        };
        let bad =
            |f: &String| f.is_empty() || f.len() > FIELD_BYTES_MAX || f.contains(char::is_control);
        if field.as_ref().is_some_and(bad) {
            return Err(NotAHandle::Field);
        }
        Ok(Handle { kind, name: name.parse()?, field })
    }
}

/// What stands before the name, and the rest.
fn scheme(text: &str) -> Option<(Option<Kind>, &str)> {
    if let Some(rest) = text.strip_prefix(ANYWHERE) {
        return Some((None, rest));
    }
    let (word, rest) = text.split_once(':')?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word)?;
    Some((Some(kind), rest))
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            None => write!(f, "{ANYWHERE}{}", self.name)?,
            Some(kind) => write!(f, "{}:{}", kind.word(), self.name)?,
        }
        self.field.as_ref().map_or(Ok(()), |field| write!(f, "#{field}"))
    }
}

impl Serialize for Handle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Handle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_read_back_as_they_were_written() {
        for text in [
            "secret://stripe-key",
            "secret://billing/stripe#api_key",
            "vault:billing/stripe#key",
            "aws:prod.db#password",
            "env:STRIPE_KEY",
            "file:tls/server.key",
            "enc:_internal",
        ] {
            let handle: Handle = text.parse().unwrap();
            assert_eq!(handle.to_string(), text);
            let json = serde_json::to_string(&handle).unwrap();
            assert_eq!(serde_json::from_str::<Handle>(&json).unwrap(), handle, "{text}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_no_name() {
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        let deep = ["x"; NAME_PARTS_MAX + 1].join("/");
        for wrong in [
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "a/",
            "../b",
            "a/../b",
            "a/./b",
            ".hidden",
            "@acme/x",
            "a/@acme/x",
            "-rf",
            "a b",
            "a%2fb",
            "a\\b",
            "a\0b",
            "a:b",
            "ä",
            "a=b",
            "a\n",
            &long,
            &deep,
        ] {
            assert!(matches!(wrong.parse::<Name>(), Err(NotAHandle::Name(_))), "{wrong:?}");
            assert!(format!("secret://{wrong}").parse::<Handle>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_handle_names_its_source_and_a_field_that_is_one() {
        for wrong in ["stripe", "secret:stripe", "https://x", "Vault:x", "s3:x", ":x"] {
            assert_eq!(wrong.parse::<Handle>(), Err(NotAHandle::NoScheme), "{wrong}");
        }
        for wrong in ["vault:x#", "vault:x#a\nb"] {
            assert_eq!(wrong.parse::<Handle>(), Err(NotAHandle::Field), "{wrong:?}");
        }
    }
}
