//! Texts without what changes by itself: times, durations, request ids, addresses.
//!
//! One pass over the text, whatever its length. Numbers that may be the message stay:
//! `line 5` and `3 failed` are news, `took 12 ms` is none.

use super::field;

/// How much of a text counts as noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Calm {
    /// Ids of the request and the time that it took.
    Call,
    /// Every time and duration too, and counters of tries.
    Clock,
    /// Every id too, addresses and ports: the words of an error alone.
    Error,
}

/// Words before a number that say that it is the time which a call took.
const TOOK: [&str; 9] =
    ["took", "in", "duration", "latency", "elapsed_ms", "took_ms", "duration_ms", "within", "real"];

/// Words beside a number that count tries.
const TRIES: [&str; 7] = ["attempt", "attempts", "try", "tries", "retry", "retries", "poll"];

/// Words before a name that goes with one process or request.
const NAMED: [&str; 5] = ["request", "trace", "correlation", "span", "invocation"];

/// Units of time.
const UNITS: [&str; 21] = [
    "ns",
    "us",
    "µs",
    "ms",
    "s",
    "sec",
    "secs",
    "second",
    "seconds",
    "m",
    "min",
    "mins",
    "minute",
    "minutes",
    "h",
    "hr",
    "hour",
    "hours",
    "milliseconds",
    "millisecond",
    "msec",
];

/// The text with noise replaced by marks, and white space in one form.
pub(super) fn calm(text: &str, calm: Calm) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = Before::default();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let length = token(rest);
        let word = &rest[..length];
        if word.trim().is_empty() {
            space(&mut out);
            at += length;
            continue;
        }
        let (taken, mark) = noise(rest, length, &before, calm).unwrap_or((length, None));
        out.push_str(mark.unwrap_or(word));
        before.hear(word);
        at += taken;
    }
    out.truncate(out.trim_end().len());
    out
}

fn space(out: &mut String) {
    if !out.is_empty() && !out.ends_with(' ') {
        out.push(' ');
    }
}

/// The length of the first token: a run of letters and digits, of white space, or one
/// other character.
fn token(text: &str) -> usize {
    let kind = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 0,
        c if c.is_whitespace() => 1,
        _ => 2,
    };
    let first = text.chars().next().map_or(2, kind);
    match first {
        2 => text.chars().next().map_or(1, char::len_utf8),
        same => text.find(|c| kind(c) != same).unwrap_or(text.len()),
    }
}

/// The words before a token.
#[derive(Default)]
struct Before {
    last: String,
    name: String,
    joined: bool,
}

impl Before {
    fn hear(&mut self, word: &str) {
        match word {
            "=" | ":" | "#" | "\"" | "'" | "-" | "(" | "[" => self.joined = true,
            word if word.starts_with(|c: char| c.is_alphanumeric() || c == '_') => {
                let lower = if word.len() > 32 { String::new() } else { word.to_lowercase() };
                self.name = match (self.last.as_str(), lower.as_str()) {
                    (last, "id") => format!("{last}id"),
                    _ => lower.clone(),
                };
                self.last = lower;
                self.joined = false;
            }
            _ => {
                self.last.clear();
                self.name.clear();
                self.joined = false;
            }
        }
    }

    /// Whether the token is the value of a name that means one try.
    fn marks_a_try(&self) -> bool {
        self.joined && !self.name.is_empty() && field::is_jitter(&self.name)
            || NAMED.iter().any(|word| self.name.strip_suffix("id") == Some(word))
    }
}

