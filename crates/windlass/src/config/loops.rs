//! `loops` in an agent's file: when repetition counts as a loop, or `none` for a run that
//! only its turns and its budget end. `windlass guard loop` has the same numbers as flags.

use std::ops::RangeInclusive;

use kernel::breaker::loops::Settings;

use super::expect::{Keys, Reader, Section};
use super::provider::optional;
use super::yaml::{Entry, Value};

/// The keys of the section.
pub(super) const LOOPS: Keys = Keys {
    of: "`loops`",
    known: &[
        "window",
        "same_result",
        "same_error",
        "same_failure_after_edits",
        "cycle_length",
        "cycle_rounds",
        "equal_in_response",
        "stale_steps",
    ],
    required: &[],
};

/// Numbers of equal things: one of a kind is no repetition.
const TIMES: RangeInclusive<u32> = 2..=100;

/// Reads the section, or the word `none`.
pub(super) fn read(reader: &mut Reader, entry: &Entry) -> Option<Settings> {
    let usual = Settings::default();
    if matches!(&entry.value.value, Value::Text(word) if word == "none") {
        return Some(Settings { enabled: false, ..usual });
    }
    let section = reader.section(&entry.value, entry.key_span.clone(), &LOOPS)?;
    let window = 4..=Settings::WINDOW_MAX;
    let length = 2..=Settings::CYCLE_LEN_MAX;
    let mut number = |key, range, unit, usual| number(reader, &section, key, range, unit, usual);
    // All are read before any is asked for, so that one pass finds every mistake.
    let window = number("window", window, "calls", usual.window);
    let same_result = number("same_result", TIMES, "times", usual.same_result_max);
    let same_error = number("same_error", TIMES, "times", usual.same_error_max);
    let in_vain = usual.same_failure_after_edits_max;
    let in_vain = number("same_failure_after_edits", TIMES, "times", in_vain);
    let cycle_length = number("cycle_length", length, "calls", usual.cycle_len_max);
    let cycle_rounds = number("cycle_rounds", TIMES, "rounds", usual.cycle_rounds_max);
    let equal = number("equal_in_response", TIMES, "calls", usual.equal_in_response_max);
    let stale_steps = number("stale_steps", 2..=1000, "steps", usual.stale_steps_max);
    Some(Settings {
        enabled: true,
        window: window?,
        same_result_max: same_result?,
        same_error_max: same_error?,
        same_failure_after_edits_max: in_vain?,
        cycle_len_max: cycle_length?,
        cycle_rounds_max: cycle_rounds?,
        equal_in_response_max: equal?,
        stale_steps_max: stale_steps?,
    })
}

fn number(
    reader: &mut Reader,
    section: &Section,
    key: &str,
    range: RangeInclusive<u32>,
    unit: &str,
    usual: u32,
) -> Option<u32> {
    let given = optional(section.get(key), |entry| reader.whole(entry, range, unit))?;
    Some(given.unwrap_or(usual))
}
