//! What an agent is: a versioned definition, frozen by hash into a session's first fact.
//!
//! A definition never changes under a running session. Its bytes are stored once by
//! content hash; every field added later is optional, so that old bytes always read.

mod window;

pub use window::Window;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::breaker::loops;
use crate::json::RawJson;
use crate::message::Arguments;
use crate::units::{ContentHash, Money};

/// A frozen agent: the definition together with the hash of its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Frozen {
    /// The definition.
    pub agent: Arc<Agent>,
    /// BLAKE3 of `bytes`.
    pub hash: ContentHash,
    /// The definition as stored.
    pub bytes: Vec<u8>,
}

/// A versioned agent definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Its name, for people and metrics.
    pub agent_id: String,
    /// The model's name as the provider knows it.
    pub model: String,
    /// The system prompt. Tool results never enter it.
    pub system_prompt: String,
    /// The tools it may call, in the order they are shown to the model.
    pub tools: Vec<ToolSpec>,
    /// Longest answer asked of the model, in tokens.
    pub max_tokens: u32,
    /// Sampling temperature; the provider's default where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The numbers that end a run.
    pub limits: Limits,
    /// Most money that one run may cost. `None`: no money cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_cap: Option<Money>,
    /// JSON Schema that the result given to `end_task` must satisfy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
}

/// The numbers that end a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Model responses in one run, the last one without tools included.
    pub turns_max: u32,
    /// Tool calls that one response may ask for; the others are answered with an error.
    pub calls_per_turn_max: u32,
    /// Time for one model call with all its retries, in milliseconds.
    pub model_deadline_ms: u64,
    /// Tries of one model call within its deadline, the first included.
    pub model_tries_max: u32,
    /// How often a run may wait in the store for a provider to come back.
    pub outage_parks_max: u32,
    /// The shortest answer worth asking for where a cap leaves no room for a longer one,
    /// in tokens.
    pub answer_tokens_min: u32,
    /// What is done when the conversation grows too long for the model.
    #[serde(skip_serializing_if = "Window::is_usual")]
    pub window: Window,
    /// When repetition counts as a loop.
    #[serde(skip_serializing_if = "loops::Settings::is_default")]
    pub loops: loops::Settings,
    /// Children that a run may begin, their own children included.
    pub children_max: u32,
    /// Children that may live at the same time, their own children included.
    pub children_at_once_max: u32,
    /// How deep children may go: 1 for children that have none of their own.
    pub child_depth_max: u32,
    /// How long people have to answer when they are asked about a call, in milliseconds.
    #[serde(skip_serializing_if = "is_usual_approval")]
    pub approval_ms: u64,
}

/// A day to answer, in milliseconds.
const APPROVAL_MS: u64 = 86_400_000;

fn is_usual_approval(ms: &u64) -> bool {
    *ms == APPROVAL_MS
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            turns_max: 25,
            calls_per_turn_max: 32,
            model_deadline_ms: 300_000,
            model_tries_max: 4,
            outage_parks_max: 12,
            answer_tokens_min: 256,
            window: Window::default(),
            loops: loops::Settings::default(),
            children_max: 8,
            children_at_once_max: 4,
            child_depth_max: 2,
            approval_ms: APPROVAL_MS,
        }
    }
}

/// The name of the tool with which a model says that its task is done. Its input is
/// `{"result": …}`; the kernel ends the run when the call succeeds.
pub const END_TASK: &str = "end_task";

/// The name of the tool that reads on in a result that was too long to show at once.
/// Its input is `{"handle": "…", "offset": bytes}`; the shell answers it from the store.
pub const MORE: &str = "more";

/// The name of the tool that hands a part of the task to a child, a session of its own.
/// Its input is `{"task": "…"}` with what the child gets; the shell answers it.
pub const DELEGATE: &str = "delegate";

/// A tool as an agent has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// The name that the model calls it by.
    pub name: String,
    /// What it is for, to the model.
    pub description: String,
    /// JSON Schema of its input.
    pub input_schema: Value,
    /// What running it twice would mean.
    pub effect: EffectRule,
    /// Time for one call, in milliseconds.
    pub deadline_ms: u64,
    /// Longest result shown to the model, in bytes. The rest is kept by content hash.
    pub output_bytes_max: u64,
    /// Whether what it brings back comes from people whom nobody vouches for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub untrusted: bool,
    /// Whether it must not run on untrusted words without somebody's consent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

/// What running a call twice would mean, from safest to least safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes nothing; may run again at will.
    Read,
    /// May run again with the same key, which its receiver uses to drop the second one.
    Idempotent,
    /// Changes the world. Begun and not finished, it is never run again by itself.
    Effect,
}

/// How a call's effect class is found from its arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectRule {
    /// Every call is of this class.
    Always(Effect),
    /// The class hangs on the text in one field of the input, as in a tool with actions.
    ByField {
        /// The field's name.
        field: String,
        /// Values of the field whose calls are reads. Any other call is an effect.
        reads: Vec<String>,
    },
}

impl ToolSpec {
    /// The class of a call with these arguments.
    #[must_use]
    pub fn effect_of(&self, arguments: &RawJson) -> Effect {
        match &self.effect {
            EffectRule::Always(effect) => *effect,
            EffectRule::ByField { field, reads } => {
                let value = arguments.value();
                let named = value.get(field).and_then(Value::as_str);
                match named {
                    Some(name) if reads.iter().any(|read| read == name) => Effect::Read,
                    Some(_) | None => Effect::Effect,
                }
            }
        }
    }
}

impl Agent {
    /// The tool of that name, if this agent has it.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&ToolSpec> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// The effect class of a call. A call that will not reach a tool (an unknown name,
    /// malformed arguments) changes nothing.
    #[must_use]
    pub fn effect_of(&self, name: &str, arguments: &Arguments) -> Effect {
        match (self.tool(name), arguments) {
            (Some(tool), Arguments::Json(raw)) => tool.effect_of(raw),
            (None, _) | (_, Arguments::Malformed(_)) => Effect::Read,
        }
    }

    /// Whether the agent can say that it is done.
    #[must_use]
    pub fn can_end_task(&self) -> bool {
        self.tool(END_TASK).is_some()
    }

    /// Freezes the definition.
    #[must_use]
    pub fn freeze(self) -> Frozen {
        let bytes = serde_json::to_vec(&self)
            .expect("INVARIANT: an agent has string keys and always serializes");
        Frozen { agent: Arc::new(self), hash: ContentHash::of(&bytes), bytes }
    }
}

impl Frozen {
    /// Reads stored bytes back, refusing them where they are not what `hash` names.
    ///
    /// # Errors
    /// The bytes were altered, or are not an agent definition.
    pub fn thaw(bytes: Vec<u8>, hash: ContentHash) -> Result<Self, NotAnAgent> {
        if ContentHash::of(&bytes) != hash {
            return Err(NotAnAgent::Altered { hash });
        }
        let agent = serde_json::from_slice(&bytes).map_err(NotAnAgent::Unreadable)?;
        Ok(Frozen { agent: Arc::new(agent), hash, bytes })
    }
}

/// Why stored bytes are not the agent that a session was begun with.
#[derive(Debug, thiserror::Error)]
pub enum NotAnAgent {
    /// The bytes do not have the hash that the session's first fact names.
    #[error("the stored agent definition does not match its hash {hash}")]
    Altered {
        /// The hash in the log.
        hash: ContentHash,
    },
    /// The bytes are no definition.
    #[error("the stored agent definition cannot be read: {0}")]
    Unreadable(serde_json::Error),
}
