//! E-mail addresses, found at their sign and read to both sides.
//!
//! Not addresses of people: `git@host:path`, packages with a version, pictures for two
//! densities, decorators, the name before a host in a URL.

use super::Search;
use crate::check::value::kinds;
use crate::class::Class;
use crate::words::{floor, is_word};

/// Longest name before the sign, in bytes: RFC 5321.
const NAME_BYTES_MAX: usize = 64;

/// Longest domain, in bytes: RFC 5321.
const DOMAIN_BYTES_MAX: usize = 255;

/// How far before a name the beginning of a URL is looked for.
const ADDRESS_BYTES_MAX: usize = 256;

impl Search<'_> {
    /// Looks at an `@`.
    pub(super) fn mail(&mut self, text: &str, (at, after): (usize, usize)) {
        let start = name(text, at);
        let Some(end) = self.domain(text, after) else { return };
        let local = &text[start..at];
        let fits = local.chars().any(char::is_alphanumeric) && local.len() <= NAME_BYTES_MAX;
        if fits && !is_remote(text, local, start, end) {
            self.add(Class::Email, "email", (start, end));
            self.password_after(text, end);
        }
    }

    /// `name@host:password`, as lists of stolen logins have it.
    fn password_after(&mut self, text: &str, end: usize) {
        let Some(rest) = text[end..].strip_prefix(':') else { return };
        let length = rest.find(|c: char| c.is_whitespace() || "\"',;<>\\".contains(c));
        let password = &rest[..length.unwrap_or(rest.len()).min(floor(rest, NAME_BYTES_MAX))];
        let kinds = kinds(password);
        if password.len() >= 6 && kinds.lower + kinds.upper > 0 && kinds.digits + kinds.other > 0 {
            self.add_said(Class::Secrets, "password", (end + 1, end + 1 + password.len()));
        }
    }

    /// Looks at `(at)` and `[at]`: addresses that are written for people only.
    pub(super) fn spelled_mail(&mut self, text: &str, (start, end): (usize, usize)) {
        let before = text[..start].trim_end_matches(' ');
        let name_start = name(text, before.len());
        let after = end + (text[end..].len() - text[end..].trim_start_matches(' ').len());
        let Some(dot) = spelled_dot(text, after) else { return };
        let last = dot + text[dot..].bytes().take_while(u8::is_ascii_alphabetic).count();
        if self.classes.contains(Class::Email) && name_start < before.len() && last > dot + 1 {
            self.add(Class::Email, "email", (name_start, last));
        }
    }

    /// Where the domain ends that begins at a place, if it is one.
    fn domain(&self, text: &str, start: usize) -> Option<usize> {
        let rest = &text[start..floor(text, start + DOMAIN_BYTES_MAX)];
        let is_part = |c: char| is_word(c) || c == '-' || c == '.';
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let domain = rest[..end].trim_end_matches(['.', '-']);
        // After a dot a new sentence may begin without a space.
        let (head, top) = domain.rsplit_once('.')?;
        let labels = head.split('.');
        let right = labels
            .clone()
            .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
        let is_top = (2..=24).contains(&top.len())
            && (top.chars().all(char::is_alphabetic) || top.starts_with("xn--"))
            && !self.rules.words.file_endings.contains(&top.to_lowercase());
        let called = rest[domain.len()..].starts_with('(');
        (right && is_top && !called).then_some(start + domain.len())
    }
}

/// Where the name begins that ends at a place.
fn name(text: &str, end: usize) -> usize {
    let is_part = |c: char| is_word(c) || "._%+-'&!#$*=?^{}~".contains(c);
    let from = floor(text, end.saturating_sub(NAME_BYTES_MAX + 1));
    let head = &text[from..end];
    let start = head.char_indices().rev().find(|(_, c)| !is_part(*c));
    let start = start.map_or(0, |(at, c)| at + c.len_utf8());
    // Signs that a name may have but hardly begins with, and `key=name`.
    let name = &head[start..];
    let start = start + name.rfind(['=', '?', '&', '{', '#', '$', '!', '*']).map_or(0, |at| at + 1);
    let name = &head[start..];
    from + start
        + (name.len() - name.trim_start_matches(['.', '-', '\'', '%', '~', '^', '}', '+']).len())
}

/// Whether it names a machine to log in to, not a person.
fn is_remote(text: &str, local: &str, start: usize, end: usize) -> bool {
    let after = text[end..].strip_prefix(':').unwrap_or_default();
    let path = after.split([' ', '\n', '"', '\'', ',', ')']).next().unwrap_or_default();
    let before = &text[floor(text, start.saturating_sub(ADDRESS_BYTES_MAX))..start];
    let word = before.rsplit([' ', '\n', '"', '\'', '<', '(', ',']).next().unwrap_or_default();
    let in_address =
        word.rsplit_once("://").is_some_and(|(_, rest)| !rest.contains(['/', '?', '#']));
    local == "git" || path.contains('/') || path.starts_with('~') || in_address || is_login(before)
}

/// Whether it stands where a command takes a machine: after its name and its options.
fn is_login(before: &str) -> bool {
    let is_option = |word: &str| {
        word.is_empty()
            || word.contains(['-', '/', '.', '_'])
            || word.bytes().all(|b| b.is_ascii_digit())
    };
    let mut words = before.rsplit(' ').skip_while(|word| is_option(word));
    let command = words.next().and_then(|word| word.rsplit(['\n', '`', '"', '\'']).next());
    let takes = ["ssh", "scp", "sftp", "rsync", "mosh"];
    before.ends_with(' ') && command.is_some_and(|command| takes.contains(&command))
}

/// The place after ` dot ` or `.` in a spelled address, where its last part begins.
fn spelled_dot(text: &str, start: usize) -> Option<usize> {
    let mut at = start;
    let mut found = None;
    while at < start + DOMAIN_BYTES_MAX {
        let label =
            text[at..].bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'-').count();
        if label == 0 {
            return found;
        }
        let next = at + label;
        let rest = text[next..floor(text, next + 8)].to_ascii_lowercase();
        let dots = [".", " . ", " [dot] ", "[dot]", " (dot) ", "(dot)", " dot "];
        let Some(dot) = dots.iter().find(|dot| rest.starts_with(**dot)) else { return found };
        at += label + dot.len();
        found = Some(at);
    }
    found
}
