//! An address with places for fields of the input: `https://host/orders/{id}?q={query}`.
//!
//! Scheme, host and port are fixed. A field's value is percent-encoded as one value, so
//! that it cannot become a further part of the path or of the query, and what would be
//! read as a way up is refused.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use serde_json::Value;

/// The field that stands for the key of the call.
pub const IDEMPOTENCY_KEY: &str = "idempotency_key";

/// All but what RFC 3986 calls unreserved.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An address with places for values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
    scheme: String,
    host: String,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field { name: String, in_query: bool },
}

/// Why a text is no template of an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// A brace has no partner, or holds no name.
    #[error("braces hold the name of a field, as in `/orders/{{id}}`")]
    Braces,
    /// A field stands before the path.
    #[error("a field stands only in the path or in the query: the host is fixed")]
    FieldInHost,
    /// It is no address, or not written as it would be sent.
    #[error("`{0}` is not an address as it is sent: `https://host/path`")]
    Address(String),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`BadTemplate`].
    pub fn read(text: &str) -> Result<Self, BadTemplate> {
        let pieces = pieces(text)?;
        let filled: String = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Field { .. } => "x",
            })
            .collect();
        let wrong = || BadTemplate::Address(text.to_owned());
        let url = Url::parse(&filled).map_err(|_| wrong())?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        let is_web = matches!(url.scheme(), "http" | "https");
        // What is sent must be what was written, or else values could change its meaning.
        if !is_web || has_user || url.fragment().is_some() || url.as_str() != filled {
            return Err(wrong());
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(wrong());
        };
        let before_path = format!("{}/", url.origin().ascii_serialization());
        match pieces.first() {
            Some(Piece::Text(first)) if first.starts_with(&before_path) => {}
            Some(_) | None => return Err(BadTemplate::FieldInHost),
        }
        let (scheme, host) = (url.scheme().to_owned(), host.to_owned());
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Template { pieces, scheme, host, port })
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The fields that it has places for.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Field { name, .. } => Some(name.as_str()),
        })
    }

    /// Whether it has a place for this field.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.fields().any(|name| name == field)
    }

    /// The address with the input's values.
    ///
    /// # Errors
    /// Words for a model: a value is missing, or would lead elsewhere.
    pub fn fill(&self, input: &Value, key: &str) -> Result<String, String> {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Field { name, in_query } => {
                    let value = if name == IDEMPOTENCY_KEY {
                        key.to_owned()
                    } else {
                        plain(input.get(name))
                    };
                    if value.is_empty() && !in_query {
                        return Err(format!("`{name}` is part of the address and must be given"));
                    }
                    out.extend(utf8_percent_encode(&value, ENCODED));
                }
            }
        }
        match Url::parse(&out) {
            Ok(url) if url.as_str() == out => Ok(out),
            Ok(_) | Err(_) => {
                Err("the values of the input would lead to another address".to_owned())
            }
        }
    }
}

/// A value as it stands in an address; nothing for what is not there.
fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, BadTemplate> {
    let (mut pieces, mut rest, mut in_query) = (Vec::new(), text, false);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or(BadTemplate::Braces)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(is_name) || before.contains('}') {
            return Err(BadTemplate::Braces);
        }
        in_query |= before.contains('?');
        pieces.push(Piece::Text(before.to_owned()));
        pieces.push(Piece::Field { name: name.to_owned(), in_query });
        rest = after;
    }
    if rest.contains('}') {
        return Err(BadTemplate::Braces);
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_template_is_an_address_whose_host_is_fixed() {
        for right in [
            "https://h.test/",
            "https://h.test/orders/{id}",
            "https://h.test:8443/a/{b}/c?q={d}&e=f",
            "http://[::1]:8080/",
            "https://h.test/by-key/{idempotency_key}",
        ] {
            let read = Template::read(right).unwrap();
            assert!(right.contains(read.host()), "{right}: {read:?}");
        }
        for (wrong, why) in [
            ("https://{host}/", BadTemplate::FieldInHost),
            ("https://a.{host}/x", BadTemplate::FieldInHost),
            ("https://h.test:{port}/x", BadTemplate::Address("https://h.test:{port}/x".into())),
            ("https://h.test/{", BadTemplate::Braces),
            ("https://h.test/}", BadTemplate::Braces),
            ("https://h.test/{}", BadTemplate::Braces),
            ("https://h.test/{a b}", BadTemplate::Braces),
            ("ftp://h.test/", BadTemplate::Address("ftp://h.test/".into())),
            ("https://u:p@h.test/", BadTemplate::Address("https://u:p@h.test/".into())),
            ("https://h.test/#{a}", BadTemplate::Address("https://h.test/#{a}".into())),
            ("https://H.test/", BadTemplate::Address("https://H.test/".into())),
            ("https://h.test/a b", BadTemplate::Address("https://h.test/a b".into())),
            ("https://h.test/../{a}", BadTemplate::Address("https://h.test/../{a}".into())),
            ("nonsense", BadTemplate::Address("nonsense".into())),
        ] {
            assert_eq!(Template::read(wrong), Err(why), "{wrong}");
        }
    }

    #[test]
    fn a_value_stays_one_value() {
        let template = Template::read("https://h.test/o/{id}/x?q={q}&k={idempotency_key}").unwrap();
        let filled = |input| template.fill(&input, "k1");
        for (input, url) in [
            (json!({"id": "a/b?c=d#e"}), "https://h.test/o/a%2Fb%3Fc%3Dd%23e/x?q=&k=k1"),
            (json!({"id": 7, "q": "a&b=c"}), "https://h.test/o/7/x?q=a%26b%3Dc&k=k1"),
            (json!({"id": "é%2e", "q": true}), "https://h.test/o/%C3%A9%252e/x?q=true&k=k1"),
            (json!({"id": "..."}), "https://h.test/o/.../x?q=&k=k1"),
            (json!({"id": "x", "idempotency_key": "mine"}), "https://h.test/o/x/x?q=&k=k1"),
        ] {
            assert_eq!(filled(input.clone()).unwrap(), url, "{input}");
        }
        for wrong in [
            json!({}),
            json!({"id": ""}),
            json!({"id": null}),
            json!({"id": ".."}),
            json!({"id": "."}),
        ] {
            assert!(filled(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
