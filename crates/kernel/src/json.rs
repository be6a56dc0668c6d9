//! JSON kept as the text it arrived in.
//!
//! Tool arguments and vendors' unknown fields go back to a provider byte for byte, so
//! they are stored as text and not as a tree: re-printing a tree would change number
//! forms and break prompt caches. [`RawJson`] is always valid JSON that a tree can hold.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// One valid JSON value, as text. Cheap to clone.
///
/// INVARIANT: [`Value`] can hold it. Grammar alone would let in what no reader takes:
/// numbers beyond `f64`, half surrogates, brackets without end.
#[derive(Clone)]
pub struct RawJson(Arc<RawValue>);

impl RawJson {
    /// Takes over a text if it is one JSON value that can also be read.
    ///
    /// # Errors
    /// The position and kind of the first mistake in the text.
    pub fn parse(text: impl Into<String>) -> Result<Self, serde_json::Error> {
        checked(RawValue::from_string(text.into())?)
    }

    /// The text of a value.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Self {
        let raw = serde_json::value::to_raw_value(value)
            .expect("INVARIANT: our own shapes have string keys and always serialize");
        RawJson(Arc::from(raw))
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Reads the text into a shape.
    ///
    /// # Errors
    /// Where the text does not have the shape of `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.text())
    }

    /// The text as a tree.
    #[must_use]
    pub fn value(&self) -> Value {
        self.read().expect("INVARIANT: RawJson holds a value that was read once")
    }

    /// The RFC 8785 form: sorted keys, one spelling for each number and string. Two
    /// values are the same call's arguments when their canonical forms are equal bytes.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        serde_json_canonicalizer::to_vec(&self.value()).unwrap_or_else(|_| self.text().into())
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for RawJson {}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        checked(Box::<RawValue>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

fn checked(raw: Box<RawValue>) -> Result<RawJson, serde_json::Error> {
    serde_json::from_str::<Value>(raw.get())?;
    Ok(RawJson(Arc::from(raw)))
}

/// Fields of a vendor's object that we do not model, in the order they came.
/// They are stored, and sent back to the same vendor only.
pub type Extra = serde_json::Map<String, Value>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_not_taken_over() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for text in ["1e999", r#"{"a":-1e999}"#, r#""\ud800""#, deep.as_str(), "{", "1 2", ""] {
            assert!(RawJson::parse(text).is_err(), "{text}");
            assert!(serde_json::from_str::<RawJson>(text).is_err(), "{text}");
        }
        for text in ["1e308", r#"{"a":[1.50,"\u00e9"]}"#, "null"] {
            let raw = RawJson::parse(format!(" {text} ")).unwrap();
            assert_eq!(raw.text(), text);
            assert_eq!(serde_json::from_str::<RawJson>(text).unwrap(), raw);
        }
    }
}
