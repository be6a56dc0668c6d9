//! What commands and the audit are told of the encrypted file: everything but values.

use kernel::units::UnixMs;
use serde::Serialize;

use crate::handle::Name;
use crate::sealed::KeyId;
use crate::source::{Owner, Version};

/// What a change did, for the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The tenant, or nothing for the installation.
    pub tenant: Option<String>,
    /// The secret's name.
    pub name: Name,
    /// Its new version; of a removed one, the last.
    pub version: Version,
    /// The key that the file is locked with.
    pub key: KeyId,
    /// Whether it was not there before.
    pub created: bool,
    /// Until when the value before stays good, where it does.
    pub former_until: Option<UnixMs>,
}

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The tenant, or nothing for the installation.
    pub tenant: Option<String>,
    /// The secret's name.
    pub name: Name,
    /// Its version.
    pub version: Version,
    /// When it was first set.
    pub created: UnixMs,
    /// When its value last changed.
    pub changed: UnixMs,
    /// Until when the value before stays good, where it does.
    pub former_until: Option<UnixMs>,
}

/// What rotating the keys did, for the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rotated {
    /// The key that the file was locked with.
    pub old_key: KeyId,
    /// The one it is locked with now; the same where only the data key is new.
    pub new_key: KeyId,
    /// How many secrets were encrypted anew.
    pub entries: usize,
}

impl Changed {
    /// A change of what was there, with nothing left of the value before.
    pub(super) fn new(owner: &Owner, name: &Name, version: u64, key: KeyId) -> Self {
        Changed {
            tenant: owner.tenant().map(str::to_owned),
            name: name.clone(),
            version: Version(version.to_string()),
            key,
            created: false,
            former_until: None,
        }
    }
}
