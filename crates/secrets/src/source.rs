//! A place that secrets come from, and what it gives.

use std::fmt::{self, Debug};
use std::sync::OnceLock;

use async_trait::async_trait;
use kernel::units::{Tenant, UnixMs};
use serde::Serialize;

use crate::error::SecretError;
use crate::handle::{Kind, Name};
use crate::sealed::random;
use crate::value::Secret;

/// Whose part of a source is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// The installation's own; tenants see what is granted to them.
    Installation,
    /// One tenant's.
    Tenant(Tenant),
}

impl Owner {
    /// The tenant's id, or nothing for the installation.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        match self {
            Owner::Installation => None,
            Owner::Tenant(Tenant(id)) => Some(id),
        }
    }

    /// The folder of a tenant in a source that has folders; nothing for the installation.
    /// It begins with `@`, which no name can, and two tenants never share one: whatever
    /// is not a letter, a digit, `.`, `_` or `-` is written as `=` and two hex digits.
    pub(crate) fn folder(&self) -> Option<String> {
        let id = self.tenant()?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let coded = id.bytes().map(|b| match plain(b) {
            true => char::from(b).to_string(),
            false => format!("={b:02X}"),
        });
        Some(std::iter::once("@".to_owned()).chain(coded).collect())
    }

    /// Where a name is under its owner's folder.
    pub(crate) fn path(&self, name: &Name) -> String {
        self.folder().map_or_else(|| name.to_string(), |folder| format!("{folder}/{name}"))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::Installation => f.write_str("the installation"),
            Owner::Tenant(Tenant(id)) => f.write_str(id),
        }
    }
}

/// Which value of a secret: whatever the source calls its versions. Equal versions are
/// equal values; nothing else can be learned from one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Version(pub String);

impl Version {
    /// For sources that count no versions: a hash under a key that lives as long as this
    /// process, so that a change is seen and no value can be guessed from it.
    ///
    /// # Errors
    /// [`SecretError::Unavailable`]: the system gives no random bytes.
    pub fn of(value: &Secret) -> Result<Self, SecretError> {
        static KEY: OnceLock<[u8; 32]> = OnceLock::new();
        let key = match KEY.get() {
            Some(key) => key,
            None => {
                let fresh = random()?;
                KEY.get_or_init(|| fresh)
            }
        };
        let hash = blake3::keyed_hash(key, value.expose());
        Ok(Version(hash.to_hex()[..16].to_owned()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value that was replaced, good for a while longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// The value.
    pub value: Secret,
    /// Its version.
    pub version: Version,
    /// When it stops being good.
    pub until: UnixMs,
}

/// A value with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// The value to use.
    pub value: Secret,
    /// Its version.
    pub version: Version,
    /// The one before it. Use it where the other side does not know the new one yet, and
    /// accept it from callers that do not.
    pub former: Option<Former>,
    /// How long the source says that it stays as it is, in milliseconds.
    pub fresh_ms: Option<u64>,
}

impl Versioned {
    /// A value that stands alone.
    #[must_use]
    pub fn new(value: Secret, version: Version) -> Self {
        Versioned { value, version, former: None, fresh_ms: None }
    }

    /// The values that are good at `now`, the newest first.
    pub fn good(&self, now: UnixMs) -> impl Iterator<Item = (&Version, &Secret)> {
        let former = self.former.iter().filter(move |former| now < former.until);
        std::iter::once((&self.version, &self.value))
            .chain(former.map(|former| (&former.version, &former.value)))
    }

    /// Whether what somebody presented is a good value at `now`. All of them are compared,
    /// so that the time does not tell which one it was.
    #[must_use]
    pub fn accepts(&self, presented: &[u8], now: UnixMs) -> bool {
        self.good(now).fold(false, |found, (_, value)| value.is(presented) | found)
    }
}

/// What a source is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// In whose part.
    pub owner: &'a Owner,
    /// Under which name.
    pub name: &'a Name,
    /// Which field of the JSON object there.
    pub field: Option<&'a str>,
    /// The time of asking.
    pub now: UnixMs,
}

impl Wanted<'_> {
    /// How errors of a source speak of it.
    pub(crate) fn shown(&self, kind: Kind) -> String {
        format!("{}:{}", kind.word(), self.owner.path(self.name))
    }
}

/// What changes when a source's content changes, as far as that can be seen without
/// reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(pub(crate) [i64; 6]);

/// A place that secrets come from. It reads within the owner's part and nowhere else.
#[async_trait]
pub trait Source: Send + Sync + Debug {
    /// What it is.
    fn kind(&self) -> Kind;

    /// The value, or nothing where the next source should be asked.
    ///
    /// # Errors
    /// Any but [`SecretError::Missing`]. No other source is asked then: a source that is
    /// out must not make a different value of the same name appear.
    async fn read(&self, wanted: &Wanted<'_>) -> Result<Option<Versioned>, SecretError>;

    /// Cheaply, what a cached value is good against: it is read again when this changes.
    fn mark(&self, _: &Wanted<'_>) -> Option<Mark> {
        None
    }

    /// Whether it keeps replaced values itself for as long as they are good. For others
    /// [`Secrets`](crate::Secrets) remembers what it has seen.
    fn keeps_former(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tenants_share_a_folder() {
        let folder = |id: &str| Owner::Tenant(Tenant(id.to_owned())).folder().unwrap();
        assert_eq!(folder("acme-2.eu"), "@acme-2.eu");
        assert_eq!(folder("a/b"), "@a=2Fb");
        assert_eq!(folder("a=2Fb"), "@a=3D2Fb");
        assert_eq!(folder("../x"), "@..=2Fx");
        assert_eq!(folder("ä"), "@=C3=A4");
        assert_eq!(Owner::Installation.folder(), None);
    }

    #[test]
    fn a_former_value_is_good_until_its_instant() {
        let secret = |text: &str| Secret::of_text(text.to_owned()).unwrap();
        let (old, new) = (Version("1".to_owned()), Version("2".to_owned()));
        let former = Former { value: secret("old"), version: old, until: UnixMs(100) };
        let both = Versioned { former: Some(former), ..Versioned::new(secret("new"), new) };
        let good = |now| both.good(UnixMs(now)).map(|(v, _)| v.0.clone()).collect::<Vec<_>>();
        assert_eq!(good(99), ["2", "1"]);
        assert_eq!(good(100), ["2"]);
        assert!(both.accepts(b"old", UnixMs(99)) && both.accepts(b"new", UnixMs(99)));
        assert!(!both.accepts(b"old", UnixMs(100)) && !both.accepts(b"other", UnixMs(99)));
    }

    #[test]
    fn a_version_follows_the_value() {
        let version = |text: &str| Version::of(&Secret::of_text(text.to_owned()).unwrap()).unwrap();
        assert_eq!(version("a"), version("a"));
        assert_ne!(version("a"), version("b"));
        assert!(!blake3::hash(b"a").to_hex().starts_with(&version("a").0));
    }
}
