//! Words of failure: whether a result tells of one, and of which kind.
//!
//! For traffic that was recorded without saying which calls failed, and for tools that
//! work while what they run does not. English, as almost all programs speak it.

use super::field::is_among;
use super::number;
use super::tree::Tree;

/// How much of a text is looked through at either end, in bytes.
const LOOKED_THROUGH_BYTES_MAX: usize = 4_096;

/// Beginnings of messages of failure, parted by bars.
const BEGINS: &str = "error|err:|exception|traceback|fatal|failed|failure|cannot |can't |\
    could not|couldn't |unable to|permission denied|access denied|timeout|timed out|time out|\
    connection |not found|no such |invalid|unknown |unauthorized|forbidden|too many requests|\
    rate limit|service unavailable|internal server error|bad gateway|gateway timeout|\
    bad request|command not found|panic|refused|denied|econn|etimedout|enoent|eacces|\
    syntax error|quota|tool_error|usage:|missing |request failed|segmentation fault|segfault|\
    killed|aborted|out of memory|stack overflow|validation error|dns |upstream |no route to";

/// What follows the number of a status that tells of failure.
const AFTER_STATUS: &str = " not found| too many| forbidden| unauthor| bad | internal| service|\
    | gateway| request| error|:| conflict| unprocessable";

/// What stands before such a number.
const BEFORE_STATUS: &str =
    "http/1.1 |http/2 |http error |http |status code |status: |status |error ";

/// Messages of shells, anywhere in their output.
const OF_SHELLS: &str =
    ": command not found|: no such file|: permission denied|exit code 1|exit status 1";

/// Words that tell of a failure wherever they stand.
const MENTIONS: &str = "failed|failing|failure|error|panicked|exception|traceback|not ok";

/// Words that tell of one in a message of a few lines.
const SAID_SHORTLY: &str = "failed|failure|error|exception|went wrong|try again|timed out|\
    timeout|unavailable|refused|rejected|overloaded|unreachable|throttled|rate limit|aborted|\
    not responding|unexpected|could not";

/// Longest such message, in bytes.
const SHORT_BYTES_MAX: usize = 300;

/// Words that deny one; before a nought there is no other digit.
const DENIALS: &str = " 0 failed| 0 failures| 0 failing| 0 errors| 0 error|no errors|no error|\
    no failures|without error|error-free|failed: 0|errors: 0|failures: 0";

/// Failures that answer the question: this subject is not there, not allowed, not free.
const ABOUT_SUBJECT: &str = "not found|not_found|notfound|no such|not exist|n't exist|404|enoent|\
    denied|forbidden|403|already exists|already taken|is taken|not available|out of stock|\
    no match|not a |is a directory|unknown user|unknown id|invalid id|no record|no user|deleted|\
    is closed|expired|duplicate|does not match|unsupported|not registered|410|gone|\
    insufficient stock|already booked|fully booked|sold out";

/// Names of numbers that are a status of HTTP, in JSON.
const STATUS_FIELDS: &str = "status code status_code statuscode http_status";

/// Names of numbers that are the end of a process, in JSON.
const EXIT_FIELDS: &str = "exit_code exitcode returncode return_code";

/// Names of fields that are there when something failed.
const ERROR_FIELDS: &str = "error err exception error_message errormessage";

/// Whether a JSON result says of itself that it is a failure.
pub(super) fn tells_failure(tree: &Tree) -> bool {
    let Tree::Map(fields) = tree else {
        return false;
    };
    fields.iter().any(|(name, value)| is_failure(&name.to_ascii_lowercase(), value))
}

fn is_failure(name: &str, value: &Tree) -> bool {
    if is_among(ERROR_FIELDS, name) {
        return is_something(value);
    }
    match value {
        Tree::List(items) => name == "errors" && !items.is_empty(),
        Tree::Bool(true) => is_among("is_error iserror failed", name),
        Tree::Bool(false) => is_among("ok success", name),
        Tree::Text(text) => {
            let said = text.to_ascii_lowercase();
            is_among("status type result", name) && is_among("error fail failure exception", &said)
        }
        Tree::Number(number) if is_among(STATUS_FIELDS, name) => {
            let code = number::digits(number);
            code.len() == 3 && code.starts_with(['4', '5'])
        }
        Tree::Number(number) => is_among(EXIT_FIELDS, name) && number != "0",
        Tree::Null | Tree::Map(_) => false,
    }
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

fn holds(table: &str, mut found: impl FnMut(&str) -> bool) -> bool {
    table.split('|').filter(|words| !words.is_empty()).any(&mut found)
}

/// Whether a text begins as messages of failure begin.
pub(super) fn begins_with_failure(text: &str) -> bool {
    let head = head(text);
    let first: &str = head.lines().next().unwrap_or_default();
    let start = first.trim_start_matches(['[', '<', '(', '{', '*', '#', ' ', '"', '\'']);
    let named = first.split([':', ' ']).next().unwrap_or_default();
    holds(BEGINS, |words| start.starts_with(words))
        || (text.len() <= SHORT_BYTES_MAX && says(SAID_SHORTLY, head.clone()))
        || is_status(start)
        || (named.len() > 5 && (named.ends_with("error") || named.ends_with("exception")))
        || holds(OF_SHELLS, |words| head.contains(words))
}

/// `404 Not Found`, `HTTP 503`, `HTTP/1.1 500`, `status 429`.
fn is_status(start: &str) -> bool {
    let rest = BEFORE_STATUS.split('|').find_map(|words| start.strip_prefix(words));
    let (named, rest) = (rest.is_some(), rest.unwrap_or(start));
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let after = &rest[digits..];
    let failed = digits == 3 && rest.starts_with(['4', '5']);
    failed && (named || holds(AFTER_STATUS, |words| after.starts_with(words)))
}

/// Whether a text tells of a failure anywhere near its beginning or end.
pub(super) fn mentions_failure(text: &str) -> bool {
    [head(text), tail(text)].into_iter().any(|part| says(MENTIONS, part))
}

/// Whether a text holds one of the words, and does not deny it.
fn says(table: &str, text: String) -> bool {
    let text = format!(" {text}");
    let calm = DENIALS.split('|').fold(text, |text, denial| text.replace(denial, ""));
    holds(table, |word| calm.contains(word))
}

/// Whether a failure is an answer about the call's subject.
pub(super) fn answers_for_subject(text: &str) -> bool {
    let head = head(text);
    holds(ABOUT_SUBJECT, |words| head.contains(words)) && !head.contains("command not found")
}

fn head(text: &str) -> String {
    let text = text.trim_start();
    text[..text.floor_char_boundary(LOOKED_THROUGH_BYTES_MAX)].to_lowercase()
}

fn tail(text: &str) -> String {
    let text = text.trim_end();
    let from = text.len().saturating_sub(LOOKED_THROUGH_BYTES_MAX);
    text[text.ceil_char_boundary(from)..].to_lowercase()
}
