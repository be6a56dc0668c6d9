//! Facts, amounts and times in words and lines, for people and for programs.

use jiff::Timestamp;
use kernel::event::{Carve, Cleared, Event, Fact, Outcome, Parked, Purpose, Ruling, Sealed};
use kernel::json::RawJson;
use kernel::ledger::CapReached;
use kernel::ledger::{Allowance, Measure};
use kernel::message::{Arguments, Block, Reply, text_of};
use kernel::units::{Money, SessionId, UnixMs};
use kernel::verdict::{Judgement, Trust};
use serde_json::{Value, json};

/// The longest stretch of somebody else's words in one line, in characters.
const WORDS_MAX: usize = 160;

/// An instant as `2026-11-21T07:03:39.123Z`.
pub(crate) fn instant(at: UnixMs) -> String {
    let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).map_or_else(|_| at.0.to_string(), |at| format!("{at:.3}"))
}

/// An instant to the minute, as `2026-11-21T07:03Z`.
pub(crate) fn minute(at: UnixMs) -> String {
    let whole: String = instant(at).chars().take("2026-11-21T07:03".len()).collect();
    format!("{whole}Z")
}

/// A day counted from 1970-01-01 in UTC, as `2026-11-21`.
pub(crate) fn day(number: u64) -> String {
    let midnight = UnixMs(number.saturating_mul(86_400_000));
    instant(midnight).chars().take("2026-11-21".len()).collect()
}

/// How long ago, in words: `just now`, `5 min ago`, `3 d ago`.
pub(crate) fn ago(then: UnixMs, now: UnixMs) -> String {
    let seconds = now.0.saturating_sub(then.0) / 1_000;
    match seconds {
        0..5 => "just now".to_owned(),
        5..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// An amount as plain decimal dollars, for programs: `0.02`.
pub(crate) fn decimal(money: Money) -> String {
    money.to_string().trim_start_matches('$').to_owned()
}

/// What a cap allows, of each measure that it limits: `$1.00, 200 requests`.
pub(crate) fn allowance(cap: &Allowance) -> String {
    let limits = Measure::ALL
        .into_iter()
        .filter_map(|measure| cap.get(measure).map(|limit| amount(measure, limit)));
    limits.collect::<Vec<String>>().join(", ")
}

/// So much of a measure: `$0.50`, `1,200 tokens`, `3 requests`.
pub(crate) fn amount(measure: Measure, quantity: u64) -> String {
    match measure {
        Measure::Money => Money(quantity).to_string(),
        Measure::Tokens => counted(quantity, "token"),
        Measure::Requests => counted(quantity, "request"),
    }
}

/// A number of things: `1 request`, `1,200 tokens`.
fn counted(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", count(number))
}

/// A quantity for programs: exact decimal dollars, or a whole number.
pub(crate) fn quantity(measure: Measure, count: u64) -> Value {
    match measure {
        Measure::Money => json!(decimal(Money(count))),
        Measure::Tokens | Measure::Requests => json!(count),
    }
}

/// The name of a measure in files, flags and JSON.
pub(crate) fn measure(measure: Measure) -> &'static str {
    match measure {
        Measure::Money => "usd",
        Measure::Tokens => "tokens",
        Measure::Requests => "requests",
    }
}

/// Minutes east of UTC as `+01:00`.
pub(crate) fn offset(minutes: i32) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// A number with commas between its thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Words in one line: control characters and line breaks become spaces, and what is too
/// long ends in `…`. Nothing that a model or a tool says can move the cursor.
pub(crate) fn one_line(words: &str) -> String {
    let mut line = String::new();
    for (place, character) in words.trim().chars().enumerate() {
        if place == WORDS_MAX {
            line.push('…');
            break;
        }
        line.push(if character.is_control() { ' ' } else { character });
    }
    line
}

/// Words in several lines, without any other control characters.
pub(crate) fn harmless(words: &str) -> String {
    let keep = |c: &char| !c.is_control() || *c == '\n' || *c == '\t';
    words.chars().filter(keep).collect()
}

/// A run's result: a text as it is, anything else as indented JSON.
pub(crate) fn result(raw: &RawJson) -> String {
    match raw.value() {
        Value::String(text) => harmless(&text),
        value @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Array(_)
        | Value::Object(_)) => {
            serde_json::to_string_pretty(&value).unwrap_or_else(|_| raw.text().to_owned())
        }
    }
}

/// The arguments of a call, as short as they can be said.
pub(crate) fn arguments(arguments: &Arguments) -> String {
    let raw = match arguments {
        Arguments::Json(raw) => raw,
        Arguments::Malformed(text) => return one_line(text),
    };
    let parts: Vec<String> = match raw.value() {
        Value::Object(fields) => fields.values().map(plain).collect(),
        value @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)) => vec![plain(&value)],
    };
    one_line(&parts.join(" "))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// One line about an event.
