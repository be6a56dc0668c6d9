//! The section `context`: what is done when a conversation grows too long for its model.

use kernel::agent::Window;

use super::expect::{Keys, Reader};
use super::provider::optional;
use super::yaml::Entry;

const CONTEXT: Keys = Keys {
    of: "`context`",
    known: &[
        "window_tokens",
        "compaction",
        "compact_at_percent",
        "keep_turns",
        "clear_percent_min",
        "summary_tokens",
    ],
    required: &[],
};

/// Reads the section; without one everything is as usual.
pub(super) fn read(reader: &mut Reader, entry: Option<&Entry>) -> Option<Window> {
    let usual = Window::default();
    let Some(entry) = entry else {
        return Some(usual);
    };
    let section = reader.section(&entry.value, entry.key_span.clone(), &CONTEXT)?;
    let mut whole = |key: &str, low: u32, high: u32, unit: &str| {
        optional(section.get(key), |entry| reader.whole(entry, low..=high, unit))
    };
    let tokens_max = whole("window_tokens", 1_000, 100_000_000, "tokens");
    let trigger = whole("compact_at_percent", 10, 100, "percent");
    let keep_turns = whole("keep_turns", 0, 1_000, "turns");
    let worth = whole("clear_percent_min", 1, 90, "percent");
    let summary = whole("summary_tokens", 256, 100_000, "tokens");
    let compaction =
        optional(section.get("compaction"), |entry| reader.choice(entry, &["on", "off"]));
    Some(Window {
        tokens_max: tokens_max?.map(u64::from),
        compact: compaction? != Some("off"),
        trigger_percent: trigger?.unwrap_or(usual.trigger_percent),
        keep_turns: keep_turns?.unwrap_or(usual.keep_turns),
        clear_percent_min: worth?.unwrap_or(usual.clear_percent_min),
        summary_tokens_max: summary?.unwrap_or(usual.summary_tokens_max),
    })
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    CONTEXT.known.iter().copied()
}
