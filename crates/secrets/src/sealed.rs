//! Keys, and bytes sealed under them with XChaCha20-Poly1305.
//!
//! A sealed piece is its nonce (24 random bytes), the ciphertext and the tag (16 bytes).
//! Nobody chooses a nonce; 24 bytes are enough that random ones do not repeat.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretBox};
use serde::Serialize;
use zeroize::{Zeroize, Zeroizing};

use crate::error::SecretError;

/// The length of every key, in bytes.
pub(crate) const KEY_BYTES: usize = 32;

/// The length of a nonce, in bytes.
const NONCE_BYTES: usize = 24;

/// 32 random bytes that open what they sealed. It is overwritten when it goes; `Debug`
/// shows its id.
pub struct Key(SecretBox<[u8; KEY_BYTES]>);

/// Which key: a hash of it that tells nothing else about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct KeyId(pub String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Key {
    /// A new one.
    ///
    /// # Errors
    /// [`SecretError::Unavailable`]: the system gives no random bytes.
    pub fn generate() -> Result<Self, SecretError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        fill(bytes.as_mut_slice())?;
        Ok(Key::of(&bytes))
    }

    /// The key with these bytes.
    #[must_use]
    pub fn of(bytes: &[u8; KEY_BYTES]) -> Self {
        Key(SecretBox::init_with_mut(|key: &mut [u8; KEY_BYTES]| key.copy_from_slice(bytes)))
    }

    /// The key with these bytes, where there are as many as a key has.
    pub(crate) fn of_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Key::of)
    }

    /// Reads base64, with space around it; nothing where it is not 32 bytes.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        // Sized beforehand, so that no copy of the key is left behind by growing.
        let mut bytes = Zeroizing::new([0; KEY_BYTES + 4]);
        let length = STANDARD.decode_slice(text.trim_ascii(), bytes.as_mut_slice()).ok()?;
        Key::of_slice(bytes.get(..length)?)
    }

    /// The key in base64, to be kept.
    #[must_use]
    pub fn written(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.bytes()))
    }

    /// Which key it is.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let mut hash = blake3::derive_key("windlass secrets 1: id of a key", self.bytes());
        let id = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        hash.zeroize();
        KeyId(id)
    }

    /// A key for another purpose, from which this one cannot be found.
    pub(crate) fn derive(&self, purpose: &'static str) -> Key {
        Key::of(&Zeroizing::new(blake3::derive_key(purpose, self.bytes())))
    }

    /// The bytes, for the moment in which they are used.
    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

/// Seals `plain` so that it opens with the same key and the same `bound` alone.
///
/// # Errors
/// [`SecretError::Unavailable`]: the system gives no random bytes.
pub(crate) fn seal(key: &Key, bound: &[u8], plain: &[u8]) -> Result<Vec<u8>, SecretError> {
    let nonce: [u8; NONCE_BYTES] = random()?;
    let cipher = XChaCha20Poly1305::new(key.bytes().into());
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: bound })
        .map_err(|_| SecretError::unusable("the content", "it is too long to be encrypted"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// What was sealed, or nothing where key, binding or bytes are not those.
pub(crate) fn open(key: &Key, bound: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    let cipher = XChaCha20Poly1305::new(key.bytes().into());
    let plain = cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: bound });
    plain.ok().map(Zeroizing::new)
}

/// Parts in one piece that no other parts make: each with its length before it.
pub(crate) fn binding(parts: &[&[u8]]) -> Vec<u8> {
    let mut bound = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        bound.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bound.extend_from_slice(part);
    }
    bound
}

/// Random bytes of the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], SecretError> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

fn fill(bytes: &mut [u8]) -> Result<(), SecretError> {
    let none = |_| SecretError::unavailable("randomness", "the system gives no random bytes");
    SystemRandom::new().fill(bytes).map_err(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_and_binding_alone() {
        let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
        let sealed = seal(&key, b"here", b"plain").unwrap();
        assert_eq!(open(&key, b"here", &sealed).unwrap().as_slice(), b"plain");
        assert!(open(&other, b"here", &sealed).is_none());
        assert!(open(&key, b"there", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert!(open(&key, b"here", &flipped).is_none(), "byte {at}");
            assert!(open(&key, b"here", &sealed[..at]).is_none(), "cut at {at}");
        }
        assert_ne!(seal(&key, b"here", b"plain").unwrap(), sealed, "nonces repeat");
    }

    #[test]
    fn a_key_reads_back_and_shows_its_id_alone() {
        let key = Key::generate().unwrap();
        let text = key.written();
        let read = Key::read(format!(" {}\n", *text).as_bytes()).unwrap();
        assert_eq!(read.bytes(), key.bytes());
        assert_eq!(format!("{key:?}"), format!("Key({})", key.id()));
        for wrong in ["", "x", "AAAA", &text[..40], &format!("{}AAAA", *text)] {
            assert!(Key::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn parts_cannot_be_moved_across_their_borders() {
        assert_ne!(binding(&[b"ab", b"c"]), binding(&[b"a", b"bc"]));
        assert_ne!(binding(&[b"a"]), binding(&[b"a", b""]));
    }
}
