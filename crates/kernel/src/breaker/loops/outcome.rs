//! What a result says: whether it failed and how, whether it is empty, and its text
//! without noise.
//!
//! Whoever knows whether a call failed says so; for traffic that was recorded without
//! that, it is read from the result's own words.

use std::borrow::Cow;

use super::failure::{answers_for_subject, begins_with_failure, mentions_failure, tells_failure};
use super::field::{self, is_among};
use super::noise::{Calm, calm};
use super::number;
use super::tree::{self, Tree};

/// Longest result that is read as JSON, in bytes; a longer one is a text.
const JSON_BYTES_MAX: usize = 1 << 20;

/// Fields of a result that are about the call: whose, and how long it took.
const OF_CALL: &str = "requestid xrequestid traceid spanid correlationid tookms took durationms \
    duration latencyms latency querytimems executiontimems responsetimems executiontime \
    responsetime querytime nonce wallms";

/// Fields that change with every look.
const OF_CLOCK: &str = "timestamp ts servertime generatedat checkedat lastchecked fetchedat \
    polledat now asof elapsed elapsedms elapsedseconds uptime uptimeseconds retryafter \
    currenttime updatedat lastupdated time date heartbeat lastheartbeat expiresat attempt \
    attempts pollcount retries";

/// Fields of an error that name this one.
const OF_ERROR: &str = "id errorid eventid instance incidentid reference ref";

/// Names of numbers that count what was found.
const COUNTS: &str = "total count hits matches found total_count";

/// Texts that hold nothing, parted by bars.
const EMPTY: &str = "|none|null|nothing|nothing found|empty|(empty)|0|0 results|no output|\
    (no output)|no data|n/a";

/// Beginnings of texts that say that nothing was found, parted by bars.
const FOUND_NOTHING: &str = "no results|no matches|no match|0 matches|no files|no entries|\
    no documents|nothing matches|found 0|no hits|no items|no records";

/// What a result says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    /// The call failed.
    pub(super) failed: bool,
    /// The call failed, or what it ran did: a failing test is told by a tool that works.
    pub(super) bad: bool,
    /// The failure is an answer about the subject (it is not there, not allowed), so that
    /// the same words about another subject are news.
    pub(super) about_subject: bool,
    /// It holds nothing.
    pub(super) empty: bool,
    /// The result without what belongs to this one call.
    pub(super) text: String,
    /// The result without times too; of a failure, its words alone.
    pub(super) gist: String,
}

/// Reads a result. `failed` is `None` where nobody knows.
pub(super) fn outcome(result: &str, failed: Option<bool>) -> Outcome {
    let short = result.len() <= JSON_BYTES_MAX;
    let tree = short.then(|| tree::read(result)).flatten();
    // A lone JSON string is the text that it holds.
    let text: Cow<'_, str> = match &tree {
        Some(Tree::Text(text)) => Cow::Owned(text.clone()),
        Some(Tree::Null | Tree::Bool(_) | Tree::Number(_) | Tree::List(_) | Tree::Map(_))
        | None => Cow::Borrowed(result),
    };
    let tree = tree.filter(|tree| matches!(tree, Tree::List(_) | Tree::Map(_) | Tree::Null));
    let failed = failed.unwrap_or_else(|| match &tree {
        Some(tree) => tells_failure(tree),
        None => begins_with_failure(&text),
    });
    let clear = |level: Calm| match &tree {
        Some(tree) => cleared(tree, level),
        None => calm(&text, level),
    };
    Outcome {
        failed,
        bad: failed || mentions_failure(&text),
        about_subject: failed && answers_for_subject(&text),
        empty: tree.as_ref().map_or_else(|| is_empty_text(&text), is_empty),
        text: clear(if failed { Calm::Error } else { Calm::Call }),
        gist: clear(if failed { Calm::Error } else { Calm::Clock }),
    }
}

/// A JSON result as text, without the fields that are noise at this level. Where nothing
/// would be left, the noise is the result.
fn cleared(tree: &Tree, level: Calm) -> String {
    let mut out = String::new();
    write(tree, level, &mut out);
    if out.bytes().any(|byte| byte.is_ascii_alphanumeric()) || level > Calm::Call {
        return out;
    }
    format!("{tree:?}")
}

