//! How a provider is dealt with: how long is waited for it, how much it is asked at
//! once, and when it is left alone.

use kernel::backoff::Backoff;
use kernel::breaker::circuit::Settings;
use models::chain::Bulkhead;
use models::remote::Limits;

use super::expect::{Keys, Reader, Section};
use super::provider::optional;

/// The numbers of dealing with a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dealing {
    /// How long each part of a try may take.
    pub(crate) limits: Limits,
    /// How many calls there may be at once.
    pub(crate) bulkhead: Bulkhead,
    /// When its circuits open.
    pub(crate) breaker: Settings,
}

const TIMEOUTS: Keys = Keys {
    of: "`provider.timeouts`",
    known: &["connect_ms", "first_byte_ms", "between_bytes_ms", "total_ms"],
    required: &[],
};

const BREAKER: Keys = Keys {
    of: "`provider.breaker`",
    known: &[
        "window_ms",
        "calls_min",
        "failures_percent",
        "open_ms",
        "open_ms_max",
        "probes_at_once_max",
    ],
    required: &[],
};

/// An hour, in milliseconds.
const HOUR_MS: u32 = 3_600_000;

/// Reads the keys of a provider's section that say how it is dealt with.
pub(super) fn read(reader: &mut Reader, provider: &Section) -> Option<Dealing> {
    let usual = Dealing::default();
    let limits = limits(reader, provider, usual.limits);
    let at_once = number(reader, provider, "at_once_max", (1, 100_000), "calls");
    let waiting = number(reader, provider, "waiting_max", (0, 1_000_000), "calls");
    let breaker = breaker(reader, provider, usual.breaker);
    let calls = |given: Option<u32>, usual: usize| given.map_or(usual, |calls| calls as usize);
    let bulkhead = Bulkhead {
        at_once_max: calls(at_once?, usual.bulkhead.at_once_max),
        waiting_max: calls(waiting?, usual.bulkhead.waiting_max),
    };
    Some(Dealing { limits: limits?, bulkhead, breaker: breaker? })
}

fn limits(reader: &mut Reader, provider: &Section, usual: Limits) -> Option<Limits> {
    let Some(entry) = provider.get("timeouts") else {
        return Some(usual);
    };
    let section = reader.section(&entry.value, entry.key_span.clone(), &TIMEOUTS)?;
    let mut ms = |key| number(reader, &section, key, (1, HOUR_MS), "milliseconds");
    let (connect, first) = (ms("connect_ms"), ms("first_byte_ms"));
    let (between, total) = (ms("between_bytes_ms"), ms("total_ms"));
    let or = |given: Option<u32>, usual: u64| given.map_or(usual, u64::from);
    Some(Limits {
        connect_ms: or(connect?, usual.connect_ms),
        first_byte_ms: or(first?, usual.first_byte_ms),
        between_bytes_ms: or(between?, usual.between_bytes_ms),
        total_ms: or(total?, usual.total_ms),
        ..usual
    })
}

fn breaker(reader: &mut Reader, provider: &Section, usual: Settings) -> Option<Settings> {
    let Some(entry) = provider.get("breaker") else {
        return Some(usual);
    };
    let section = reader.section(&entry.value, entry.key_span.clone(), &BREAKER)?;
    let mut whole = |key, range, unit| number(reader, &section, key, range, unit);
    let window = whole("window_ms", (100, 24 * HOUR_MS), "milliseconds");
    let calls = whole("calls_min", (1, 1_000_000), "calls");
    let percent = whole("failures_percent", (1, 100), "percent");
    let open = whole("open_ms", (1, 24 * HOUR_MS), "milliseconds");
    let longest = whole("open_ms_max", (1, 24 * HOUR_MS), "milliseconds");
    let probes = whole("probes_at_once_max", (1, 10_000), "probes");
    let base_ms = open?.map_or(usual.open.base_ms, u64::from);
    let window_ms_max = longest?.map_or(usual.open.window_ms_max, u64::from).max(base_ms);
    Some(Settings {
        window_ms: window?.map_or(usual.window_ms, u64::from),
        calls_min: calls?.unwrap_or(usual.calls_min),
        failures_percent: percent?.unwrap_or(usual.failures_percent),
        open: Backoff { base_ms, window_ms_max },
        probes_at_once_max: probes?.unwrap_or(usual.probes_at_once_max),
        ..usual
    })
}

fn number(
    reader: &mut Reader,
    section: &Section,
    key: &str,
    (low, high): (u32, u32),
    unit: &str,
) -> Option<Option<u32>> {
    optional(section.get(key), |entry| reader.whole(entry, low..=high, unit))
}

/// Every key that is read here, for the check of the documentation.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    TIMEOUTS.known.iter().chain(BREAKER.known).copied()
}