/// What noise begins here: its length, and the mark in its place.
fn noise(
    rest: &str,
    length: usize,
    before: &Before,
    calm: Calm,
) -> Option<(usize, Option<&'static str>)> {
    let word = &rest[..length];
    let starts = word.starts_with(|c: char| c.is_alphanumeric());
    if !starts {
        return None;
    }
    let digit = word.starts_with(|c: char| c.is_ascii_digit());
    if before.marks_a_try() && word.contains(|c: char| c.is_ascii_digit()) {
        return Some((value(rest), Some("<try>")));
    }
    let took = TOOK.contains(&before.last.as_str());
    if digit
        && (calm >= Calm::Clock || took)
        && let Some(length) = duration(rest)
    {
        return Some((length, Some("<span>")));
    }
    if calm >= Calm::Clock
        && let Some(length) = moment(rest)
    {
        return Some((length, Some("<time>")));
    }
    if calm >= Calm::Clock && digit && counts_tries(rest, length, before) {
        return Some((length, Some("<count>")));
    }
    if calm < Calm::Error {
        return None;
    }
    if let Some(length) = uuid(rest) {
        return Some((length, Some("<id>")));
    }
    let (mark, length) = if is_address(word) {
        ("<address>", length)
    } else if is_random(word) || matches!(before.last.as_str(), "pid" | "port" | "thread") && digit
    {
        ("<id>", length)
    } else if is_port(word, before) {
        ("<port>", length)
    } else {
        return None;
    };
    Some((length, Some(mark)))
}

/// The length of a name's value: up to white space or a closing mark.
fn value(rest: &str) -> usize {
    rest.find(|c: char| c.is_whitespace() || ",;&)]}\"'<>|".contains(c)).unwrap_or(rest.len())
}

/// Longest duration that is recognised, in bytes.
const DURATION_BYTES_MAX: usize = 32;

/// `1.5s`, `12 ms`, `0m1.2s`: a number with a unit of time.
fn duration(rest: &str) -> Option<usize> {
    let head = &rest[..rest.floor_char_boundary(DURATION_BYTES_MAX)];
    let number = head.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let after = &head[number..];
    if let Some(seconds) = after.strip_prefix('m')
        && let Some(length) = seconds.find(|c: char| !c.is_ascii_digit() && c != '.')
        && length > 0
        && seconds[length..].starts_with('s')
    {
        return Some(number + 1 + length + 1);
    }
    let unit = after.strip_prefix(' ').unwrap_or(after);
    let letters = unit.find(|c: char| !c.is_alphanumeric()).unwrap_or(unit.len());
    UNITS.contains(&&unit[..letters]).then(|| head.len() - unit.len() + letters)
}

/// An instant, a time of day with seconds, or a number of seconds since 1970.
fn moment(rest: &str) -> Option<usize> {
    if field::is_instant(rest) {
        let tail = rest[16..].find(|c: char| !(c.is_ascii_digit() || ":.,Z+-".contains(c)));
        return Some(16 + tail.unwrap_or(rest.len() - 16));
    }
    let bytes = rest.as_bytes();
    let clock = bytes.len() >= 8
        && bytes[..8].iter().enumerate().all(|(place, byte)| match place {
            2 | 5 => *byte == b':',
            _ => byte.is_ascii_digit(),
        });
    if clock {
        let tail = rest[8..].find(|c: char| !(c.is_ascii_digit() || c == '.'));
        return Some(8 + tail.unwrap_or(rest.len() - 8));
    }
    let word = &rest[..token(rest)];
    field::is_epoch(word).then_some(word.len())
}

/// `attempt 3`, `3 attempts`, `try 2/5`.
fn counts_tries(rest: &str, length: usize, before: &Before) -> bool {
    let next = rest[length..].trim_start();
    let next = &next[..token(next).min(next.len())];
    TRIES.contains(&before.last.as_str())
        || (!next.is_empty() && TRIES.contains(&next.to_lowercase().as_str()))
}

