//! Taking values out of text that came back from where they were sent.
//!
//! A server that echoes its request would show a tool's secret to the model. The value is
//! found as it is, in hexadecimal, percent-encoded, escaped as in JSON, and in base64,
//! also inside of a longer text such as the `user:password` of basic authentication.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use zeroize::Zeroizing;

use crate::source::Versioned;
use crate::value::Secret;

/// Shorter values are not looked for: they are in every text, and what was taken out
/// would tell them.
const VALUE_BYTES_MIN: usize = 6;

/// What stands in a value's place.
const BLANK: &str = "[secret]";

impl Versioned {
    /// The text without these values, whichever of the usual forms they have there.
    #[must_use]
    pub fn blank<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let former = self.former.iter().map(|former| &former.value);
        let mut forms: Vec<Form> =
            std::iter::once(&self.value).chain(former).flat_map(forms).collect();
        // The longest first, so that no rest of a long form stays where a short one was.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        let mut blanked = Cow::Borrowed(text);
        for form in forms {
            if blanked.contains(form.as_str()) {
                blanked = Cow::Owned(blanked.replace(form.as_str(), BLANK));
            }
        }
        blanked
    }
}

type Form = Zeroizing<String>;

/// How a value may look in text.
fn forms(value: &Secret) -> Vec<Form> {
    let bytes = value.expose();
    if bytes.len() < VALUE_BYTES_MIN {
        return Vec::new();
    }
    let hex = |digit: fn(&u8) -> String| bytes.iter().map(digit).collect::<String>();
    let mut forms = vec![hex(|b| format!("{b:02x}")), hex(|b| format!("{b:02X}"))];
    if let Ok(text) = value.expose_text() {
        forms.push(text.to_owned());
        forms.extend(
            serde_json::to_string(text).ok().map(|json| json[1..json.len() - 1].to_owned()),
        );
        forms.push(percent(bytes, false));
        forms.push(percent(bytes, true));
    }
    for offset in 0..3 {
        forms.push(base64_within(bytes, offset, &STANDARD));
        forms.push(base64_within(bytes, offset, &URL_SAFE));
    }
    forms.into_iter().map(Zeroizing::new).collect()
}

/// Percent-encoded as in queries or, with `+` for spaces, as in forms.
fn percent(bytes: &[u8], form: bool) -> String {
    let coded = bytes.iter().map(|b| match b {
        b if b.is_ascii_alphanumeric() || b"-._~".contains(b) => char::from(*b).to_string(),
        b' ' if form => "+".to_owned(),
        b => format!("%{b:02X}"),
    });
    coded.collect()
}

/// The digits that the bytes alone decide when they begin `offset` bytes after a border
/// of three.
fn base64_within(bytes: &[u8], offset: usize, engine: &impl Engine) -> String {
    let padded = Zeroizing::new([vec![0; offset].as_slice(), bytes].concat());
    let coded = Zeroizing::new(engine.encode(padded.as_slice()));
    // A digit holds six bits; the ones that share theirs with a neighbour are left out.
    let (first, last) = ((offset * 8).div_ceil(6), padded.len() * 8 / 6);
    coded[first..last].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Version;

    fn blanked(value: &str, text: &str) -> String {
        let value = Secret::of_text(value.to_owned()).unwrap();
        Versioned::new(value, Version("1".to_owned())).blank(text).into_owned()
    }

    #[test]
    fn a_value_is_blanked_in_its_usual_forms() {
        let value = "p\"ss wörd/+?=1";
        for (form, text) in [
            ("plain", value.to_owned()),
            ("json", serde_json::to_string(value).unwrap()),
            ("query", "p%22ss%20w%C3%B6rd%2F%2B%3F%3D1".to_owned()),
            ("form", "p%22ss+w%C3%B6rd%2F%2B%3F%3D1".to_owned()),
            ("hex", value.bytes().map(|b| format!("{b:02x}")).collect()),
            ("HEX", value.bytes().map(|b| format!("{b:02X}")).collect()),
        ] {
            let shown = blanked(value, &format!("before {text} after"));
            assert!(shown.starts_with("before ") && shown.ends_with(" after"), "{form}: {shown}");
            assert!(shown.contains(BLANK) && !shown.contains("rd"), "{form}: {shown}");
        }
    }

    #[test]
    fn a_value_is_blanked_inside_of_longer_base64() {
        let value = "correct horse";
        for user in ["", "a", "ab", "abc", "ada:"] {
            for end in ["", "!", "!!", "\n"] {
                let header = STANDARD.encode(format!("{user}{value}{end}"));
                let shown = blanked(value, &header);
                let kept = shown.replace(BLANK, "");
                assert!(shown.contains(BLANK), "{user:?} {end:?}: {shown}");
                assert!(kept.len() <= user.len() * 4 / 3 + end.len() * 4 / 3 + 6, "{shown}");
            }
        }
    }

    #[test]
    fn other_text_stays_as_it_is() {
        let text = "nothing to see: correct hors, Y29ycmVjdA";
        assert_eq!(blanked("correct horse", text), text);
        assert_eq!(blanked("12345", "12345"), "12345", "short values are in every text");
    }
}
