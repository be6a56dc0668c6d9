//! What an argument is to its call, told by its name: the subject, or jitter beside it.
//!
//! A detector that takes ids for jitter stops every honest enumeration; one that takes
//! jitter for ids never finds a loop. Names decide first, the look of a value second, and
//! where both are silent an argument is the subject.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What an argument is to its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// Names this one try: request ids, nonces, seeds, attempt counters.
    Jitter,
    /// Names this one try where the call failed; a subject otherwise.
    JitterInError,
    /// Words for the reader beside the call's real subject.
    Remark,
    /// A place in a list.
    Page,
    /// Words that are looked for.
    Query,
    /// A file or folder.
    Path,
    /// A line for a shell, or a program.
    Command,
    /// What is written or sent: never looked into.
    Payload,
    /// A time that is asked about.
    Range,
    /// The name of a thing.
    Id,
    /// Anything else.
    Other,
}

const JITTER: &str = "\
    requestid xrequestid reqid clientrequestid rid traceid xtraceid traceparent spanid \
    correlationid xcorrelationid idempotencykey idempotencytoken nonce salt seed \
    randomseed random rand rnd cachebuster cachebust cachebusting bust buster cb nocache refresh \
    uniq attempt attempts attemptno attemptnumber attemptcount retry retrycount \
    retryno retrynumber retryattempt retryid try tryno trynumber iteration iter counter \
    callid toolcallid invocationid executionid pollcount tries";

const JITTER_IN_ERROR: &str = "\
    sessionid runid messageid eventid clientid transactionid txid backoff backoffms \
    backoffseconds delay delayms wait waitms retryafter sleep";

const REMARK: &str = "\
    description explanation reason reasoning thought thoughts rationale justification \
    purpose intent timeout timeoutms timeoutsecs timeoutseconds uuid guid uniqueid \
    uniquekey";

const PAGE: &str = "\
    page pagenumber pagenum pageno pageindex offset skip cursor nextcursor pagecursor \
    pagetoken nexttoken nextpagetoken continuation continuationtoken startindex startat \
    startingafter endingbefore scrollid marker nextmarker nextpage aftercursor start";

const QUERY: &str = "\
    query q search searchquery searchterm searchterms keyword keywords term terms \
    searchtext phrase";

const PATH: &str = "\
    path paths file files filename filepath dir directory folder cwd workdir \
    workingdirectory root rootdir relativepath targetfile absolutepath dest destination \
    srcpath destpath basepath";

const COMMAND: &str = "command cmd commandline shellcommand script bashcommand";

const PAYLOAD: &str = "\
    content contents text body data newstr newstring newtext oldstr oldstring oldtext code \
    patch diff message html markdown value payload filetext inserttext replacement \
    newcontent oldcontent input subject title";

const RANGE: &str = "\
    from to since until begin end before after day month year time when due deadline asof \
    at week hour departure";

/// The names of all tables. One that stands in two belongs to the first.
static NAMED: LazyLock<BTreeMap<&str, Field>> = LazyLock::new(|| {
    let mut named = BTreeMap::new();
    for (table, field) in [
        (JITTER, Field::Jitter),
        (JITTER_IN_ERROR, Field::JitterInError),
        (REMARK, Field::Remark),
        (PAGE, Field::Page),
        (QUERY, Field::Query),
        (PATH, Field::Path),
        (COMMAND, Field::Command),
        (PAYLOAD, Field::Payload),
        (RANGE, Field::Range),
    ] {
        table.split(' ').for_each(|name| {
            named.entry(name).or_insert(field);
        });
    }
    named
});

/// Longest name that is looked up; no name in the tables is longer.
const NAME_BYTES_MAX: usize = 64;

/// What the argument of that name is.
pub(super) fn field(name: &str) -> Field {
    if is_bare(name) {
        return Field::Jitter;
    }
    let plain = plain(name);
    if let Some(field) = NAMED.get(plain.as_str()) {
        return *field;
    }
    match () {
        () if is_date(&plain) => Field::Range,
        () if ["id", "ids", "key", "sha", "hash"].iter().any(|end| plain.ends_with(end)) => {
            Field::Id
        }
        () if plain.ends_with("path") || plain.ends_with("file") => Field::Path,
        () => Field::Other,
    }
}

fn is_date(plain: &str) -> bool {
    let verb =
        ["update", "validate", "candidate", "mandate"].iter().any(|word| plain.ends_with(word));
    plain.starts_with("date") || (plain.ends_with("date") && !verb)
}

/// Whether a name and its value mark one try of a call and not its subject.
pub(super) fn is_jitter(name: &str) -> bool {
    is_bare(name) || NAMED.get(plain(name).as_str()) == Some(&Field::Jitter)
}

/// Whether a word stands in a table of words parted by spaces.
pub(super) fn is_among(table: &str, word: &str) -> bool {
    table.split(' ').any(|known| known == word)
}