/// The length of a UUID that begins here.
pub(super) fn uuid(rest: &str) -> Option<usize> {
    let text = rest.get(..36)?;
    let fits = text.bytes().enumerate().all(|(place, byte)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    let ends = !rest[36..].starts_with(|c: char| c.is_alphanumeric());
    (fits && ends).then_some(36)
}

fn is_address(word: &str) -> bool {
    word.strip_prefix("0x")
        .is_some_and(|hex| hex.len() >= 4 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A word that looks drawn by lot: long, with letters and digits mixed.
pub(super) fn is_random(word: &str) -> bool {
    let tail = word.rsplit('_').next().unwrap_or(word);
    let digits = tail.bytes().filter(u8::is_ascii_digit).count();
    let letters = tail.bytes().filter(u8::is_ascii_alphabetic).count();
    let hex = tail.bytes().all(|byte| byte.is_ascii_hexdigit());
    let enough = if hex { 8 } else { 10 };
    tail.is_ascii() && tail.len() >= enough && digits >= 2 && letters >= 2 && changes(tail) >= 3
}

/// How often letters and digits take turns.
fn changes(word: &str) -> usize {
    let digits: Vec<bool> = word.bytes().map(|byte| byte.is_ascii_digit()).collect();
    digits.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

/// A port that a system gives out by itself, after an address.
fn is_port(word: &str, before: &Before) -> bool {
    let numbered = before.joined && before.last.bytes().all(|byte| byte.is_ascii_digit());
    numbered && word.len() == 5 && word.parse::<u32>().is_ok_and(|port| port >= 32_768)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(level: Calm, one: &str, other: &str) -> bool {
        calm(one, level) == calm(other, level)
    }

    #[test]
    fn each_level_hears_past_its_noise() {
        let cases = [
            (Calm::Call, "5 passed in 0.52s", "5 passed in 0.61s"),
            (Calm::Call, "done (request_id: 8f3a21)", "done (request_id: 77be01)"),
            (Calm::Call, "ok, took 12 ms", "ok,  took 9 ms\n"),
            (Calm::Call, "Request ID: req_01", "Request ID: req_02"),
            (Calm::Clock, "pending at 2026-11-21T10:00:00Z", "pending at 2026-11-21T10:00:05Z"),
            (Calm::Clock, "running for 30s", "running for 45s"),
            (Calm::Clock, "[10:00:01] waiting", "[10:00:02.123] waiting"),
            (Calm::Clock, "attempt 1 of 5: busy", "attempt 2 of 5: busy"),
            (Calm::Error, "timeout after 3001 ms", "timeout after 3002 ms"),
            (Calm::Error, "panic at 0x7ffde3a0", "panic at 0x7ffde4b8"),
            (
                Calm::Error,
                "no worker for 0198c0de-0000-7000-8000-000000000001",
                "no worker for 0198c0de-0000-7000-8000-00000000beef",
            ),
            (Calm::Error, "127.0.0.1:53412: reset", "127.0.0.1:53998: reset"),
            (Calm::Error, "failed after 3 attempts", "failed after 5 attempts"),
            (Calm::Error, "worker pid 4711 died", "worker pid 4812 died"),
        ];
        for (level, one, other) in cases {
            assert!(same(level, one, other), "{} / {}", calm(one, level), calm(other, level));
        }
    }

    #[test]
    fn numbers_that_are_the_message_stay() {
        let cases = [
            ("error at line 5", "error at line 9"),
            ("3 failed, 2 passed", "2 failed, 3 passed"),
            ("progress 10 %", "progress 20 %"),
            ("expected 5, got 7", "expected 5, got 8"),
            ("no user 17", "no user 18"),
            ("section 3 is missing", "section 4 is missing"),
            ("listening on 127.0.0.1:8080", "listening on 127.0.0.1:8081"),
            ("version 1.2.3", "version 1.2.4"),
        ];
        for (one, other) in cases {
            assert!(!same(Calm::Error, one, other), "{one}");
        }
        for (one, other) in [("running for 30s", "running for 45s"), ("10:00:01", "10:00:02")] {
            assert!(!same(Calm::Call, one, other), "{one}");
        }
    }

    #[test]
    fn any_text_comes_through() {
        for text in
            ["", " ", "é1", "1", "12:34:5", "ns", "0x", "\u{fffd}", "1.", "=1=", "2026-11-21T"]
        {
            for level in [Calm::Call, Calm::Clock, Calm::Error] {
                let _ = calm(text, level);
            }
        }
    }
}
