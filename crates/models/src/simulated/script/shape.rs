//! A script as it stands in its file. See `docs/simulated-models.md`.

use serde::Deserialize;

use super::yaml::Spanned;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// The turns, in order.
    pub(super) turns: Vec<Spanned<Turn>>,
}

/// A turn, or a choice between turns.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Turn {
    pub(super) when: Option<String>,
    pub(super) expect: Option<OneOrMore>,
    pub(super) thinking: Option<String>,
    pub(super) text: Option<String>,
    pub(super) tools: Option<Vec<Call>>,
    pub(super) stop: Option<Stop>,
    pub(super) usage: Option<Usage>,
    pub(super) repeat: Option<Spanned<u64>>,
    pub(super) either: Option<Vec<Spanned<Turn>>>,
}

/// A text, or a list of texts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) id: Option<String>,
    /// A mapping; or a text, which is sent as it stands to rehearse a model's broken JSON.
    #[serde(default)]
    pub(super) input: serde_json::Value,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::enum_variant_names, reason = "the kernel's names")]
pub(super) enum Stop {
    EndTurn,
    MaxTokens,
    StopSequence,
    ToolUse,
    PauseTurn,
    Refusal,
    ContextWindow,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(super) struct Usage {
    pub(super) input: u64,
    pub(super) output: u64,
    pub(super) cache_read: u64,
    pub(super) cache_write_5m: u64,
    pub(super) cache_write_1h: u64,
    pub(super) web_searches: u64,
}
