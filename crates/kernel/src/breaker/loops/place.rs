//! Names of one place: paths and URLs in one spelling.
//!
//! Paths are normalised by their text alone (`./a`, `a//b`, `a/../b`, a slash at the end,
//! `file://`); links are nobody's business here. URLs follow RFC 3986, section 6.2, and
//! lose what no server answers to: fragment, tracking parameters, cache busters.

use super::field;

/// Longest text that is taken for a path or URL, in bytes.
const PLACE_BYTES_MAX: usize = 8_192;

/// Query parameters that only tell a site where its visitor came from.
const TRACKING: &str = "\
    gclid fbclid msclkid dclid yclid igshid twclid gbraid wbraid srsltid mc_cid mc_eid _ga \
    _gl _hsenc _hsmi vero_id ref_src spm mkt_tok oly_enc_id oly_anon_id";

/// How strict two URLs are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Query {
    /// Every parameter but tracking counts.
    Whole,
    /// Cache busters and their like are dropped too.
    Calm,
    /// Page numbers and cursors are dropped too.
    Unpaged,
}

/// One spelling of a text that names a place by its look: a URL, or one word with a slash
/// in it. `None` for any other text.
pub(super) fn spelled(text: &str, query: Query) -> Option<String> {
    let text = text.trim();
    let one_word = !text.is_empty() && !text.contains(char::is_whitespace);
    if !one_word || text.len() > PLACE_BYTES_MAX {
        return None;
    }
    match text.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => Some(url(scheme, rest, query)),
        Some(_) => None,
        None if text.contains('/') || text == "." => Some(path(text)),
        None => None,
    }
}

/// One spelling of a text that is known to name a file or folder.
pub(super) fn path_of(text: &str) -> String {
    let text = text.trim();
    match spelled(text, Query::Whole) {
        Some(spelled) => spelled,
        None if text.len() > PLACE_BYTES_MAX => text.to_owned(),
        None => path(&text.replace('\\', "/")),
    }
}

fn is_scheme(text: &str) -> bool {
    let part_of = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic()) && text.bytes().all(part_of)
}

fn path(text: &str) -> String {
    let rooted = text.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

fn url(scheme: &str, rest: &str, query: Query) -> String {
    let scheme = scheme.to_ascii_lowercase();
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    let (before, asked) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, way) = before.split_at(before.find('/').unwrap_or(before.len()));
    let way = path(&decoded(way, false));
    if scheme == "file" {
        return way;
    }
    let way = way.strip_suffix('/').unwrap_or(&way);
    let way = if way == "." { "" } else { way };
    let asked = parameters(asked, query);
    let mark = if asked.is_empty() { "" } else { "?" };
    format!("{scheme}://{}{way}{mark}{asked}", host_of(&scheme, host))
}

fn host_of(scheme: &str, host: &str) -> String {
    let (user, host) = host.rsplit_once('@').map_or(("", host), |(user, host)| (user, host));
    let host = host.to_ascii_lowercase();
    let usual = match scheme {
        "http" | "ws" => ":80",
        "https" | "wss" => ":443",
        "ftp" => ":21",
        _ => ":",
    };
    let host = host.strip_suffix(usual).or(host.strip_suffix(':')).unwrap_or(&host);
    let host = host.strip_suffix('.').unwrap_or(host);
    if user.is_empty() { host.to_owned() } else { format!("{user}@{host}") }
}

/// Sorted by name; parameters of one name keep their order, which may matter.
fn parameters(text: &str, query: Query) -> String {
    let mut kept: Vec<(String, String)> = text
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (decoded(name, true), decoded(value, true)))
        .filter(|(name, value)| is_kept(name, value, query))
        .collect();
    kept.sort_by(|one, other| one.0.cmp(&other.0));
    let parts: Vec<String> = kept.iter().map(|(name, value)| format!("{name}={value}")).collect();
    parts.join("&")
}

fn is_kept(name: &str, value: &str, query: Query) -> bool {
    let lower = name.to_ascii_lowercase();
    let tracks = lower.starts_with("utm_") || field::is_among(TRACKING, &lower);
    let calm = || !field::is_jitter(name) && !field::is_moment(name, value);
    match query {
        Query::Whole => !tracks,
        Query::Calm => !tracks && calm(),
        Query::Unpaged => !tracks && calm() && !field::is_page(name, value),
    }
}

/// Percent-encoding resolved where that changes no meaning: a `%` that guards one of the
/// marks of the URL itself stays, in capitals. In a query `+` is a space.
fn decoded(text: &str, in_query: bool) -> String {
    let bytes = text.as_bytes();
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%').then(|| hex(bytes.get(at + 1..at + 3)?)).flatten();
        match code {
            Some(byte) if b"%/?#&=+".contains(&byte) => {
                out.extend(format!("%{byte:02X}").bytes());
                at += 3;
            }
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(if in_query && bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

fn hex(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_has_one_spelling() {
        let same = [
            &["a/b", "./a/b", "a//b", "a/./b", "a/c/../b", "a/b/", "x/../a/b"][..],
            &["/etc/hosts", "/etc//hosts", "/../etc/hosts", "file:///etc/hosts"],
            &["/a b", "file://localhost/a%20b"],
            &["../x", "./../x", "a/../../x"],
            &[
                "https://example.com",
                "HTTPS://Example.COM:443/",
                "https://example.com/#top",
                "https://example.com/a/..",
                "https://example.com./?utm_source=x&fbclid=1",
            ],
            &["http://h/a?x=1&y=2", "http://h:80/a?y=2&x=1", "http://h/./a?x=%31&y=2&"],
            &["http://h/~u/%2Fa", "http://h/%7Eu/%2fa"],
            &["http://h/?q=a+b", "http://h?q=a%20b"],
        ];
        for spellings in same {
            for spelling in spellings {
                assert_eq!(path_of(spelling), path_of(spellings[0]), "{spelling}");
            }
        }
        let firsts: Vec<String> = same.iter().map(|spellings| path_of(spellings[0])).collect();
        for (place, first) in firsts.iter().enumerate() {
            assert!(!firsts[..place].contains(first), "{first}");
        }
    }

    #[test]
    fn other_places_stay_other_places() {
        let differ = [
            ("http://h/a?x=1&x=2", "http://h/a?x=2&x=1"),
            ("http://h/a%2Fb", "http://h/a/b"),
            ("http://h:8080/a", "http://h/a"),
            ("http://h/A", "http://h/a"),
            ("a/b", "/a/b"),
        ];
        for (one, other) in differ {
            assert_ne!(path_of(one), path_of(other), "{one}");
        }
    }

    #[test]
    fn what_names_no_place_is_left_alone() {
        for text in ["", "word", "and/or if", "a: b://c d", "what://is this"] {
            assert_eq!(spelled(text, Query::Whole), None, "{text}");
        }
    }

    #[test]
    fn cache_busters_and_pages_are_dropped_on_request() {
        let spell = |text, query| spelled(text, query).unwrap();
        let url = "http://h/a?q=1&_=1763712345678&page=3&nonce=x";
        assert_eq!(spell(url, Query::Calm), "http://h/a?page=3&q=1");
        assert_eq!(spell(url, Query::Unpaged), "http://h/a?q=1");
    }
}
