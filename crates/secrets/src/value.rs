//! A value that cannot be printed.

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretSlice};
use zeroize::{Zeroize, Zeroizing};

/// The longest value, in bytes: what AWS Secrets Manager takes at most.
pub const SECRET_BYTES_MAX: usize = 64 * 1_024;

/// A secret value. It has no `Display` and no `Serialize`, so that writing it anywhere
/// does not compile; `Debug` says only that there is one. Clones share one piece of
/// memory, which is overwritten when the last of them goes. Comparing takes the same
/// time wherever two values differ and does not tell their lengths.
///
/// ```compile_fail
/// let secret = secrets::Secret::new(b"hunter2".to_vec()).unwrap();
/// println!("{secret}");
/// ```
/// ```compile_fail
/// let secret = secrets::Secret::new(b"hunter2".to_vec()).unwrap();
/// serde_json::to_string(&secret);
/// ```
#[derive(Clone)]
pub struct Secret(Arc<SecretSlice<u8>>);

/// Why bytes are no secret, or not the one that is needed. It does not repeat them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadValue {
    /// There is nothing.
    #[error("the value is empty")]
    Empty,
    /// There is too much.
    #[error("the value is longer than {SECRET_BYTES_MAX} bytes")]
    TooLong,
    /// Text is needed, and these bytes are none.
    #[error("the value is not UTF-8 text")]
    NotText,
}

impl Secret {
    /// Takes the bytes over; the memory that they were in is overwritten.
    ///
    /// # Errors
    /// [`BadValue::Empty`] or [`BadValue::TooLong`].
    pub fn new(bytes: impl Into<Zeroizing<Vec<u8>>>) -> Result<Self, BadValue> {
        let bytes = bytes.into();
        match bytes.len() {
            0 => Err(BadValue::Empty),
            length if length > SECRET_BYTES_MAX => Err(BadValue::TooLong),
            // A copy of the exact length: shrinking the vector in place might move it
            // and leave the old memory as it was.
            _ => Ok(Secret(Arc::new(SecretSlice::from(Vec::from(bytes.as_slice()))))),
        }
    }

    /// The same of text.
    ///
    /// # Errors
    /// As [`Secret::new`].
    pub fn of_text(text: impl Into<Zeroizing<String>>) -> Result<Self, BadValue> {
        let mut text: Zeroizing<String> = text.into();
        Secret::new(Zeroizing::new(std::mem::take(&mut *text).into_bytes()))
    }

    /// The bytes, for the moment in which they are used.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// The same as text, for headers and URLs.
    ///
    /// # Errors
    /// [`BadValue::NotText`].
    pub fn expose_text(&self) -> Result<&str, BadValue> {
        std::str::from_utf8(self.expose()).map_err(|_| BadValue::NotText)
    }

    /// How many bytes it has.
    #[must_use]
    pub fn length_bytes(&self) -> usize {
        self.expose().len()
    }

    /// Whether these bytes are the value, in a time that does not tell how much of it.
    #[must_use]
    pub fn is(&self, presented: &[u8]) -> bool {
        // Hashes compare in constant time, and have one length whatever was hashed.
        blake3::hash(self.expose()) == blake3::hash(presented)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.expose())
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Cuts one line end off, as editors and `echo` leave it, and overwrites it.
pub(crate) fn without_line_end(mut bytes: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            if let Some(last) = bytes.last_mut() {
                last.zeroize();
            }
            bytes.pop();
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_at_least_one_byte_and_at_most_so_many() {
        assert_eq!(Secret::new(Vec::new()).unwrap_err(), BadValue::Empty);
        assert!(Secret::new(vec![7; SECRET_BYTES_MAX]).is_ok());
        assert_eq!(Secret::new(vec![7; SECRET_BYTES_MAX + 1]).unwrap_err(), BadValue::TooLong);
        assert_eq!(Secret::new(vec![0xff]).unwrap().expose_text(), Err(BadValue::NotText));
    }

    #[test]
    fn equal_is_equal_bytes() {
        let secret = Secret::of_text("correct horse".to_owned()).unwrap();
        assert_eq!(secret, secret.clone());
        assert!(secret.is(b"correct horse"));
        for other in ["correct horsf", "correct hors", "correct horse ", ""] {
            assert!(!secret.is(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn one_line_end_is_cut_and_no_more() {
        let cases =
            [("a\n", "a"), ("a\r\n", "a"), ("a", "a"), ("a\n\n", "a\n"), ("\n", ""), ("a ", "a ")];
        for (given, kept) in cases {
            let cut = without_line_end(Zeroizing::new(given.as_bytes().to_vec()));
            assert_eq!(cut.as_slice(), kept.as_bytes(), "{given:?}");
        }
    }
}
