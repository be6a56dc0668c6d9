//! Names that a secret follows: `password: …`, `API_KEY=…`, `"clientSecret": "…"`,
//! `--token …`, `my password is …`.
//!
//! What the name says decides how much the value must look like a secret: anything goes
//! after `password`, something drawn by lot after `token`, and after a mere `key` only what
//! can hardly be anything else.

use std::collections::BTreeSet;

use super::Search;
use super::value::{Link, Value, read};
use crate::check::value::{
    entropy_bits, is_placeholder, is_random, is_random_alone, is_uuid, kinds,
};
use crate::class::Class;
use crate::words::{Words, floor, is_ideograph, is_word, split};

/// Longest name that is read, in bytes.
const NAME_BYTES_MAX: usize = 96;

/// How sure a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// A password.
    Password,
    /// A token or a key of some service.
    Token,
    /// Perhaps a secret.
    Perhaps,
    /// A key, of whatever kind.
    Hardly,
}

impl Search<'_> {
    /// Looks at a noun. What is within the value of another one was looked at.
    pub(super) fn noun(&mut self, text: &str, hit: (usize, usize)) {
        if hit.0 < self.read.noun
            || is_within_word(text, hit)
            || !self.classes.contains(Class::Secrets)
        {
            return;
        }
        let (start, end) = (name_start(text, hit.0), name_end(text, hit.1));
        let Some(value) = read(&self.rules.words, text, start, end) else { return };
        let Some((says, id)) = self.says(text, start, end, &value) else { return };
        let secret = &text[value.start..value.end];
        if !self.afford(secret.len()) || self.is_secret(says, secret, &value, &text[start..end]) {
            self.read.noun = value.end;
            self.add_said(Class::Secrets, id, (value.start, value.end));
        }
    }

    fn says(
        &self,
        text: &str,
        start: usize,
        end: usize,
        value: &Value,
    ) -> Option<(Says, &'static str)> {
        let name = &text[start..end];
        let mut words = split(name);
        let own = words.len();
        if own == 1 {
            words.splice(0..0, word_before(text, start));
        }
        let (says, noun) = of_words(&self.rules.words, &words, own)?;
        let scheme = noun == "authorization" && value.after_scheme;
        let says = if scheme { Says::Token } else { says };
        // `PASS: …` is what tests say.
        let shouted = own == 1
            && matches!(noun.as_str(), "pass" | "auth" | "passe")
            && !value.quoted
            && !matches!(value.link, Link::Equals | Link::Flag)
            && !name.bytes().any(|b| b.is_ascii_lowercase());
        let id = match says {
            Says::Password => "password",
            Says::Token | Says::Perhaps | Says::Hardly => "secret",
        };
        (!shouted).then_some((says, id))
    }

    fn is_secret(&self, says: Says, secret: &str, value: &Value, name: &str) -> bool {
        let words = &self.rules.words;
        let lower = secret.to_lowercase();
        let bare = lower.trim_end_matches(['.', '!', '?', ',', ';']);
        if words.value_never.contains(bare)
            || is_placeholder(words, secret)
            || lower == name.to_lowercase()
            || (!value.quoted && is_code(secret, value))
        {
            return false;
        }
        match says {
            Says::Password => is_password(secret, value),
            Says::Token => is_token(secret, value),
            Says::Perhaps => {
                let spoken = value.link == Link::Is;
                let random = if spoken { is_random_alone(secret) } else { is_random(secret) };
                random && !is_uuid(secret) && !secret.contains("://") && !is_path(secret)
            }
            Says::Hardly => is_random_alone(secret) && !is_uuid(secret),
        }
    }
}

/// What the words of a name say, and the noun that says it. `own` of them are in the name,
/// one more may stand before it.
fn of_words(known: &Words, words: &[String], own: usize) -> Option<(Says, String)> {
    let mut words = words;
    while let [rest @ .., last] = words {
        let is_more = known.after_noun.contains(last) || last.bytes().all(|b| b.is_ascii_digit());
        if rest.is_empty() || !is_more {
            break;
        }
        words = rest;
    }
    let (last, rest) = words.split_last()?;
    let noun = last.trim_end_matches(|c: char| c.is_ascii_digit());
    let is = |nouns: &BTreeSet<String>| nouns.contains(noun);
    let ends = |endings: &[String]| endings.iter().any(|ending| noun.ends_with(ending.as_str()));
    let weak = is(&known.weak_nouns);
    let says = if (is(&known.secret_nouns) && !weak) || ends(&known.secret_noun_endings) {
        Says::Password
    } else if is(&known.key_nouns) {
        let said = rest.last().is_some_and(|word| known.key_qualifiers.contains(word));
        if said { Says::Token } else { Says::Hardly }
    } else if weak {
        let compound = own > 1 || noun == "pass" || noun == "pw";
        if compound && is(&known.secret_nouns) { Says::Password } else { Says::Perhaps }
    } else if is(&known.token_nouns) || ends(&known.token_noun_endings) {
        Says::Token
    } else {
        return None;
    };
    // Before a lone password stand the words of a sentence: `wrong password: …`.
    let is_name = says != Says::Password || own > 1;
    let qualifiers = &rest[rest.len().saturating_sub(own.max(1))..];
    let never = qualifiers.iter().any(|word| known.before_noun_never.contains(word));
    (!(is_name && never)).then(|| (says, noun.to_owned()))
}

