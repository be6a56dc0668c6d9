//! Making a file, or replacing all of it.

use std::sync::Arc;

use engine::ports::{ToolCall, ToolError, ToolOutput};
use kernel::agent::{Effect, EffectRule, ToolSpec};
use serde::Deserialize;
use serde_json::json;

use super::Parts;
use crate::effects::{CallId, Composed};
use crate::files::{blocking, shown};

#[derive(Debug, Deserialize)]
pub(crate) struct Input {
    pub(super) path: String,
    content: String,
}

pub(crate) fn spec() -> ToolSpec {
    ToolSpec {
        name: "write".to_owned(),
        description: "Writes a text file in the working directory: a new one, or in place of all \
                      that an old one held. Missing folders are made. To change a part of a file \
                      use `edit`."
            .to_owned(),
        input_schema: super::object(
            &["path", "content"],
            json!({
                "path": super::path_field("The file, relative to the working directory."),
                "content": {
                    "type": "string",
                    "description": "All that the file shall hold.",
                },
            }),
        ),
        effect: EffectRule::Always(Effect::Effect),
        deadline_ms: 30_000,
        output_bytes_max: 4_096,
        untrusted: false,
        sensitive: false,
    }
}

pub(crate) async fn run(
    parts: &Arc<Parts>,
    call: &ToolCall,
    input: Input,
) -> Result<ToolOutput, ToolError> {
    let id = CallId::of(call);
    let parts = parts.clone();
    let workdir = call.workdir.clone();
    blocking(move |stop| {
        parts.effects.prepare()?;
        let target = super::file_target(&parts, workdir, &input.path)?;
        let name = shown(&target.path);
        parts.effects.perform(&id, &target, stop, |before| {
            let verb = if before.is_some() { "replaced" } else { "made" };
            let output = format!("{verb} `{name}` ({} bytes)", input.content.len());
            Ok(Composed { bytes: input.content.into_bytes(), output })
        })
    })
    .await
}
