//! Content encrypted so that destroying a key erases it.
//!
//! Each session has a key of its own; it is kept wrapped under its tenant's key, and the
//! content is sealed under the session's. To erase a session's content, destroy its
//! wrapped key wherever it is kept; to erase a tenant's, destroy the tenant's key. What
//! was sealed stays as bytes that nobody can open, so hashes over them still hold.
//!
//! That is as good as the destruction: a copy of the key in a backup opens what is in the
//! backup. Keep wrapped keys in one place, with backups of their own that do not live
//! longer than your promise of erasure.
//!
//! Pieces are bound to what the caller names (`tenant`, session, sequence number), so none
//! can be put in another's place.

use crate::error::SecretError;
use crate::sealed::{Key, KeyId, binding, open as open_sealed, seal as seal_bytes};

/// What a piece begins with: the format of this module.
const FORMAT: u8 = 1;

/// The longest content of one piece, in bytes.
pub const CONTENT_BYTES_MAX: usize = 64 * 1_024 * 1_024;

/// A tenant's key. It wraps the keys of sessions and nothing else.
#[derive(Debug)]
pub struct TenantKey(Key);

/// A session's key. It seals content and nothing else.
#[derive(Debug)]
pub struct SessionKey(Key);

impl TenantKey {
    /// A new one.
    ///
    /// # Errors
    /// [`SecretError::Unavailable`]: the system gives no random bytes.
    pub fn generate() -> Result<Self, SecretError> {
        Key::generate().map(TenantKey)
    }

    /// The key from where it is kept: 32 bytes in base64.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        Key::read(text).map(TenantKey)
    }

    /// The key as it is kept, as in the encrypted file.
    #[must_use]
    pub fn written(&self) -> zeroize::Zeroizing<String> {
        self.0.written()
    }

    /// Which key it is.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.0.id()
    }

    /// A session's key, sealed so that this key alone opens it, and only for the same
    /// `of`: the parts that name tenant and session.
    ///
    /// # Errors
    /// [`SecretError::Unavailable`]: the system gives no random bytes.
    pub fn wrap(&self, session: &SessionKey, of: &[&[u8]]) -> Result<Vec<u8>, SecretError> {
        piece(&self.0, "windlass envelope 1: key", of, session.0.bytes())
    }

    /// The session's key in what [`TenantKey::wrap`] made.
    ///
    /// # Errors
    /// [`SecretError::Damaged`] where key, parts or bytes are not those,
    /// [`SecretError::Unusable`] for a newer format.
    pub fn unwrap(&self, wrapped: &[u8], of: &[&[u8]]) -> Result<SessionKey, SecretError> {
        let what = "a session's key";
        let plain = content(&self.0, "windlass envelope 1: key", of, wrapped, what)?;
        let key =
            Key::of_slice(&plain).ok_or_else(|| SecretError::damaged(what, "it is no key"))?;
        Ok(SessionKey(key))
    }
}

impl SessionKey {
    /// A new one.
    ///
    /// # Errors
    /// [`SecretError::Unavailable`]: the system gives no random bytes.
    pub fn generate() -> Result<Self, SecretError> {
        Key::generate().map(SessionKey)
    }

    /// Which key it is.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.0.id()
    }
}

/// Content, sealed so that it opens with the same key and for the same `of` alone: the
/// parts that name its place.
///
/// # Errors
/// [`SecretError::Unusable`]: it is longer than [`CONTENT_BYTES_MAX`];
/// [`SecretError::Unavailable`]: the system gives no random bytes.
pub fn seal(key: &SessionKey, of: &[&[u8]], plain: &[u8]) -> Result<Vec<u8>, SecretError> {
    if plain.len() > CONTENT_BYTES_MAX {
        let why = format!("it is longer than {CONTENT_BYTES_MAX} bytes");
        return Err(SecretError::unusable("the content", why));
    }
    piece(&key.0, "windlass envelope 1: content", of, plain)
}

/// The content of what [`seal`] made.
///
/// # Errors
/// [`SecretError::Damaged`] where key, parts or bytes are not those,
/// [`SecretError::Unusable`] for a newer format.
pub fn open(
    key: &SessionKey,
    of: &[&[u8]],
    sealed: &[u8],
) -> Result<zeroize::Zeroizing<Vec<u8>>, SecretError> {
    content(&key.0, "windlass envelope 1: content", of, sealed, "the content")
}

fn piece(key: &Key, purpose: &str, of: &[&[u8]], plain: &[u8]) -> Result<Vec<u8>, SecretError> {
    let sealed = seal_bytes(key, &bound(purpose, of), plain)?;
    Ok([[FORMAT].as_slice(), &sealed].concat())
}

fn content(
    key: &Key,
    purpose: &str,
    of: &[&[u8]],
    piece: &[u8],
    what: &str,
) -> Result<zeroize::Zeroizing<Vec<u8>>, SecretError> {
    let damaged = || SecretError::damaged(what, "it does not open with this key in this place");
    match piece.split_first() {
        Some((&FORMAT, sealed)) => {
            open_sealed(key, &bound(purpose, of), sealed).ok_or_else(damaged)
        }
        Some((newer, _)) if *newer > FORMAT => {
            let why = format!("it has format {newer}, and this program reads up to {FORMAT}");
            Err(SecretError::unusable(what, why))
        }
        Some(_) | None => Err(damaged()),
    }
}

fn bound(purpose: &str, of: &[&[u8]]) -> Vec<u8> {
    let parts: Vec<&[u8]> = std::iter::once(purpose.as_bytes()).chain(of.iter().copied()).collect();
    binding(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn under_one_key_a_key_is_no_content_and_content_no_key() {
        let bytes = [7; 32];
        let (tenant, session) = (TenantKey(Key::of(&bytes)), SessionKey(Key::of(&bytes)));
        let of: &[&[u8]] = &[b"acme"];
        let wrapped = tenant.wrap(&SessionKey::generate().unwrap(), of).unwrap();
        assert!(tenant.unwrap(&wrapped, of).is_ok());
        assert!(open(&session, of, &wrapped).is_err());
        let sealed = seal(&session, of, &[7; 32]).unwrap();
        assert!(open(&session, of, &sealed).is_ok());
        assert!(tenant.unwrap(&sealed, of).is_err());
    }
}
