//! What only the words before it give away: a birthday, a card's check value, a PIN, the
//! number of a document, the token after `Bearer`.

use std::sync::LazyLock;

use base64::Engine as _;
use regex::Regex;

use super::Search;
use crate::check::value::{is_placeholder, is_random, kinds};
use crate::class::Class;
use crate::words::{floor, is_word};

/// Most bytes between the word and what it announces.
const GAP_BYTES_MAX: usize = 24;

/// Most bytes of a token that is read.
const TOKEN_BYTES_MAX: usize = 8192;

/// A day in the usual spellings.
static DAY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\A(?:[12][0-9]{3}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/. ] ?[0-9]{1,2}[-/. ] ?(?:[0-9]{4}|[0-9]{2})|[0-9]{1,2}(?:st|nd|rd|th)?\.? (?:of )?\p{L}{3,12}\.?,? (?:de )?[12][0-9]{3}|\p{L}{3,12}\.? [0-9]{1,2}(?:st|nd|rd|th)?,? [12][0-9]{3}|[12][0-9]{3}年[0-9]{1,2}月[0-9]{1,2}日|[12][0-9]{7}\b)",
    )
});

/// Signs and small words between a word and its value.
static GAP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\A(?:[\s:=#"'\\>]|\.|\((?:[^()\n]{0,12})\)|(?i:is|was|no|nr|number|num|id|ist|est|es|lautet|code|am|on|the|le|el|n[º°o])\b\.?|,? ?\\*"?value\\*"?)*"#,
    )
});

/// Letters and digits of a document.
static DOCUMENT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\A[A-Z0-9](?:[ -]?[A-Z0-9]){4,19}\b"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("INVARIANT: the patterns of this file are constant and tested")
}

impl Search<'_> {
    /// Looks for the day after a word such as `born`.
    pub(super) fn birth(&mut self, text: &str, hit: (usize, usize)) {
        let Some(at) = after(text, hit) else { return };
        if let Some(day) = DAY.find(&text[at..floor(text, at + 40)]) {
            self.add_said(Class::BirthDate, "birth_date", (at, at + day.end()));
        }
    }

    /// Looks for the digits after a word such as `cvv` or `pin`.
    pub(super) fn short_code(&mut self, text: &str, hit: (usize, usize)) {
        let Some(at) = after(text, hit) else { return };
        let digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
        let next = text[at + digits..].chars().next();
        let ends = !next.is_some_and(|c| c.is_alphanumeric() || c == '_')
            && !text[at + digits..].starts_with([':', '%'])
            && !text[at + digits..]
                .trim_start_matches('.')
                .starts_with(|c: char| c.is_ascii_digit());
        let word = text[hit.0..hit.1].to_lowercase();
        let is_check = self.rules.words.card_check_words.contains(&word);
        let (class, id, lengths) = if is_check {
            (Class::Card, "card_check", 3..=4)
        } else {
            (Class::Secrets, "pin", 4..=8)
        };
        // Six digits after `PIN code` are a town in India.
        let town = id == "pin" && digits == 6 && text[hit.1..at].contains("code");
        if ends && !town && at > hit.1 && lengths.contains(&digits) {
            self.add_said(class, id, (at, at + digits));
        }
    }

    /// Looks for the letters and digits after a word such as `passport`.
    pub(super) fn document(&mut self, text: &str, hit: (usize, usize)) {
        let Some(at) = after(text, hit) else { return };
        let rest = &text[at..floor(text, at + 48)];
        let Some(found) = DOCUMENT.find(rest) else { return };
        let kinds = kinds(found.as_str());
        let glued = rest[found.end()..].starts_with(['_', '@']);
        if kinds.digits >= 4 && kinds.digits > kinds.upper && !glued && at > hit.1 {
            self.put(Class::NationalId, "document", (at, at + found.end()), 3);
        }
    }

    /// Looks at the token after `Bearer` and its like.
    pub(super) fn scheme(&mut self, text: &str, hit: (usize, usize)) {
        if text[..hit.0].ends_with(|c: char| c.is_alphanumeric() || c == '-') {
            return;
        }
        let rest = &text[hit.1..floor(text, hit.1 + TOKEN_BYTES_MAX)];
        let is_token = |c: char| c.is_ascii_alphanumeric() || "._~+/=-".contains(c);
        let token = &rest[..rest.find(|c| !is_token(c)).unwrap_or(rest.len())];
        let token = token.trim_end_matches('.');
        let likely = match text.as_bytes()[hit.0] {
            b'B' | b'b' if text.as_bytes()[hit.0 + 1] | 0x20 == b'a' => is_name_and_password(token),
            b'B' | b'b' => is_random(token) || is_opaque(token),
            _ => is_random(token),
        };
        if likely && !is_placeholder(&self.rules.words, token) {
            self.add_said(Class::Secrets, "credentials", (hit.1, hit.1 + token.len()));
        }
    }
}

/// Where the value begins that a word announces, if the word stands alone.
fn after(text: &str, (start, end): (usize, usize)) -> Option<usize> {
    let alone = !text[..start].ends_with(is_word)
        && !text[end..].starts_with(|c: char| is_word(c) && c.is_alphabetic());
    let gap = GAP.find(&text[end..floor(text, end + GAP_BYTES_MAX)])?;
    alone.then_some(end + gap.end())
}

/// A token without spaces that is neither a word nor a name.
fn is_opaque(token: &str) -> bool {
    let kinds = kinds(token);
    token.len() >= 12 && kinds.digits > 0 && kinds.upper + kinds.lower > 0
}

/// `name:password` in base64.
fn is_name_and_password(token: &str) -> bool {
    let engine = &base64::engine::general_purpose::STANDARD_NO_PAD;
    let decoded = engine.decode(token.trim_end_matches('='));
    token.len() >= 4
        && decoded.is_ok_and(|bytes| {
            std::str::from_utf8(&bytes).is_ok_and(|text| text.contains(':') && !text.contains('\0'))
        })
}
