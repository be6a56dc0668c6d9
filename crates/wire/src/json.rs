//! JSON at its two edges: objects read with the bytes of their fields kept, and objects
//! written field by field into one buffer, in the order of the calls.
//!
//! A field that is `null` counts as absent: it says nothing, and is not kept.

use std::fmt;

use kernel::event::FaultClass;
use kernel::json::{Extra, RawJson};
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::fault::WireError;

/// What is wrong with a text, without saying yet whose fault that is.
#[derive(Debug)]
pub(crate) struct Wrong(pub(crate) String);

impl Wrong {
    /// The same, with the place where it is.
    pub(crate) fn within(self, place: &str) -> Wrong {
        Wrong(format!("{place}: {}", self.0))
    }

    /// A caller sent it.
    pub(crate) fn in_request(self) -> WireError {
        WireError::new(FaultClass::InvalidRequest, self.0)
    }

    /// A vendor sent it.
    pub(crate) fn in_reply(self) -> WireError {
        WireError::malformed(self.0)
    }
}

/// An object's fields in the order they came, each with its bytes.
pub(crate) struct Fields(Vec<(String, RawJson)>);

impl Fields {
    /// Reads an object.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Wrong> {
        serde_json::from_slice(bytes).map_err(|why| Wrong(format!("not a JSON object: {why}")))
    }

    /// Reads a frame's data. A text that ends too early is a stream that broke.
    pub(crate) fn of_frame(data: &str) -> Result<Self, WireError> {
        let unfinished = data.starts_with('{') && !data.ends_with('}');
        serde_json::from_str(data).map_err(|why| match why.is_eof() || unfinished {
            true => WireError::cut(),
            false => WireError::malformed(format!("a frame is not a JSON object: {why}")),
        })
    }

    /// Reads an object that is part of another one.
    pub(crate) fn of(raw: &RawJson) -> Result<Self, Wrong> {
        Fields::parse(raw.text().as_bytes())
    }

    /// Takes a field out. `null` counts as absent.
    pub(crate) fn take(&mut self, name: &str) -> Option<RawJson> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        let (_, raw) = self.0.remove(at);
        (raw.text() != "null").then_some(raw)
    }

    /// Takes a field out and reads it.
    pub(crate) fn take_as<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Wrong> {
        let Some(raw) = self.take(name) else {
            return Ok(None);
        };
        let read = raw.read();
        read.map(Some).map_err(|why| Wrong(format!("field `{name}`: {why}")))
    }

    /// Takes a field out that must be there.
    pub(crate) fn need<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, Wrong> {
        self.take_as(name)?.ok_or_else(|| Wrong(format!("field `{name}` is missing")))
    }

    /// The fields that nobody took.
    pub(crate) fn rest(self) -> Extra {
        let said = self.0.into_iter().filter(|(_, raw)| raw.text() != "null");
        said.map(|(name, raw)| (name, raw.value())).collect()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// An object on its way into a buffer.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Object { out, empty: true }
    }

    /// Writes a field's name; the caller writes its value into the buffer.
    pub(crate) fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
        put(self.out, name);
        self.out.push(b':');
        self.out
    }

    /// Writes a field.
    pub(crate) fn put<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        put(self.name(name), value);
    }

    /// Writes a field where there is something to say.
    pub(crate) fn put_some<T: Serialize>(&mut self, name: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    pub(crate) fn close(self) {
        self.out.push(b'}');
    }
}

/// Writes a value.
pub(crate) fn put<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value)
        .expect("INVARIANT: our own shapes have string keys and a buffer takes every byte");
}

/// Writes an array of what `each` writes.
pub(crate) fn put_array<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        each(out, item);
    }
    out.push(b']');
}

/// Builds an object as text.
pub(crate) fn object(write: impl FnOnce(&mut Object<'_>)) -> String {
    let mut out = Vec::new();
    let mut object = Object::open(&mut out);
    write(&mut object);
    object.close();
    into_text(out)
}

/// Builds an object that is kept.
pub(crate) fn raw_object(write: impl FnOnce(&mut Object<'_>)) -> RawJson {
    RawJson::parse(object(write)).expect("INVARIANT: an object that was opened and closed is JSON")
}

/// The buffer as text.
pub(crate) fn into_text(out: Vec<u8>) -> String {
    String::from_utf8(out).expect("INVARIANT: only JSON texts were written into the buffer")
}

/// Drops what says nothing: `null`, and empty lists and objects.
pub(crate) fn prune(fields: Extra) -> Extra {
    fields
        .into_iter()
        .filter(|(_, value)| match value {
            Value::Null => false,
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        })
        .collect()
}

/// Adds the next piece of a streamed field to what came before: texts and lists grow,
/// objects grow field by field, everything else is replaced.
pub(crate) fn grow(fields: &mut Extra, name: String, piece: Value) {
    match (fields.get_mut(&name), piece) {
        (_, Value::Null) => {}
        (Some(Value::String(text)), Value::String(more)) => text.push_str(&more),
        (Some(Value::Array(items)), Value::Array(more)) => items.extend(more),
        (Some(Value::Object(inner)), Value::Object(more)) => {
            more.into_iter().for_each(|(name, piece)| grow(inner, name, piece));
        }
        (Some(_) | None, piece) => {
            fields.insert(name, piece);
        }
    }
}
