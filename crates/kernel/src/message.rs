//! What a model reads and says, in words of no vendor.
//!
//! `wire` translates these shapes to and from each vendor's. Two things travel through
//! untouched: blocks that we do not model ([`Block::Opaque`]) and fields that we do not
//! know ([`Extra`]). Both go back only to the vendor they came from.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::{Extra, RawJson};

/// Who speaks. The system prompt is not a message; it is part of the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person, our tool results, and our notices.
    User,
    /// The model.
    Assistant,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub content: Vec<Block>,
    /// The fallback that said it. `None`: a person, or the agent's own model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

impl Message {
    /// A message by a person or the agent's own model.
    #[must_use]
    pub fn of(role: Role, content: Vec<Block>) -> Self {
        Message { role, content, fallback: None }
    }

    /// A user's plain text.
    #[must_use]
    pub fn user(text: impl Into<String>) -> Self {
        Message::of(Role::User, vec![Block::text(text)])
    }

    /// All text blocks joined by blank lines; empty where there are none.
    #[must_use]
    pub fn text(&self) -> String {
        text_of(&self.content)
    }
}

/// All text blocks joined by blank lines; empty where there are none.
#[must_use]
pub fn text_of(content: &[Block]) -> String {
    let texts: Vec<&str> = content
        .iter()
        .filter_map(|block| match block {
            Block::Text { text, .. } => Some(text.as_str()),
            Block::Thinking { .. }
            | Block::ToolUse(_)
            | Block::ToolResult(_)
            | Block::Opaque { .. } => None,
        })
        .collect();
    texts.join("\n\n")
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// Words.
    Text {
        /// The words.
        text: String,
        /// The vendor's other fields (citations, cache marks, …).
        #[serde(default, skip_serializing_if = "Extra::is_empty")]
        extra: Extra,
    },
    /// Reasoning, signed by its model. `raw` is the vendor's whole block, byte for byte:
    /// it goes back unaltered to that model, and is dropped as a whole elsewhere.
    Thinking {
        /// The vendor's block.
        raw: RawJson,
    },
    /// The model asks for a tool. Assistant messages only.
    ToolUse(ToolUse),
    /// The answer to a [`Block::ToolUse`]. User messages only.
    ToolResult(ToolResult),
    /// A block of a kind that we do not model, byte for byte.
    Opaque {
        /// The vendor's block.
        raw: RawJson,
    },
}

impl Block {
    /// Plain words.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Block::Text { text: text.into(), extra: Extra::new() }
    }
}

/// A model's wish to have a tool run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolUse {
    /// The model's id for this call; unique within its message.
    pub id: String,
    /// The tool's name as the model wrote it. It may name no tool that exists.
    pub name: String,
    /// The arguments.
    pub arguments: Arguments,
    /// The vendor's other fields.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// The arguments of a tool call. Models sometimes write broken JSON; that is an answer
/// to give back to them, not a reason to lose the turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arguments {
    /// A JSON object.
    Json(RawJson),
    /// What the model wrote instead of a JSON object.
    Malformed(String),
}

impl Arguments {
    /// Sorts a model's text: a JSON object, or malformed. An empty text counts as `{}`.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let text = if text.trim().is_empty() { "{}" } else { text };
        match RawJson::parse(text) {
            Ok(raw) if raw.text().starts_with('{') => Arguments::Json(raw),
            Ok(_) | Err(_) => Arguments::Malformed(text.to_owned()),
        }
    }

    /// The text as the model wrote it.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Arguments::Json(raw) => raw.text(),
            Arguments::Malformed(text) => text,
        }
    }
}

/// What a tool call came to, as the model reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolResult {
    /// The id of the call it answers.
    pub id: String,
    /// The text.
    pub content: String,
    /// Whether the call failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
    /// The vendor's other fields.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// Why a model stopped speaking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// It had said what it wanted.
    EndTurn,
    /// `max_tokens` was reached: the message is cut.
    MaxTokens,
    /// A stop sequence came.
    StopSequence,
    /// It waits for tool results.
    ToolUse,
    /// A long turn of the vendor's own tools was paused: send the same messages again.
    PauseTurn,
    /// It refused to answer.
    Refusal,
    /// The conversation no longer fits the model.
    ContextWindow,
    /// A reason that we do not know, in the vendor's word.
    Other(String),
}

/// Tokens of one call, in parts that do not overlap. Total input is
/// `input + cache_read + cache_write_5m + cache_write_1h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Input tokens at the full price.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub input: u64,
    /// Output tokens, thinking included.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub output: u64,
    /// Input tokens read from the prompt cache.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cache_read: u64,
    /// Input tokens written to the five-minute cache.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cache_write_5m: u64,
    /// Input tokens written to the one-hour cache.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cache_write_1h: u64,
    /// Web searches that the vendor ran.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub web_searches: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Tokens that one call may be told to have used, beyond which nobody is believed.
const TOKENS_PER_CALL_MAX: u64 = 1_000_000_000;

impl Usage {
    /// All input tokens, cached or not.
    #[must_use]
    pub fn input_total(&self) -> u64 {
        self.input
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write_5m)
            .saturating_add(self.cache_write_1h)
    }

    /// Whether a provider can have counted this for one call. Every call reads at least
    /// one token, so all zeros mean that nobody counted; and no model reads a thousand
    /// million of them.
    #[must_use]
    pub fn is_believable(&self) -> bool {
        (1..=TOKENS_PER_CALL_MAX).contains(&self.total())
            && self.web_searches <= TOKENS_PER_CALL_MAX
    }

    /// All tokens, in and out.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.input_total().saturating_add(self.output)
    }
}

/// One whole answer of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// What it said.
    pub content: Vec<Block>,
    /// Why it stopped.
    pub stop: Stop,
    /// What it used. `None` where the vendor did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The name that the vendor gave to the model that answered, where it differs from
    /// the one that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The fallback that answered, by the name that it has in the agent. `None`: the
    /// agent's own model. It decides the price; the vendor's name does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// The vendor's id of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The vendor's other fields.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// A tool as a request shows it to a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolDecl {
    /// The name that the model calls it by.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// JSON Schema of its input.
    pub input_schema: Value,
    /// The vendor's other fields.
    pub extra: Extra,
}

/// Whether a model may, must or must not call tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    /// As it sees fit.
    Auto,
    /// At least one.
    Any,
    /// This one.
    Named(String),
    /// None. The tools stay declared, so that the request keeps its cached prefix.
    Off,
}

/// Everything that one model call sends.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The model's name as the provider knows it.
    pub model: String,
    /// The system prompt; empty where there is none.
    pub system: Arc<str>,
    /// The tools, in a fixed order.
    pub tools: Arc<[ToolDecl]>,
    /// Whether tools may be called.
    pub tool_choice: ToolChoice,
    /// The conversation. Neighbours may share a role; `wire` joins them where a vendor
    /// wants strict turns.
    pub messages: Vec<Arc<Message>>,
    /// Longest answer, in tokens.
    pub max_tokens: u32,
    /// Sampling temperature; the provider's default where absent.
    pub temperature: Option<f64>,
    /// Sequences that end the answer.
    pub stop_sequences: Vec<String>,
    /// The vendor's other top-level fields.
    pub extra: Extra,
}

/// A piece of an answer on its way, for people who watch. Never used for decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// More words.
    Text(String),
    /// More reasoning.
    Thinking(String),
    /// The model began to write a call of this tool.
    ToolUse(String),
}
