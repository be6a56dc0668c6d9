//! Bytes as text: what is binary, what is not UTF-8.

/// Bytes looked at to tell a binary file.
const SNIFF_BYTES: usize = 8 * 1024;

/// A file's text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// The text; bytes that are not UTF-8 are replaced by `�`.
    pub(crate) text: String,
    /// Whether some bytes were replaced.
    pub(crate) lossy: bool,
}

/// Whether bytes are no text: a zero byte near the beginning.
pub(crate) fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(SNIFF_BYTES).any(|byte| *byte == 0)
}

/// The text of bytes.
pub(crate) fn decode(bytes: Vec<u8>) -> Text {
    match String::from_utf8(bytes) {
        Ok(text) => Text { text, lossy: false },
        Err(error) => {
            Text { text: String::from_utf8_lossy(error.as_bytes()).into_owned(), lossy: true }
        }
    }
}
