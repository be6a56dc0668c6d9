//! PostgreSQL's text for a value as JSON, by its type.

use serde_json::Value;
use tokio_postgres::types::{Kind, Type};

use super::array;
use crate::answer::Collector;
use crate::exact;

/// A type in PostgreSQL's words.
pub(super) fn type_name(kind: &Type) -> String {
    if let Kind::Array(of) = kind.kind() {
        return format!("{}[]", of.name());
    }
    kind.name().to_owned()
}

/// One cell.
pub(super) fn read(answer: &mut Collector, kind: &Type, text: Option<&str>) -> Value {
    let Some(text) = text else { return Value::Null };
    match *base(kind) {
        Type::BYTEA => match text.strip_prefix("\\x").and_then(unhex) {
            Some(bytes) => answer.bytes(&bytes),
            None => answer.text(text),
        },
        _ => answer.read(text, |text| shape(kind, text)),
    }
}

/// What a domain is made of.
fn base(kind: &Type) -> &Type {
    if let Kind::Domain(of) = kind.kind() { base(of) } else { kind }
}

fn shape(kind: &Type, text: &str) -> Value {
    let kind = base(kind);
    if let Kind::Array(of) = kind.kind() {
        // Without a comma between its items it is a `box[]`: left as it is.
        return match *of {
            Type::BOX => Value::from(text),
            _ => array::read(text, &|item| shape(of, item)).unwrap_or_else(|| Value::from(text)),
        };
    }
    match *kind {
        Type::BOOL => Value::from(text == "t"),
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => {
            text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from)
        }
        Type::FLOAT4 | Type::FLOAT8 => float(text),
        Type::JSON | Type::JSONB => exact::json(text),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => Value::from(instant(text)),
        Type::BYTEA => match text.strip_prefix("\\x") {
            Some(digits) => serde_json::json!({ "hex": digits }),
            None => Value::from(text),
        },
        _ => Value::from(text),
    }
}

/// A number; `NaN` and the infinities, which JSON has not, by name.
fn float(text: &str) -> Value {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Value::from(number),
        Ok(_) | Err(_) => Value::from(text),
    }
}

/// `2026-01-02 03:04:05+00` as `2026-01-02T03:04:05Z`. Infinities and years before our
/// count stay in PostgreSQL's words.
fn instant(text: &str) -> String {
    match text.split_once(' ') {
        Some((date, time)) if !time.ends_with("BC") => {
            let time = time.strip_suffix("+00").map(|time| format!("{time}Z"));
            format!("{date}T{}", time.as_deref().unwrap_or(&text[date.len() + 1..]))
        }
        _ => text.to_owned(),
    }
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.as_bytes().chunks(2).map(pair).collect()
}
