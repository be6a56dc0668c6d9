//! Handing a part of the task to a child: a session of its own with a share of this one's
//! budget, turns and tools. Only declared here: the engine answers it.

use kernel::agent::{DELEGATE, Effect, EffectRule, ToolSpec};
use serde_json::json;

/// `delegate {task, tools?, budget_usd?, turns?, children?}`, which the engine answers.
///
/// Its class is *idempotent*: the same call always leads to the same child. Its deadline
/// is no deadline of the child, whose turns, budget and patience end it.
#[must_use]
pub fn delegate_spec() -> ToolSpec {
    ToolSpec {
        name: DELEGATE.to_owned(),
        description: "Hands a part of the task to a child: an agent like you that sees nothing \
                      but the words you give it, works by itself and brings back one result. \
                      Its budget and turns are taken out of yours, and what it does not use \
                      comes back. Several calls in one answer work at the same time."
            .to_owned(),
        input_schema: super::object(
            &["task"],
            json!({
                "task": {
                    "type": "string",
                    "minLength": 1,
                    "description": "What the child is to do, and all that it must know for it.",
                },
                "tools": {
                    "type": "array",
                    "items": { "type": "string" },
                    "description": "Names of your tools that it may use. Default: all of them.",
                },
                "budget_usd": {
                    "type": ["number", "string"],
                    "description": "Most that it may cost, in dollars. Default: an even share.",
                },
                "turns": {
                    "type": "integer",
                    "minimum": 2,
                    "description": "Most answers that it may take. Default: an even share.",
                },
                "children": {
                    "type": "integer",
                    "minimum": 0,
                    "description": "How many children of its own it may begin. Default 0.",
                },
            }),
        ),
        effect: EffectRule::Always(Effect::Idempotent),
        deadline_ms: 0,
        output_bytes_max: 32_768,
        untrusted: false,
        sensitive: false,
    }
}