pub(crate) fn line(event: &Event) -> String {
    let words = words(&event.fact);
    format!("{:>5}  {}  {:<14}  {words}", event.seq, instant(event.at), event.fact.name())
}

/// A fact's particulars, in one line.
pub(crate) fn words(fact: &Fact) -> String {
    match fact {
        Fact::SessionOpened(opening) => match (&opening.forked_from, &opening.parent) {
            (Some(point), _) => {
                format!("agent {}, fork of {} at {}", opening.agent_id, point.session, point.seq)
            }
            (None, Some(parent)) => {
                format!("agent {}, child of {}", opening.agent_id, parent.session)
            }
            (None, None) => format!("agent {}", opening.agent_id),
        },
        Fact::RunStarted { run, input, cap, turns_max, .. } => {
            let cap = cap.map_or_else(|| "no cap".to_owned(), |cap| format!("cap {cap}"));
            format!("run {run}, {cap}, {turns_max} turns: {}", one_line(&text_of(input)))
        }
        Fact::Notified(notice) => one_line(&notice.text()),
        Fact::Budgeted { to } => {
            let scopes: Vec<String> = to.iter().map(ToString::to_string).collect();
            format!(
                "counted in {}",
                if to.is_empty() { "no shared scope".to_owned() } else { scopes.join(", ") }
            )
        }
        Fact::ModelBegun { epoch, turn, max_tokens, hold, clamped, purpose, .. } => {
            let clamped = if *clamped { " (clamped to the cap)" } else { "" };
            let what = match purpose {
                Purpose::Answer => format!("turn {turn}"),
                Purpose::Summary => format!("a summary before turn {turn}"),
            };
            format!("{what}, up to {max_tokens} tokens{clamped}, hold {hold}, epoch {}", epoch.0)
        }
        Fact::ModelReplied { reply, cost, estimated } => {
            let tokens = reply.usage.map_or(0, |usage| usage.total());
            format!("{} tokens, {}: {}", count(tokens), about(*cost, *estimated), said(reply))
        }
        Fact::ModelFailed { fault, cost, estimated, .. } => {
            let message = one_line(&fault.message);
            format!("{}, {}: {message}", fault.class.code(), about(*cost, *estimated))
        }
        Fact::ModelLost { cost } => format!("settled at its hold, {cost}"),
        Fact::ResultsCleared(cleared) => self::cleared(cleared),
        Fact::Summarised { turns_kept } => {
            format!("the model's summary stands for all but the last {}", turns(*turns_kept))
        }
        Fact::TurnsDropped { turns_kept } => {
            format!("all but the last {} left out, without a summary", turns(*turns_kept))
        }
        Fact::ToolsJudged { rulings } => rulings.iter().map(ruling).collect::<Vec<_>>().join(", "),
        Fact::ApprovalDecided { call, answer, by, words } => {
            let said =
                if words.is_empty() { String::new() } else { format!(": {}", one_line(words)) };
            format!("{call} {} by {}{said}", answer.name(), one_line(by))
        }
        Fact::ToolBegun { epoch, call } => format!("{call}, epoch {}", epoch.0),
        Fact::ChildBegun { call, child, carve, .. } => {
            format!("{call}: child {child}, {}", carved(carve))
        }
        Fact::ToolReturned(returned) => {
            let (call, outcome) = (&returned.call, outcome(returned.outcome));
            let used = returned.child.map_or_else(String::new, |end| {
                format!(" (child {}, {} turns, {})", end.session, end.turns, end.spent)
            });
            format!("{call} {outcome}{used}: {}", one_line(&returned.content))
        }
        Fact::CancelAsked { by } => format!("by {by}"),
        Fact::RunParked { why, wake } => {
            let wake = wake.map(|at| format!(", wakes {}", instant(at))).unwrap_or_default();
            format!("{}{wake}", parked(why))
        }
        Fact::RunWoken { by, turns_more, cap } => {
            let cap = cap.map(|cap| format!(", cap {cap}")).unwrap_or_default();
            format!("by {by}, {turns_more} more turns{cap}")
        }
        Fact::RunFinished { result } => one_line(&self::result(result)),
        Fact::RunFailed { code, message } => format!("{}: {}", code.code(), one_line(message)),
        Fact::RunCancelled {} => String::new(),
    }
}

/// What a child got.
pub(crate) fn carved(carve: &Carve) -> String {
    let cap = carve.cap.map_or_else(|| "no cap".to_owned(), |cap| format!("cap {cap}"));
    let children = match carve.children {
        0 => String::new(),
        some => format!(", {some} children"),
    };
    format!("{cap}, {} turns{children}", carve.turns)
}

/// Which results the model no longer reads in full.
fn cleared(cleared: &Cleared) -> String {
    let (turn, over) = (cleared.upto_turn, count(cleared.bytes_over));
    match cleared.bytes_kept {
        0 => format!("results up to turn {turn} over {over} bytes are no longer sent to the model"),
        kept => format!(
            "results over {over} bytes are sent to the model up to {} bytes only",
            count(kept)
        ),
    }
}

