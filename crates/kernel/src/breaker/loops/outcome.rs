//! What a result says: whether it failed and how, whether it is empty, and its text
//! without noise.
//!
//! Whoever knows whether a call failed says so; for traffic that was recorded without
//! that, it is read from the result's own words.

use std::borrow::Cow;

use super::field::{self, Field};
use super::noise::{Calm, calm};
use super::number;
use super::tree::{self, Tree};

/// Longest result that is read as JSON, in bytes; a longer one is a text.
const JSON_BYTES_MAX: usize = 1 << 20;

/// How much of a text is looked through for words of failure, in bytes.
const LOOKED_THROUGH_BYTES_MAX: usize = 4_096;

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
    let of_call = [
        "requestid",
        "xrequestid",
        "traceid",
        "spanid",
        "correlationid",
        "tookms",
        "took",
        "durationms",
        "duration",
        "latencyms",
        "latency",
        "querytimems",
        "executiontimems",
        "responsetimems",
        "executiontime",
        "responsetime",
        "querytime",
        "nonce",
        "wallms",
    ];
    let of_clock = [
        "timestamp",
        "ts",
        "servertime",
        "generatedat",
        "checkedat",
        "lastchecked",
        "fetchedat",
        "polledat",
        "now",
        "asof",
        "elapsed",
        "elapsedms",
        "elapsedseconds",
        "uptime",
        "uptimeseconds",
        "retryafter",
        "currenttime",
        "updatedat",
        "lastupdated",
        "time",
        "date",
        "heartbeat",
        "lastheartbeat",
        "expiresat",
        "attempt",
        "attempts",
        "pollcount",
        "retries",
    ];
    let of_error = ["id", "errorid", "eventid", "instance", "incidentid", "reference", "ref"];
    of_call.contains(&plain.as_str())
        || (level >= Calm::Clock
            && (of_clock.contains(&plain.as_str()) || field::field(name) == Field::Jitter))
        || (level >= Calm::Error && of_error.contains(&plain.as_str()))
}

/// Whether a JSON result says of itself that it is a failure.
fn tells_failure(tree: &Tree) -> bool {
    let Tree::Map(fields) = tree else {
        return false;
    };
    fields.iter().any(|(name, value)| {
        let name = name.to_ascii_lowercase();
        match (name.as_str(), value) {
            ("error" | "err" | "exception" | "error_message" | "errormessage", value) => {
                is_something(value)
            }
            ("errors", Tree::List(items)) => !items.is_empty() && fields.len() <= 3,
            ("is_error" | "iserror" | "failed", Tree::Bool(flag)) => *flag,
            ("ok" | "success", Tree::Bool(flag)) => !flag,
            ("status" | "type" | "result", Tree::Text(text)) => {
                ["error", "fail", "failure", "exception"]
                    .contains(&text.to_ascii_lowercase().as_str())
            }
            ("status" | "code" | "status_code" | "statuscode" | "http_status", Tree::Number(n)) => {
                let code = number::digits(n);
                code.len() == 3 && code.starts_with(['4', '5'])
            }
            ("exit_code" | "exitcode" | "returncode" | "return_code", Tree::Number(n)) => n != "0",
            _ => false,
        }
    })
}

fn is_something(value: &Tree) -> bool {
    match value {
        Tree::Null | Tree::Bool(false) => false,
        Tree::Bool(true) => true,
        Tree::Number(number) => number != "0",
        Tree::Text(text) => !text.trim().is_empty(),
        Tree::List(items) => !items.is_empty(),
        Tree::Map(fields) => !fields.is_empty(),
    }
}

fn head(text: &str, bytes: usize) -> String {
    let text = text.trim_start();
    text[..text.floor_char_boundary(bytes)].to_lowercase()
}

