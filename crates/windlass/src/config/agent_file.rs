//! The keys of an agent's file, their limits and their defaults: the page to read (and
//! to change) together with `docs/configuration.md`.

use std::path::Path;

use kernel::agent::Limits;
use kernel::price::Rule;
use kernel::units::Money;
use kernel::verdict::Trust;

use super::expect::{self, Keys, Reader, Section};
use super::mistake::{Broken, Source, Span};
use super::provider::{Model, model_span, optional};
use super::yaml::{Entry, Value};
use super::{
    AllowedTools, Config, Environment, fallbacks, http_tools, loops, mcp_servers, permits,
    provider, rates, schema, tool_settings, window,
};

/// The budget of a run whose file names none.
pub(super) const BUDGET_DEFAULT: Money = Money(Money::PER_USD);
/// The longest answer asked of a model, in tokens, where the file says nothing.
pub(super) const MAX_TOKENS_DEFAULT: u32 = 8192;
/// Longest name of an agent, in characters.
const AGENT_ID_CHARS_MAX: usize = 64;
/// Longest name of a model, in characters.
const MODEL_CHARS_MAX: usize = 256;

const FILE: Keys = Keys {
    of: "the file",
    known: &[
        "agent_id",
        "model",
        "system_prompt",
        "allowed_tools",
        "max_tokens",
        "temperature",
        "max_turns",
        "max_tool_calls_per_turn",
        "loops",
        "max_children",
        "max_children_at_once",
        "max_child_depth",
        "max_retries",
        "timeout_seconds",
        "budget_usd",
        "context",
        "output_schema",
        "tools",
        "provider",
        "fallbacks",
        "price",
        "http_tools",
        "mcp_servers",
        "trust",
        "task_type",
        "sensitive",
        "approval_minutes",
    ],
    required: &["agent_id", "model", "system_prompt", "allowed_tools"],
};

const PRICE: Keys =
    Keys { of: "`price`", known: &["usd_per_million"], required: &["usd_per_million"] };

const USD_PER_MILLION: Keys =
    Keys { of: "`price.usd_per_million`", known: &rates::RATES, required: &["input", "output"] };

/// Reads the whole file. Relative paths of scripts start at `folder`.
pub(super) fn read(
    source: Source,
    folder: &Path,
    environment: Environment,
) -> Result<Config, Broken> {
    expect::file(&source, environment, &FILE, |reader, file| {
        fields(reader, file, folder, source.clone())
    })
}

/// Reads every field before asking whether all were right, so that one pass finds all
/// mistakes.
fn fields(reader: &mut Reader, file: &Section, folder: &Path, source: Source) -> Option<Config> {
    let http_tools = http_tools::read(reader, file.get("http_tools"));
    let mcp = mcp_servers::read(reader, file.get("mcp_servers"), folder);
    let agent_id = file.get("agent_id").and_then(|entry| agent_id(reader, entry));
    let model = file.get("model").and_then(|entry| model(reader, entry));
    let provider = model.as_ref().and_then(|(name, span)| {
        let span = span.clone();
        provider::read(reader, file.get("provider"), &Model { name, span }, folder, None)
    });
    let fallbacks = model.as_ref().zip(provider.as_ref()).and_then(|((name, _), own)| {
        fallbacks::read(reader, file.get("fallbacks"), name, own, folder)
    });
    let system_prompt = file.get("system_prompt").and_then(|entry| reader.text(entry));
    let allowed_tools = file.get("allowed_tools").and_then(|entry| names(reader, entry));
    let max_tokens = whole(reader, file, "max_tokens", (1, 1_000_000), "tokens");
    let temperature =
        optional(file.get("temperature"), |entry| reader.decimal(entry, 0.0..=2.0, "number"));
    let limits = limits(reader, file);
    let budget = optional(file.get("budget_usd"), |entry| budget(reader, entry));
    let output_schema = optional(file.get("output_schema"), |entry| schema::read(reader, entry));
    let tools = tool_settings::read(reader, file.get("tools"), folder);
    let price = optional(file.get("price"), |entry| price(reader, entry));
    let trust = optional(file.get("trust"), |entry| permits::trust(reader, entry));
    let task_type = optional(file.get("task_type"), |entry| reader.text(entry));
    let sensitive = optional(file.get("sensitive"), |entry| names(reader, entry));
    let (provider, dealing) = provider?;
    Some(Config {
        agent_id: agent_id?,
        model: model?.0,
        provider,
        dealing,
        fallbacks: fallbacks?,
        system_prompt: system_prompt?,
        allowed_tools: AllowedTools::Named(allowed_tools?),
        max_tokens: max_tokens?.unwrap_or(MAX_TOKENS_DEFAULT),
        temperature: temperature?,
        limits: limits?,
        budget: budget?.unwrap_or(Some(BUDGET_DEFAULT)),
        output_schema: output_schema?,
        tools: tools?,
        price: price?,
        trust: trust?.unwrap_or(Trust::Standard),
        task_type: task_type?,
        sensitive: sensitive?.unwrap_or_default(),
        http_tools: http_tools?,
        mcp: mcp?,
        source,
    })
}

