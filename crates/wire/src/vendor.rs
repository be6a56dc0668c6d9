//! What belongs to which vendor.
//!
//! Unknown fields are kept under their vendor's name (`{"anthropic": {…}}`), so that
//! each writer sends back its own and drops the other's. A field that stands outside of
//! those two names was put there by us and goes to whichever vendor is written to.
//! Blocks that Anthropic sends are kept bare, because our shapes resemble its own; what
//! else must survive is kept in an envelope that only its own vendor's writer opens.

use kernel::json::{Extra, RawJson};
use kernel::message::{Block, ToolDecl};
use serde::Deserialize;
use serde_json::Value;

use crate::json::{Object, raw_object};

/// Whose fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vendor {
    Anthropic,
    OpenAi,
}

impl Vendor {
    fn name(self) -> &'static str {
        match self {
            Vendor::Anthropic => "anthropic",
            Vendor::OpenAi => "openai",
        }
    }

    /// Marks fields as this vendor's.
    pub(crate) fn keep(self, fields: Extra) -> Extra {
        if fields.is_empty() {
            return fields;
        }
        Extra::from_iter([(self.name().to_owned(), Value::Object(fields))])
    }

    /// The fields that this vendor may see: ours, then its own.
    pub(crate) fn fields(self, extra: &Extra) -> impl Iterator<Item = (&String, &Value)> {
        let ours =
            extra.iter().filter(|(name, _)| !matches!(name.as_str(), "anthropic" | "openai"));
        let own = extra.get(self.name()).and_then(Value::as_object);
        ours.chain(own.into_iter().flatten())
    }

    /// One field that this vendor may see.
    pub(crate) fn field<'a>(self, extra: &'a Extra, name: &str) -> Option<&'a Value> {
        let mut fields = self.fields(extra);
        fields.find(|(known, _)| *known == name).map(|(_, v)| v)
    }

    /// Whether this vendor can be shown the tool. Tools that a vendor runs itself have a
    /// type of that vendor's and no schema of their input.
    pub(crate) fn takes(self, tool: &ToolDecl) -> bool {
        let other = match self {
            Vendor::Anthropic => Vendor::OpenAi,
            Vendor::OpenAi => Vendor::Anthropic,
        };
        let is_others = tool.extra.get(other.name()).is_some_and(|own| own.get("type").is_some());
        !(is_others && tool.input_schema.is_null())
    }

    /// Writes the fields that this vendor may see, but for those that the writer of the
    /// object writes itself.
    pub(crate) fn put(self, object: &mut Object<'_>, extra: &Extra, except: &[&str]) {
        for (name, value) in self.fields(extra) {
            if !except.contains(&name.as_str()) {
                object.put(name, value);
            }
        }
    }
}

/// What an envelope holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
pub(crate) enum Sealed {
    /// An Anthropic message's unknown fields.
    #[serde(rename = "anthropic.message")]
    AnthropicMessage,
    /// An OpenAI message's unknown fields.
    #[serde(rename = "openai.message")]
    OpenAiMessage,
    /// A part of an OpenAI message's content, byte for byte.
    #[serde(rename = "openai.part")]
    OpenAiPart,
}

/// Seals a vendor's JSON in a block.
pub(crate) fn seal(what: Sealed, body: &RawJson) -> Block {
    let raw = raw_object(|object| {
        object.put("type", &what);
        object.put("body", body);
    });
    Block::Opaque { raw }
}

/// Seals a message's unknown fields, where there are any.
pub(crate) fn seal_fields(what: Sealed, fields: &Extra) -> Option<Block> {
    (!fields.is_empty()).then(|| seal(what, &RawJson::of(fields)))
}

/// Opens an opaque block. `None`: it is no envelope but a block of Anthropic's.
pub(crate) fn open(raw: &RawJson) -> Option<(Sealed, RawJson)> {
    #[derive(Deserialize)]
    struct Envelope {
        r#type: Sealed,
        body: RawJson,
    }
    let envelope: Envelope = raw.read().ok()?;
    Some((envelope.r#type, envelope.body))
}