/// Whether a name and its value tell the moment of the call. `timestamp` with a number of
/// seconds into a film is no such moment, and an identifier like `1763712345.000100` none.
pub(super) fn is_moment(name: &str, value: &str) -> bool {
    let named = matches!(
        plain(name).as_str(),
        "ts" | "t"
            | "timestamp"
            | "requesttime"
            | "requestedat"
            | "sentat"
            | "senttime"
            | "calledat"
            | "now"
            | "currenttime"
            | "clienttime"
            | "clienttimestamp"
            | "localtime"
            | "requesttimestamp"
            | "unixtime"
            | "epoch"
    );
    match field(name) {
        Field::Other | Field::Remark => {
            is_epoch(value) || (named && is_instant(value)) || is_lot(name, value)
        }
        Field::Jitter => true,
        Field::JitterInError
        | Field::Page
        | Field::Query
        | Field::Path
        | Field::Command
        | Field::Payload
        | Field::Range
        | Field::Id => false,
    }
}

/// Whether a name and its value mark a place in a list. A page may also have a name, and
/// is then a subject.
pub(super) fn is_page(name: &str, value: &str) -> bool {
    let numbered = || value.bytes().all(|byte| byte.is_ascii_digit() || b"-e".contains(&byte));
    let plain = plain(name);
    match plain.as_str() {
        "page" | "start" => numbered(),
        _ => field(name) == Field::Page,
    }
}

/// Whether a name and its value tell a moment if they stand in a call that failed: there
/// `created_at` is when it was tried, where `from` and `until` still are what it is about.
pub(super) fn is_moment_in_error(name: &str, value: &str) -> bool {
    let plain = plain(name);
    let named = plain == "time" || plain == "datetime" || (plain.ends_with("at") && plain != "at");
    named && (is_epoch(value) || is_instant(value))
}

/// A short name with a long random fraction, as `r=0.8371623`.
fn is_lot(name: &str, value: &str) -> bool {
    let place = ["lat", "lon", "lng", "p", "eps", "lr"].contains(&name);
    let fraction = value
        .strip_prefix("0.")
        .is_some_and(|rest| rest.len() >= 6 && rest.bytes().all(|byte| byte.is_ascii_digit()));
    name.len() <= 3 && fraction && !place
}

/// Names like `_`, `_t` and `__cb`, as browsers' libraries give them to cache busters.
fn is_bare(name: &str) -> bool {
    let rest = name.trim_start_matches('_');
    rest.len() < name.len() && (rest.is_empty() || ["t", "ts", "cb", "r", "v"].contains(&rest))
}

fn plain(name: &str) -> String {
    if name.len() > NAME_BYTES_MAX {
        return name.to_owned();
    }
    let letters = name.chars().filter(|c| !"_- .".contains(*c));
    letters.flat_map(char::to_lowercase).collect()
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, from 2014 to 2033.
pub(super) fn is_epoch(text: &str) -> bool {
    let whole = match text.split_once('.') {
        Some((whole, part)) if part.len() <= 3 => whole,
        Some(_) => return false,
        None => text,
    };
    let digits = whole.bytes().all(|byte| byte.is_ascii_digit());
    digits && matches!(whole.len(), 10 | 13 | 16 | 19) && ("14".."20").contains(&&whole[..2])
}

/// A date with a time of day, as in `2026-11-21T10:00`.
pub(super) fn is_instant(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |from: usize, to: usize| {
        bytes.get(from..to).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    digits(0, 4)
        && bytes.get(4) == Some(&b'-')
        && digits(5, 7)
        && bytes.get(7) == Some(&b'-')
        && digits(8, 10)
        && matches!(bytes.get(10), Some(b'T' | b't' | b' '))
        && digits(11, 13)
        && bytes.get(13) == Some(&b':')
        && digits(14, 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_an_argument_is() {
        let cases = [
            ("request_id", Field::Jitter),
            ("X-Request-Id", Field::Jitter),
            ("_", Field::Jitter),
            ("_t", Field::Jitter),
            ("retryCount", Field::Jitter),
            ("user_id", Field::Id),
            ("id", Field::Id),
            ("session_id", Field::JitterInError),
            ("page", Field::Page),
            ("nextPageToken", Field::Page),
            ("start_date", Field::Range),
            ("file_path", Field::Path),
            ("config_file", Field::Path),
            ("q", Field::Query),
            ("new_str", Field::Payload),
            ("city", Field::Other),
            ("x", Field::Other),
        ];
        for (name, kind) in cases {
            assert_eq!(field(name), kind, "{name}");
        }
    }

    #[test]
    fn moments_are_told_from_other_numbers() {
        for (name, value) in [
            ("ts", "1763712345"),
            ("timestamp", "2026-11-21T10:00:00Z"),
            ("v", "1763712345678"),
            ("now", "2026-11-21 10:00"),
        ] {
            assert!(is_moment(name, value), "{name}={value}");
        }
        for (name, value) in [
            ("ts", "1763712345.000100"),
            ("timestamp", "00:01:20"),
            ("timestamp", "90"),
            ("since", "1763712345"),
            ("account_id", "1763712345"),
            ("date", "2026-11-21T10:00:00Z"),
            ("v", "2"),
        ] {
            assert!(!is_moment(name, value), "{name}={value}");
        }
    }
}