fn write(tree: &Tree, level: Calm, out: &mut String) {
    match tree {
        Tree::Null => out.push_str("null"),
        Tree::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Tree::Number(number)
            if level >= Calm::Clock && field::is_epoch(&number::digits(number)) =>
        {
            out.push_str("<time>");
        }
        Tree::Number(number) => out.push_str(number),
        Tree::Text(text) => {
            out.push('"');
            out.push_str(&calm(text, level));
            out.push('"');
        }
        Tree::List(items) => {
            out.push('[');
            for item in items {
                write(item, level, out);
                out.push(',');
            }
            out.push(']');
        }
        Tree::Map(fields) => {
            out.push('{');
            for (name, value) in fields.iter().filter(|(name, _)| !is_noise(name, level)) {
                out.push_str(name);
                out.push(':');
                write(value, level, out);
                out.push(',');
            }
            out.push('}');
        }
    }
}

/// Fields of a result that are about the call and not about the world.
fn is_noise(name: &str, level: Calm) -> bool {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).take(40).collect();
    let plain = plain.to_ascii_lowercase();
    is_among(OF_CALL, &plain)
        || (level >= Calm::Clock && (is_among(OF_CLOCK, &plain) || field::is_jitter(name)))
        || (level >= Calm::Error && is_among(OF_ERROR, &plain))
}

fn is_empty_text(text: &str) -> bool {
    if text.len() > 200 {
        return false;
    }
    let text = text.trim().trim_end_matches('.').to_lowercase();
    EMPTY.split('|').any(|words| words == text)
        || FOUND_NOTHING.split('|').any(|words| text.starts_with(words))
}

/// Whether a JSON result holds an empty list and nothing in any other.
fn is_empty(tree: &Tree) -> bool {
    match tree {
        Tree::Null => true,
        Tree::List(items) => items.is_empty(),
        Tree::Map(fields) => {
            let lists =
                || fields.values().filter(|value| matches!(value, Tree::List(_) | Tree::Map(_)));
            let counted = fields.iter().any(|(name, value)| {
                is_among(COUNTS, name) && *value == Tree::Number("0".to_owned())
            });
            fields.is_empty() || lists().all(is_empty) && (counted || lists().next().is_some())
        }
        Tree::Bool(_) | Tree::Number(_) | Tree::Text(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_heard_in_results_that_do_not_say_so() {
        let bad = [
            "Error: connection refused",
            "Traceback (most recent call last):\n …",
            "ValueError: x",
            "503 Service Unavailable",
            "HTTP 404",
            "bash: foo: command not found",
            r#"{"error":"boom"}"#,
            r#"{"error":{"code":5}}"#,
            r#"{"ok":false}"#,
            r#"{"status":429,"message":"slow down"}"#,
            r#"{"stdout":"","exit_code":2}"#,
            r#""Error: as a JSON string""#,
        ];
        for text in bad {
            assert!(outcome(text, None).failed, "{text}");
            assert!(!outcome(text, Some(false)).failed, "{text}");
        }
        let good = [
            "ok",
            "",
            "404 people came",
            "[]",
            r#"{"error":null,"items":[]}"#,
            r#"{"errors":[],"ok":true}"#,
            r#"{"status":"running"}"#,
            r#"{"status":200}"#,
            "5 passed, 0 failed",
        ];
        for text in good {
            assert!(!outcome(text, None).failed, "{text}");
        }
        assert!(outcome("running 3 tests\n2 failed", None).bad);
        assert!(outcome("20 failed, 3 passed", None).bad);
        assert!(!outcome("running 3 tests\n3 passed, 0 failed", None).bad);
    }

    #[test]
    fn emptiness_has_many_forms() {
        let empty = [
            "",
            "[]",
            "{}",
            "null",
            "No results found.",
            r#"{"items":[],"query":"x"}"#,
            r#"{"hits":0}"#,
        ];
        for text in empty {
            assert!(outcome(text, None).empty, "{text}");
        }
        for text in ["ok", "[0]", r#"{"items":[1]}"#, r#"{"ok":true}"#, "0.5", r#"{"a":"x"}"#] {
            assert!(!outcome(text, None).empty, "{text}");
        }
    }

    #[test]
    fn what_is_about_the_call_is_no_news() {
        let (one, other) = (
            outcome(r#"{"items":[1],"request_id":"a","took_ms":3}"#, None),
            outcome(r#"{"took_ms":4, "items":[1.0],"request_id":"b"}"#, None),
        );
        assert_eq!(one.text, other.text);
        let clock = |at: &str| outcome(&format!(r#"{{"time":"{at}"}}"#), None);
        assert_ne!(clock("10:00:01").text, clock("10:00:02").text);
        assert_eq!(clock("10:00:01").gist, clock("10:00:02").gist);
        let id = |id: &str| outcome(&format!(r#"{{"request_id":"{id}"}}"#), None);
        assert_ne!(id("a").text, id("b").text, "the id is all that there is");
    }
}
