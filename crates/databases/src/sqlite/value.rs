//! SQLite's five kinds of value as JSON.

use rusqlite::types::ValueRef;
use serde_json::Value;

use crate::answer::Collector;

pub(super) fn read(answer: &mut Collector, cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::from(number),
        ValueRef::Real(number) if number.is_finite() => Value::from(number),
        ValueRef::Real(number) => Value::from(number.to_string()),
        ValueRef::Text(text) => answer.text(&String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => answer.bytes(bytes),
    }
}