fn turns(turns: u32) -> String {
    if turns == 1 { "turn".to_owned() } else { format!("{turns} turns") }
}

fn about(cost: Money, estimated: bool) -> String {
    if estimated { format!("about {cost}") } else { cost.to_string() }
}

fn said(reply: &Reply) -> String {
    let calls: Vec<String> = reply
        .content
        .iter()
        .filter_map(|block| match block {
            Block::ToolUse(call) => Some(format!("{}({})", call.name, arguments(&call.arguments))),
            Block::Text { .. }
            | Block::Thinking { .. }
            | Block::ToolResult(_)
            | Block::Opaque { .. } => None,
        })
        .collect();
    let text = one_line(&text_of(&reply.content));
    match (text.is_empty(), calls.is_empty()) {
        (_, true) => text,
        (true, false) => calls.join(", "),
        (false, false) => format!("{text} · {}", calls.join(", ")),
    }
}

/// How a call ended, in a word.
fn ruling(ruling: &Ruling) -> String {
    let Judgement { verdict, by, reasons } = &ruling.judgement;
    let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join("+")) };
    let why = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) };
    one_line(&format!("{} {}{by}{why}", ruling.call, verdict.name()))
}

/// Every trust, from least to most.
pub(crate) const TRUSTS: [Trust; 3] = [Trust::ReadOnly, Trust::Standard, Trust::Elevated];

/// How far tools reach, as it is written in files.
pub(crate) fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::ReadOnly => "read_only",
        Trust::Standard => "standard",
        Trust::Elevated => "elevated",
    }
}

pub(crate) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Error => "error",
        Outcome::OutcomeUnknown => "outcome unknown",
        Outcome::Cancelled => "cancelled",
    }
}

/// Why a run waits, in a sentence's beginning.
pub(crate) fn parked(why: &Parked) -> String {
    match why {
        Parked::TurnCap { turns_max } => format!("all {turns_max} turns are used"),
        Parked::CostCapExceeded(reached) => cap_reached(reached),
        Parked::Outage(fault) => format!("the provider is out: {}", one_line(&fault.message)),
        Parked::NeedsMending(fault) => one_line(&fault.message),
        Parked::NoDoneSignal => "the model stopped without saying that it is done".to_owned(),
        Parked::Interrupted => "interrupted".to_owned(),
        Parked::Forked => "forked from another session".to_owned(),
        Parked::HandedOver => "left to the next program".to_owned(),
        Parked::Faulted { message } => {
            format!("a mistake in this program stopped it: {}", one_line(message))
        }
        Parked::CrashLoop { losses } => {
            format!("the program died {losses} times in a row in the same act")
        }
        Parked::LoopDetected { reason, .. } => {
            format!("it goes round in circles: {}", one_line(reason))
        }
        Parked::WaitsForChild { child } => format!("its child {child} sleeps"),
        Parked::AwaitsApproval { tools } => {
            format!("somebody must say whether {} may run", tools.join(", "))
        }
    }
}

fn cap_reached(reached: &CapReached) -> String {
    let show = |count| reached.measure.show(count);
    let place =
        if reached.scope.is_shared() { format!(" of {}", reached.scope) } else { String::new() };
    let held = match reached.held {
        0 => String::new(),
        held => format!(", {} held by other calls", show(held)),
    };
    let (cap, settled, needed) = (show(reached.cap), show(reached.settled), show(reached.needed));
    format!("cost cap {cap}{place} reached: {settled} spent{held}, the next call needs {needed}")
}

/// An event as one JSON object for programs.
pub(crate) fn json_line(session: SessionId, sealed: &Sealed) -> String {
    // The body is spliced in as it was committed, so that its bytes can be checked.
    format!(
        r#"{{"type":"event","session":"{session}","seq":{},"at":"{}","prev":"{}","hash":"{}","fact":{}}}"#,
        sealed.event.seq,
        instant(sealed.event.at),
        sealed.prev,
        sealed.hash,
        sealed.body
    )
}

/// A JSON object on one line.
pub(crate) fn object(value: &Value) -> String {
    json!(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_cannot_move_the_cursor() {
        assert_eq!(one_line("a\u{1b}[2Jb\nc\rd"), "a [2Jb c d");
        assert_eq!(harmless("a\u{1b}[2Jb\nc\td\r"), "a[2Jb\nc\td");
        assert_eq!(one_line(&"x".repeat(500)).chars().count(), WORDS_MAX + 1);
    }

    #[test]
    fn numbers_and_times_read_well() {
        for (number, words) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(count(number), words);
        }
        let now = UnixMs(10_000_000_000);
        for (back_s, words) in
            [(0, "just now"), (59, "59 s ago"), (3_599, "59 min ago"), (90_000, "1 d ago")]
        {
            assert_eq!(ago(UnixMs(now.0 - back_s * 1_000), now), words);
        }
        assert_eq!(instant(UnixMs(0)), "1970-01-01T00:00:00.000Z");
    }
}