/// Whether a hit goes on in small letters: `path`, `tokenize`, `keyboard`.
fn is_within_word(text: &str, (start, end): (usize, usize)) -> bool {
    let bytes = text.as_bytes();
    bytes.get(end).is_some_and(u8::is_ascii_lowercase)
        && (bytes[end - 1].is_ascii_lowercase()
            || bytes[start..end].iter().any(u8::is_ascii_lowercase))
}

/// The word before a name that has only one: `api key`.
fn word_before(text: &str, start: usize) -> Option<String> {
    let before = text[floor(text, start.saturating_sub(24))..start].strip_suffix(' ')?;
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next()?;
    (!word.is_empty()).then(|| word.to_lowercase())
}

fn is_name(c: char) -> bool {
    is_word(c) || c == '_' || c == '-'
}

fn name_start(text: &str, at: usize) -> usize {
    let head = &text[floor(text, at.saturating_sub(NAME_BYTES_MAX))..at];
    if text[at..].starts_with(is_ideograph) {
        return at;
    }
    let name = head.trim_end_matches(is_name).len();
    let dashes = head[name..].bytes().take_while(|b| *b == b'-').count();
    at - head.len() + name + dashes
}

fn name_end(text: &str, at: usize) -> usize {
    let rest = &text[at..floor(text, at + NAME_BYTES_MAX)];
    // The words of a script without spaces end where the noun does.
    let glued = text[..at].ends_with(is_ideograph);
    at + if glued { 0 } else { rest.find(|c| !is_name(c)).unwrap_or(rest.len()) }
}

/// After `password` stands a password, unless a sentence goes on.
fn is_password(secret: &str, value: &Value) -> bool {
    let kinds = kinds(secret);
    let is_word = kinds.digits == 0 && kinds.other == 0 && (kinds.upper <= 1 || kinds.lower == 0);
    let count = secret.chars().count();
    if value.quoted {
        return count >= 3;
    }
    match value.link {
        Link::Is => !is_word && count >= 4,
        Link::Colon | Link::Pair if is_word => count >= 3 && !value.word_follows,
        Link::Colon | Link::Pair | Link::Equals | Link::Flag | Link::Cell => count >= 3,
    }
}

/// After `token` stands one that is neither a word nor a number nor an address.
fn is_token(secret: &str, value: &Value) -> bool {
    let kinds = kinds(secret);
    let letters = kinds.upper + kinds.lower;
    if secret.chars().count() < 6
        || secret.contains("://")
        || is_path(secret)
        || secret.contains(char::is_whitespace)
    {
        return false;
    }
    if value.after_scheme {
        return (kinds.digits > 0 || letters >= 12) && letters > 0;
    }
    let mixed =
        kinds.digits > 0 && letters > 0 && secret.len() >= 8 && !is_name_with_number(secret);
    let long_mixed_case = secret.len() >= 16
        && kinds.upper > 2
        && kinds.lower > 2
        && kinds.other == 0
        && entropy_bits(secret) >= 3.5
        && value.quoted;
    let signs = value.quoted
        && kinds.other > 1
        && letters > 2
        && secret.bytes().any(|b| b"!@#$%^&*".contains(&b));
    let long_digits = letters == 0 && kinds.digits >= 24;
    let dense = secret.len() >= 20 && entropy_bits(secret) >= 3.5;
    let token = is_random(secret) || dense || kinds.other == 0 || kinds.digits > 2 || value.quoted;
    (mixed && token) || long_mixed_case || signs || long_digits
}

/// `token_2`, `gpt-4`, `v1beta1`, `2024-11-29`: words with a short number, or a date.
fn is_name_with_number(secret: &str) -> bool {
    let parts = secret.split(['-', '_', '.', ':', ' ', '/']);
    let plain = |part: &str| {
        let kinds = kinds(part);
        kinds.digits == part.len() && kinds.digits <= 4
            || kinds.digits <= 2
                && (kinds.upper <= 1 || kinds.lower == 0)
                && part.len() <= 12
                && part
                    .trim_end_matches(|c: char| c.is_ascii_digit())
                    .bytes()
                    .all(|b| b.is_ascii_alphabetic())
    };
    secret.len() < 32 && parts.clone().count() > 1 && parts.clone().all(plain)
}

fn is_path(secret: &str) -> bool {
    secret.starts_with(['/', '~', '.']) && secret[1..].contains('/')
        || secret.matches('/').count() > 3
}

/// An expression of some language that yields the secret, not the secret.
fn is_code(secret: &str, value: &Value) -> bool {
    let is_identifier = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let bare =
        secret.trim_start_matches(['&', '*', '@', '!']).trim_end_matches(['?', '!', ';', ',']);
    let parts = bare.split(['.', ':']).filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let digits = bare.bytes().any(|b| b.is_ascii_digit());
    let tag = secret.starts_with('!') && is_identifier(bare) && !digits;
    let dotted = parts.len() > 1 && parts.iter().all(|part| is_identifier(part)) && !digits;
    let called = secret.contains('(')
        && secret.split('(').next().is_some_and(|name| name.split('.').all(is_identifier));
    let named =
        value.spaced && is_identifier(bare) && !digits && (bare.contains('_') || value.statement);
    tag || dotted
        || called
        || secret.contains("::")
        || value.calls
        || named
        || bare.starts_with("arn:")
}
