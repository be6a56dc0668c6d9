//! Reading on in a result that was too long to show at once. Only declared here: the
//! engine answers it from the store.

use kernel::agent::{Effect, EffectRule, MORE, ToolSpec};
use serde_json::json;

/// `more {handle, offset?}`, which the engine answers.
#[must_use]
pub fn more_spec() -> ToolSpec {
    ToolSpec {
        name: MORE.to_owned(),
        description: "Reads on in a tool's result that was too long to show at once. The end of \
                      such a result names the handle and the next offset."
            .to_owned(),
        input_schema: super::object(
            &["handle"],
            json!({
                "handle": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 128,
                    "description": "The handle at the end of the cut result.",
                },
                "offset": {
                    "type": "integer",
                    "minimum": 0,
                    "description": "Where to read on, in bytes from the beginning. Default 0.",
                },
            }),
        ),
        effect: EffectRule::Always(Effect::Read),
        deadline_ms: 10_000,
        output_bytes_max: 32_768,
        untrusted: false,
        sensitive: false,
    }
}
