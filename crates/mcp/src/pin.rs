//! Pins: what a server said about its tools when somebody accepted them.
//!
//! A pin is the BLAKE3 hash of the canonical JSON of what a tool tells a model and us. It is
//! kept per tenant, server and tool, by whoever the caller says.

mod file;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use kernel::json::RawJson;
use kernel::units::{ContentHash, Tenant};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use file::FilePins;

/// The hash of what a server says about one tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pin(pub ContentHash);

impl Pin {
    /// The pin of a tool with these words. Spelling and order in the JSON do not count;
    /// everything else does.
    #[must_use]
    pub fn of(name: &str, description: &str, input_schema: &Value, annotations: &Value) -> Self {
        let said = json!({
            "name": name,
            "description": description,
            "inputSchema": input_schema,
            "annotations": annotations,
        });
        Pin(ContentHash::of(&RawJson::of(&said).canonical()))
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What is known of one tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// What was accepted. `None`: nothing yet.
    pub accepted: Option<Pin>,
    /// What somebody was asked about last, when a call of the tool was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Pin>,
}

/// Where pins are kept.
#[async_trait]
pub trait Pins: Send + Sync {
    /// All tools of a server that are known to a tenant. Empty: it was never seen.
    ///
    /// # Errors
    /// [`PinsLost`] where nobody knows: then nothing is accepted.
    async fn load(
        &self,
        tenant: &Tenant,
        server: &str,
    ) -> Result<BTreeMap<String, Pinned>, PinsLost>;

    /// Keeps what is known of these tools; others stay as they are.
    ///
    /// # Errors
    /// [`PinsLost`] where it was not kept.
    async fn keep(
        &self,
        tenant: &Tenant,
        server: &str,
        tools: BTreeMap<String, Pinned>,
    ) -> Result<(), PinsLost>;
}

/// Pins cannot be read or written.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the pins of tools cannot be reached: {0}")]
pub struct PinsLost(pub String);

/// Pins that end with the process.
#[derive(Debug, Default)]
pub struct MemoryPins(Mutex<Books>);

/// The tools of each tenant and server.
type Books = BTreeMap<(Tenant, String), BTreeMap<String, Pinned>>;

#[async_trait]
impl Pins for MemoryPins {
    async fn load(
        &self,
        tenant: &Tenant,
        server: &str,
    ) -> Result<BTreeMap<String, Pinned>, PinsLost> {
        let books = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(books.get(&(tenant.clone(), server.to_owned())).cloned().unwrap_or_default())
    }

    async fn keep(
        &self,
        tenant: &Tenant,
        server: &str,
        tools: BTreeMap<String, Pinned>,
    ) -> Result<(), PinsLost> {
        let mut books = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        books.entry((tenant.clone(), server.to_owned())).or_default().extend(tools);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(description: &str, schema: &str, annotations: &str) -> Pin {
        let value = |text| serde_json::from_str(text).unwrap();
        Pin::of("t", description, &value(schema), &value(annotations))
    }

    #[test]
    fn a_pin_is_of_the_meaning_and_not_of_the_spelling() {
        let first = pin("d", r#"{"type":"object","maxProperties":10}"#, "null");
        assert_eq!(first, pin("d", r#"{ "maxProperties": 1e1, "type": "\u006fbject" }"#, "null"));
        for other in [
            pin("d ", r#"{"type":"object","maxProperties":10}"#, "null"),
            pin("d", r#"{"type":"object","maxProperties":11}"#, "null"),
            pin("d", r#"{"type":"object","maxProperties":10,"x":null}"#, "null"),
            pin("d", r#"{"type":"object","maxProperties":10}"#, r#"{"readOnlyHint":true}"#),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn pins_keep_for_ever() {
        let pin = pin("Adds.", r#"{"type":"object"}"#, r#"{"readOnlyHint":true}"#);
        let kept = "38537529079555a1c5edc5ddb51d374d90f4c8f39d7aec456f71049a1938ad23";
        assert_eq!(pin.to_string(), kept);
    }
}
