//! A reply from the web as text: which kinds are text, in which letters they are written,
//! and what of HTML is to be read.

mod readable;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use reqwest::header::{CONTENT_TYPE, HeaderMap};

use crate::files::Stop;
use crate::words::plain;

pub(crate) use readable::{Readable, readable};

/// How far into a page its own word on its encoding is looked for, in bytes.
const PRESCAN_BYTES: usize = 1_024;

/// The longest media type that is repeated, in characters.
const TYPE_CHARS_MAX: usize = 80;

/// What a reply is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To be made readable.
    Html,
    /// Text as it stands.
    Text,
}

/// The media type of a reply, without parameters, and the encoding that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Type {
    pub(crate) name: String,
    charset: Option<String>,
}

impl Type {
    /// What the headers say. A reply without a type is taken for text and looked at.
    pub(crate) fn of(headers: &HeaderMap) -> Type {
        let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let mut parts = said.unwrap_or("text/plain").split(';').map(str::trim);
        let name = plain(parts.next().unwrap_or_default(), TYPE_CHARS_MAX).to_ascii_lowercase();
        let charset = parts.find_map(|part| {
            let (key, value) = part.split_once('=')?;
            let value = value.trim().trim_matches('"').to_owned();
            key.trim().eq_ignore_ascii_case("charset").then_some(value)
        });
        Type { name, charset }
    }

    /// What kind of text it is, if any.
    pub(crate) fn kind(&self) -> Option<Kind> {
        let (top, sub) = self.name.split_once('/')?;
        match (top, sub) {
            ("text", "html") | ("application", "xhtml+xml") => Some(Kind::Html),
            ("text", _) => Some(Kind::Text),
            (_, sub) if sub.ends_with("+json") || sub.ends_with("+xml") => Some(Kind::Text),
            (
                "application",
                "json" | "ld+json" | "xml" | "javascript" | "x-javascript" | "ecmascript" | "yaml"
                | "x-yaml" | "toml" | "x-ndjson" | "jsonl" | "sql" | "graphql" | "x-sh"
                | "x-httpd-php" | "rtf" | "x-tex",
            ) => Some(Kind::Text),
            _ => None,
        }
    }

    /// The bytes as text; nothing where they are no text.
    pub(crate) fn decode(&self, body: &[u8], kind: Kind) -> Option<String> {
        let text = match Encoding::for_bom(body) {
            Some((encoding, _)) => encoding.decode(body).0.into_owned(),
            None => {
                let said = self.charset.clone().or_else(|| match kind {
                    Kind::Html => charset_in(body),
                    Kind::Text => None,
                });
                let said = said.and_then(|label| Encoding::for_label(label.as_bytes()));
                let encoding = said.unwrap_or_else(|| guessed(body));
                encoding.decode_without_bom_handling(body).0.into_owned()
            }
        };
        (!text.contains('\0')).then_some(text)
    }
}

/// UTF-8 where it is that, and what old pages are written in otherwise.
fn guessed(body: &[u8]) -> &'static Encoding {
    if std::str::from_utf8(body).is_ok() { UTF_8 } else { WINDOWS_1252 }
}

/// The encoding that a page tells of itself: the word after the first `charset=`.
fn charset_in(body: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&body[..body.len().min(PRESCAN_BYTES)]).to_lowercase();
    let rest = head.split_once("charset")?.1.trim_start().strip_prefix('=')?;
    let rest = rest.trim_start().trim_start_matches(['"', '\'']);
    let label: String =
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_:".contains(*c)).collect();
    // A page that could be read so far is not UTF-16, whatever it says.
    let label = if label.starts_with("utf-16") { "utf-8".to_owned() } else { label };
    (!label.is_empty()).then_some(label)
}

/// The text of a page for a model: what a reader of its kind would see.
pub(crate) fn shown(text: &str, kind: Kind, base: &reqwest::Url, stop: &Stop) -> Readable {
    match kind {
        Kind::Html => readable(text, base, stop),
        Kind::Text => Readable { title: String::new(), text: text.to_owned(), cut: None },
    }
}

#[cfg(test)]
mod tests;