/// Whether a text begins as messages of failure begin.
fn begins_with_failure(text: &str) -> bool {
    let head = head(text, LOOKED_THROUGH_BYTES_MAX);
    let first: &str = head.lines().next().unwrap_or_default();
    let start = first.trim_start_matches(['[', '<', '(', '{', '*', '#', ' ', '"', '\'']);
    let begins = [
        "error",
        "err:",
        "exception",
        "traceback",
        "fatal",
        "failed",
        "failure",
        "cannot ",
        "can't ",
        "could not",
        "couldn't ",
        "unable to",
        "permission denied",
        "access denied",
        "timeout",
        "timed out",
        "time out",
        "connection ",
        "not found",
        "no such ",
        "invalid",
        "unknown ",
        "unauthorized",
        "forbidden",
        "too many requests",
        "rate limit",
        "service unavailable",
        "internal server error",
        "bad gateway",
        "gateway timeout",
        "bad request",
        "command not found",
        "panic",
        "refused",
        "denied",
        "econn",
        "etimedout",
        "enoent",
        "eacces",
        "syntax error",
        "quota",
        "tool_error",
        "usage:",
        "missing ",
        "request failed",
        "validation error",
        "dns ",
    ];
    begins.iter().any(|words| start.starts_with(words))
        || is_status(start)
        || {
            let named = first.split([':', ' ']).next().unwrap_or_default();
            named.len() > 5 && (named.ends_with("error") || named.ends_with("exception"))
        }
        || [
            ": command not found",
            ": no such file",
            ": permission denied",
            "exit code 1",
            "exit status 1",
        ]
        .iter()
        .any(|words| head.contains(words))
}

/// `404 Not Found`, `HTTP 503`, `HTTP/1.1 500`, `status 429`.
fn is_status(start: &str) -> bool {
    let rest =
        ["http/1.1 ", "http/2 ", "http error ", "http ", "status code ", "status: ", "status "]
            .iter()
            .find_map(|words| start.strip_prefix(words));
    let (named, rest) = (rest.is_some(), rest.unwrap_or(start));
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let after = &rest[digits..];
    digits == 3
        && rest.starts_with(['4', '5'])
        && (named
            || [
                " not found",
                " too many",
                " forbidden",
                " unauthor",
                " bad ",
                " internal",
                " service",
                " gateway",
                " request",
                " error",
                ":",
                " conflict",
                " unprocessable",
            ]
            .iter()
            .any(|words| after.starts_with(words)))
}

/// Whether a text tells of a failure anywhere near its beginning or end.
fn mentions_failure(text: &str) -> bool {
    let (start, end) = (head(text, LOOKED_THROUGH_BYTES_MAX), text.trim_end());
    let from = end.len().saturating_sub(LOOKED_THROUGH_BYTES_MAX);
    let end = end[end.ceil_char_boundary(from)..].to_lowercase();
    [start.as_str(), end.as_str()].iter().any(|part| {
        let calm = part
            .replace("0 failed", "")
            .replace("0 failures", "")
            .replace("0 errors", "")
            .replace("no errors", "");
        ["failed", "failure", "error", "panicked", "exception", "traceback", "not ok"]
            .iter()
            .any(|word| calm.contains(word))
    })
}

/// Failures that answer the question: this subject is not there, not allowed, not free.
fn answers_for_subject(text: &str) -> bool {
    let head = head(text, LOOKED_THROUGH_BYTES_MAX);
    let mut words = [
        "not found",
        "not_found",
        "notfound",
        "no such",
        "not exist",
        "n't exist",
        "404",
        "enoent",
        "denied",
        "forbidden",
        "403",
        "already exists",
        "already taken",
        "is taken",
        "not available",
        "out of stock",
        "no match",
        "not a ",
        "is a directory",
        "unknown user",
        "unknown id",
        "invalid id",
        "no record",
        "no user",
        "deleted",
        "is closed",
        "expired",
        "duplicate",
        "does not match",
        "unsupported",
        "not registered",
        "410",
        "gone",
    ]
    .iter();
    words.any(|words| head.contains(words)) && !head.contains("command not found")
}

fn is_empty_text(text: &str) -> bool {
    if text.len() > 200 {
        return false;
    }
    let text = text.trim().trim_end_matches('.').to_lowercase();
    let words = [
        "",
        "none",
        "null",
        "nothing",
        "nothing found",
        "empty",
        "(empty)",
        "0",
        "0 results",
        "no output",
        "(no output)",
        "no data",
        "n/a",
    ];
    words.contains(&text.as_str())
        || [
            "no results",
            "no matches",
            "no match",
            "0 matches",
            "no files",
            "no entries",
            "no documents",
            "nothing matches",
            "found 0",
            "no hits",
            "no items",
            "no records",
        ]
        .iter()
        .any(|start| text.starts_with(start))
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
                ["total", "count", "hits", "matches", "found", "total_count"]
                    .contains(&name.as_str())
                    && *value == Tree::Number("0".to_owned())
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