fn agent_id(reader: &mut Reader, entry: &Entry) -> Option<String> {
    let said = reader.text(entry)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if said.len() <= AGENT_ID_CHARS_MAX && said.chars().all(plain) {
        return Some(said);
    }
    let words = "`agent_id` is made of letters, digits, `-`, `_` and `.`";
    let hint = format!("it names the agent in logs and metrics: at most {AGENT_ID_CHARS_MAX}");
    reader.wrong(entry.value.span.clone(), words, format!("{hint} characters"))
}

/// Reads a model's name, and where it stands.
pub(super) fn model(reader: &mut Reader, entry: &Entry) -> Option<(String, Span)> {
    let span = model_span(&entry.value, &entry.key_span);
    let said = reader.text(entry)?;
    let control = said.chars().any(char::is_control);
    if control || said.trim() != said || said.chars().count() > MODEL_CHARS_MAX {
        let words = "`model` is one name without line breaks or spaces around it";
        return reader.wrong(span, words, format!("at most {MODEL_CHARS_MAX} characters"));
    }
    Some((said, span))
}

/// Names of tools, each once.
fn names(reader: &mut Reader, entry: &Entry) -> Option<Vec<(String, Span)>> {
    let items = reader.list(entry)?;
    let mut names: Vec<(String, Span)> = Vec::new();
    for item in items {
        let span = item.span.clone();
        let Value::Text(text) = &item.value else {
            let words = format!("`{}` holds names of tools", entry.key);
            reader.wrong::<()>(span, words, "write each as one word: `- calculator`");
            continue;
        };
        let Some(name) = reader.expand(text.as_str(), &span) else {
            continue;
        };
        if names.iter().any(|(known, _)| *known == name) {
            let words = format!("the tool `{text}` stands here a second time");
            reader.wrong::<()>(span, words, "keep one of them");
        } else {
            names.push((name, span));
        }
    }
    Some(names)
}

fn limits(reader: &mut Reader, file: &Section) -> Option<Limits> {
    let usual = Limits::default();
    let turns = whole(reader, file, "max_turns", (2, 1000), "turns");
    let calls = whole(reader, file, "max_tool_calls_per_turn", (1, 256), "calls");
    let loops = optional(file.get("loops"), |entry| loops::read(reader, entry));
    let children = whole(reader, file, "max_children", (1, 256), "children");
    let at_once = whole(reader, file, "max_children_at_once", (1, 64), "children");
    let depth = whole(reader, file, "max_child_depth", (1, 8), "levels");
    let retries = whole(reader, file, "max_retries", (0, 20), "retries");
    let seconds = whole(reader, file, "timeout_seconds", (1, 3600), "seconds");
    let window = window::read(reader, file.get("context"));
    let minutes = optional(file.get("approval_minutes"), |entry| {
        reader.decimal(entry, 0.01..=43_200.0, "number of minutes")
    });
    // At most 30 days, so the cast loses only what was rounded off.
    let approval_ms = minutes?.map(|minutes| (minutes * 60_000.0).round() as u64);
    Some(Limits {
        turns_max: turns?.unwrap_or(usual.turns_max),
        calls_per_turn_max: calls?.unwrap_or(usual.calls_per_turn_max),
        children_max: children?.unwrap_or(usual.children_max),
        children_at_once_max: at_once?.unwrap_or(usual.children_at_once_max),
        child_depth_max: depth?.unwrap_or(usual.child_depth_max),
        model_tries_max: retries?.map_or(usual.model_tries_max, |retries| retries + 1),
        model_deadline_ms: seconds?.map_or(usual.model_deadline_ms, |s| u64::from(s) * 1000),
        window: window?,
        loops: loops?.unwrap_or(usual.loops),
        approval_ms: approval_ms.unwrap_or(usual.approval_ms),
        ..usual
    })
}

fn whole(
    reader: &mut Reader,
    file: &Section,
    key: &str,
    (low, high): (u32, u32),
    unit: &str,
) -> Option<Option<u32>> {
    optional(file.get(key), |entry| reader.whole(entry, low..=high, unit))
}

/// An amount, or the word `none` for no cap.
fn budget(reader: &mut Reader, entry: &Entry) -> Option<Option<Money>> {
    match &entry.value.value {
        Value::Text(word) if word == "none" => Some(None),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Map(_) => reader.money(entry).map(Some),
    }
}

/// Reads a model's own price.
pub(super) fn price(reader: &mut Reader, entry: &Entry) -> Option<Rule> {
    let price = reader.section(&entry.value, entry.key_span.clone(), &PRICE)?;
    let entry = price.get("usd_per_million")?;
    let rates = reader.section(&entry.value, entry.key_span.clone(), &USD_PER_MILLION)?;
    rates::read(reader, &rates).map(Rule::flat)
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    [&FILE, &PRICE, &USD_PER_MILLION, &loops::LOOPS]
        .into_iter()
        .flat_map(|keys| keys.known.iter().copied())
}
