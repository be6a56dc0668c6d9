//! Names of tools as models see them: `server__tool`.
//!
//! Both vendors take `^[a-zA-Z0-9_-]{1,64}$` only. A tool whose name does not fit gets a
//! name made of what fits and a hash of the whole; one whose own name looks like such a
//! name gets one too. So two tools have two names, but for a collision of 80 bits.

/// The longest name that vendors take.
pub const NAME_CHARS_MAX: usize = 64;

/// The longest name of a server.
pub const SERVER_CHARS_MAX: usize = 24;

/// Between server and tool. No server's name holds it or ends in a part of it, so that the
/// first one in a name is the border.
const BORDER: &str = "__";

/// Before the hash in a made name.
const MARK: &str = "_x";

/// Characters of the hash in a made name, five bits each.
const HASH_CHARS: usize = 16;

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The name by which a model calls a server's tool.
#[must_use]
pub fn exposed(server: &str, tool: &str) -> String {
    let room = NAME_CHARS_MAX - server.len().min(SERVER_CHARS_MAX) - BORDER.len();
    if !tool.is_empty() && tool.len() <= room && tool.bytes().all(is_lawful) && !looks_made(tool) {
        return format!("{server}{BORDER}{tool}");
    }
    let slug_max = room - MARK.len() - HASH_CHARS;
    let lawful = |c: char| if c.is_ascii() && is_lawful(c as u8) { c } else { '_' };
    let slug: String = tool.chars().take(slug_max).map(lawful).collect();
    format!("{server}{BORDER}{slug}{MARK}{}", short_hash(tool))
}

/// The server in a model's name for a tool.
pub(crate) fn server_of(exposed: &str) -> Option<&str> {
    exposed.split_once(BORDER).map(|(server, _)| server)
}

/// Whether a server may be called so.
pub(crate) fn check_server(name: &str) -> Result<(), String> {
    let is_lawful = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
    let starts_well = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    if !starts_well
        || name.len() > SERVER_CHARS_MAX
        || !name.bytes().all(is_lawful)
        || name.contains(BORDER)
        || name.ends_with('_')
    {
        return Err(format!(
            "a server's name is a to z, 0 to 9, `-` and single `_`, begins with a letter, ends \
             without `_` and has at most {SERVER_CHARS_MAX} characters"
        ));
    }
    Ok(())
}

fn is_lawful(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Whether a tool's own name has the shape of a made one.
fn looks_made(tool: &str) -> bool {
    tool.len().checked_sub(HASH_CHARS).is_some_and(|at| {
        let (start, hash) = tool.split_at(at);
        start.ends_with(MARK) && hash.bytes().all(|b| ALPHABET.contains(&b))
    })
}

fn short_hash(text: &str) -> String {
    let hash = blake3::hash(text.as_bytes());
    let mut bits = hash.as_bytes().iter().flat_map(|byte| (0..8).rev().map(move |n| byte >> n & 1));
    let mut digit = || bits.by_ref().take(5).fold(0_usize, |sum, bit| sum << 1 | usize::from(bit));
    (0..HASH_CHARS).map(|_| char::from(ALPHABET[digit()])).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Every name is lawful, leads back to its server, and belongs to one tool only.
    fn check(pairs: &[(&str, &str)]) -> BTreeMap<String, (String, String)> {
        let mut names = BTreeMap::new();
        for (server, tool) in pairs {
            let name = exposed(server, tool);
            assert!((1..=NAME_CHARS_MAX).contains(&name.len()), "{name}");
            assert!(name.bytes().all(is_lawful), "{name}");
            assert_eq!(server_of(&name), Some(*server), "{name}");
            let whose = ((*server).to_owned(), (*tool).to_owned());
            assert_eq!(names.insert(name.clone(), whose), None, "{name} twice");
        }
        names
    }

    #[test]
    fn plain_names_stay_as_they_are() {
        assert_eq!(exposed("files", "read_file"), "files__read_file");
        assert_eq!(exposed("a-b", "get-sum"), "a-b__get-sum");
        assert_eq!(exposed("a", "_b"), "a___b");
    }

    #[test]
    fn every_tool_has_a_lawful_name_of_its_own() {
        let long = "n".repeat(62);
        let longer = "n".repeat(63);
        let longest = "n".repeat(5_000);
        let server = "s".repeat(SERVER_CHARS_MAX);
        let made = exposed("a", "get sum");
        let made = made.strip_prefix("a__").unwrap();
        check(&[
            ("a", "get sum"),
            ("a", "get_sum"),
            ("a", "get.sum"),
            ("a", "get/sum"),
            ("a", made),
            ("a", ""),
            ("a", " "),
            ("a", "_"),
            ("a", "__b"),
            ("a", "b__c"),
            ("a_b", "c"),
            ("a", "читать"),
            ("a", "读"),
            ("a", "\u{202e}x"),
            ("a", &long),
            ("a", &longer),
            ("a", &longest),
            (&server, "short"),
            (&server, &longer),
        ]);
    }

    #[test]
    fn names_of_servers_keep_the_border_clear() {
        for name in ["a", "files", "git-hub", "a_b", "s3"] {
            assert!(check_server(name).is_ok(), "{name}");
        }
        let long = "s".repeat(SERVER_CHARS_MAX + 1);
        for name in ["", "A", "a__b", "a_", "_a", "-a", "1a", "a b", "é", long.as_str()] {
            assert!(check_server(name).is_err(), "{name}");
        }
    }
}
