//! One field out of a JSON object, without making values of the others.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::value::{BadValue, Secret};

/// Why there is no such field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoField {
    #[error("it is not a JSON object, so it has no fields")]
    NotAnObject,
    #[error("it has no such field")]
    Absent,
    #[error("the field is not text, a number or a boolean")]
    NotAValue,
    #[error("it has several fields\nhint: name one, as in `vault:path#field`")]
    Several,
    #[error(transparent)]
    Bad(#[from] BadValue),
}

type Fields<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// The field with this name: text as it is, numbers and booleans as JSON writes them.
pub(crate) fn pick(json: &[u8], field: &str) -> Result<Secret, NoField> {
    value(fields(json)?.get(field).ok_or(NoField::Absent)?)
}

/// The field named `value`, or the only one there is.
pub(crate) fn only(json: &[u8]) -> Result<Secret, NoField> {
    let fields = fields(json)?;
    let mut all = fields.values();
    match (fields.get("value"), all.next(), all.next()) {
        (Some(named), _, _) => value(named),
        (None, Some(single), None) => value(single),
        (None, None, _) => Err(NoField::Absent),
        (None, Some(_), Some(_)) => Err(NoField::Several),
    }
}

fn fields(json: &[u8]) -> Result<Fields<'_>, NoField> {
    serde_json::from_slice(json).map_err(|_| NoField::NotAnObject)
}

fn value(raw: &RawValue) -> Result<Secret, NoField> {
    let text = raw.get();
    let copied = match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).map_err(|_| NoField::NotAnObject)?,
        Some(b'{' | b'[' | b'n') | None => return Err(NoField::NotAValue),
        Some(_) => text.to_owned(),
    };
    Ok(Secret::of_text(Zeroizing::new(copied))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(found: Result<Secret, NoField>) -> Result<String, NoField> {
        found.map(|secret| secret.expose_text().unwrap().to_owned())
    }

    #[test]
    fn fields_are_picked_by_name() {
        let json = br#"{"user":"ada","pass":"a\"b\u00e9","port":5432,"tls":true,"none":null,"list":[],"empty":""}"#;
        let cases = [
            ("user", Ok("ada")),
            ("pass", Ok("a\"bé")),
            ("port", Ok("5432")),
            ("tls", Ok("true")),
            ("none", Err(NoField::NotAValue)),
            ("list", Err(NoField::NotAValue)),
            ("empty", Err(NoField::Bad(BadValue::Empty))),
            ("USER", Err(NoField::Absent)),
        ];
        for (field, expected) in cases {
            assert_eq!(shown(pick(json, field)), expected.map(str::to_owned), "{field}");
        }
        for wrong in ["", "plain", "[1]", "\"x\"", "{\"a\":1"] {
            assert_eq!(pick(wrong.as_bytes(), "a"), Err(NoField::NotAnObject), "{wrong}");
        }
    }

    #[test]
    fn without_a_name_there_must_be_one_answer() {
        let cases = [
            (r#"{"key":"x"}"#, Ok("x")),
            (r#"{"value":"x","note":"y"}"#, Ok("x")),
            (r#"{"a":"x","b":"y"}"#, Err(NoField::Several)),
            ("{}", Err(NoField::Absent)),
        ];
        for (json, expected) in cases {
            assert_eq!(shown(only(json.as_bytes())), expected.map(str::to_owned), "{json}");
        }
    }
}
